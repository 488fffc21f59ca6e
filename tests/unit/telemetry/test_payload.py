"""Records are written under LiteLLM's names; words and names only where they may be shown."""

from __future__ import annotations

import json

import msgspec
import pytest

from support.records import FAILED, LEFT, REFUSED, SERVED
from support.told import ANSWER, ASKED, no_fold, told, told_by_anthropic
from tiergate.base.errors import FailureClass
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.telemetry.payload import alert_payload, call_type, error_class, payload, trace_of
from tiergate.telemetry.words import words_of

OF_LITELLM = frozenset(
    [
        "id",
        "trace_id",
        "call_type",
        "stream",
        "response_cost",
        "status",
        "custom_llm_provider",
        "total_tokens",
        "prompt_tokens",
        "completion_tokens",
        "startTime",
        "endTime",
        "completionStartTime",
        "response_time",
        "model_map_information",
        "model",
        "model_id",
        "model_group",
        "api_base",
        "metadata",
        "cache_hit",
        "cache_key",
        "saved_cache_cost",
        "request_tags",
        "end_user",
        "requester_ip_address",
        "user_agent",
        "messages",
        "response",
        "error_str",
        "error_information",
        "model_parameters",
        "hidden_params",
        "guardrail_information",
        "standard_built_in_tools_params",
        "response_cost_failure_debug_info",
        "cost_breakdown",
    ]
)
"""The members of LiteLLM's `StandardLoggingPayload`."""


def written(record, words=None, **how):
    found = payload(record, *(() if words is None else (words,)), **how)
    return json.loads(msgspec.json.encode(found))


def test_a_record_has_all_of_litellms_members():
    assert written(SERVED).keys() >= OF_LITELLM


def test_a_record_says_who_served_and_what_it_cost():
    found = written(SERVED)

    assert found["id"] == "call-1"
    assert (found["model_group"], found["model"], found["model_id"]) == (
        "cheap",
        "m-dep-b",
        "dep-b",
    )
    assert (found["response_cost"], found["response_cost_nano_usd"]) == (0.001536, 1_536_000)
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (
        37,
        5,
        42,
    )
    assert found["cached_tokens"] == 20
    assert found["endTime"] - found["startTime"] == 2.5
    assert found["request_tags"] == ["critical"]
    assert found["error_information"]["error_class"] is None
    assert (found["messages"], found["response"]) == (None, None)


def test_the_record_of_a_failure_says_why():
    found = written(FAILED)
    assert (found["status"], found["status_code"], found["response_cost"]) == ("failure", 503, 0.0)
    assert found["error_str"] == "down"
    error = found["error_information"]
    assert (error["error_code"], error["error_class"], error["error_kind"]) == (
        "503",
        "InternalServerError",
        "upstream",
    )
    assert error["error_type"] == "overloaded_error"
    assert written(REFUSED)["model"] is None
    assert written(LEFT)["outcome"] == "cancelled"


@pytest.mark.parametrize("kind", FailureClass)
def test_every_failure_has_a_name_of_litellms(kind):
    name = error_class(told(outcome=FAILED.outcome, failure=kind))
    assert name is not None
    assert name[0].isupper()


def test_refusals_without_a_class_are_told_by_their_status():
    assert error_class(REFUSED) == "RateLimitError"
    assert error_class(told(outcome=REFUSED.outcome, status=401)) == "BadRequestError"


def test_words_are_there_where_they_may_be():
    record = told()
    found = written(record, words_of(record, no_fold))

    assert found["messages"] == ASKED["messages"]
    assert found["response"] == ANSWER
    assert found["model_parameters"] == {"temperature": 0.5}
    assert found["metadata"]["requester_metadata"]["colour"] == "blue"


def test_names_of_key_user_and_team_can_be_left_out():
    names = ("user_api_key_hash", "user_api_key_alias", "user_api_key_user_id")
    shown = written(told())["metadata"]
    assert [shown[name] for name in names] == ["hash-of-key", "ci", "u-1"]

    hidden = json.dumps(written(told(), nameless=True))
    for name in ("hash-of-key", '"ci"', "u-1", "blue"):
        assert name not in hidden


def test_the_trace_is_the_callers_name_for_it_else_the_session_else_the_call():
    record = told()
    assert trace_of(record) == "call-1"
    assert record.telling is not None
    record.telling.trace = "mine"
    assert trace_of(record) == "mine"


def test_chats_of_both_dialects_have_litellms_words():
    assert call_type(SERVED) == "acompletion"
    assert call_type(told_by_anthropic()) == "anthropic_messages"


@pytest.mark.parametrize(
    ("mark", "event", "threshold"),
    [("soft", "soft_budget_crossed", None), ("80", "threshold_crossed", 80)],
)
def test_an_alert_has_the_form_of_litellms_budget_webhook(mark, event, threshold):
    alert = BudgetAlert(
        ScopeKind.KEY, "hash", mark, 8_000_000_000, 10_000_000_000, None, "1d", 1_790_000_000
    )
    found = alert_payload(alert)
    assert isinstance(found, dict)
    assert (found["event"], found["threshold"]) == (event, threshold)
    assert (found["token"], found["spend"], found["max_budget"]) == ("hash", 8.0, 10.0)
    assert "key hash" in str(found["event_message"])
