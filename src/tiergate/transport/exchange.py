"""Carries one answer from its connection to its reader; knows neither sockets nor parsers.

One side belongs to the caller (`status`, `headers`, `read`, `next`, `close`), the other to the
connection (`begin`, `deliver`, `finish`, `fail`). At most one future exists at a time: the one
the caller waits on. It is only ever resolved with None, so that an error nobody comes back for
leaves no trace in the event loop's log.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from tiergate.transport.faults import Fault, TransportError

GRACE_SECONDS = 2.0
"""How long a body may take to end once nobody reads it any more."""

HIGH_WATER = 256 * 1024
"""Bytes waiting unread above which the connection stops reading."""


class Line(Protocol):
    """What an unfinished exchange asks of the connection it runs on."""

    def abort(self) -> None:
        """Close at once, without flushing."""
        ...

    def resume_reading(self) -> None:
        """Go on reading after the reader has caught up."""
        ...


class Exchange:
    """The answer to one request.

    It must be read to its end or closed; until then it occupies its connection. One task reads.

    Attributes:
        status: Status code; 0 until the final head has come.
        headers: Names in lower case with their values, in the order of arrival, trailers left out.
        reused: Whether the connection had carried an earlier exchange.
        finished: Whether the body has come to its proper end (parts may still wait unread).
        waiting: Bytes of the body that have arrived and were not handed over yet.
    """

    __slots__ = (
        "_failure",
        "_line",
        "_loop",
        "_name",
        "_pieces",
        "_released",
        "_waiter",
        "finished",
        "headers",
        "reused",
        "status",
        "waiting",
    )

    def __init__(
        self, line: Line, name: str, loop: asyncio.AbstractEventLoop, *, reused: bool
    ) -> None:
        self._line: Line | None = line
        self._name = name
        self._loop = loop
        self._pieces: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._failure: tuple[Fault, str] | None = None
        self._released: asyncio.TimerHandle | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.reused = reused
        self.finished = False
        self.waiting = 0

    # -- the caller's side -------------------------------------------------------------------

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, asked for by its lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    async def next(self) -> bytes:
        """All of the body that has arrived since the last call; b"" at its proper end.

        Waits until there is something. What had arrived before a failure is handed over first.

        Raises:
            TransportError: The body broke off.
        """
        while not self._pieces:
            if self.finished:
                return b""
            await self._change()
        return self._take()

    async def read(self, limit: int) -> bytes:
        """The rest of the body.

        Args:
            limit: Most bytes to accept.

        Raises:
            TransportError: TOO_LARGE beyond the limit (the connection is closed), or the body
                broke off.
        """
        if self.finished and self.waiting <= limit:
            return self._take() if self._pieces else b""
        parts: list[bytes] = []
        size = 0
        while True:
            size += self.waiting
            if size > limit:
                self.close()
                raise TransportError(
                    Fault.TOO_LARGE, f"{self._name}: the answer is larger than {limit} bytes"
                )
            if self._pieces:
                parts.append(self._take())
            if self.finished:
                return b"".join(parts)
            await self._change()

    def close(self) -> None:
        """Give up the answer: an unfinished exchange closes its connection at once.

        Safe to call at any time and more than once. After a proper end the connection has already
        gone back to the pool, and this does nothing.
        """
        if self._line is not None:
            self.fail(Fault.CLOSED_EARLY, "closed by the caller")
            self._pieces.clear()
            self.waiting = 0

    def release(self, grace: float = GRACE_SECONDS) -> None:
        """Take no more, but let the body come to its end, so that the connection can go on.

        A stream's last event mostly comes before the end of its body. What still comes is
        dropped; a body that has not ended after the grace is closed.

        Args:
            grace: Seconds.
        """
        if self._line is None:
            return
        self._pieces.clear()
        self.waiting = 0
        self._released = self._loop.call_later(grace, self.close)
        self._line.resume_reading()

    # -- the connection's side ---------------------------------------------------------------

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """The final head has arrived."""
        self.status = status
        self.headers = headers

    def deliver(self, pieces: list[bytes]) -> None:
        """Parts of the body have arrived; the list stays the connection's own."""
        if self._released is not None:
            return
        self._pieces += pieces
        for piece in pieces:
            self.waiting += len(piece)

    def finish(self) -> None:
        """The body is complete; the connection is no longer this exchange's."""
        self._stop_grace()
        self.finished = True
        self._line = None

    def fail(self, fault: Fault, what: str) -> None:
        """No more will come. Closes the connection, if it is still open."""
        self._stop_grace()
        line, self._line = self._line, None
        self._failure = (fault, what)
        if line is not None:
            line.abort()
        self.wake()

    def wake(self) -> None:
        """Let the waiting task look again."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():  # done: its task was cancelled
                waiter.set_result(None)

    def _stop_grace(self) -> None:
        if self._released is not None:
            self._released.cancel()

    # -- both --------------------------------------------------------------------------------

    async def answered(self) -> None:
        """Wait for the final head.

        Raises:
            TransportError: There will be none.
        """
        while not self.status:
            await self._change()

    async def changed(self) -> None:
        """Wait until the connection reports anything: progress, an answer, room to write.

        Raises:
            TransportError: The exchange has failed.
        """
        await self._change()

    async def _change(self) -> None:
        if self._failure is not None:
            # Made afresh each time: an error kept here would refer to itself by its traceback.
            fault, what = self._failure
            raise TransportError(fault, f"{self._name}: {what}", reused=self.reused)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except BaseException:  # cancelled: nobody will read on, so the peer must see it now
            self.close()
            raise

    def _take(self) -> bytes:
        pieces = self._pieces
        if len(pieces) == 1:
            part = pieces.pop()
        else:
            part = b"".join(pieces)
            pieces.clear()
        paused, self.waiting = self.waiting > HIGH_WATER, 0
        if paused and self._line is not None:
            self._line.resume_reading()
        return part
