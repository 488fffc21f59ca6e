"""Answers as chat completions."""

from __future__ import annotations

import msgspec
from openai.types.chat import ChatCompletion

from tiergate.base.chat import (
    Answer,
    Opaque,
    Part,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolUse,
)
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.openai import decode_answer, encode_answer


def _answer(*parts: Part, stop: Stop = Stop.END) -> Answer:
    return Answer(id="msg_1", model="m", parts=parts, stop=stop, usage=Usage(10, 5))


def _written(answer: Answer) -> JsonObject:
    body: Json = msgspec.json.decode(encode_answer(answer, model="cheap", created=1700000000))
    assert isinstance(body, dict)
    return body


def _message(answer: Answer) -> JsonObject:
    body = _written(answer)
    choices = body["choices"]
    assert isinstance(choices, list)
    choice = choices[0]
    assert isinstance(choice, dict)
    message = choice["message"]
    assert isinstance(message, dict)
    return message


def test_the_answer_is_what_openais_client_expects() -> None:
    answer = _answer(Text("hi"), ToolUse("t", "f", '{"a":1}'), stop=Stop.TOOLS)
    parsed = ChatCompletion.model_validate(_written(answer), strict=True)
    assert (parsed.model, parsed.created) == ("cheap", 1700000000)
    choice = parsed.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "hi")
    assert choice.message.tool_calls
    assert choice.message.tool_calls[0].id == "t"
    assert parsed.usage
    assert parsed.usage.total_tokens == 15


def test_texts_are_joined_and_none_at_all_is_null() -> None:
    assert _message(_answer(Text("a"), Text("b")))["content"] == "ab"
    assert _message(_answer())["content"] is None


def test_signed_thinking_stands_in_its_list_and_its_text_beside_it() -> None:
    message = _message(_answer(Thinking("hm", "sig"), RedactedThinking("x"), Text("a")))
    assert message["reasoning_content"] == "hm"
    assert message["thinking_blocks"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "x"},
    ]


def test_unsigned_thinking_is_text_only() -> None:
    message = _message(_answer(Thinking("hm"), Text("a")))
    assert message["reasoning_content"] == "hm"
    assert "thinking_blocks" not in message


def test_citations_keep_their_place_in_the_joined_text() -> None:
    web: JsonObject = {"type": "web_search_result_location", "url": "u", "title": "T"}
    page: JsonObject = {"type": "page_location", "cited_text": "x"}
    message = _message(_answer(Text("One. "), Text("Two.", citations=(web, page))))
    place: JsonObject = {"start_index": 5, "end_index": 9, "url": "u", "title": "T"}
    assert message["annotations"] == [{"type": "url_citation", "url_citation": place}]
    assert message["provider_specific_fields"] == {"citations": [web, page]}


def test_blocks_without_a_field_are_kept_under_their_own_name() -> None:
    block: JsonObject = {"type": "server_tool_use", "id": "s"}
    message = _message(_answer(Opaque(Dialect.ANTHROPIC, "server_tool_use", block)))
    assert message["provider_specific_fields"] == {"blocks": [block]}


def test_a_refusal_in_words_ends_with_stop_and_a_filter_does_not() -> None:
    for parts, reason in (((Refusal("No."),), "stop"), ((), "content_filter")):
        body = _written(_answer(*parts, stop=Stop.REFUSED))
        assert isinstance(choices := body["choices"], list)
        assert isinstance(choice := choices[0], dict)
        assert choice["finish_reason"] == reason


def test_an_answer_of_the_own_dialect_survives_reading_and_writing() -> None:
    answer = Answer(
        id="chatcmpl-1",
        model="cheap",
        parts=(
            Thinking("hm", "sig"),
            Text("a", citations=({"type": "url_citation", "url_citation": {"url": "u"}},)),
            Opaque(Dialect.OPENAI, "audio", {"id": "au"}),
            ToolUse("t", "f", '{"a": 1}'),
            Opaque(Dialect.OPENAI, "custom tool call", {"type": "custom", "id": "c"}),
        ),
        stop=Stop.TOOLS,
        stop_raw="tool_calls",
        usage=Usage(10, 5, cache_read=0),
        created=1,
        service_tier="default",
        extras={"system_fingerprint": "fp"},
    )
    assert decode_answer(_written(answer)) == answer
