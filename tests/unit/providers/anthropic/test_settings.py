"""Limits, sampling, output form, accounting and further fields."""

from __future__ import annotations

import pytest

from tiergate.base.chat import Ask, ResponseFormat
from tiergate.base.errors import Untranslatable
from tiergate.base.values import Dialect
from tiergate.providers.anthropic import settings
from tiergate.providers.anthropic.thinking import ThinkingPlan
from tiergate.providers.facts import facts_for
from tiergate.providers.losses import Losses
from tiergate.providers.target import EncodeTarget

OLD, NEW, HOUSE = "claude-sonnet-4-5", "claude-opus-5-5", "house-model"
THINKS = ThinkingPlan({"type": "enabled", "budget_tokens": 4_096}, None, 4_096, active=True)
QUIET = ThinkingPlan()


def ask(dialect=Dialect.OPENAI, **fields):
    return Ask(dialect=dialect, model="x", turns=(), **fields)


def target(model=OLD, **more):
    return EncodeTarget(model=model, facts=facts_for("anthropic", model), **more)


def run(function, wanted, where=None, plan=QUIET, *, lenient=False):
    losses = Losses(lenient=lenient)
    return function(wanted, where or target(), plan, losses), losses.words


@pytest.mark.parametrize(
    ("wanted", "where", "plan", "limit"),
    [
        (ask(max_tokens=77), target(), QUIET, 77),
        (ask(), target(), QUIET, 16_384),
        (ask(), target(HOUSE), QUIET, 8_192),
        (ask(), target("claude-3-haiku"), QUIET, 4_096),
        (ask(), target(default_max_tokens=5_000), QUIET, 5_000),
        (ask(), target(default_max_tokens=4_096), THINKS, 8_192),
        (ask(), target(default_max_tokens=4_097), THINKS, 4_097),
        (ask(), target(default_max_tokens=90_000), QUIET, 64_000),
        (ask(max_tokens=99), target(), THINKS, 99),
        (ask(Dialect.ANTHROPIC, max_tokens=0), target(), QUIET, 0),
        (ask(Dialect.ANTHROPIC, max_tokens=99_999), target(), QUIET, 99_999),
    ],
)
def test_there_is_always_a_limit(wanted, where, plan, limit):
    assert run(settings.output_limit, wanted, where, plan) == (limit, ())


def test_a_limit_above_the_models_own_is_cut_and_told():
    assert run(settings.output_limit, ask(max_tokens=99_999)) == (64_000, ("max_tokens",))


@pytest.mark.parametrize(
    ("model", "plan", "asked", "sent", "losses"),
    [
        (OLD, QUIET, {"temperature": 0.3}, {"temperature": 0.3}, ()),
        (OLD, QUIET, {"temperature": 1.7}, {"temperature": 1}, ("temperature",)),
        (OLD, QUIET, {"temperature": 0.3, "top_p": 1}, {"temperature": 0.3}, ()),
        (OLD, QUIET, {"temperature": 0.3, "top_p": 0.5}, {"temperature": 0.3}, ("top_p",)),
        (OLD, QUIET, {"top_p": 0.5}, {"top_p": 0.5}, ()),
        (
            "claude-sonnet-4",
            QUIET,
            {"temperature": 0.3, "top_p": 0.5},
            {"temperature": 0.3, "top_p": 0.5},
            (),
        ),
        (OLD, QUIET, {"top_k": 5}, {"top_k": 5}, ()),
        (OLD, THINKS, {"temperature": 1, "top_p": 1}, {}, ()),
        (
            OLD,
            THINKS,
            {"temperature": 0, "top_p": 0.5, "top_k": 5},
            {},
            ("temperature", "top_p", "top_k"),
        ),
        (NEW, QUIET, {"temperature": 0.2}, {}, ("temperature",)),
        (OLD, QUIET, {"stop": ("END", "###")}, {"stop_sequences": ["END", "###"]}, ()),
    ],
)
def test_sampling_is_what_the_model_takes(model, plan, asked, sent, losses):
    assert run(settings.sampling, ask(**asked), target(model), plan) == (sent, losses)


def test_an_anthropic_callers_sampling_goes_on_as_it_is():
    fields = {"temperature": 0.2, "top_p": 0.5, "top_k": 3}
    wanted = ask(Dialect.ANTHROPIC, **fields, stop=(" ",))

    assert run(settings.sampling, wanted, target(NEW), THINKS) == (
        {**fields, "stop_sequences": [" "]},
        (),
    )


def test_a_stop_sequence_of_white_space_is_refused_or_dropped():
    wanted = ask(stop=("\n", "END"))

    with pytest.raises(Untranslatable, match="white space"):
        run(settings.sampling, wanted)
    assert run(settings.sampling, wanted, lenient=True) == (
        {"stop_sequences": ["END"]},
        ("stop",),
    )


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}


