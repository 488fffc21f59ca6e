"""Same-dialect streams: the upstream's own events go on, only the model's name is changed.

Each event is checked as JSON (a broken one is skipped and counted, the next one goes on) and read
only as far as the gateway must know: content, errors, usage, the end. Nothing is rebuilt but an
OpenAI chunk that carries usage beside choices, and usage chunks that the caller did not ask for,
which are ours (`stream_options.include_usage` is added upstream so that every stream is metered).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from tiergate.base.errors import Failure, FailureClass
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers import anthropic, openai
from tiergate.providers.failures import classify_event
from tiergate.providers.sse import EventTooLargeError, SseEvent, SseSplitter
from tiergate.wire.members import BodyError, Members, decode

_NOTHING = msgspec.Raw(b"")
_EMPTY = (b"null", b'""', b"[]", b"{}")

ErrorFrame: TypeAlias = Callable[[Failure], bytes]


class _Choice(msgspec.Struct):
    finish_reason: str | None = None
    delta: dict[str, msgspec.Raw] | None = None
    text: str | None = None


class _Chunk(msgspec.Struct):
    model: msgspec.Raw = _NOTHING
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING


class _LateChoice(msgspec.Struct):
    finish_reason: str | None = None


class _LateChunk(msgspec.Struct):
    choices: list[_LateChoice] | None = None
    usage: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING


_CHUNK = msgspec.json.Decoder(_Chunk)
_LATE = msgspec.json.Decoder(_LateChunk)


def broken_end() -> Failure:
    """The failure of a stream that stops without its end marks."""
    return Failure(
        FailureClass.CONNECTION,
        502,
        "The provider's stream ended before the answer was complete.",
        type="api_error",
    )


def no_stream() -> Failure:
    """The failure of a 200 answer whose body is no event stream."""
    return Failure(
        FailureClass.UPSTREAM,
        502,
        "The provider answered a streaming request with something that is not an event stream.",
        type="api_error",
    )


class _Reader:
    """What both dialects share: framing, and the attributes of `ports.StreamReader`."""

    __slots__ = (
        "_error_frame",
        "_splitter",
        "content",
        "ended",
        "failure",
        "refused",
        "skipped",
        "usage",
    )

    def __init__(self, error_frame: ErrorFrame) -> None:
        self._splitter = SseSplitter()
        self._error_frame = error_frame
        self.content = False
        self.ended = False
        self.failure: Failure | None = None
        self.refused = False
        self.usage: Usage | None = None
        self.skipped = 0

    def feed(self, piece: bytes) -> bytes:
        """Take upstream bytes; return the caller's."""
        try:
            events = self._splitter.feed(piece)
        except EventTooLargeError:
            self.failure = no_stream()
            return b""
        if len(events) == 1:
            return self._event(events[0])
        out: list[bytes] = []
        for event in events:
            if self.ended or self.failure is not None:
                break
            out.append(self._event(event))
        return b"".join(out)

    def eof(self) -> bytes:
        """Take the end of the upstream body."""
        if self.ended or self.failure is not None:
            return b""
        last = self._splitter.end()
        out = self._event(last) if last is not None else b""
        return out if self.ended or self.failure is not None else out + self._close()

    def error(self, failure: Failure) -> bytes:
        """Return the in-band error frame of the caller's dialect."""
        return self._error_frame(failure)

    def _event(self, event: SseEvent) -> bytes:
        raise AssertionError(event)

    def _close(self) -> bytes:
        raise AssertionError

    def _fail(self, error: bytes, dialect: Dialect) -> None:
        """Set the failure that an error member or event tells of."""
        decoded = decode(error)
        found: JsonObject = decoded if isinstance(decoded, dict) else {"message": str(decoded)}
        self.failure = classify_event(found, dialect)


class OpenAIPassthrough(_Reader):
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
        except (msgspec.DecodeError, UnicodeDecodeError, BodyError):
            self.skipped += 1
            return b""
        choices = chunk.choices
        if choices:
            self._look(choices)
        return self._renamed(event)

    def _look(self, choices: list[_Choice] | list[_LateChoice]) -> None:
        """Note content and the finish reason."""
        for choice in choices:
            if choice.finish_reason is not None:
                self._finished = self.content = True
                self.refused = self.refused or choice.finish_reason == "content_filter"
            elif isinstance(choice, _Choice) and (choice.text or _speaks(choice.delta)):
                self.content = True

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
            self.usage = openai.usage_from(found)
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
            self.failure = broken_end() if self.content or not self.skipped else no_stream()
            return b""
        self.ended = True
        return b"data: [DONE]\n\n"


def _speaks(delta: dict[str, msgspec.Raw] | None) -> bool:
    """Tell whether a delta says more than a role."""
    if not delta:
        return False
    return any(name != "role" and bytes(value) not in _EMPTY for name, value in delta.items())


class _Head(msgspec.Struct):
    type: str = ""


_HEAD = msgspec.json.Decoder(_Head)


class AnthropicPassthrough(_Reader):
    """A Messages stream for an Anthropic caller."""

    __slots__ = ("_asked", "_stopped", "_usage")

    def __init__(self, asked: str, *, error_frame: ErrorFrame) -> None:
        super().__init__(error_frame)
        self._asked = msgspec.json.encode(asked)
        self._stopped = False
        self._usage: JsonObject = {}

    def _event(self, event: SseEvent) -> bytes:
        try:
            kind = _HEAD.decode(event.data).type
            match kind:
                case "content_block_delta":
                    self.content = True
                case "message_start":
                    return self._start(event)
                case "content_block_start":
                    self._block(event)
                case "message_delta":
                    self._delta(event)
                case "message_stop":
                    self.ended = True
                case "error":
                    error = Members.read(event.data).raw("error") or b'{"message":"unknown"}'
                    self._fail(error, Dialect.ANTHROPIC)
                    return b""
                case _:
                    pass
        except (msgspec.DecodeError, UnicodeDecodeError, BodyError):
            self.skipped += 1
            return b""
        return event.raw

    def _start(self, event: SseEvent) -> bytes:
        """`message_start`: take the input usage, put the asked name in."""
        members = Members.read(event.data)
        message = Members.read(members.raw("message") or b"{}")
        self._count(message.get("usage"))
        if "model" not in message:
            return event.raw
        edited = members.edit({"message": message.edit({"model": self._asked})})
        if event.data in event.raw:
            return event.raw.replace(event.data, edited, 1)
        return b"event: message_start\ndata: " + edited + b"\n\n"

    def _block(self, event: SseEvent) -> None:
        """A block that is not an empty text begins the answer."""
        block = Members.read(event.data).get("content_block")
        if isinstance(block, dict) and not (
            block.get("type") in ("text", "thinking") and not block.get("text")
        ):
            self.content = True

    def _delta(self, event: SseEvent) -> None:
        members = Members.read(event.data)
        self._count(members.get("usage"))
        delta = members.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        if reason is not None:
            self._stopped = self.content = True
            self.refused = reason == "refusal"

    def _count(self, usage: Json) -> None:
        """Merge usage: later counts replace earlier ones, as the provider says they do."""
        if isinstance(usage, dict):
            self._usage.update(usage)
            self.usage = anthropic.usage_from(self._usage)

    def _close(self) -> bytes:
        if not self._stopped:
            self.failure = broken_end() if self.content or not self.skipped else no_stream()
            return b""
        self.ended = True
        return b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
