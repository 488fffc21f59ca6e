"""A chat or completion stream for a caller of the same dialect.

Nothing is rebuilt but a chunk that carries usage beside choices, and usage chunks that the caller
did not ask for, which are ours (`stream_options.include_usage` is added upstream so that every
stream is metered).
"""

from __future__ import annotations

from typing import cast

import msgspec

from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.usage import usage_from
from tiergate.providers.passthrough import ErrorFrame, Passthrough
from tiergate.providers.sse import SseEvent
from tiergate.wire.members import BodyError, Members, decode

_NOTHING = msgspec.Raw(b"")
_EMPTY = (b"null", b'""', b"[]", b"{}")


class _Choice(msgspec.Struct):
    finish_reason: str | None = None
    delta: dict[str, msgspec.Raw] | None = None
    text: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = _NOTHING
    x_groq: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING


class _Delta(msgspec.Struct):
    """What is counted of a delta. Nothing is checked: a host's odd type must not cost a chunk."""

    content: object = None
    reasoning_content: object = None
    reasoning: object = None
    refusal: object = None
    tool_calls: object = None


class _LateChoice(msgspec.Struct):
    finish_reason: str | None = None
    delta: _Delta | None = None
    text: object = None


class _LateChunk(msgspec.Struct):
    choices: list[_LateChoice] | None = None
    usage: msgspec.Raw = _NOTHING
    x_groq: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING


_CHUNK = msgspec.json.Decoder(_Chunk)
_LATE = msgspec.json.Decoder(_LateChunk)


class OpenAIPassthrough(Passthrough):
    """An OpenAI chat or completion stream for an OpenAI caller.

    Args:
        asked: The name that the `model` member shows.
        include_usage: The caller asked for a usage chunk.
        error_frame: Makes the caller's in-band error.
    """

    __slots__ = ("_asked", "_finished", "_include_usage", "_pattern", "_shown", "_usage_sent")

    def __init__(self, asked: str, *, include_usage: bool, error_frame: ErrorFrame) -> None:
        super().__init__(error_frame)
        self._asked = msgspec.json.encode(asked)
        self._include_usage = include_usage
        self._finished = False
        self._usage_sent = False
        self._pattern = b""
        self._shown = b""

    def _event(self, event: SseEvent) -> bytes:
        data = event.data
        if data.startswith(b"[DONE]"):
            self.ended = True
            return event.raw
        try:
            chunk = _LATE.decode(data) if self.content else _CHUNK.decode(data)
            usage = bytes(chunk.usage) if chunk.usage else b""
            if chunk.error and bytes(chunk.error) != b"null":
                self._fail(bytes(chunk.error), Dialect.OPENAI)
                return b""
            if usage and usage != b"null":
                return self._with_usage(event, chunk, usage)
            if chunk.x_groq and self.usage is None:
                self._see_groq(bytes(chunk.x_groq))
        except (msgspec.DecodeError, UnicodeDecodeError, BodyError):
            self.skipped += 1
            return b""
        choices = chunk.choices
        if choices:
            self._look(choices)
        return self._renamed(event)

    def _look(self, choices: list[_Choice] | list[_LateChoice]) -> None:
        """Note content, how much of it, and the finish reason."""
        for choice in choices:
            if isinstance(choice, _LateChoice):
                self._hear(choice)
            else:
                self._listen(choice)
            if choice.finish_reason is not None:
                self._finished = self.content = True
                self.refused = self.refused or choice.finish_reason == "content_filter"

    def _listen(self, choice: _Choice) -> None:
        """Look for the first content."""
        if choice.text:
            self.content = True
            self._say(choice.text)
        for name, value in (choice.delta or {}).items():
            text = bytes(value)
            if name != "role" and text not in _EMPTY:
                self.content = True
                self.said_pieces += 1
                self.said_bytes += len(text) - 2

    def _hear(self, choice: _LateChoice) -> None:
        """Count what came after it."""
        delta = choice.delta
        if delta is None:
            text = choice.text
        else:
            text = delta.content or delta.reasoning_content or delta.reasoning or delta.refusal
            if delta.tool_calls:
                self._say(text_of_calls(delta.tool_calls))
        if isinstance(text, str):
            if text:
                self._say(text)
        elif text is not None:
            self._say(str(text))

    def _see_groq(self, raw: bytes) -> None:
        """Groq's own place for usage, on its last chunk."""
        found = decode(raw)
        usage = found.get("usage") if isinstance(found, dict) else None
        if isinstance(usage, dict):
            self.usage = usage_from(usage)
            self.metered = True

    def _renamed(self, event: SseEvent) -> bytes:
        """Put the asked name where the model's stands; every other byte stays."""
        raw = event.raw
        if self._pattern:
            found = raw.find(self._pattern)
            # An escaped quote before it would mean that it stands inside a string.
            if found > 0 and raw[found - 1] in b"{, \n":
                return raw.replace(self._pattern, self._shown, 1)
        members = Members.read(event.data)
        model = members.raw("model")
        if model is None:
            return raw
        for gap in (b"", b" "):
            pattern = b'"model":' + gap + model
            if raw.count(pattern) == 1:
                self._pattern = pattern
                self._shown = b'"model":' + gap + self._asked
                return raw.replace(pattern, self._shown, 1)
        return b"data: " + members.edit({"model": self._asked}) + b"\n\n"

    def _with_usage(self, event: SseEvent, chunk: _Chunk | _LateChunk, usage: bytes) -> bytes:
        """A chunk that carries usage: alone it is the usage chunk, else its usage is taken out."""
        found = decode(usage)
        if isinstance(found, dict):
            tier = Members.read(event.data).get("service_tier")
            self.usage = usage_from(found, tier)
            self.metered = True
        if not chunk.choices:
            if not self._include_usage or self._usage_sent:
                return b""
            self._usage_sent = True
            return self._renamed(event)
        self._look(chunk.choices)
        members = Members.read(event.data)
        replace = {"model": self._asked} if "model" in members else {}
        out = b"data: " + members.edit(replace, remove=("usage",)) + b"\n\n"
        if self._include_usage and self._finished and not self._usage_sent:
            self._usage_sent = True
            alone = members.edit({**replace, "choices": b"[]"})
            out += b"data: " + alone + b"\n\n"
        return out

    def _close(self) -> bytes:
        if not self._finished:
            self._break()
            return b""
        self.ended = True
        return b"data: [DONE]\n\n"


def text_of_calls(calls: object) -> str:
    """Return the names and arguments of a delta's tool calls."""
    found: list[str] = []
    for call in cast("list[object]", calls) if isinstance(calls, list) else []:
        function = cast("JsonObject", call).get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            parts = (function.get("name"), function.get("arguments"))
            found += [part for part in parts if isinstance(part, str)]
    return "".join(found)
