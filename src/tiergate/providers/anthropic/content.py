"""Read content blocks of the Messages API into parts; requests and answers share them.

A block whose whole meaning the canonical form cannot hold becomes `Opaque` for this dialect:
search results, server tools and their results, uploads, and every type that is new.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tiergate.base.chat import (
    Bytes64,
    CacheMark,
    Document,
    FileId,
    Image,
    Link,
    Opaque,
    Part,
    RedactedThinking,
    Source,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.reading import (
    as_object,
    optional_bool,
    optional_list,
    optional_object,
    optional_str,
    place,
    required_object,
    required_str,
    wrong,
)

_OWN: Final = Dialect.ANTHROPIC
PLAIN_TEXT: Final = "text/plain"


def decode_content(value: Json, at: str) -> tuple[Part, ...]:
    """Return the parts of a `content` member: a string, or a list of blocks.

    Raises:
        Refused: Another type, or a block of a wrong shape; the error names its place.
    """
    if isinstance(value, str):
        return (Text(value),)
    if not isinstance(value, list):
        raise wrong(at, "a string or a list of blocks", value)
    return tuple(decode_block(block, place(at, index)) for index, block in enumerate(value))


def decode_block(value: Json, at: str) -> Part:
    """Return one block as a part.

    Raises:
        Refused: It is not an object with a type, or misses what its type must have.
    """
    raw = as_object(value, at)
    kind = required_str(raw, "type", at)
    match kind:
        case "text":
            return Text(
                required_str(raw, "text", at),
                cache=cache_mark(raw, at),
                citations=tuple(optional_list(raw, "citations", at)),
            )
        case "image":
            return _image(raw, at)
        case "document":
            return _document(raw, at)
        case "thinking":
            return Thinking(
                required_str(raw, "thinking", at), optional_str(raw, "signature", at) or None
            )
        case "redacted_thinking":
            return RedactedThinking(required_str(raw, "data", at))
        case "tool_use":
            return ToolUse(
                required_str(raw, "id", at),
                required_str(raw, "name", at),
                arguments_of(optional_object(raw, "input", at)),
                cache=cache_mark(raw, at),
            )
        case "tool_result":
            return _tool_result(raw, at)
        case _:
            return Opaque(_OWN, kind, raw)


def cache_mark(raw: JsonObject, at: str) -> CacheMark | None:
    """Return the `cache_control` of a block or tool."""
    mark = optional_object(raw, "cache_control", at)
    return None if mark is None else CacheMark(mark)


def arguments_of(arguments: JsonObject | None) -> str:
    """Return a tool's input as JSON text; the same input always gives the same text."""
    return msgspec.json.encode(arguments).decode() if arguments else "{}"


def _tool_result(raw: JsonObject, at: str) -> ToolResult:
    content = raw.get("content")
    return ToolResult(
        required_str(raw, "tool_use_id", at),
        () if content is None else decode_content(content, place(at, "content")),
        is_error=optional_bool(raw, "is_error", at) or False,
        cache=cache_mark(raw, at),
    )


def _image(raw: JsonObject, at: str) -> Part:
    source = _source(required_object(raw, "source", at), place(at, "source"))
    if source is None or raw.get("transformations") is not None:
        return Opaque(_OWN, "image", raw)
    return Image(source, cache=cache_mark(raw, at))


def _document(raw: JsonObject, at: str) -> Part:
    given = required_object(raw, "source", at)
    here = place(at, "source")
    text: str | None = None
    source: Source | None = None
    if given.get("type") == "text":
        text = required_str(given, "data", here)
    elif given.get("type") == "content" and isinstance(content := given.get("content"), str):
        text = content
    else:
        source = _source(given, here)
        if source is None:
            return Opaque(_OWN, "document", raw)
    citations = optional_object(raw, "citations", at) or {}
    return Document(
        source,
        text,
        title=optional_str(raw, "title", at),
        context=optional_str(raw, "context", at),
        citations=citations.get("enabled") is True,
        cache=cache_mark(raw, at),
    )


def _source(raw: JsonObject, at: str) -> Source | None:
    """Return where the data is; None for a kind of source that only this dialect knows."""
    match required_str(raw, "type", at):
        case "base64":
            return Bytes64(required_str(raw, "media_type", at), required_str(raw, "data", at))
        case "url":
            return Link(required_str(raw, "url", at))
        case "file":
            return FileId(required_str(raw, "file_id", at), _OWN)
        case _:
            return None
