"""Parts as chat content."""

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
    Part,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.losses import Losses
from tiergate.providers.openai.parts import PartWriter
from tiergate.providers.quirks import Quirk

MARK = CacheMark({"type": "ephemeral"})


def _writer(*quirks: Quirk) -> tuple[PartWriter, Losses]:
    losses = Losses(lenient=False)
    return PartWriter(frozenset(quirks), losses), losses


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (Text("a"), [{"type": "text", "text": "a"}]),
        (Text(""), []),
        (Refusal("no"), [{"type": "text", "text": "no"}]),
        (
            Image(Bytes64("image/png", "AAAA"), "high"),
            [
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"},
                }
            ],
        ),
        (
            Image(Link("https://i.example/a.png")),
            [{"type": "image_url", "image_url": {"url": "https://i.example/a.png"}}],
        ),
        (
            Audio("UklG", "wav"),
            [{"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}],
        ),
        (
            Document(Bytes64("application/pdf", "JVBE"), context="about"),
            [
                {"type": "text", "text": "about"},
                {
                    "type": "file",
                    "file": {
                        "filename": "document.pdf",
                        "file_data": "data:application/pdf;base64,JVBE",
                    },
                },
            ],
        ),
        (
            Document(None, text="body", title="T", context="C"),
            [{"type": "text", "text": "T\n\nC\n\nbody"}],
        ),
        (Document(None, text=""), []),
        (
            Document(FileId("file-1", Dialect.OPENAI), title="a.pdf"),
            [{"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf"}}],
        ),
        (
            Opaque(Dialect.OPENAI, "hologram", {"type": "hologram"}),
            [{"type": "hologram"}],
        ),
    ],
)
def test_a_part_is_written(part: Part, written: list[JsonObject]) -> None:
    writer, losses = _writer()
    assert writer.write([part]) == written
    assert losses.words == ()


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (Opaque(Dialect.ANTHROPIC, "hologram", {}), "hologram"),
        (Image(FileId("file_9", Dialect.ANTHROPIC)), "file_9"),
        (Document(FileId("file_9", Dialect.ANTHROPIC)), "file_9"),
        (Document(Link("https://f.example/a.pdf")), "URL"),
        (ToolUse("t", "n", "{}"), "tool_use"),
        (ToolResult("t", ()), "tool_result"),
    ],
)
def test_what_the_dialect_cannot_say_is_named(part: Part, named: str) -> None:
    writer, _ = _writer()
    with pytest.raises(Untranslatable, match=named):
        writer.write([part])


@pytest.mark.parametrize(
    ("part", "loss"),
    [
        (Text("a", cache=MARK), "cache_control"),
        (Image(Link("u"), cache=MARK), "cache_control"),
        (Text("a", citations=({"type": "char_location"},)), "citations"),
        (Document(None, text="a", citations=True), "document.citations"),
        (Thinking("a"), "thinking"),
        (RedactedThinking("a"), "thinking"),
    ],
)
def test_a_harmless_loss_is_noted(part: Part, loss: str) -> None:
    writer, losses = _writer()
    assert all("cache_control" not in raw for raw in writer.write([part]))
    assert losses.words == (loss,)


def test_marks_go_to_hosts_that_pass_them_on() -> None:
    writer, losses = _writer(Quirk.CACHE_CONTROL)
    written = writer.write([Text("a", cache=MARK)])
    assert written == [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]
    assert writer.content(written) == written
    assert losses.words == ()


def test_a_document_address_goes_to_hosts_that_fetch_it() -> None:
    writer, _ = _writer(Quirk.FILE_URLS)
    file: JsonObject = {"filename": "document.pdf", "file_data": "https://f.example/a.pdf"}
    assert writer.write([Document(Link("https://f.example/a.pdf"))]) == [
        {"type": "file", "file": file}
    ]


def test_one_text_is_a_string_and_several_are_a_list() -> None:
    writer, _ = _writer()
    one: JsonObject = {"type": "text", "text": "a"}
    two: JsonObject = {"type": "text", "text": "b"}
    assert writer.content([one]) == "a"
    assert writer.content([one, two]) == [one, two]
    strings, _ = _writer(Quirk.STRING_CONTENT_ONLY)
    assert strings.content([one, two]) == "a\n\nb"
