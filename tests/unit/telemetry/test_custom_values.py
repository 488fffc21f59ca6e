"""A logger written for LiteLLM finds in `kwargs` and the answer what it looks for."""

from __future__ import annotations

import json

import pytest

from support.told import ANSWER, ASKED, no_fold, telling, told, told_by_anthropic
from tiergate.core.record import CallRecord, Outcome
from tiergate.telemetry.custom_values import Attributes, CallError, attributes, occurrence
from tiergate.telemetry.words import words_of


def seen(record: CallRecord, **how):
    return occurrence(record, words_of(record, no_fold), nameless=how.get("nameless", False))


def test_the_answer_is_read_as_a_mapping_and_as_an_object():
    answer = seen(told()).response

    assert answer.choices[0].message.content == "Four."
    assert answer["choices"][0]["message"]["content"] == "Four."
    assert answer.usage.total_tokens == 42
    assert answer.model_dump() == ANSWER == answer.dict()
    assert json.loads(answer.model_dump_json()) == ANSWER == json.loads(answer.json())
    assert not hasattr(answer, "absent")
    assert type(answer.model_dump()["choices"][0]) is dict


def test_kwargs_have_litellms_entries():
    found = seen(told(user="eve")).kwargs

    assert found["model"] == "m-dep-b"
    assert found["messages"] == ASKED["messages"]
    assert found["optional_params"] == {"temperature": 0.5}
    assert found["response_cost"] == 0.001536
    assert found["user"] == "eve"
    assert found["call_type"] == "acompletion"
    params = found["litellm_params"]
    assert params["metadata"]["user_api_key_hash"] == "hash-of-key"
    assert params["metadata"]["model_group"] == "cheap"
    assert params["metadata"]["tags"] == ["critical"]
    assert params["model_info"] == {"id": "dep-b"}
    body = params["proxy_server_request"]["body"]
    assert body["messages"] == ASKED["messages"]
    assert found["standard_logging_object"]["id"] == "call-1"
    assert found["standard_logging_object"]["response"]["id"] == "chatcmpl-1"
    assert "exception" not in found


def test_instants_are_local_time_whose_difference_is_the_duration():
    found = seen(told())
    assert (found.end - found.start).total_seconds() == pytest.approx(2.5)
    assert found.start.timestamp() == 1_790_000_000
    assert found.start.tzinfo is None


def test_a_failed_call_has_an_exception_and_no_answer():
    found = seen(told(outcome=Outcome.FAILURE, status=503, message="down"))

    assert not found.good
    assert found.response is None
    error = found.kwargs["exception"]
    assert isinstance(error, CallError)
    assert (error.status_code, str(error), error.llm_provider) == (503, "down", "anthropic")
    assert found.kwargs["log_event_type"] == "failed_api_call"


def test_without_words_there_are_the_facts():
    record = told(telling(None))
    found = seen(record)

    assert found.kwargs["messages"] == []
    assert found.response.usage.completion_tokens == 5
    assert found.response.choices == []
    assert "messages" not in found.request


def test_a_call_without_usage_and_words_has_no_answer():
    assert seen(told(telling(None), usage=None)).response is None


def test_names_can_be_left_out():
    found = seen(told(), nameless=True)
    assert found.caller.api_key is None
    assert seen(told()).caller.api_key == "hash-of-key"
    assert found.kwargs["litellm_params"]["metadata"]["user_api_key_alias"] is None


def test_a_call_of_anthropics_dialect_keeps_its_answer():
    found = seen(told_by_anthropic())
    assert found.response.content[1].text == "Hi."
    request = found.kwargs["litellm_params"]["proxy_server_request"]
    assert request["url"] == "/v1/messages"


def test_what_a_logger_changes_is_its_own():
    record = told()
    seen(record).kwargs["messages"].clear()
    assert seen(record).kwargs["messages"] == ASKED["messages"]


def test_values_that_are_no_mappings_stay_as_they_are():
    assert attributes([1, "a", None]) == [1, "a", None]
    assert isinstance(attributes([{"a": {}}])[0]["a"], Attributes)
