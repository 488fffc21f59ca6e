"""Bodies, events and errors have the shapes of Anthropic's API."""

from __future__ import annotations

import json

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock import anthropic
from tiergate.mock.answer import Answer, Counts, Ending, SaidTool
from tiergate.mock.call import Call, Dialect
from tiergate.mock.rules import Endpoint, Fail

CALL = Call(1, 1_700_000_000, Endpoint.MESSAGES, Dialect.ANTHROPIC, "m", {})
COUNTS = Counts(10, 7, 3, 4, 5)
FULL = Answer(
    "Hello there", "let me see", (SaidTool("t1", "look", '{"a":1}'),), Ending.TOOL, COUNTS
)


def events_of(answer: Answer, call: Call = CALL) -> list[JsonObject]:
    out: list[JsonObject] = []
    for data in anthropic.events(call, answer):
        name, _, line = data.decode().partition("\n")
        value: Json = json.loads(line.removeprefix("data: "))
        assert isinstance(value, dict)
        assert name == f"event: {value['type']}"
        assert data.endswith(b"\n\n")
        out.append(value)
    return out


def test_a_plain_message_holds_thinking_text_and_tools_in_order() -> None:
    body = anthropic.message(CALL, FULL)
    assert body["content"] == [
        {
            "type": "thinking",
            "thinking": "let me see",
            "signature": anthropic.signature_of("let me see"),
        },
        {"type": "text", "text": "Hello there"},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}},
    ]
    assert (body["type"], body["role"], body["model"]) == ("message", "assistant", "m")
    assert (body["stop_reason"], body["stop_sequence"]) == ("tool_use", None)
    assert body["usage"] == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 9,
        "cache_read_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
        "output_tokens": 7,
        "service_tier": "standard",
    }


def test_a_stream_has_each_block_opened_filled_and_closed() -> None:
    kinds = [event["type"] for event in events_of(FULL)]
    assert kinds[:2] == ["message_start", "ping"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 3


def test_the_deltas_of_a_stream_make_up_the_plain_message() -> None:
    blocks: dict[Json, JsonObject] = {}
    arguments = ""
    for event in events_of(FULL):
        delta, block = event.get("delta"), event.get("content_block")
        if isinstance(block, dict):
            blocks[str(event["index"])] = dict(block)
        elif event["type"] == "content_block_delta" and isinstance(delta, dict):
            opened = blocks[str(event["index"])]
            for field in ("text", "thinking", "signature"):
                if field in delta:
                    opened[field] = f"{opened[field]}{delta[field]}"
            arguments += str(delta.get("partial_json", ""))
    blocks["2"]["input"] = json.loads(arguments)
    assert list(blocks.values()) == anthropic.message(CALL, FULL)["content"]


def test_a_stream_tells_input_at_its_start_and_output_at_its_end() -> None:
    events = events_of(FULL)
    start = events[0]["message"]
    assert isinstance(start, dict)
    assert start["content"] == []
    assert start["stop_reason"] is None
    usage = start["usage"]
    assert isinstance(usage, dict)
    assert (usage["input_tokens"], usage["output_tokens"]) == (10, 1)
    assert events[-2]["usage"] == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 9,
        "cache_read_input_tokens": 3,
        "output_tokens": 7,
    }


def test_broken_arguments_are_streamed_as_they_are_and_empty_in_a_plain_answer() -> None:
    answer = Answer("", "", (SaidTool("t", "x", '{"a": '),), Ending.TOOL, COUNTS)
    assert anthropic.message(CALL, answer)["content"] == [
        {"type": "tool_use", "id": "t", "name": "x", "input": {}}
    ]
    parts = [event["delta"] for event in events_of(answer) if "delta" in event]
    text = "".join(str(part["partial_json"]) for part in parts[:-1] if isinstance(part, dict))
    assert text == '{"a": '


def test_an_empty_answer_has_no_blocks() -> None:
    answer = Answer("", "", (), Ending.DONE, COUNTS)
    assert anthropic.message(CALL, answer)["content"] == []
    kinds = [event["type"] for event in events_of(answer)]
    assert kinds == ["message_start", "ping", "message_delta", "message_stop"]


def test_a_stop_sequence_is_named() -> None:
    call = Call(1, 0, Endpoint.MESSAGES, Dialect.ANTHROPIC, "m", {"stop_sequences": ["END"]})
    body = anthropic.message(call, Answer("x", "", (), Ending.STOP_SEQUENCE, COUNTS))
    assert (body["stop_reason"], body["stop_sequence"]) == ("stop_sequence", "END")


def test_a_refusal_has_details() -> None:
    body = anthropic.message(CALL, Answer("x", "", (), Ending.REFUSED, COUNTS))
    assert body["stop_reason"] == "refusal"
    assert body["stop_details"] == {"type": "refusal", "category": None, "explanation": None}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_each_status_has_its_error_type(status: int, kind: str) -> None:
    body = anthropic.error("req_1", Fail(status))
    error = body["error"]
    assert isinstance(error, dict)
    assert (body["type"], error["type"], body["request_id"]) == ("error", kind, "req_1")
    assert error["message"]


def test_a_scripted_error_says_what_the_script_says() -> None:
    body = anthropic.error("req_1", Fail(429, "odd_error", "odd"))
    assert body["error"] == {"type": "odd_error", "message": "odd"}


def test_an_overflow_and_a_refusal_are_bad_requests() -> None:
    overflow = anthropic.overflow(CALL)
    assert overflow.message == "prompt is too long: 210000 tokens > 200000 maximum"
    assert (overflow.status, overflow.type) == (400, "invalid_request_error")
    assert "content filtering policy" in anthropic.refusal().message


def test_headers_tell_limits_and_when_they_reset() -> None:
    headers = anthropic.headers("req_1", 1_700_000_000, exhausted=False)
    assert headers["request-id"] == "req_1"
    assert headers["anthropic-ratelimit-requests-remaining"] == "3999"
    assert headers["anthropic-ratelimit-output-tokens-reset"] == "2023-11-14T22:13:21Z"
    exhausted = anthropic.headers("req_1", 0, exhausted=True)
    assert exhausted["anthropic-ratelimit-tokens-remaining"] == "0"


def test_models_are_listed() -> None:
    listed = anthropic.model_list(("a", "b"))
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("a", "b", False)
    assert anthropic.model_list(())["first_id"] is None
    assert anthropic.model("a")["type"] == "model"
