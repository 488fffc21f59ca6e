"""Serves the requests of one connection, one after the other, and decides when it closes.

Reading is `reader`'s, writing an answer is `call`'s. Here is the order of things: one handler runs
at a time; what arrives meanwhile waits, within bounds; errors of the protocol are answered when
their turn comes; who is too slow is shut out.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import cast

from tiergate.front.call import Call
from tiergate.front.gone import ClientGoneError
from tiergate.front.heads import CLOSE, CONTINUE, Pairs, head, status_line, without_owned
from tiergate.front.reader import Fault, Reader
from tiergate.front.request import Request
from tiergate.front.service import Service

HIGH_WATER = 64 * 1024
"""Bytes written and not sent above which handlers wait."""

MAX_WAITING = 16
"""Requests that may wait for their turn; only those count that came in one read."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class Phase(Enum):
    """What is done with bytes that arrive."""

    OPEN = auto()
    """They are requests."""
    LAST = auto()
    """They are dropped: no request is read after those that have been."""
    LINGERING = auto()
    """They are dropped: everything has been answered, and the client is given time to see it."""
    CLOSED = auto()
    """There are none."""


class Connection(asyncio.Protocol):
    """One connection.

    Attributes:
        paused: More bytes wait for the client than may.
        task: See `service.Member`.
        write: Write bytes; dropped after the connection is lost.
    """

    __slots__ = (
        "_ahead",
        "_ahead_bytes",
        "_client",
        "_current",
        "_deadline",
        "_eof",
        "_incoming",
        "_loop",
        "_phase",
        "_progress",
        "_reader",
        "_reading",
        "_scheme",
        "_service",
        "_stalled_at",
        "_transport",
        "_unsent",
        "_waiting",
        "_writers",
        "paused",
        "task",
        "write",
    )

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.paused = False
        self.task: asyncio.Task[None] | None = None
        self.write: Callable[[bytes], None] = _drop
        self._service = service
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reader: Reader | None = Reader(self, service.limits)
        self._client = ""
        self._scheme = "http"
        self._phase = Phase.OPEN
        self._current: Call | None = None  # its handler runs
        self._incoming: Call | None = None  # its body is not complete
        self._waiting: deque[Call] = deque()
        self._ahead: list[bytes] = []  # bytes behind the current request
        self._ahead_bytes = 0  # those, or the ones dropped in place of them
        self._reading = True
        self._eof = False
        self._deadline = math.inf
        self._writers: list[asyncio.Future[None]] = []  # they wait for `paused` to end
        self._progress = False
        self._unsent = 0
        self._stalled_at = math.inf

    # -- called by the event loop ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self.write = self._transport.write
        self._client = _address(transport.get_extra_info("peername"))
        if transport.get_extra_info("sslcontext") is not None:
            self._scheme = "https"
        self._deadline = self._loop.time() + self._service.limits.header_seconds
        if not self._service.add(self):
            self._answer_fault(
                Fault(503, "The server has as many connections as it may; try again later.")
            )
        elif self._service.draining:
            self._close()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._phase is not Phase.OPEN:
            self._drop_data(data)
        elif self._current is not None and self._incoming is None:
            self._ahead.append(data)
            self._hold_back(len(data), self._service.limits.max_ahead_bytes)
        else:
            self._feed(data)

    def eof_received(self) -> bool:
        """The client sends no more: it has left, or has closed its half only.

        The two look alike. Watchers are told that it left; what is answered nevertheless is sent.
        """
        current = self._current
        self._eof = True
        self._reading = False
        if current is None or self._phase is Phase.LINGERING or self._scheme == "https":
            return False  # the loop closes
        current.client_left()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        del exc
        self._phase = Phase.CLOSED
        self.write = _drop
        self._service.connections -= 1
        if self._reader is not None:
            self._reader.close()
            self._reader = None  # it holds this object, this object holds it
        self._transport = None
        self._waiting.clear()
        self._ahead.clear()
        self._wake_writers()
        if self._current is None:
            self._service.remove(self)
        else:
            self._current.cut()

    def pause_writing(self) -> None:
        """The write buffer is full."""
        self.paused = True

    def resume_writing(self) -> None:
        """The write buffer has room again."""
        self.paused = False
        self._progress = True
        self._wake_writers()
        if self._current is None:
            self._next()

    # -- called by the reader ----------------------------------------------------------------

    def request_begun(self, request: Request) -> None:
        """A head is complete: its handler runs, or waits for its turn."""
        request.client = self._client
        request.scheme = self._scheme
        call = self._incoming = Call(request, self)
        call.body.expects = request.expects
        if self._current is None:
            self._start(call)
        else:
            self._waiting.append(call)

    def body_received(self, pieces: list[bytes]) -> None:
        """A part of a body has come."""
        if self._incoming is not None:
            self._incoming.body.put(pieces)

    def request_complete(self) -> None:
        """All of a request has come."""
        if self._incoming is not None:
            self._incoming.body.end()
            self._incoming = None

    # -- called by the call ------------------------------------------------------------------

    @property
    def goes_on(self) -> bool:
        """Whether another request can be served after the one under way."""
        return self._phase is Phase.OPEN and not self._service.draining and not self._eof

    @property
    def date(self) -> str:
        """The `date` header line."""
        return self._service.date

    def body_wanted(self) -> None:
        """The handler reads the body, so it may come."""
        current = self._current
        if current is not None and current.body.expects and not current.answered:
            current.body.expects = False
            self.write(CONTINUE)
        self._read_on()

    async def writable(self) -> None:
        """Wait until `paused` is over.

        Raises:
            ClientGoneError: The connection broke first.
        """
        while self.paused and self._phase is not Phase.CLOSED:
            writer = self._loop.create_future()
            self._writers.append(writer)
            await writer
        if self._phase is Phase.CLOSED:
            raise ClientGoneError

    # -- called by the server ----------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Enforce the limits that are seconds."""
        transport = self._transport
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        if unsent:
            if unsent != self._unsent or self._progress:
                self._stalled_at = now + self._service.limits.stalled_seconds
            elif now >= self._stalled_at:
                self.abort()
            self._unsent, self._progress = unsent, False
        elif now >= self._deadline:
            self._expired()

    def drain(self) -> None:
        """Close as soon as nothing is under way."""
        if self._current is None and self._phase is Phase.OPEN:
            if self._reader is None or not self._reader.in_head:
                self._close()

    def abort(self) -> None:
        """Close at once, and end the handler."""
        if self._transport is not None:
            self._transport.abort()
        if self.task is not None:
            self.task.cancel()

    # -- reading -----------------------------------------------------------------------------

    def _feed(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            return
        begun = reader.in_head
        reader.feed(data)
        current = self._current
        if reader.fault is not None:
            self._refuse(reader.fault)
        elif current is not None:
            body = current.body
            if body.unread and not body.complete and not body.wanted_whole:
                self._hold_back(0, self._service.limits.max_unread_bytes)
        elif not begun:
            ...
