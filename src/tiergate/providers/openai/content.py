"""Read the content of chat messages: OpenAI's parts, and Anthropic's blocks among them.

Cursor and others send Anthropic blocks to the chat endpoint. A part of a type that is not known
here is kept whole as `Opaque`, so that the encoder of another dialect can name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

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
    Source,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.media import file_source, source_of, text_of
from tiergate.providers.reading import (
    as_object,
    invalid,
    optional_bool,
    optional_object,
    optional_str,
    place,
    required_object,
    required_str,
    wrong,
)

_Reader: TypeAlias = Callable[[JsonObject, str], Part]

ANTHROPIC_BLOCKS: Final = frozenset(
    {
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "tool_reference",
        "mcp_tool_use",
        "mcp_tool_result",
        "search_result",
        "container_upload",
        "compaction",
    }
)
"""Block types that only Anthropic knows; everything else that is unknown counts as OpenAI's."""


def cache_mark(raw: JsonObject, at: str) -> CacheMark | None:
    """Return the `cache_control` of a message, part or tool, as it was written."""
    mark = optional_object(raw, "cache_control", at)
    return None if mark is None else CacheMark(mark)


def content_parts(content: Json, at: str) -> tuple[Part, ...]:
    """Return the parts of a `content` field: null, a string, or a list. Empty texts are dropped.

    Raises:
        Refused: A shape that the dialect does not have.
    """
    if content is None or content == "":
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        raise wrong(at, "a string or a list of parts", content)
    parts: list[Part] = []
    for index, item in enumerate(content):
        if isinstance(item, str):
            if item:
                parts.append(Text(item))
            continue
        if not isinstance(item, dict):
            raise wrong(place(at, index), "an object", item)
        part = _read(item, place(at, index))
        if not (isinstance(part, Text) and not part.text):
            parts.append(part)
    return tuple(parts)


def with_mark(part: Part, mark: CacheMark | None) -> Part | None:
    """Return the part carrying `mark` unless it has one; None if such a part cannot carry any."""
    if isinstance(part, Text | Image | Document | ToolUse | ToolResult):
        return part if part.cache else replace(part, cache=mark)
    return None


def without_mark(part: Part) -> Part:
    """Return the part without its cache mark."""
    if isinstance(part, Text | Image | Document | ToolUse | ToolResult):
        return replace(part, cache=None)
    return part


def arguments_text(value: Json) -> str:
    """Return tool arguments as JSON text; nothing at all is the empty object."""
    if isinstance(value, str):
        return value if value.strip() else "{}"
    return "{}" if value is None else msgspec.json.encode(value).decode()


def _read(raw: JsonObject, at: str) -> Part:
    kind = required_str(raw, "type", at)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(raw, at)
    dialect = Dialect.ANTHROPIC if kind in ANTHROPIC_BLOCKS else Dialect.OPENAI
    return Opaque(dialect, kind, raw)


def _text(raw: JsonObject, at: str) -> Part:
    return Text(required_str(raw, "text", at), cache=cache_mark(raw, at))


def _image_url(raw: JsonObject, at: str) -> Part:
    value = raw.get("image_url")
    here = place(at, "image_url")
    mark = cache_mark(raw, at)
    if isinstance(value, str):
        # The older form, still sent by some clients.
        return Image(source_of(value, here), cache=mark)
    if not isinstance(value, dict):
        raise wrong(here, "an object with a url", value)
    source = source_of(required_str(value, "url", here), place(here, "url"))
    return Image(source, detail=optional_str(value, "detail", here), cache=mark)


def _input_audio(raw: JsonObject, at: str) -> Part:
    value = required_object(raw, "input_audio", at)
    here = place(at, "input_audio")
    return Audio(required_str(value, "data", here), required_str(value, "format", here))


