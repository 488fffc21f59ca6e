"""What phases mean, made ready: the counter, the chooser, and how answers are limited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.attempts import deployment, settings
from tiergate.base.values import AliasName, Dialect
from tiergate.core.catalog import Catalog
from tiergate.core.phases import PhasePolicy, WorkPolicy
from tiergate.wiring.work import output_limit, request_rules

CLAUDE = deployment("cheap", "a", model="claude-haiku-4-5")
GPT = deployment("balanced", "b", provider="openai", dialect=Dialect.OPENAI, model="gpt-4o")
LOCAL = deployment("local", "c", provider="ollama", dialect=Dialect.OPENAI, model="own")
WORK = WorkPolicy(phases={"draft": PhasePolicy(name="draft", alias=AliasName("cheap"))}, auto=True)


def rules(work: WorkPolicy | None):
    given = replace(settings((CLAUDE, GPT)), work=work)
    return request_rules(given, Catalog.of(given))


def test_without_the_file_nothing_is_made_ready():
    assert rules(None).work is None
    assert "auto" not in rules(None).names


def test_with_it_auto_is_a_name_and_models_count_their_own_prompts():
    found = rules(WORK)
    assert found.names["auto"] == "auto"
    assert found.work is not None
    assert found.work.models == {"cheap": "claude-haiku-4-5", "balanced": "gpt-4o"}
    assert set(found.work.limits) == {"cheap", "balanced"}
    assert found.work.count({"messages": [{"content": "word " * 50}]}, "") > 50


def test_where_nobody_may_ask_for_auto_there_is_no_chooser():
    found = rules(replace(WORK, auto=False))
    assert found.work is not None
    assert found.work.auto is None
    assert "auto" not in found.names


@pytest.mark.parametrize(
    ("deployments", "name"),
    [
        ((CLAUDE,), "max_tokens"),
        ((GPT,), "max_completion_tokens"),
        ((LOCAL,), "max_tokens"),
        ((CLAUDE, GPT), "max_completion_tokens"),
        ((), "max_tokens"),
    ],
)
def test_the_name_is_one_that_every_deployment_takes(deployments, name):
    assert output_limit(deployments).name == name


def test_the_lowest_known_bound_counts():
    low = deployment("cheap", "d", model="claude-haiku-4-5", default_max_tokens=99)
    assert output_limit((CLAUDE, low)).most == 99
    assert output_limit((LOCAL,)).most is None
    known = output_limit((CLAUDE,)).most
    assert known is not None
    assert known > 1000
