"""Content parts of chat messages."""

from __future__ import annotations

import pytest

from tiergate.base.chat import (
    Audio,
    Bytes64,
    CacheMark,
    Document,
    FileId,
    Image,
    Link,
    Opaque,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.content import content_parts, with_mark, without_mark

MARK: JsonObject = {"type": "ephemeral"}


def test_a_string_is_one_text_and_nothing_is_none() -> None:
    assert content_parts("hi", "x") == (Text("hi"),)
    assert content_parts("", "x") == ()
    assert content_parts(None, "x") == ()


def test_empty_text_parts_are_dropped_and_blank_ones_kept() -> None:
    parts: Json = [{"type": "text", "text": ""}, {"type": "text", "text": " "}, "", "bare"]
    assert content_parts(parts, "x") == (Text(" "), Text("bare"))


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ({"type": "text", "text": "a", "cache_control": MARK}, Text("a", CacheMark(MARK))),
        (
            {
                "type": "image_url",
                "image_url": {"url": "https://i.example/a.png", "detail": "low"},
            },
            Image(Link("https://i.example/a.png"), "low"),
        ),
        (
            {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
            Image(Bytes64("image/png", "AAAA")),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            Audio("UklG", "wav"),
        ),
        (
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
            },
            Document(Bytes64("application/pdf", "JVBE"), title="a.pdf"),
        ),
        (
            {"type": "file", "file": {"file_id": "file-1"}},
            Document(FileId("file-1", Dialect.OPENAI)),
        ),
        (
            {"type": "file", "file": {"file_id": "https://f.example/a.pdf"}},
            Document(Link("https://f.example/a.pdf")),
        ),
        (
            {"type": "file", "file": {"filename": "n.txt", "file_data": "aGk="}},
            Document(None, text="hi", title="n.txt"),
        ),
        ({"type": "refusal", "refusal": "No."}, Refusal("No.")),
        (
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            Thinking("hm", "s"),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Thinking("hm")),
        ({"type": "redacted_thinking", "data": "x"}, RedactedThinking("x")),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
            },
            Image(Bytes64("image/png", "AAAA")),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://i.example"}},
            Image(Link("https://i.example")),
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            Image(FileId("f", Dialect.ANTHROPIC)),
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "body"},
                "title": "T",
                "context": "C",
                "citations": {"enabled": True},
            },
            Document(None, text="body", title="T", context="C", citations=True),
        ),
        (
            {"type": "tool_use", "id": "t", "name": "n", "input": {"b": 1, "a": 2}},
            ToolUse("t", "n", '{"b":1,"a":2}'),
        ),
        ({"type": "tool_use", "id": "t", "name": "n"}, ToolUse("t", "n", "{}")),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": "out", "is_error": True},
            ToolResult("t", (Text("out"),), is_error=True),
        ),
    ],
)
def test_every_known_part_has_its_canonical_form(raw: JsonObject, part: object) -> None:
    assert content_parts([raw], "x") == (part,)


def test_an_unknown_part_is_kept_whole_for_the_encoder_to_name() -> None:
    raw: JsonObject = {"type": "hologram", "data": 1}
    assert content_parts([raw], "x") == (Opaque(Dialect.OPENAI, "hologram", raw),)


def test_anthropics_own_blocks_are_kept_as_anthropics() -> None:
    raw: JsonObject = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    assert content_parts([raw], "x") == (Opaque(Dialect.ANTHROPIC, "server_tool_use", raw),)
    content: JsonObject = {"type": "document", "source": {"type": "content", "content": []}}
    assert content_parts([content], "x") == (Opaque(Dialect.ANTHROPIC, "document", content),)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (5, "m"),
        ([5], "m.0"),
        ([{}], "m.0.type"),
        ([{"type": "text"}], "m.0.text"),
        ([{"type": "image_url", "image_url": {"url": 3}}], "m.0.image_url.url"),
        ([{"type": "image_url"}], "m.0.image_url"),
        ([{"type": "input_audio", "input_audio": {"data": "x"}}], "m.0.input_audio.format"),
        ([{"type": "file", "file": {}}], "m.0.file"),
        ([{"type": "text", "text": "a", "cache_control": "yes"}], "m.0.cache_control"),
        ([{"type": "image", "source": {"type": "tape"}}], "m.0.source.type"),
        ([{"type": "tool_use", "id": "t", "name": "n", "input": [1]}], "m.0.input"),
        (
            [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_result"}]}],
            "m.0.content.0",
        ),
    ],
)
def test_a_wrong_shape_is_refused_at_its_place(content: Json, place: str) -> None:
    with pytest.raises(Refused) as caught:
        content_parts(content, "m")
    assert caught.value.status == 400
    assert caught.value.param == place


def test_a_mark_never_replaces_one_that_is_there() -> None:
    first, second = CacheMark({"type": "ephemeral"}), CacheMark({"type": "ephemeral", "ttl": "1h"})
    assert with_mark(Text("a"), second) == Text("a", second)
    assert with_mark(Text("a", first), second) == Text("a", first)
    assert with_mark(Thinking("a"), second) is None
    assert without_mark(Text("a", first)) == Text("a")
    assert without_mark(Thinking("a")) == Thinking("a")
