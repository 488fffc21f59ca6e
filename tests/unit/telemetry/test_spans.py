"""A call is a span with the GenAI attributes; its attempts stand below it; the caller's above."""

from __future__ import annotations

import json

import pytest

from support.told import DEP_A, DEP_B, PARENT, no_fold, telling, told
from tiergate.base.values import Operation
from tiergate.core.record import CallRecord, Outcome
from tiergate.telemetry.otlp import Kind, trace_id
from tiergate.telemetry.spans import OPERATIONS, CallSpans
from tiergate.telemetry.words import NOTHING_SAID, words_of

BOTH = {DEP_A.id: DEP_A, DEP_B.id: DEP_B}


def spans_of(record: CallRecord, **how):
    return CallSpans(BOTH, **how).of(record, NOTHING_SAID)


def test_a_call_has_the_attributes_of_the_conventions():
    root = spans_of(told(deployment=DEP_B, user="eve"))[0]

    assert (root.name, root.kind) == ("chat cheap", Kind.SERVER)
    assert (root.end - root.begin) == pytest.approx(2.5)
    found = root.attributes
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.provider.name"] == found["gen_ai.system"] == "openai"
    assert found["gen_ai.request.model"] == "cheap"
    assert found["gen_ai.response.model"] == "m-dep-b"
    assert found["gen_ai.usage.input_tokens"] == 37
    assert found["gen_ai.usage.output_tokens"] == 5
    assert found["gen_ai.usage.cache_read.input_tokens"] == 20
    assert found["gen_ai.usage.cache_creation.input_tokens"] == 7
    assert found["tiergate.cost_usd"] == 0.001536
    assert found["tiergate.tags"] == ("critical",)
    assert found["enduser.id"] == "eve"
    assert root.error is None


def test_attempts_stand_below_the_call_at_their_times():
    root, first, second = spans_of(told(deployment=DEP_B))

    assert first.parent == second.parent == root.id
    assert len({root.id, first.id, second.id}) == 3
    assert first.begin == pytest.approx(root.begin + 0.1)
    assert first.end == pytest.approx(first.begin + 0.5)
    assert (first.error, first.attributes["error.type"]) == ("503 upstream", "upstream")
    assert (first.name, second.name) == ("chat m-dep-a", "chat m-dep-b")
    assert second.begin == pytest.approx(root.begin + 0.7)
    assert second.end == root.end, "the attempt that serves lasts until the answer has gone out"
    assert second.error is None
    assert second.kind is Kind.CLIENT


def test_an_attempt_at_a_deployment_that_is_gone_is_named_by_its_id():
    spans = CallSpans({}).of(told(), NOTHING_SAID)
    assert spans[1].name == "chat dep-a"


def test_the_callers_span_is_the_parent():
    record = told()
    assert record.telling is not None
    record.telling.parent = PARENT

    root = spans_of(record)[0]

    assert root.trace.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert root.parent.hex() == "b7ad6b7169203331"


def test_a_call_that_its_caller_does_not_sample_is_not_told():
    record = told()
    assert record.telling is not None
    record.telling.parent = PARENT[:-1] + "0"
    assert spans_of(record) == []


def test_without_a_parent_the_trace_has_the_callers_name_or_that_of_the_call():
    record = told()
    assert spans_of(record)[0].trace == trace_id("call-1")
    assert record.telling is not None
    record.telling.trace = "of the nightly run"
    assert spans_of(record)[0].trace == trace_id("of the nightly run")


def test_two_calls_with_one_id_have_spans_of_their_own():
    assert spans_of(told())[0].id != spans_of(told(wall=5.0))[0].id


def test_a_failed_call_says_what_went_wrong():
    root = spans_of(told(outcome=Outcome.FAILURE, status=503, message="down"))[0]
    assert root.error == "down"
    assert root.attributes["error.type"] == "BadRequestError"
    left = spans_of(told(outcome=Outcome.CANCELLED, status=499))[0]
    assert left.error == "cancelled, status 499"


def test_names_can_be_left_out():
    assert spans_of(told())[0].attributes["tiergate.key"] == "ci"
    assert "tiergate.key" not in spans_of(told(), nameless=True)[0].attributes


def test_words_and_settings_are_attributes_where_they_may_be_seen():
    record = told()
    root = CallSpans(BOTH).of(record, words_of(record, no_fold))[0]

    assert root.attributes["gen_ai.request.temperature"] == 0.5
    asked = json.loads(str(root.attributes["gen_ai.input.messages"]))
    assert asked[1]["parts"][0]["content"] == "What is two and two?"
    answered = json.loads(str(root.attributes["gen_ai.output.messages"]))
    assert answered[0]["parts"][0]["content"] == "Four."
    assert "gen_ai.input.messages" not in spans_of(record)[0].attributes


def test_settings_that_are_no_numbers_are_left_out():
    record = told(telling({"messages": [], "temperature": "hot"}))
    root = CallSpans(BOTH).of(record, words_of(record, no_fold))[0]
    assert "gen_ai.request.temperature" not in root.attributes


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_a_name(operation):
    assert spans_of(told(operation=operation))[0].name == f"{OPERATIONS[operation]} cheap"


def test_a_call_without_a_telling_is_one_span():
    record = told()
    record.telling = None
    assert len(spans_of(record)) == 1
