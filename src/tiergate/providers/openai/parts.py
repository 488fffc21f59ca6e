"""Write parts as chat content; which message they stand in, `messages` decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

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
from tiergate.base.errors import Untranslatable
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.losses import Losses
from tiergate.providers.openai.media import data_url
from tiergate.providers.quirks import Quirk

_PARAGRAPH: Final = "\n\n"


class PartWriter:
    """Writes parts for one host."""

    __slots__ = ("_losses", "_quirks")

    def __init__(self, quirks: frozenset[Quirk], losses: Losses) -> None:
        self._quirks = quirks
        self._losses = losses

    def content(self, parts: Sequence[JsonObject]) -> Json:
        """Return written parts as `content`: a string where one text says it all."""
        if all(part.keys() == {"type", "text"} for part in parts):
            texts = [str(part["text"]) for part in parts]
            if len(texts) == 1 or Quirk.STRING_CONTENT_ONLY in self._quirks:
                return _PARAGRAPH.join(texts)
        return list(parts)

    def write(self, parts: Sequence[Part]) -> list[JsonObject]:
        """Return content parts; empty texts and thinking are left out.

        Raises:
            Untranslatable: A part that the chat dialect cannot say.
        """
        written: list[JsonObject] = []
        for part in parts:
            written += self._part(part)
        return written

    def mark(self, mark: CacheMark | None) -> JsonObject:
        """Return the field of a cache mark where the host passes it on, else note its loss."""
        if mark is None:
            return {}
        if Quirk.CACHE_CONTROL in self._quirks:
            return {"cache_control": dict(mark.raw)}
        self._losses.add("cache_control")
        return {}

    def _part(self, part: Part) -> list[JsonObject]:
        match part:
            case Text():
                if part.citations:
                    self._losses.add("citations")
                if not part.text:
                    return []
                return [{"type": "text", "text": part.text, **self.mark(part.cache)}]
            case Image():
                return [self._image(part)]
            case Document():
                return self._document(part)
            case Audio():
                sound: JsonObject = {"data": part.data, "format": part.format}
                return [{"type": "input_audio", "input_audio": sound}]
            case Refusal():
                return [{"type": "text", "text": part.text}] if part.text else []
            case Thinking() | RedactedThinking():
                self._losses.add("thinking")
                return []
            case ToolUse() | ToolResult():
                kind = "tool_use" if isinstance(part, ToolUse) else "tool_result"
                raise Untranslatable(
                    f"A {kind} block stands where the chat dialect has no place for it: calls "
                    "belong into assistant messages, results into user messages."
                )
            case Opaque():
                return [self._opaque(part)]
            case _:
                assert_never(part)

    def _opaque(self, part: Opaque) -> JsonObject:
        if part.dialect is Dialect.OPENAI and isinstance(part.raw, dict) and "type" in part.raw:
            return part.raw
        raise Untranslatable(
            f"A content block of type {part.type!r} has no form in the chat dialect. Send its "
            "content as text, or use a model of the provider that knows this block.",
            param="messages",
        )

    def _image(self, part: Image) -> JsonObject:
        match part.source:
            case Bytes64():
                url = data_url(part.source)
            case Link():
                url = part.source.url
            case FileId():
                raise Untranslatable(
                    f"The image is the uploaded file {part.source.id!r}, which the chat dialect "
                    "cannot name. Send it as base64 or by its URL.",
                    param="messages",
                )
        image: JsonObject = {"url": url}
        if part.detail is not None:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image, **self.mark(part.cache)}

    def _document(self, part: Document) -> list[JsonObject]:
        if part.citations:
            self._losses.add("document.citations")
        if part.source is None:
            # Plain text needs no file: every model reads it in the message itself.
            heads = [head for head in (part.title, part.context) if head]
            body = _PARAGRAPH.join((*heads, part.text or ""))
            return [{"type": "text", "text": body, **self.mark(part.cache)}] if body else []
        file = self._file(part.source, part.title)
        written: list[JsonObject] = []
        if part.context:
            written.append({"type": "text", "text": part.context})
        written.append({"type": "file", "file": file, **self.mark(part.cache)})
        return written

    def _file(self, source: Source, title: str | None) -> JsonObject:
        match source:
            case Bytes64():
                # OpenAI refuses file data without a name.
                return {"filename": title or "document.pdf", "file_data": data_url(source)}
            case Link():
                if Quirk.FILE_URLS in self._quirks:
                    return {"filename": title or "document.pdf", "file_data": source.url}
                raise Untranslatable(
                    "A document given by its URL has no form in the chat dialect, which fetches "
                    "images only. Send the document as base64.",
                    param="messages",
                )
            case FileId():
                if source.dialect is Dialect.OPENAI:
                    named: JsonObject = {"filename": title} if title else {}
                    return {"file_id": source.id, **named}
                raise Untranslatable(
                    f"The document is the file {source.id!r}, uploaded to another provider. Send "
                    "it as base64.",
                    param="messages",
                )