def test_a_schema_for_the_answer_is_fitted():
    (config, instructions), losses = run(
        settings.output_config, ask(response_format=ResponseFormat(json=True, schema=SCHEMA))
    )

    assert config == {
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {"a": {"type": "integer", "description": '{"minimum":1}'}},
                "additionalProperties": False,
            },
        }
    }
    assert instructions == []
    assert losses == ("response_format.limits",)


def test_an_anthropic_callers_schema_goes_on_as_it_is():
    wanted = ask(
        Dialect.ANTHROPIC,
        response_format=ResponseFormat(json=True, schema=SCHEMA),
        extras={"output_config": {"task_budget": 1}},
    )

    (config, _), losses = run(settings.output_config, wanted, plan=ThinkingPlan(effort="low"))

    assert config == {
        "task_budget": 1,
        "effort": "low",
        "format": {"type": "json_schema", "schema": SCHEMA},
    }
    assert losses == ()


def test_a_bare_json_object_is_asked_for_in_words():
    (config, instructions), losses = run(
        settings.output_config, ask(response_format=ResponseFormat(json=True))
    )

    assert config == {}
    assert instructions == [{"type": "text", "text": settings.JSON_ONLY}]
    assert losses == ("response_format.json_object",)


def test_a_schema_for_a_model_that_takes_none_is_refused_or_dropped():
    wanted = ask(response_format=ResponseFormat(json=True, schema=SCHEMA))
    old = target("claude-sonnet-4")

    with pytest.raises(Untranslatable, match="JSON schema"):
        run(settings.output_config, wanted, old)
    assert run(settings.output_config, wanted, old, lenient=True) == (
        ({}, []),
        ("response_format",),
    )


@pytest.mark.parametrize(
    ("wanted", "fields", "losses"),
    [
        (ask(user="ann"), {"metadata": {"user_id": "ann"}}, ()),
        (ask(user="u" * 257), {}, ("user",)),
        (
            ask(extras={"safety_identifier": "s"}),
            {"metadata": {"user_id": "s"}},
            (),
        ),
        (
            ask(user="ann", extras={"safety_identifier": "s"}),
            {"metadata": {"user_id": "ann"}},
            (),
        ),
        (ask(service_tier="auto"), {"service_tier": "auto"}, ()),
        (ask(service_tier="default"), {"service_tier": "standard_only"}, ()),
        (ask(service_tier="flex"), {}, ("service_tier",)),
        (
            ask(
                Dialect.ANTHROPIC,
                user="ann",
                service_tier="odd",
                extras={"metadata": {"tags": ["a"]}},
            ),
            {"metadata": {"tags": ["a"], "user_id": "ann"}, "service_tier": "odd"},
            (),
        ),
    ],
)
def test_who_asks_is_told_where_it_can_be(wanted, fields, losses):
    noted = Losses(lenient=False)

    assert settings.account(wanted, noted) == fields
    assert noted.words == losses


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1},
        {"n": None},
        {"logprobs": False},
        {"top_logprobs": 0},
        {"logit_bias": {}},
        {"presence_penalty": 0},
        {"store": False},
        {"modalities": ["text"]},
        {"safety_identifier": "x"},
    ],
)
def test_a_field_that_asks_for_nothing_is_no_loss(fields):
    losses = Losses(lenient=False)

    assert settings.extras(ask(extras=fields), losses) == {}
    assert losses.words == ()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"logit_bias": {"1": 5}}, ("logit_bias",)),
        ({"presence_penalty": 0.5, "store": True}, ("presence_penalty", "store")),
        ({"metadata": {"a": "b"}}, ("metadata",)),
        ({"brand new\r\nx: y": 1}, ("brand_new__x__y",)),
    ],
)
def test_a_hint_is_a_loss(fields, words):
    losses = Losses(lenient=False)

    settings.extras(ask(extras=fields), losses)

    assert losses.words == words


def test_a_seed_is_a_loss():
    losses = Losses(lenient=False)

    settings.extras(ask(seed=7), losses)

    assert losses.words == ("seed",)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("n", 2),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "x"}),
        ("web_search_options", {"a": 1}),
    ],
)
def test_a_field_that_changes_the_answer_is_refused_or_dropped(key, value):
    with pytest.raises(Untranslatable, match=key):
        settings.extras(ask(extras={key: value}), Losses(lenient=False))

    lenient = Losses(lenient=True)
    settings.extras(ask(extras={key: value}), lenient)
    assert lenient.words == (key,)


def test_an_anthropic_callers_further_fields_go_on_as_they_are():
    fields = {"context_management": {"edits": []}, "output_config": {}, "metadata": {}, "new": 1}
    losses = Losses(lenient=False)

    assert settings.extras(ask(Dialect.ANTHROPIC, extras=fields), losses) == {
        "context_management": {"edits": []},
        "new": 1,
    }
    assert losses.words == ()
