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
from dataclasses import replace
from enum import Enum, auto
from typing import cast

from tiergate.front.call import Call
from tiergate.front.gone import ClientGoneError
from tiergate.front.heads import CLOSE, CONTINUE, head, status_line, without_owned
from tiergate.front.outflow import Outflow
from tiergate.front.reader import Fault, Reader
from tiergate.front.request import Request
from tiergate.front.service import Service

HIGH_WATER = 64 * 1024
"""Bytes written and not sent above which handlers wait."""

MAX_WAITING = 16
"""Requests that may wait for their turn. Only those count that came together with the one being
answered; what comes later is not even read."""

_FAILED = (
    "The server could not answer because of a mistake of its own. The operator's log has more."
)
_FULL = "The server has as many connections as it may have. Try again later."
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class Phase(Enum):
    """What is done with bytes that arrive."""

    OPEN = auto()
    """They are requests."""
    LAST = auto()
    """They are dropped: no request is read after those that have been."""
    LINGERING = auto()
    """They are dropped: all is answered, and the client is given time to see it."""
    CLOSED = auto()
    """There are none."""


class Connection(asyncio.Protocol):
    """One connection.

    Attributes:
        outflow: Where handlers wait for a slow client.
        task: See `service.Member`.
        write: Writes bytes; drops them once the connection is lost.
    """

    __slots__ = (
        "_ahead",
        "_behind",
        "_client",
        "_current",
        "_deadline",
        "_eof",
        "_fault",
        "_incoming",
        "_loop",
        "_phase",
        "_reader",
        "_reading",
        "_scheme",
        "_service",
        "_transport",
        "_waiting",
        "outflow",
        "task",
        "write",
    )

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.outflow = Outflow(loop)
        self.task: asyncio.Task[None] | None = None
        self.write: Callable[[bytes], None] = _drop
        self._service = service
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reader: Reader | None = Reader(self, service.limits)
        self._client = ""
        self._scheme = "http"
        self._phase = Phase.OPEN
        self._deadline = math.inf
        self._current: Call | None = None  # its handler runs
        self._incoming: Call | None = None  # its body is not complete
        self._waiting: deque[Call] = deque()
        self._fault: Fault | None = None  # to be answered behind those
        self._ahead: list[bytes] = []  # bytes not read yet
        self._behind = 0  # bytes kept or dropped since the last request
        self._reading = True
        self._eof = False

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
            self._answer_fault(Fault(503, _FULL, "", []))
        elif self._service.draining:
            self._close()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._phase is not Phase.OPEN:
            self._drop_data(len(data))
        elif self._incoming is None and (self._current is not None or self.outflow.paused):
            self._ahead.append(data)
            self._hold_back(len(data))
        else:
            self._feed(data)

    def eof_received(self) -> bool:
        """The client sends no more: it has left, or has closed its half only.

        The two look alike. Watchers are told that it left; what is answered nevertheless is sent.
        """
        self._eof = True
        if self._current is None or self._phase is Phase.LINGERING or self._scheme == "https":
            return False  # the event loop closes
        self._current.client_left()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        del exc
        self._phase = Phase.CLOSED
        self._service.connections -= 1
        if self._reader is not None:
            self._reader.close()
            self._reader = None  # it holds this object, this object holds it
        self._transport = None
        self._waiting.clear()
        self._ahead.clear()
        self._silence()
        if self._current is None:
            self._service.remove(self)

    def pause_writing(self) -> None:
        """The write buffer is full."""
        self.outflow.pause()

    def resume_writing(self) -> None:
        """The write buffer has room again."""
        self.outflow.resume()
        if self._current is None and self._phase in {Phase.OPEN, Phase.LAST}:
            self._next()

    # -- called by the reader ----------------------------------------------------------------

    def request_begun(self, request: Request) -> None:
        """A head is complete: its handler runs, or waits for its turn."""
        if len(self._waiting) >= MAX_WAITING or self._phase is not Phase.OPEN:
            self._phase = Phase.LAST
            return
        request.client = self._client
        request.scheme = self._scheme
        call = self._incoming = Call(request, self)
        if self._current is None and not self.outflow.paused:
            self._start(call)
        else:
            self._waiting.append(call)

    def body_received(self, pieces: list[bytes]) -> None:
        """A part of a body has come."""
        incoming = self._incoming
        if incoming is not None:
            incoming.request.expects = False  # it did not wait
            incoming.body.put(pieces)

    def request_complete(self) -> None:
        """All of a request has come."""
        if self._incoming is not None:
            self._incoming.body.end()
            self._incoming = None

    # -- called by the call ------------------------------------------------------------------

    @property
    def goes_on(self) -> bool:
        """Whether anything can be answered after the request under way."""
        if self._service.draining or self._eof:
            return False
        return self._phase is Phase.OPEN or bool(self._waiting) or self._fault is not None

    @property
    def date(self) -> str:
        """The `date` header line."""
        return self._service.date

    def body_wanted(self) -> None:
        """The handler reads the body, so it may come."""
        current = self._current
        if current is not None and current.request.expects and not current.answered:
            current.request.expects = False
            self.write(CONTINUE)
        self._read_on()

    # -- called by the server ----------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Enforce the limits that are seconds."""
        transport = self._transport
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        if self.outflow.is_stalled(now, unsent, self._service.limits.stalled_seconds):
            self._break()
        elif now >= self._deadline and not unsent:
            self._expired()

    def drain(self) -> None:
        """Close as soon as nothing is under way."""
        reader = self._reader
        if self._current is None and self._phase is Phase.OPEN and not self.outflow.paused:
            if reader is not None and not reader.in_head:
                self._close()

    def abort(self) -> None:
        """Close at once, and end the handler."""
        self._break()
        if self.task is not None:
            self.task.cancel()

    # -- reading -----------------------------------------------------------------------------

    def _feed(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            return
        begun = reader.in_head
        reader.feed(data)
        incoming = self._incoming
        if reader.fault is not None:
            self._refuse(reader.fault)
        elif self._current is None:
            if not begun:
                self._deadline = self._loop.time() + self._service.limits.header_seconds
        elif incoming is not None and not incoming.body.wanted_whole:
            if incoming.body.unread > self._service.limits.max_unread_bytes:
                self._pause()

    def _drop_data(self, size: int) -> None:
        self._hold_back(size)
        if self._phase is Phase.LINGERING and self._behind > self._service.limits.linger_bytes:
            self._close()

    def _hold_back(self, size: int) -> None:
        """Count bytes that nobody reads; beyond the limit the client has to wait."""
        self._behind += size
        if self._phase is not Phase.LINGERING and (
            self._behind > self._service.limits.max_ahead_bytes
        ):
            self._pause()

    def _pause(self) -> None:
        if self._reading and not self._eof and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if not self._reading and not self._eof and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()

    # -- answering ---------------------------------------------------------------------------

    def _start(self, call: Call) -> None:
        self._current = call
        self._deadline = math.inf
        self._service.in_flight += 1
        self.task = self._loop.create_task(self._serve(call))

    async def _serve(self, call: Call) -> None:
        """Run the handler; the one task per request."""
        try:
            await self._service.app(call.request, call)
        except BaseException as exc:
            self._failed(call, exc)
            self._finished(call)
            if not isinstance(exc, Exception):
                raise
        else:
            if call.stream is not None:
                call.stream.end()
            elif not call.answered and not call.over:
                self._service.failed(call.request.path, None)
                self._answer_failure(call)
            self._finished(call)

    def _failed(self, call: Call, exc: BaseException) -> None:
        """The handler has raised: answer, or make sure that the answer does not look complete."""
        left = call.over or self._eof
        if isinstance(exc, Exception) and not (left and isinstance(exc, ClientGoneError)):
            self._service.failed(call.request.path, exc)
        if call.over:
            return
        if call.stream is not None:
            self._break(reset=call.request.http_version != "1.1")
        elif not call.answered:
            self._answer_failure(call)

    def _answer_failure(self, call: Call) -> None:
        request = call.request
        headers, body = self._service.error(500, request.path, request.headers.items(), _FAILED)
        call.response_bytes(500, headers, body)

    def _finished(self, call: Call) -> None:
        """The handler has ended, and all is written that will be."""
        call.ended()
        self._current = None
        self.task = None
        self._service.in_flight -= 1
        if self._transport is None:
            self._service.remove(self)
        elif self._phase in {Phase.LINGERING, Phase.CLOSED}:
            pass
        elif call.keep_alive:
            self._next()
        elif self._incoming is not None or self._behind or self._phase is Phase.LAST:
            self._linger()
        else:
            self._close()

    def _next(self) -> None:
        """Turn to what waits, if the client has taken what was answered."""
        reader = self._reader
        if self.outflow.paused or reader is None:
            return
        if self._waiting:
            self._start(self._waiting.popleft())
        elif self._fault is not None:
            self._answer_fault(self._fault)
        elif self._phase is Phase.LAST:
            self._linger()
        elif self._service.draining or self._eof:
            self._close()
        else:
            limits = self._service.limits
            seconds = limits.header_seconds if reader.in_head else limits.keep_alive_seconds
            self._deadline = self._loop.time() + seconds
            if self._behind:
                data = b"".join(self._ahead)
                self._ahead.clear()
                self._behind = 0
                self._read_on()
                self._feed(data)

    # -- errors of the protocol --------------------------------------------------------------

    def _refuse(self, fault: Fault) -> None:
        """No further request can be read: say why, when it is the turn of that."""
        self._phase = Phase.LAST
        broken, self._incoming = self._incoming, None
        if broken is not None:
            request = broken.request
            fault = replace(fault, path=request.path, headers=request.headers.items())
        current = self._current
        if current is None and not self.outflow.paused:
            self._answer_fault(fault)
        elif broken is None or broken is not current:
            if broken is not None:
                self._waiting.pop()
            self._fault = fault
        elif not broken.answered:
            broken.cut()
            self._answer_fault(fault)
        elif broken.stream is not None:
            self._break(reset=True)
        else:
            broken.body.fail()

    def _answer_fault(self, fault: Fault) -> None:
        headers, body = self._service.error(
            fault.status, fault.path, fault.headers, fault.sentence
        )
        others, _ = without_owned(headers)
        start = status_line(fault.status) + self._service.date
        self.write(head(start, others, f"content-length: {len(body)}\r\n{CLOSE}") + body)
        self._linger()

    def _expired(self) -> None:
        """The client was too slow."""
        reader = self._reader
        self._deadline = math.inf
        if self._phase is Phase.OPEN and reader is not None and reader.in_head:
            seconds = self._service.limits.header_seconds
            sentence = f"The request head did not arrive within {seconds:g} seconds."
            self._answer_fault(reader.fault_now(408, sentence))
        else:
            self._close()

    # -- closing -----------------------------------------------------------------------------

    def _linger(self) -> None:
        """Close, but let the client see the answer before it learns that nobody reads."""
        transport = self._transport
        if self._eof or transport is None:
            self._close()
            return
        self._phase = Phase.LINGERING
        self._deadline = self._loop.time() + self._service.limits.linger_seconds
        self._ahead.clear()
        self._behind = 0
        self._read_on()
        if transport.can_write_eof():
            transport.write_eof()

    def _close(self) -> None:
        """Close when all is sent."""
        self._phase = Phase.CLOSED
        self._deadline = math.inf
        if self._transport is not None:
            self._transport.close()

    def _break(self, *, reset: bool = False) -> None:
        """Close at once.

        Args:
            reset: Make sure that the client does not take it for a proper end.
        """
        transport = self._transport
        self._phase = Phase.CLOSED
        self._silence()
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if reset and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    def _silence(self) -> None:
        """Let nobody write any more."""
        self.write = _drop
        self.outflow.close()
        if self._current is not None and not self._current.over:
            self._current.cut()


def _address(peer: object) -> str:
    """Write a peer's address as `host:port`."""
    match peer:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:
            return ""


def _drop(data: bytes) -> None:
    del data
