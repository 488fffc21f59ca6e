"""A call is a generation of Langfuse, with LiteLLM's names in `metadata` obeyed."""

from __future__ import annotations

import json

from support.told import (
    ANSWER,
    ASKED,
    PARENT,
    no_fold,
    telling,
    told,
    told_by_anthropic,
)
from tiergate.core.record import CallRecord, Outcome
from tiergate.telemetry.langfuse import Generations
from tiergate.telemetry.otlp import Span, trace_id
from tiergate.telemetry.words import words_of


def generation(record: CallRecord, **how) -> Span:
    (span,) = Generations(**how).of(record, words_of(record, no_fold))
    return span


def with_metadata(**metadata) -> CallRecord:
    return told(telling({**ASKED, "metadata": metadata}))


def test_a_generation_has_model_tokens_cost_and_words():
    found = generation(told()).attributes

    assert found["langfuse.observation.type"] == "generation"
    assert found["langfuse.observation.model.name"] == "m-dep-b"
    usage = json.loads(str(found["langfuse.observation.usage_details"]))
    assert usage == {
        "input": 10,
        "output": 5,
        "input_cached_tokens": 20,
        "input_cache_creation": 7,
        "total": 42,
    }
    assert json.loads(str(found["langfuse.observation.cost_details"])) == {"total": 0.001536}
    assert json.loads(str(found["langfuse.observation.input"])) == ASKED["messages"]
    assert json.loads(str(found["langfuse.observation.output"])) == ANSWER["choices"][0]["message"]
    assert json.loads(str(found["langfuse.observation.model.parameters"])) == {"temperature": 0.5}
    assert found["langfuse.trace.name"] == "sums"
    assert found["langfuse.trace.tags"] == ("critical",)
    assert found["langfuse.observation.level"] == "DEFAULT"
    assert found["langfuse.observation.metadata.colour"] == "blue"
    assert found["langfuse.observation.metadata.key"] == "ci"


def test_an_answer_of_anthropics_dialect_is_its_content():
    found = generation(told_by_anthropic()).attributes
    answer = json.loads(str(found["langfuse.observation.output"]))
    assert answer["role"] == "assistant"
    assert answer["content"][1]["text"] == "Hi."


def test_several_choices_are_shown_whole():
    answer = {"choices": [ANSWER["choices"][0], ANSWER["choices"][0]]}
    found = generation(told(telling(ASKED, answer))).attributes
    assert json.loads(str(found["langfuse.observation.output"])) == answer


def test_metadata_names_trace_session_user_and_generation():
    record = with_metadata(
        trace_id="run-7",
        trace_name="nightly",
        generation_name="summary",
        session_id="s-1",
        trace_user_id="eve",
        version="2",
        trace_release="r1",
        parent_observation_id="b7ad6b7169203331",
        depth={"a": 1},
        nothing=None,
    )

    span = generation(record)

    assert span.trace == trace_id("run-7")
    assert span.parent.hex() == "b7ad6b7169203331"
    assert span.name == "summary"
    found = span.attributes
    assert (found["langfuse.trace.name"], found["session.id"]) == ("nightly", "s-1")
    assert (found["user.id"], found["langfuse.version"]) == ("eve", "2")
    assert found["langfuse.release"] == "r1"
    assert found["langfuse.observation.metadata.depth"] == '{"a":1}'
    assert "langfuse.observation.metadata.nothing" not in found
    assert "langfuse.observation.metadata.trace_id" not in found


def test_a_parent_that_is_no_span_is_none():
    assert generation(with_metadata(parent_observation_id="the one before")).parent == b""


def test_input_or_output_can_be_masked_by_the_caller():
    found = generation(with_metadata(mask_input=True, mask_output=True)).attributes
    assert "langfuse.observation.input" not in found
    assert "langfuse.observation.output" not in found


def test_the_callers_trace_is_joined_whatever_it_samples():
    record = told()
    assert record.telling is not None
    record.telling.parent = PARENT[:-1] + "0"
    span = generation(record)
    assert span.trace.hex() == "0af7651916cd43dd8448eb211c80319c"


def test_a_failure_has_a_level_and_a_message():
    found = generation(told(outcome=Outcome.FAILURE, message="down")).attributes
    assert found["langfuse.observation.level"] == "ERROR"
    assert found["langfuse.observation.status_message"] == "down"


def test_a_stream_says_when_it_began_to_answer():
    found = generation(told(stream=True)).attributes
    assert found["langfuse.observation.completion_start_time"] == '"2026-09-21T14:13:22.500Z"'


def test_names_can_be_left_out():
    assert "langfuse.observation.metadata.key" not in generation(told(), nameless=True).attributes


def test_an_answer_that_is_no_json_is_shown_as_it_is():
    record = told(telling(ASKED, None))
    assert record.telling is not None
    record.telling.keep(b"[not json")
    found = generation(record).attributes
    assert found["langfuse.observation.output"] == "[not json"
