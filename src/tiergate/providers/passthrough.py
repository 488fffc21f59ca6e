"""Same-dialect streams: the upstream's own events go on, only the model's name is changed.

Each event is checked as JSON (a broken one is skipped and counted, the next one goes on) and read
only as far as the gateway must know: content and about how much, errors, usage, the end. What
stands in an event is the dialects' business (`openai.passthrough`, `anthropic.passthrough`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tiergate.base.errors import Failure, FailureClass
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.failures import classify_event
from tiergate.providers.sse import EventTooLargeError, SseEvent, SseSplitter
from tiergate.wire.members import decode

ErrorFrame: TypeAlias = Callable[[Failure], bytes]


def broken_end(usage: Usage | None) -> Failure:
    """The failure of a stream that stops without its end marks.

    Args:
        usage: What the provider has told that it counts: it bills that.
    """
    return Failure(
        FailureClass.CONNECTION,
        502,
        "The provider's stream ended before the answer was complete.",
        type="api_error",
        charged=usage is not None,
        usage=usage,
    )


def no_stream() -> Failure:
    """The failure of a 200 answer whose body is no event stream."""
    return Failure(
        FailureClass.UPSTREAM,
        502,
        "The provider answered a streaming request with something that is not an event stream.",
        type="api_error",
    )


class Passthrough:
    """What both dialects share: framing, and the attributes of `ports.StreamReader`."""

    __slots__ = (
        "_error_frame",
        "_splitter",
        "content",
        "ended",
        "failure",
        "metered",
        "refused",
        "said_bytes",
        "said_pieces",
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
        self.metered = False
        self.said_bytes = 0
        self.said_pieces = 0
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

    def _say(self, text: str) -> None:
        """Count text of the answer."""
        self.said_pieces += 1
        self.said_bytes += len(text) if text.isascii() else len(text.encode(errors="replace"))

    def _break(self) -> None:
        """Set the failure of a stream that ended before its end marks."""
        if not self.content and self.skipped:
            self.failure = no_stream()
        else:
            self.failure = broken_end(self.usage)
