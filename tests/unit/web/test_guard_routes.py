"""Guards listed and tried."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from support.guards import PatternGuard, ScriptedGuard, away, plan_of
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.core.caller import MASTER
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_checks import Installed
from tiergate.ports.guarding import Verdict
from tiergate.web.admin import Asked
from tiergate.web.guard_routes import MOST_TEXT, GuardRoutes

PRE, DURING, POST, LATER = Stage
KEY = replace(MASTER, name="k", admin=False, key="hash")
MASKS = Installed(plan_of(PRE, name="m"), guard=PatternGuard("xx", Reaction.MASK, kind="pair"))
BLOCKS = Installed(plan_of(PRE, POST, name="b"), guard=PatternGuard("yy"))


def call(path: str, body: JsonObject | None = None, *guards: Installed, caller=MASTER):
    routes = {
        (each.method, each.path): each.handler
        for each in GuardRoutes(lambda: guards or (MASKS, BLOCKS), lambda: "id").routes()
    }
    method = "GET" if body is None else "POST"
    asked = Asked(method=method, path=path, body=body or {}, caller=caller)
    return asyncio.run(routes[method, path](asked)).body


def test_the_list_has_litellms_form():
    noted = replace(plan_of(PRE, name="n"), info={"params": []})
    guards = (MASKS, BLOCKS, Installed(noted, guard=PatternGuard("x")))
    rows = call("/guardrails/list", None, *guards)["guardrails"]
    assert [row["guardrail_name"] for row in rows] == ["m", "b", "n"]
    assert rows[1]["litellm_params"]["mode"] == ["pre_call", "post_call"]
    assert rows[2]["guardrail_info"] == {"params": []}
    assert call("/v2/guardrails/list", None, *guards)["guardrails"] == rows


def test_holders_of_keys_see_names_and_not_what_happens_on_errors():
    rows = call("/guardrails/list", caller=KEY)["guardrails"]
    assert rows[0]["litellm_params"] == {
        "guardrail": "scripted",
        "mode": "pre_call",
        "default_on": True,
    }


def test_a_try_returns_the_text_as_it_would_go_on():
    told = call("/guardrails/apply_guardrail", {"guardrail_name": "m", "text": "a xx b xx"})
    assert told == {
        "response_text": "a <PAIR_1> b <PAIR_1>",
        "blocked": False,
        "findings": [
            {"kind": "pair", "start": 2, "end": 4, "action": "mask"},
            {"kind": "pair", "start": 7, "end": 9, "action": "mask"},
        ],
    }


def test_a_try_tells_a_block_and_why():
    told = call("/guardrails/apply", {"guardrail_name": "b", "text": "yy", "mode": "post_call"})
    assert told["blocked"] is True
    assert told["reason"] == "The guardrail b found secret."
    said = Installed(plan_of(PRE, name="s"), guard=ScriptedGuard(lambda _: Verdict(blocked="no")))
    assert call("/guardrails/apply", {"guardrail_name": "s", "text": "a"}, said)["reason"] == "no"


def test_a_guard_that_rewrites_is_shown_as_it_rewrites():
    act = Installed(
        plan_of(PRE, name="r"), guard=ScriptedGuard(lambda ps: Verdict(texts=("new",)))
    )
    told = call("/guardrails/apply", {"guardrail_name": "r", "text": "a"}, act)
    assert told["response_text"] == "new"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": "a"}, "guardrail_name"),
        ({"guardrail_name": "m"}, "text"),
        ({"guardrail_name": "m", "text": "a" * (MOST_TEXT + 1)}, "text"),
        ({"guardrail_name": "none", "text": "a"}, "Known are m, b"),
        ({"guardrail_name": "m", "text": "a", "mode": "x"}, "pre_call"),
    ],
)
def test_a_try_that_is_not_understood_is_a_400(body: JsonObject, words: str):
    with pytest.raises(Refused, match=words) as end:
        call("/guardrails/apply", body)
    assert end.value.status == 400


@pytest.mark.parametrize(
    "guard",
    [
        ScriptedGuard(fault=away()),
        ScriptedGuard(fault=KeyError("x")),
        ScriptedGuard(seconds=10.0),
    ],
)
def test_a_guard_that_fails_is_told(guard: ScriptedGuard):
    failing = Installed(plan_of(PRE, name="f", timeout=0.01), guard=guard)
    with pytest.raises(Refused) as end:
        call("/guardrails/apply", {"guardrail_name": "f", "text": "a"}, failing)
    assert (end.value.status, end.value.code) == (503, "guardrail_unavailable")


def test_a_class_of_whole_calls_cannot_be_tried_on_a_text():
    whole = Installed(plan_of(PRE, name="w"), call=None)
    with pytest.raises(Refused, match="looks at whole calls"):
        call("/guardrails/apply", {"guardrail_name": "w", "text": "a"}, whole)
