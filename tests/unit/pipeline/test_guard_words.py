"""What callers are told, in their dialect."""

from __future__ import annotations

import json

import pytest

from support.guards import plan_of
from tiergate.base.errors import FailureClass
from tiergate.base.values import Dialect
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_words import (
    as_failure,
    blocked,
    frame,
    gone,
    tokens_only,
    unavailable,
    unknown,
)

PRE, DURING, POST, LATER = Stage
PLAN = plan_of(PRE, name="mine")


def test_a_block_names_guard_stage_and_kinds():
    refused = blocked(PLAN, POST, "", ["email", "email", "card"])
    assert refused.message == (
        "The guardrail mine found email, card in the answer, and does not let it through."
    )
    assert dict(refused.details)["provider_specific_fields"] == {
        "error": refused.message,
        "guardrail_name": "mine",
        "guardrail_mode": "post_call",
        "pattern": "email",
    }


def test_the_words_of_the_file_may_have_those_of_the_guard_in_them():
    plan = plan_of(PRE, message="No: {default_message}")
    assert blocked(plan, PRE, "because").message == "No: because"


@pytest.mark.parametrize(("stage", "words"), [(PRE, "was not sent"), (POST, "held back")])
def test_a_guard_that_is_away_is_no_fault_of_the_caller(stage: Stage, words: str):
    refused = unavailable(PLAN, stage, "it is away")
    assert (refused.status, refused.code) == (503, "guardrail_unavailable")
    assert words in refused.message
    assert as_failure(refused).kind is FailureClass.UPSTREAM


def test_who_asks_for_what_is_not_there_is_told_what_is():
    assert "Known are a, b." in unknown(["x"], ["a", "b"]).message
    assert "None are configured." in unknown(["x"], []).message
    assert "/key/update" in gone(["x"]).message
    assert tokens_only("prompt").param == "prompt"


def test_a_stream_ends_with_an_event_of_its_dialect():
    refused = blocked(PLAN, POST, "because")
    assert as_failure(refused).kind is FailureClass.BAD_REQUEST
    start, _, data = frame(refused, Dialect.ANTHROPIC).partition(b"\ndata: ")
    body = json.loads(data)
    assert (start, body["type"]) == (b"event: error", "error")
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["provider_specific_fields"]["guardrail_name"] == "mine"
    body = json.loads(frame(refused, Dialect.OPENAI).removeprefix(b"data: "))
    assert body["error"]["message"] == "because"
    assert body["error"]["code"] == "guardrail_blocked"
    away = json.loads(frame(unavailable(PLAN, POST, "x"), Dialect.ANTHROPIC).split(b"data: ")[1])
    assert away["error"]["type"] == "api_error"
