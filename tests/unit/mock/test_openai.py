"""Bodies, chunks and errors have the shapes of OpenAI's API."""

from __future__ import annotations

import json

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock import openai
from tiergate.mock.answer import Answer, Counts, Ending, SaidTool
from tiergate.mock.call import Call, Dialect
from tiergate.mock.embedding import packed, vector_of
from tiergate.mock.rules import Endpoint, Fail

CALL = Call(1, 1_700_000_000, Endpoint.CHAT, Dialect.OPENAI, "m", {})
WITH_USAGE = Call(
    1, 0, Endpoint.CHAT, Dialect.OPENAI, "m", {"stream_options": {"include_usage": True}}
)
COUNTS = Counts(10, 7, 3, 4, 0, 2)
TEXT = Answer("Hello there", "hm", (), Ending.DONE, COUNTS)
TOOLS = (SaidTool("c1", "look", '{"a":1}'), SaidTool("c2", "find", "{}"))
CALLING = Answer("", "", TOOLS, Ending.TOOL, COUNTS)


def chunks_of(data: list[bytes]) -> list[JsonObject]:
    assert data[-1] == b"data: [DONE]\n\n"
    out: list[JsonObject] = []
    for line in data[:-1]:
        value: Json = json.loads(line.removeprefix(b"data: "))
        assert isinstance(value, dict)
        out.append(value)
    return out


def choice_of(body: JsonObject) -> JsonObject:
    choices = body["choices"]
    assert isinstance(choices, list)
    choice = choices[0]
    assert isinstance(choice, dict)
    return choice


def deltas_of(answer: Answer, call: Call = CALL) -> list[JsonObject]:
    out: list[JsonObject] = []
    for chunk in chunks_of(openai.chunks(call, answer)):
        if chunk["choices"]:
            delta = choice_of(chunk)["delta"]
            assert isinstance(delta, dict)
            out.append(delta)
    return out


def test_a_plain_answer_holds_text_and_reasoning() -> None:
    body = openai.completion(CALL, TEXT)
    choice = choice_of(body)
    assert choice["message"] == {
        "role": "assistant",
        "content": "Hello there",
        "reasoning_content": "hm",
        "refusal": None,
        "annotations": [],
    }
    assert choice["finish_reason"] == "stop"
    assert (body["object"], body["created"], body["model"]) == (
        "chat.completion",
        1_700_000_000,
        "m",
    )


def test_cached_tokens_are_part_of_the_prompt() -> None:
    usage = openai.completion(CALL, TEXT)["usage"]
    assert isinstance(usage, dict)
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (
        17,
        7,
        24,
    )
    assert usage["prompt_tokens_details"] == {"cached_tokens": 3, "audio_tokens": 0}
    details = usage["completion_tokens_details"]
    assert isinstance(details, dict)
    assert details["reasoning_tokens"] == 2


def test_tool_calls_come_without_text() -> None:
    choice = choice_of(openai.completion(CALL, CALLING))
    said = choice["message"]
    assert isinstance(said, dict)
    assert said["content"] is None
    assert said["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}},
        {"id": "c2", "type": "function", "function": {"name": "find", "arguments": "{}"}},
    ]
    assert choice["finish_reason"] == "tool_calls"


def test_an_empty_text_stays_a_text() -> None:
    said = choice_of(openai.completion(CALL, Answer("", "", (), Ending.DONE, COUNTS)))["message"]
    assert isinstance(said, dict)
    assert said["content"] == ""


def test_the_deltas_of_a_stream_make_up_the_text() -> None:
    deltas = deltas_of(TEXT)
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert "".join(str(delta.get("content", "")) for delta in deltas) == "Hello there"
    assert "".join(str(delta.get("reasoning_content", "")) for delta in deltas) == "hm"
    assert deltas[-1] == {}


def test_the_deltas_of_tool_calls_make_up_their_arguments() -> None:
    arguments = {0: "", 1: ""}
    for delta in deltas_of(CALLING):
        calls = delta.get("tool_calls")
        for part in calls if isinstance(calls, list) else []:
            assert isinstance(part, dict)
            index, function = part["index"], part["function"]
            assert isinstance(index, int)
            assert isinstance(function, dict)
            arguments[index] += str(function["arguments"])
    assert arguments == {0: '{"a":1}', 1: "{}"}


