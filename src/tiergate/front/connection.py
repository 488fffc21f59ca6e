"""Serves the requests of one connection, one after the other, and decides when it closes.

Reading is `reader`'s, writing an answer is `call`'s, the socket is `flow`'s. Here is the order of
things: one handler runs at a time; what arrives meanwhile waits, within bounds; errors of the
protocol are answered when their turn comes; who is too slow is shut out.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import cast

from tiergate.front.call import Call
from tiergate.front.flow import ClientGoneError, Flow
from tiergate.front.heads import CONTINUE, last_answer
from tiergate.front.phase import Phase
from tiergate.front.reader import Fault, Reader
from tiergate.front.request import Request
from tiergate.front.service import Service

MAX_WAITING = 16
"""Requests that may wait for their turn. Only those count that came in one read with the request
being answered; what comes later is not looked at before its turn."""

_FULL = "The server has as many connections as it may have. Try again later."


class Connection(asyncio.Protocol):
    """One connection.

    Attributes:
        flow: Its socket.
        task: See `service.Member`.
    """

    __slots__ = (
        "_ahead",
        "_behind",
        "_busy",
        "_current",
        "_deadline",
        "_fault",
        "_head_begun",
        "_incoming",
        "_loop",
        "_phase",
        "_reader",
        "_service",
        "_waiting",
        "flow",
        "task",
    )

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.flow = Flow(loop)
        self.task: asyncio.Task[None] | None = None
        self._service = service
        self._loop = loop
        self._reader: Reader | None = None
        self._phase = Phase.OPEN
        self._deadline = math.inf
        self._head_begun = False  # and the deadline is that of the head
        self._busy = False  # with a request, or with a client that does not take its answer
        self._current: Call | None = None  # its handler runs
        self._incoming: Call | None = None  # its body is not complete
        self._waiting: deque[Call] = deque()
        self._fault: Fault | None = None  # to be answered after those
        self._ahead: list[bytes] = []  # came behind the current request, not looked at
        self._behind = 0  # size of those bytes, or of the ones dropped instead

    # -- called by the event loop ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        flow, limits = self.flow, self._service.limits
        flow.open(cast("asyncio.Transport", transport))
        self._reader = Reader(self, limits, flow.client, "https" if flow.secure else "http")
        self._deadline = self._loop.time() + limits.header_seconds
        if not self._service.add(self):
            self._answer_fault(Fault(503, _FULL, "", []))
        elif self._service.draining:
            self._close()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._phase is Phase.OPEN and (self._incoming is not None or not self._busy):
            self._feed(data)
        else:
            self._put_aside(data)

    def eof_received(self) -> bool:
        """The client sends no more: it has left, or has closed its half only.

        The two look alike. Watchers are told that it left; what is answered nevertheless is sent.
        """
        self.flow.eof = True
        if self._current is None or self._phase is Phase.LINGERING or self.flow.secure:
            return False  # the event loop closes
        self._current.client_left()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        del exc
        self._phase = Phase.CLOSED
        self.flow.lost()
        self._service.connections -= 1
        if self._reader is not None:
            self._reader.close()
            self._reader = None  # the two hold each other
        self._waiting.clear()
        self._ahead.clear()
        if self._current is None:
            self._service.remove(self)
        elif not self._current.over:
            self._current.cut()

    def pause_writing(self) -> None:
        """The write buffer is full."""
        self.flow.pause()

    def resume_writing(self) -> None:
        """The write buffer has room again."""
        self.flow.resume()
        if self._busy and self._current is None:
            # Not at once: asyncio's transport closes twice if it is closed during this call.
            self._loop.call_soon(self._resumed)

    # -- called by the reader ----------------------------------------------------------------

    def request_begun(self, request: Request) -> None:
        """A head is complete: its handler runs, or waits for its turn."""
        if len(self._waiting) >= MAX_WAITING or self._phase is not Phase.OPEN:
            self._phase = Phase.LAST
            return
        call = self._incoming = Call(request, self)
        if self._busy:
            self._waiting.append(call)
        else:
            self._start(call)

    def body_received(self, pieces: list[bytes]) -> None:
        """A part of a body has come."""
        incoming = self._incoming
        if incoming is not None:
            incoming.request.expects = False  # it did not wait
            incoming.body.put(pieces)

    def request_complete(self, pieces: list[bytes]) -> None:
        """All of a request has come."""
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.body.end(pieces)

    # -- called by the call ------------------------------------------------------------------

    @property
    def goes_on(self) -> bool:
        """Whether anything can be answered after the request under way."""
        if self._service.leaving or self.flow.eof:
            return False
        return self._phase is Phase.OPEN or bool(self._waiting or self._fault)

    @property
    def date(self) -> str:
        """The `date` header line."""
        return self._service.date

    def body_wanted(self) -> None:
        """The handler reads the body, so it may come."""
        current = self._current
        if current is not None and current.request.expects and not current.answered:
            current.request.expects = False
            self.flow.write(CONTINUE)
        self.flow.resume_reading()

    def reset(self) -> None:
        """Close at once, so that it cannot be taken for a proper end."""
        self._break(reset=True)

    # -- called by the server ----------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Enforce the limits that are seconds."""
        if self.flow.is_stalled(now, self._service.limits.stalled_seconds):
            self._break()
        elif now >= self._deadline and not self.flow.unsent:
            self._expired()

    def drain(self) -> None:
        """Close as soon as nothing is under way."""
        idle = not self._busy and self._phase is Phase.OPEN
        if idle and self._reader is not None and not self._reader.in_head:
            self._close()

    def end(self) -> None:
        """End the handler; the connection stays for what it says last."""
        if self.task is not None:
            # Not before it has begun: a task that is cancelled earlier cleans up nothing.
            self._loop.call_soon(self.task.cancel)

    def abort(self) -> None:
        """Close at once, and end the handler."""
        self._break()
        self.end()

    # -- reading -----------------------------------------------------------------------------

    def _feed(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            return
        reader.feed(data)
        incoming = self._incoming
        if reader.fault is not None:
            self._refuse(reader.fault)
        elif not self._busy:
            if not self._head_begun:
                self._head_begun = True
                self._deadline = self._loop.time() + self._service.limits.header_seconds
        elif incoming is not None and incoming.body.is_full(self._service.limits.max_unread_bytes):
            self.flow.pause_reading()

    def _put_aside(self, data: bytes) -> None:
        """Keep bytes that came before their turn, or drop what nobody wants; within limits."""
        limits = self._service.limits
        self._behind += len(data)
        if self._phase is Phase.LINGERING:
            if self._behind > limits.linger_bytes:
                self._close()
            return
        if self._phase is Phase.OPEN:
            self._ahead.append(data)
        if self._behind > limits.max_ahead_bytes:
            self.flow.pause_reading()

    # -- answering ---------------------------------------------------------------------------

    def _start(self, call: Call) -> None:
        self._busy = True
        self._current = call
        self._deadline = math.inf
        self._service.in_flight += 1
        self.task = self._loop.create_task(self._serve(call))

    async def _serve(self, call: Call) -> None:
        """Run the handler; the one task per request."""
        try:
            await self._service.app(call.request, call)
            self._returned(call)
        except BaseException as exc:
            self._failed(call, exc)
            if not isinstance(exc, Exception):
                raise
        finally:
            self._finished(call)

    def _returned(self, call: Call) -> None:
        """The handler has returned, which ends a stream."""
        if call.stream is not None:
            if call.told:
                self._cut(call)
            else:
                call.stream.end()
        elif not call.answered and not call.over:
            self._service.failed(call.request.path, None)
            self._answer_failure(call)

    def _failed(self, call: Call, exc: BaseException) -> None:
        """The handler has raised: answer, or make sure that the answer does not look complete."""
        left = call.over or self.flow.eof
        if isinstance(exc, Exception) and not (left and isinstance(exc, ClientGoneError)):
            self._service.failed(call.request.path, exc)
        if call.stream is not None:
            self._cut(call)
        elif not call.answered and not call.over:
            self._answer_failure(call, exc)

    def _cut(self, call: Call) -> None:
        """Let a stream not look complete."""
        if not call.over:
            # Without chunks, an ordinary end of the connection would be the end of the answer.
            self._break(reset=call.request.http_version != "1.1")

    def _answer_failure(self, call: Call, exc: BaseException | None = None) -> None:
        call.response_bytes(*self._service.failure(call.request, exc))

    def _finished(self, call: Call) -> None:
        """The handler has ended, and all is written that will be."""
        call.ended()
        self._current = None
        self.task = None
        self._service.in_flight -= 1
        if self._phase.answers:
            if call.keep_alive:
                self._next()
            elif self._incoming is not None or self._behind or self._phase is Phase.LAST:
                self._linger()
            else:
                self._close()
        elif not self.flow.is_open:
            self._service.remove(self)

    def _resumed(self) -> None:
        """The client takes what it was given."""
        if self._current is None and self._phase.answers:
            self._next()

    def _next(self) -> None:
        """Turn to what waits, if the client has taken what was answered."""
        reader = self._reader
        if self.flow.paused or reader is None:
            return
        if self._waiting:
            self._start(self._waiting.popleft())
        elif self._fault is not None:
            self._answer_fault(self._fault)
        elif self._phase is Phase.LAST:
            self._linger()
        elif self._service.draining or self.flow.eof:
            self._close()
        else:
            limits = self._service.limits
            self._busy = False
            self._head_begun = begun = reader.in_head
            seconds = limits.header_seconds if begun else limits.keep_alive_seconds
            self._deadline = self._loop.time() + seconds
            if self._behind:
                data = b"".join(self._ahead)
                self._ahead.clear()
                self._behind = 0
                self.flow.resume_reading()
                self._feed(data)

    # -- errors of the protocol --------------------------------------------------------------

    def _refuse(self, fault: Fault) -> None:
        """No further request can be read: say why, when it is the turn of that."""
        self._phase = Phase.LAST
        broken, self._incoming = self._incoming, None
        if broken is not None:
            fault = fault.inside(broken.request)
        if not self._busy:
            self._answer_fault(fault)
        elif broken is None or broken is not self._current:
            if broken is not None:
                self._waiting.pop()
            self._fault = fault
        elif broken.stream is not None:
            self._break(reset=True)
        else:
            broken.cut()
            if not broken.answered:
                self._answer_fault(fault)

    def _answer_fault(self, fault: Fault) -> None:
        status = fault.status
        headers, body = self._service.error(status, fault.path, fault.headers, fault.sentence)
        self.flow.write(last_answer(status, self._service.date, headers, body))
        self._linger()

    def _expired(self) -> None:
        """The client was too slow."""
        reader = self._reader
        if self._phase is Phase.OPEN and reader is not None and reader.in_head:
            seconds = f"{self._service.limits.header_seconds:g} seconds"
            late = reader.fault_now(408, f"The request head did not arrive within {seconds}.")
            self._answer_fault(late)
        else:
            self._close()

    # -- closing -----------------------------------------------------------------------------

    def _linger(self) -> None:
        """Close, but let the client see the answer before it learns that nobody reads."""
        if self.flow.eof:
            self._close()
            return
        self._phase = Phase.LINGERING
        self._deadline = self._loop.time() + self._service.limits.linger_seconds
        self._ahead.clear()
        self._behind = 0
        self.flow.resume_reading()
        self.flow.close_half()

    def _close(self) -> None:
        """Close when all is sent."""
        self._phase = Phase.CLOSED
        self._deadline = math.inf
        self.flow.close()

    def _break(self, *, reset: bool = False) -> None:
        """Close at once; with a reset, so that it cannot be taken for a proper end."""
        self._phase = Phase.CLOSED
        self._deadline = math.inf
        self.flow.abort(reset=reset)
        if self._current is not None and not self._current.over:
            self._current.cut()