def _file(raw: JsonObject, at: str) -> Part:
    value = required_object(raw, "file", at)
    here = place(at, "file")
    title = optional_str(value, "filename", here)
    data = optional_str(value, "file_data", here)
    identity = optional_str(value, "file_id", here)
    mark = cache_mark(raw, at)
    if data:
        source: Source = file_source(data, title, place(here, "file_data"))
        if isinstance(source, Bytes64) and (text := text_of(source)):
            return Document(None, text=text, title=title, cache=mark)
        return Document(source, title=title, cache=mark)
    if not identity:
        raise invalid(here, "needs file_data or file_id")
    if identity.startswith(("http://", "https://")):
        # LiteLLM lets `file_id` be an address.
        return Document(Link(identity), title=title, cache=mark)
    return Document(FileId(identity, Dialect.OPENAI), title=title, cache=mark)


def _refusal(raw: JsonObject, at: str) -> Part:
    return Refusal(required_str(raw, "refusal", at))


def thinking(raw: JsonObject, at: str) -> Part:
    """Return a thinking block, signed or not."""
    text = optional_str(raw, "thinking", at) or ""
    return Thinking(text, optional_str(raw, "signature", at) or None)


def redacted_thinking(raw: JsonObject, at: str) -> Part:
    """Return a hidden thinking block."""
    return RedactedThinking(required_str(raw, "data", at))


def _anthropic_source(raw: JsonObject, at: str) -> Source:
    source = required_object(raw, "source", at)
    here = place(at, "source")
    kind = required_str(source, "type", here)
    if kind == "base64":
        media_type = required_str(source, "media_type", here)
        return Bytes64(media_type, required_str(source, "data", here))
    if kind == "url":
        return Link(required_str(source, "url", here))
    if kind == "file":
        return FileId(required_str(source, "file_id", here), Dialect.ANTHROPIC)
    raise invalid(place(here, "type"), f"unknown source type {kind!r}")


def _anthropic_image(raw: JsonObject, at: str) -> Part:
    return Image(_anthropic_source(raw, at), cache=cache_mark(raw, at))


def _anthropic_document(raw: JsonObject, at: str) -> Part:
    source = required_object(raw, "source", at)
    here = place(at, "source")
    citations = optional_object(raw, "citations", at) or {}
    kind = required_str(source, "type", here)
    if kind == "content":
        return Opaque(Dialect.ANTHROPIC, "document", raw)
    plain = kind == "text"
    return Document(
        None if plain else _anthropic_source(raw, at),
        text=required_str(source, "data", here) if plain else None,
        title=optional_str(raw, "title", at),
        context=optional_str(raw, "context", at),
        citations=optional_bool(citations, "enabled", place(at, "citations")) or False,
        cache=cache_mark(raw, at),
    )


def _tool_use(raw: JsonObject, at: str) -> Part:
    given = as_object(raw.get("input") or {}, place(at, "input"))
    return ToolUse(
        required_str(raw, "id", at),
        required_str(raw, "name", at),
        arguments_text(given),
        cache=cache_mark(raw, at),
    )


def _tool_result(raw: JsonObject, at: str) -> Part:
    here = place(at, "content")
    return ToolResult(
        required_str(raw, "tool_use_id", at),
        result_parts(raw.get("content"), here),
        is_error=optional_bool(raw, "is_error", at) or False,
        cache=cache_mark(raw, at),
    )


def result_parts(content: Json, at: str) -> tuple[Part, ...]:
    """Return the content of a tool result, which holds no calls and no results itself."""
    if isinstance(content, list):
        for index, item in enumerate(content):
            kind = item.get("type") if isinstance(item, dict) else None
            if kind in ("tool_use", "tool_result"):
                raise invalid(place(at, index), f"a {kind} block cannot stand in a tool result")
    return content_parts(content, at)


_READERS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        "text": _text,
        "input_text": _text,
        "output_text": _text,
        "image_url": _image_url,
        "input_audio": _input_audio,
        "file": _file,
        "refusal": _refusal,
        "thinking": thinking,
        "redacted_thinking": redacted_thinking,
        "image": _anthropic_image,
        "document": _anthropic_document,
        "tool_use": _tool_use,
        "tool_result": _tool_result,
    }
)
