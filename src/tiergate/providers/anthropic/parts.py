"""Write parts as content blocks; which message they stand in, `messages` decides."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final, TypeAlias, assert_never

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
from tiergate.base.errors import Untranslatable
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.content import PLAIN_TEXT
from tiergate.providers.anthropic.names import fit_id, fit_name, loss_word
from tiergate.providers.losses import Losses

Block: TypeAlias = dict[str, object]
"""A block to be written; tool input stands in it as `msgspec.Raw`."""

FILES_BETA: Final = "files-api-2025-04-14"
"""The flag that a request with an uploaded file must carry ("Files API")."""
_PDF: Final = "application/pdf"


class PartWriter:
    """Writes parts for one request.

    Attributes:
        renames: Tool names as sent to the caller's own, where a name had to change.
        betas: Beta flags that the blocks written so far need.
    """

    __slots__ = ("_dialect", "_losses", "betas", "renames")

    def __init__(self, dialect: Dialect, losses: Losses) -> None:
        self._dialect = dialect
        self._losses = losses
        self.renames: dict[str, str] = {}
        self.betas: dict[str, None] = {}

    def blocks(self, parts: Sequence[Part]) -> list[Block]:
        """Return blocks. Texts without a visible character are left out: the API refuses them.

        Raises:
            Untranslatable: A part that the Messages API cannot say.
        """
        written = (self._block(part) for part in parts)
        return [block for block in written if block is not None]

    def tool_name(self, name: str) -> str:
        """Return the name a tool is sent under, and keep what it is to be called again."""
        fitted = fit_name(name)
        if fitted != name:
            self.renames[fitted] = name
        return fitted

    def _block(self, part: Part) -> Block | None:  # noqa: PLR0911 - one for each kind of part
        match part:
            case Text():
                return self._text(part)
            case Refusal():
                return _marked({"type": "text", "text": part.text}) if part.text.strip() else None
            case Image():
                return self._image(part)
            case Document():
                return self._document(part)
            case Thinking():
                return self._thinking(part)
            case RedactedThinking():
                return {"type": "redacted_thinking", "data": part.data}
            case ToolUse():
                return self._tool_use(part)
            case ToolResult():
                return self._tool_result(part)
            case Audio() | Opaque():
                return self._foreign(part)
            case _:
                assert_never(part)

    def _text(self, part: Text) -> Block | None:
        if not part.text.strip():
            return None
        block: Block = {"type": "text", "text": part.text}
        if part.citations:
            if self._dialect is Dialect.ANTHROPIC:
                block["citations"] = list(part.citations)
            else:
                self._losses.add("annotations")
        return _marked(block, part.cache)

    def _image(self, part: Image) -> Block:
        if part.detail not in (None, "auto"):
            self._losses.add("image_url.detail")
        return _marked({"type": "image", "source": self._source(part.source)}, part.cache)

    def _document(self, part: Document) -> Block:
        text = part.text if part.source is None else _plain_text(part.source)
        source: Block
        if text is not None:
            source = {"type": "text", "media_type": PLAIN_TEXT, "data": text}
        elif part.source is None:
            source = {"type": "text", "media_type": PLAIN_TEXT, "data": ""}
        else:
            if isinstance(part.source, Bytes64) and part.source.media_type != _PDF:
                raise Untranslatable(
                    f"A file of type {part.source.media_type} cannot be sent to this model: the "
                    "Messages API reads PDF and plain text. Convert it, or send its text."
                )
            source = self._source(part.source)
        block: Block = {"type": "document", "source": source}
        if part.title is not None:
            block["title"] = part.title
        if part.context is not None:
            block["context"] = part.context
        if part.citations:
            block["citations"] = {"enabled": True}
        return _marked(block, part.cache)

    def _source(self, source: Source) -> Block:
        match source:
            case Bytes64():
                # Browsers and phones say image/jpg, which is not its name.
                kind = "image/jpeg" if source.media_type == "image/jpg" else source.media_type
                return {"type": "base64", "media_type": kind, "data": source.data}
            case Link():
                return {"type": "url", "url": source.url}
            case FileId():
                if source.dialect is not Dialect.ANTHROPIC:
                    raise Untranslatable(
                        f"The file {source.id} was uploaded to another provider. Send its data "
                        "or a URL instead of the id."
                    )
                self.betas[FILES_BETA] = None
                return {"type": "file", "file_id": source.id}
            case _:
                assert_never(source)

    def _thinking(self, part: Thinking) -> Block | None:
        if part.signature is None:
            # The provider takes its own signed thinking back and no other.
            self._losses.add("thinking.unsigned")
            return None
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}

    def _tool_use(self, part: ToolUse) -> Block:
        block: Block = {
            "type": "tool_use",
            "id": fit_id(part.id),
            "name": self.tool_name(part.name),
            "input": self._input(part.arguments),
        }
        return _marked(block, part.cache)

    def _input(self, arguments: str) -> object:
        """Return a call's arguments as they were written, if they are the object they must be."""
        found = object_text(arguments)
        if found is not None:
            return found
        # Models do write broken JSON. The call is history: it must stay readable, not valid.
        self._losses.add("tool_calls.arguments")
        return {"raw_arguments": arguments}

    def _tool_result(self, part: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": fit_id(part.tool_use_id)}
        content = self.blocks(part.content)
        for inner in content:
            if inner["type"] in ("tool_use", "tool_result", "thinking", "redacted_thinking"):
                raise Untranslatable(f"A {inner['type']} block cannot stand in a tool result.")
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if part.is_error:
            block["is_error"] = True
        return _marked(block, part.cache)

    def _foreign(self, part: Audio | Opaque) -> Block | None:
        if isinstance(part, Audio):
            raise Untranslatable(
                "An input_audio part cannot be sent to this model: the Messages API has no audio. "
                "Send a transcript as text, or use a model that hears."
            )
        if part.dialect is Dialect.ANTHROPIC and isinstance(part.raw, dict):
            return dict(part.raw)
        self._losses.refuse(
            loss_word(f"content.{part.type}"),
            f"A part of type {part.type} cannot be sent to this model: the Messages API has "
            "nothing like it. Leave it out, or use a model of the provider it belongs to.",
            param="messages",
        )
        return None


def object_text(text: str) -> msgspec.Raw | dict[str, object] | None:
    """Return JSON text to be embedded as it is if it is one object; empty text is `{}`."""
    if not text.strip():
        return {}
    try:
        raw = text.encode()
        msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return msgspec.Raw(raw)


def cache_field(mark: CacheMark | None) -> JsonObject:
    """Return the `cache_control` member for a mark, as the caller wrote it."""
    return {} if mark is None else {"cache_control": dict(mark.raw)}


def _marked(block: Block, mark: CacheMark | None = None) -> Block:
    return block if mark is None else {**block, **cache_field(mark)}


def _plain_text(source: Source) -> str | None:
    """Return the text of a file that is plain text; base64 sources must be PDF."""
    if not isinstance(source, Bytes64) or not source.media_type.startswith("text/"):
        return None
    try:
        return base64.b64decode(source.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
