"""Cross-dialect streams: upstream events to the canonical form, then to the caller's dialect.

The commit point is decided here: the first event that carries an answer. Which frames a dialect
has is the codecs' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from tiergate.base.chat import (
    Broken,
    Ended,
    Finished,
    OpaqueBlock,
    RedactedBlock,
    RefusalDelta,
    Stop,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
)
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Usage
from tiergate.providers.passthrough import no_stream
from tiergate.providers.sse import EventTooLargeError, SseEvent, SseSplitter


class StreamDecoder(Protocol):
    """The half of a codec that reads an upstream stream."""

    usage: Usage | None
    skipped: int

    @property
    def metered(self) -> bool:
        """Whether `usage` counts the whole answer so far."""
        ...

    def feed(self, event: SseEvent) -> list[StreamEvent]:
        """Read one event."""
        ...

    def eof(self) -> list[StreamEvent]:
        """Read the end of the body."""
        ...


class StreamEncoder(Protocol):
    """The half of a codec that writes the caller's stream."""

    def feed(self, event: StreamEvent) -> bytes:
        """Write one event."""
        ...

    def error(self, failure: Failure) -> bytes:
        """Write the in-band error frame."""
        ...


class TranslatedStream:
    """An upstream stream of one dialect read for a caller of the other; a `StreamReader`."""

    __slots__ = (
        "_decoder",
        "_encoder",
        "_renames",
        "_splitter",
        "content",
        "ended",
        "failure",
        "refused",
        "said_bytes",
        "said_pieces",
    )

    def __init__(
        self, decoder: StreamDecoder, encoder: StreamEncoder, renames: Mapping[str, str]
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._renames = renames
        self._splitter = SseSplitter()
        self.content = False
        self.ended = False
        self.failure: Failure | None = None
        self.refused = False
        self.said_bytes = 0
        self.said_pieces = 0

    @property
    def usage(self) -> Usage | None:
        """Usage so far."""
        return self._decoder.usage

    @property
    def metered(self) -> bool:
        """Whether `usage` counts the whole answer so far."""
        return self._decoder.metered

    def feed(self, piece: bytes) -> bytes:
        """Take upstream bytes; return the caller's."""
        try:
            events = self._splitter.feed(piece)
        except EventTooLargeError:
            self.failure = no_stream()
            return b""
        out: list[bytes] = []
        for event in events:
            if self.ended or self.failure is not None:
                break
            out.append(self._write(self._decoder.feed(event)))
        return b"".join(out)

    def eof(self) -> bytes:
        """Take the end of the upstream body."""
        if self.ended or self.failure is not None:
            return b""
        last = self._splitter.end()
        out = self._write(self._decoder.feed(last)) if last is not None else b""
        if self.ended or self.failure is not None:
            return out
        return out + self._write(self._decoder.eof())

    def error(self, failure: Failure) -> bytes:
        """Return the in-band error frame of the caller's dialect."""
        return self._encoder.error(failure)

    def _write(self, events: list[StreamEvent]) -> bytes:
        out: list[bytes] = []
        for event in events:
            if isinstance(event, Broken):
                self.failure = self._failed(event.failure)
                break
            out.append(self._encoder.feed(self._seen(event)))
        return b"".join(out)

    def _failed(self, failure: Failure) -> Failure:
        """Return the failure of a broken stream, with what the provider has told that it bills.

        An error event says that the provider failed: before any content nothing is billed.
        """
        if not self.content and self._decoder.skipped:
            return no_stream()
        usage = self._decoder.usage
        if failure.kind is FailureClass.CONNECTION and usage is not None:
            return replace(failure, charged=True, usage=usage)
        return failure

    def _say(self, text: str) -> None:
        self.said_pieces += 1
        self.said_bytes += len(text) if text.isascii() else len(text.encode(errors="replace"))

    def _seen(self, event: StreamEvent) -> StreamEvent:
        """Note what the event means for the call; give tools their own names back."""
        match event:
            case TextDelta() | ThinkingDelta() | RefusalDelta():
                self.content = self.content or bool(event.text)
                self._say(event.text)
            case ToolDelta():
                self._say(event.fragment)
            case ToolStarted():
                self.content = True
                self._say(event.name)
                if event.name in self._renames:
                    return ToolStarted(event.block, event.id, self._renames[event.name])
            case RedactedBlock() | OpaqueBlock():
                self.content = True
            case Finished():
                self.content = True
                self.refused = event.stop is Stop.REFUSED
            case Ended():
                self.ended = True
            case _:
                pass
        return event
