"""Content blocks as parts."""

from __future__ import annotations

import pytest

from tiergate.base.chat import (
    Bytes64,
    CacheMark,
    Document,
    FileId,
    Image,
    Link,
    Opaque,
    RedactedThinking,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.errors import Refused
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.content import decode_block, decode_content

MARK = {"type": "ephemeral", "ttl": "1h"}
OWN = Dialect.ANTHROPIC


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "hi"}, Text("hi")),
        ({"type": "text", "text": "", "cache_control": MARK}, Text("", cache=CacheMark(MARK))),
        ({"type": "text", "text": "hi", "cache_control": None, "citations": None}, Text("hi")),
        (
            {"type": "text", "text": "hi", "citations": [{"type": "char_location"}]},
            Text("hi", citations=({"type": "char_location"},)),
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AA"},
                "cache_control": MARK,
            },
            Image(Bytes64("image/png", "AA"), cache=CacheMark(MARK)),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/i"}},
            Image(Link("https://a.example/i")),
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            Image(FileId("file_1", OWN)),
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JV"},
                "title": "T",
                "context": "C",
                "citations": {"enabled": True},
            },
            Document(Bytes64("application/pdf", "JV"), None, "T", "C", citations=True),
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
            },
            Document(None, "words"),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "words"}},
            Document(None, "words"),
        ),
        (
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            Thinking("hm", "sig"),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Thinking("hm")),
        ({"type": "redacted_thinking", "data": "xx"}, RedactedThinking("xx")),
        (
            {"type": "tool_use", "id": "t", "name": "n", "input": {"b": 1, "a": "é"}},
            ToolUse("t", "n", '{"b":1,"a":"é"}'),
        ),
        ({"type": "tool_use", "id": "t", "name": "n", "input": {}}, ToolUse("t", "n", "{}")),
        (
            {"type": "tool_use", "id": "t", "name": "n", "caller": {"type": "direct"}},
            ToolUse("t", "n", "{}"),
        ),
        ({"type": "tool_result", "tool_use_id": "t"}, ToolResult("t", ())),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": "ok", "is_error": True},
            ToolResult("t", (Text("ok"),), is_error=True),
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image", "source": {"type": "url", "url": "https://a.example/i"}},
                ],
            },
            ToolResult("t", (Text("see"), Image(Link("https://a.example/i")))),
        ),
    ],
)
def test_each_block_has_its_part(block, part):
    assert decode_block(block, "x") == part


@pytest.mark.parametrize(
    "block",
    [
        {"type": "search_result", "source": "s", "title": "t", "content": []},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "container_upload", "file_id": "f"},
        {"type": "hologram", "data": "x"},
        {"type": "image", "source": {"type": "url", "url": "u"}, "transformations": {"a": 1}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text"}]}},
        {"type": "image", "source": {"type": "satellite"}},
    ],
)
def test_a_block_that_only_this_dialect_knows_is_kept_whole(block):
    assert decode_block(block, "x") == Opaque(OWN, block["type"], block)


def test_a_string_is_one_text():
    assert decode_content("hi", "x") == (Text("hi"),)
    assert decode_content([], "x") == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (5, "c: expected a string or a list of blocks, got a number"),
        (["hi"], "c.0: expected an object, got a string"),
        ([{"text": "hi"}], "c.0.type: this field is required"),
        ([{"type": "text"}], "c.0.text: this field is required"),
        ([{"type": "text", "text": 5}], "c.0.text: expected a string, got a number"),
        (
            [{"type": "text", "text": "x", "cache_control": "yes"}],
            "c.0.cache_control: expected an object, got a string",
        ),
        ([{"type": "image"}], "c.0.source: this field is required"),
        (
            [{"type": "image", "source": {"type": "url", "url": 5}}],
            "c.0.source.url: expected a string, got a number",
        ),
        (
            [{"type": "tool_use", "id": "t", "name": "n", "input": "{}"}],
            "c.0.input: expected an object, got a string",
        ),
        (
            [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text"}]}],
            "c.0.content.0.text: this field is required",
        ),
        (
            [{"type": "tool_result", "tool_use_id": "t", "is_error": "no"}],
            "c.0.is_error: expected true or false, got a string",
        ),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(content, message):
    with pytest.raises(Refused) as refused:
        decode_content(content, "c")

    assert refused.value.message == message
    assert refused.value.status == 400
    assert refused.value.param == message.partition(":")[0]
