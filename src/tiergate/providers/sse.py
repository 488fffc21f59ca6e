"""Split a byte stream into server-sent events, whatever the network did to its pieces.

Only framing is decided here (WHATWG HTML, section 9.2.6): LF, CRLF or CR line ends, a byte-order
mark, comments, several `data:` lines. What an event means is the codecs' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""An event larger than this is not one; a peer that sends it is broken."""

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r|\r\n\n|\n\r\n|\r\n\r(?!\n)|\n\r(?!\n)")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventTooLargeError(Exception):
    """A single event passed `MAX_EVENT_BYTES`."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event.

    Attributes:
        name: The `event:` field, empty if there was none.
        data: The `data:` lines joined by LF.
        raw: The bytes as they came, blank line included.
    """

    name: bytes
    data: bytes
    raw: bytes


class SseSplitter:
    """Feed it bytes as they arrive; get whole events. Holds at most one unfinished event."""

    __slots__ = ("_rest", "_started")

    def __init__(self) -> None:
        self._rest = b""
        self._started = False

    def feed(self, piece: bytes) -> list[SseEvent]:
        """Return the events that `piece` completes. Comments alone give no event.

        Raises:
            EventTooLargeError: The unfinished event grew beyond the limit.
        """
        data = self._rest + piece if self._rest else piece
        if not self._started:
            if len(data) < 3 and b"\xef\xbb\xbf".startswith(data):
                self._rest = data
                return []
            self._started = True
            data = data.removeprefix(b"\xef\xbb\xbf")
        events: list[SseEvent] = []
        if b"\r" in data:
            start = self._feed_any(data, events)
        else:
            start = 0
            while (end := data.find(b"\n\n", start)) >= 0:
                _append(events, data[start : end + 2])
                start = end + 2
        self._rest = data[start:] if start else data
        if len(self._rest) > MAX_EVENT_BYTES:
            raise EventTooLargeError
        return events

    def _feed_any(self, data: bytes, events: list[SseEvent]) -> int:
        """Split data that has carriage returns; give back where the unfinished event starts."""
        # A CR at the very end may be half of a CRLF: wait for the next piece.
        whole = len(data) - 1 if data.endswith(b"\r") else len(data)
        start = 0
        while (found := _BLANK_LINE.search(data, start)) and found.end() <= whole:
            _append(events, data[start : found.end()])
            start = found.end()
        return start

    def end(self) -> SseEvent | None:
        """Return what was left when the stream ended, if it looks like an event.

        The standard says to drop an event without its blank line; some hosts end their last
        event with a single line end, so the caller decides what it is worth.
        """
        rest, self._rest = self._rest, b""
        events: list[SseEvent] = []
        if rest.strip():
            _append(events, rest)
        return events[0] if events else None


def _append(events: list[SseEvent], raw: bytes) -> None:
    """Parse one event's bytes; append it unless it holds nothing but comments."""
    # The common event is one `data:` line with LF ends. A CR would be a line end of its own.
    if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
        events.append(SseEvent(b"", raw[6:-2], raw))
        return
    name = b""
    data: list[bytes] = []
    for line in _LINE_END.split(raw):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    if data or name:
        events.append(SseEvent(name, b"\n".join(data), raw))