def test_usage_is_streamed_only_where_asked_for() -> None:
    assert all("usage" not in chunk for chunk in chunks_of(openai.chunks(CALL, TEXT)))
    chunks = chunks_of(openai.chunks(WITH_USAGE, TEXT))
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == openai.completion(CALL, TEXT)["usage"]


def test_the_old_completions_route_has_its_own_shape() -> None:
    body = openai.text_completion(CALL, TEXT)
    assert body["object"] == "text_completion"
    assert choice_of(body)["text"] == "Hello there"
    chunks = chunks_of(openai.text_chunks(WITH_USAGE, TEXT))
    with_choice = [chunk for chunk in chunks if chunk["choices"]]
    assert "".join(str(choice_of(chunk)["text"]) for chunk in with_choice) == "Hello there"
    assert choice_of(with_choice[-1])["finish_reason"] == "stop"
    assert chunks[-1]["usage"] == body["usage"]


@pytest.mark.parametrize(
    ("ending", "word"),
    [
        (Ending.LENGTH, "length"),
        (Ending.REFUSED, "content_filter"),
        (Ending.STOP_SEQUENCE, "stop"),
        (Ending.PAUSED, "stop"),
    ],
)
def test_each_ending_has_its_word(ending: Ending, word: str) -> None:
    answer = Answer("x", "", (), ending, COUNTS)
    assert choice_of(openai.completion(CALL, answer))["finish_reason"] == word


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", None),
        (401, "invalid_request_error", "invalid_api_key"),
        (403, "invalid_request_error", None),
        (404, "invalid_request_error", "model_not_found"),
        (429, "requests", "rate_limit_exceeded"),
        (500, "server_error", None),
        (503, "server_error", None),
    ],
)
def test_each_status_has_its_error(status: int, kind: str, code: str | None) -> None:
    error = openai.error(Fail(status))["error"]
    assert isinstance(error, dict)
    assert (error["type"], error["code"], error["param"]) == (kind, code, None)
    assert error["message"]


def test_a_scripted_error_says_what_the_script_says() -> None:
    assert openai.error(Fail(429, "tokens", "odd", "c")) == {
        "error": {"message": "odd", "type": "tokens", "param": None, "code": "c"}
    }


def test_an_overflow_and_a_refusal_have_their_codes() -> None:
    overflow = openai.overflow(CALL)
    assert (overflow.status, overflow.code) == (400, "context_length_exceeded")
    assert "maximum context length is 128000 tokens" in overflow.message
    assert (openai.refusal().status, openai.refusal().code) == (400, "invalid_prompt")


def test_headers_tell_limits() -> None:
    headers = openai.headers("req_1", exhausted=False)
    assert headers["x-request-id"] == "req_1"
    assert headers["x-ratelimit-remaining-requests"] == "9999"
    assert openai.headers("req_1", exhausted=True)["x-ratelimit-remaining-tokens"] == "0"


def rows_of(body: JsonObject) -> list[JsonObject]:
    call = Call(1, 0, Endpoint.EMBEDDINGS, Dialect.OPENAI, "e", body)
    rows = openai.embeddings(call)["data"]
    assert isinstance(rows, list)
    return [row for row in rows if isinstance(row, dict)]


def test_embeddings_keep_order_and_size() -> None:
    rows = rows_of({"input": ["a", "b"], "dimensions": 4})
    assert [row["index"] for row in rows] == [0, 1]
    assert [row["embedding"] for row in rows] == [vector_of("a", 4), vector_of("b", 4)]


def test_embeddings_can_be_packed() -> None:
    rows = rows_of({"input": "a", "dimensions": 4, "encoding_format": "base64"})
    assert rows[0]["embedding"] == packed(vector_of("a", 4))


def test_models_are_listed() -> None:
    assert openai.model_list(("a",)) == {"object": "list", "data": [openai.model("a")]}
