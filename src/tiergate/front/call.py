"""One request being answered: the RSGI protocol object that handlers work with.

It reads the body, writes one answer in the right framing, and tells when the client leaves. Which
request comes next on the connection, and when that closes, is not its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from tiergate.front.body import Body
from tiergate.front.flow import Flow
from tiergate.front.heads import (
    BODILESS,
    CHUNKED,
    CLOSE,
    KEEP_ALIVE,
    Pairs,
    declared_length,
    head,
    without_owned,
)
from tiergate.front.request import Request
from tiergate.front.stream import Stream

_LARGE = 64 * 1024
"""Bodies above this are not copied behind their head."""


class Wire(Protocol):
    """The connection, as one call sees it."""

    @property
    def flow(self) -> Flow:
        """Its socket."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether the connection can take another request after this one."""
        ...

    @property
    def date(self) -> str:
        """The `date` header line."""
        ...

    def body_wanted(self) -> None:
        """See `body.Source`."""
        ...

    def reset(self) -> None:
        """Close at once, so that it cannot be taken for a proper end."""
        ...


class Call:
    """One request and its answer.

    Attributes:
        request: Its head.
        body: Its body.
        answered: An answer has begun.
        keep_alive: The answer lets the connection go on.
        over: Nothing can be answered any more: the client is gone, or the server has answered.
        stream: The answer, if it is one of several pieces.
        told: The handler was told that the client left, so its answer may be incomplete.
    """

    __slots__ = (
        "_gone",
        "_left",
        "_watcher",
        "_wire",
        "answered",
        "body",
        "keep_alive",
        "over",
        "request",
        "stream",
        "told",
    )

    def __init__(self, request: Request, wire: Wire) -> None:
        self.request = request
        self.body = Body(wire)
        self.answered = False
        self.keep_alive = False
        self.over = False
        self.stream: Stream | None = None
        self.told = False
        self._wire = wire
        self._left = False
        self._gone: asyncio.Future[None] | None = None
        self._watcher: Callable[[], None] | None = None

    # -- the request's body ------------------------------------------------------------------

    async def __call__(self) -> bytes:
        """Return the whole body.

        Raises:
            ClientGoneError: It will never be complete.
        """
        body = self.body
        return body.take() if body.complete else await body.read()

    def __aiter__(self) -> Body:
        """Read the body in pieces."""
        return self.body

    # -- the client's presence ---------------------------------------------------------------

    def client_disconnect(self) -> asyncio.Future[None]:
        """Return a future that is done when the client has left, or the handler has ended."""
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_future()
            if self._left:
                self.told = True
                self._gone.set_result(None)
        return self._gone

    def watch(self, callback: Callable[[], None] | None) -> None:
        """Set what is called, once, if the client leaves before the answer is complete.

        It costs neither a task nor a future. It is called at once if the client has left, and
        never after the handler has ended.

        Args:
            callback: Replaces the one set before; None takes it away.
        """
        self._watcher = callback
        if self._left:
            self._tell_watcher()

    # -- the answer --------------------------------------------------------------------------
    # Once the client has gone, an answer is dropped without error; only a stream tells of it.

    def response_empty(self, status: int, headers: Pairs) -> None:
        """Answer without a body."""
        if self.request.method == "HEAD" or status in BODILESS:
            framing = "" if status == HTTPStatus.NO_CONTENT else declared_length(headers)
        else:
            framing = "content-length: 0\r\n"
        self._answer(status, headers, framing)

    def response_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer with a whole body."""
        if status in BODILESS:
            self.response_empty(status, headers)
            return
        framing = f"content-length: {len(body)}\r\n"
        self._answer(status, headers, framing, b"" if self.request.method == "HEAD" else body)

    def response_stream(self, status: int, headers: Pairs) -> Stream:
        """Begin an answer; it ends when the handler returns.

        The head is sent at once. If the handler fails, the connection breaks, so that the
        answer does not look complete.
        """
        chunked = self.request.http_version == "1.1"
        write = self._wire.flow.write
        if self.request.method == "HEAD" or status in BODILESS:
            self.response_empty(status, headers)
            chunked, write = False, _drop
        else:
            self._answer(status, headers, CHUNKED if chunked else "", lasts=not chunked)
        self.stream = Stream(self._wire.flow, write, chunked=chunked)
        if self.over:
            self.stream.cut()
        return self.stream

    def abort(self) -> None:
        """Reset the connection (RST) instead of answering, or in the middle of a stream.

        Bytes that the client has not read may be lost to it. Nothing can be answered after this,
        and the watcher is not called.
        """
        self._watcher = None
        self._wire.reset()

    def _answer(
        self, status: int, headers: Pairs, framing: str, body: bytes = b"", *, lasts: bool = False
    ) -> None:
        """Write an answer, or its beginning; if it `lasts`, the connection's end is its end.

        Raises:
            RuntimeError: There was an answer before.
            ValueError: See `heads`.
        """
        if self.answered:
            raise RuntimeError("this request has been answered before")
        request, wire = self.request, self._wire
        headers, close = without_owned(headers)
        goes_on = (
            request.keep_alive and self.body.complete and not close and not lasts and wire.goes_on
        )
        if not goes_on:
            framing += CLOSE
        elif request.http_version != "1.1":
            framing += KEEP_ALIVE
        data = head(status, wire.date, headers, framing)
        self.answered = True
        self.keep_alive = goes_on
        if self.over:
            return
        if len(body) > _LARGE:
            wire.flow.write(data)
            wire.flow.write(body)
        else:
            wire.flow.write(data + body)

    # -- called by the connection ------------------------------------------------------------

    def client_left(self) -> None:
        """The client sends no more; that is how leaving looks. It may still read the answer."""
        self._left = True
        self.body.fail()
        if self._gone is not None and not self._gone.done():
            self.told = True
            self._gone.set_result(None)
        self._tell_watcher()

    def cut(self) -> None:
        """Nothing can be written any more."""
        self.over = True
        if self.stream is not None:
            self.stream.cut()
        if not self._left:
            self.client_left()

    def ended(self) -> None:
        """The handler has ended."""
        self._watcher = None
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def _tell_watcher(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None and (not self.answered or self.stream is not None):
            self.told = True
            watcher()


def _drop(data: bytes) -> None:
    """Write nothing: the body of an answer that has none."""
    del data
