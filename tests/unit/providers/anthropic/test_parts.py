"""Parts as content blocks."""

from __future__ import annotations

import json

import msgspec
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
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.parts import FILES_BETA, PartWriter
from tiergate.providers.losses import Losses

MARK = CacheMark({"type": "ephemeral"})
A, O = Dialect.ANTHROPIC, Dialect.OPENAI  # noqa: E741 - the dialects' own letters


def write(*parts, dialect=O, lenient=False):
    """Return blocks, losses and the writer."""
    losses = Losses(lenient=lenient)
    writer = PartWriter(dialect, losses)
    blocks = json.loads(msgspec.json.encode(writer.blocks(parts)))
    return blocks, losses.words, writer


PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Text("hi"), {"type": "text", "text": "hi"}),
        (
            Text("hi", cache=MARK),
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
        ),
        (Refusal("I will not."), {"type": "text", "text": "I will not."}),
        (
            Image(Bytes64("image/jpg", "AA"), cache=MARK),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/jpeg", "data": "AA"},
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            Image(Link("https://a.example/i.png"), detail="auto"),
            {"type": "image", "source": {"type": "url", "url": "https://a.example/i.png"}},
        ),
        (
            Document(Bytes64("application/pdf", "JVBE"), title="T", context="C", citations=True),
            {
                "type": "document",
                "source": PDF,
                "title": "T",
                "context": "C",
                "citations": {"enabled": True},
            },
        ),
        (
            Document(Bytes64("text/csv", "YSxi")),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
            },
        ),
        (
            Document(None, "words", cache=MARK),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            Document(Link("https://a.example/d.pdf")),
            {"type": "document", "source": {"type": "url", "url": "https://a.example/d.pdf"}},
        ),
        (Thinking("hm", "sig"), {"type": "thinking", "thinking": "hm", "signature": "sig"}),
        (RedactedThinking("xx"), {"type": "redacted_thinking", "data": "xx"}),
        (
            ToolUse("t1", "look", '{"a": 1}', cache=MARK),
            {
                "type": "tool_use",
                "id": "t1",
                "name": "look",
                "input": {"a": 1},
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            ToolResult("t1", (Text("ok"),)),
            {"type": "tool_result", "tool_use_id": "t1", "content": "ok"},
        ),
        (ToolResult("t1", ()), {"type": "tool_result", "tool_use_id": "t1"}),
        (
            ToolResult(
                "t1",
                (Text("see", cache=MARK), Image(Link("https://a.example/i"))),
                is_error=True,
                cache=MARK,
            ),
            {
                "type": "tool_result",
                "tool_use_id": "t1",
                "content": [
                    {"type": "text", "text": "see", "cache_control": {"type": "ephemeral"}},
                    {"type": "image", "source": {"type": "url", "url": "https://a.example/i"}},
                ],
                "is_error": True,
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            Opaque(A, "search_result", {"type": "search_result", "source": "s"}),
            {"type": "search_result", "source": "s"},
        ),
    ],
)
def test_each_part_has_its_block(part, block):
    blocks, losses, _ = write(part)

    assert blocks == [block]
    assert losses == ()


@pytest.mark.parametrize("part", [Text(""), Text(" \n"), Refusal("")])
def test_a_text_nobody_can_see_is_left_out(part):
    assert write(part)[:2] == ([], ())


@pytest.mark.parametrize(
    ("arguments", "given"),
    [("", {}), ("  ", {}), ("{}", {}), ('{"é": "日本"}', {"é": "日本"})],
)
def test_arguments_become_an_object(arguments, given):
    blocks, losses, _ = write(ToolUse("t", "n", arguments))

    assert blocks[0]["input"] == given
    assert losses == ()


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", '"x"', "null", "nonsense", "{} {}"])
def test_broken_arguments_of_the_history_stay_readable(arguments):
    blocks, losses, _ = write(ToolUse("t", "n", arguments))

    assert blocks[0]["input"] == {"raw_arguments": arguments}
    assert losses == ("tool_calls.arguments",)


def test_arguments_go_on_as_they_were_written():
    text = '{ "z":1.50, "big": 123456789012345678901234567890, "a":"\\u00e9" }'
    writer = PartWriter(O, Losses(lenient=False))

    raw = msgspec.json.encode(writer.blocks([ToolUse("t", "n", text)]))

    assert text.encode() in raw


def test_foreign_ids_fit_alike_at_call_and_result():
    blocks, _, _ = write(ToolUse("call:1|a", "n", "{}"), ToolResult("call:1|a", ()))

    assert blocks[0]["id"] == blocks[1]["tool_use_id"]
    assert set(blocks[0]["id"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


def test_unsigned_thinking_is_a_loss():
    assert write(Thinking("hm"))[:2] == ([], ("thinking.unsigned",))


@pytest.mark.parametrize(
    ("part", "loss"),
    [
        (Image(Link("https://a.example/i"), detail="low"), "image_url.detail"),
        (Text("x", citations=({"type": "url_citation"},)), "annotations"),
    ],
)
def test_what_only_openai_says_of_a_part_is_a_loss(part, loss):
    blocks, losses, _ = write(part)

    assert losses == (loss,)
    assert len(blocks) == 1


def test_citations_of_an_anthropic_conversation_stay():
    cited = {"type": "char_location", "cited_text": "x"}

    blocks, losses, _ = write(Text("x", citations=(cited,)), dialect=A)

    assert blocks[0]["citations"] == [cited]
    assert losses == ()


def test_an_uploaded_file_of_this_provider_needs_its_flag():
    blocks, _, writer = write(Image(FileId("file_1", A)))

    assert blocks[0]["source"] == {"type": "file", "file_id": "file_1"}
    assert list(writer.betas) == [FILES_BETA]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Image(FileId("file-1", O)), "uploaded to another provider"),
        (Document(Bytes64("application/msword", "AA")), "application/msword"),
        (Document(Bytes64("text/plain", "not base64!")), "text/plain"),
        (ToolResult("t", (ToolUse("u", "n", "{}"),)), "cannot stand in a tool result"),
        (Opaque(O, "custom tool call", {}), "custom tool call"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(part, words):
    with pytest.raises(Untranslatable, match=words):
        write(part)


def test_a_foreign_block_is_a_loss_when_the_operator_allows_it():
    assert write(Opaque(O, "custom tool call", {}), lenient=True)[:2] == (
        [],
        ("content.custom_tool_call",),
    )
