"""Carries requests and answers over one HTTP/1.1 connection, one after the other.

It decides where an answer ends and whether the connection may carry another one. It does not open
itself (`dial`), does not choose who uses it (`pool`), and never sends anything twice.

The parser calls back into this object. What is asked of it per streamed chunk is kept to one C
call (`on_body` is the append of a list) and one Python frame (`data_received`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tiergate.transport.exchange import HIGH_WATER, Exchange
from tiergate.transport.faults import Fault, reason
from tiergate.transport.proxies import Proxy
from tiergate.transport.target import Target

SLICE = 128 * 1024
"""Bytes of a large request body given to the event loop at a time."""

_HEAD_TOO_LARGE = "the head of its answer is larger than allowed"
_FIRST_STATUS = 100
_FIRST_FINAL_STATUS = 200


class Keeper(Protocol):
    """Who owns the connection between exchanges."""

    def released(self, connection: Connection) -> None:
        """The answer is complete and the connection can carry another exchange."""
        ...

    def withdrawn(self, connection: Connection) -> None:
        """The connection must not be used again."""
        ...

    def closed(self, connection: Connection) -> None:
        """The socket is gone."""
        ...


class Connection(asyncio.Protocol):
    """One connection to a target.

    Attributes:
        target: The peer; the key under which the connection is kept.
        used: Whether it has carried an exchange.
        idle_since: Instant (seconds) since which it has been idle; set by the keeper.
        proxy: The proxy that forwards its requests and needs their absolute form, or None.
    """

    __slots__ = (
        "_alive",
        "_complete",
        "_exchange",
        "_headers",
        "_keep",
        "_keeper",
        "_loop",
        "_max_head",
        "_name",
        "_no_body",
        "_overlong",
        "_parser",
        "_pieces",
        "_quiet",
        "_reading",
        "_transport",
        "_uploading",
        "_writable",
        "_write",
        "idle_since",
        "on_body",
        "proxy",
        "target",
        "used",
    )

    def __init__(
        self,
        keeper: Keeper,
        target: Target,
        loop: asyncio.AbstractEventLoop,
        max_header_bytes: int,
    ) -> None:
        self.target = target
        self.used = False
        self.idle_since = 0.0
        self.proxy: Proxy | None = None
        self._name = target.authority
        self._keeper = keeper
        self._loop = loop
        self._max_head = max_header_bytes
        self._transport: asyncio.Transport | None = None
        self._write: Callable[[bytes | memoryview], None]
        self._alive = True
        self._reading = True
        self._writable = True
        self._exchange: Exchange | None = None
        self._uploading = False  # a part of the request body was not handed to the loop
        self._no_body = False  # the answer to a HEAD request
        self._overlong = False  # its head is larger than allowed
        self._complete = False  # the whole answer has been parsed
        self._keep = False  # the peer said nothing against another exchange
        self._quiet = 0  # bytes received since the request, or since the last piece of body
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self.on_body: Callable[[bytes], None] = self._pieces.append
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    # -- used by the client ------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether it is open and has not been given up."""
        return self._alive and self._transport is not None

    def begin(self, request: bytes) -> Exchange:
        """Start an exchange: write what is given, which begins with the request line."""
        exchange = Exchange(self, self._name, self._loop, reused=self.used)
        if not self.up:
            exchange.fail(Fault.CLOSED_EARLY, "closed before a request was sent")
            return exchange
        self.used = True
        self._exchange = exchange
        self._complete = False
        self._quiet = 0
        self._headers.clear()
        self._no_body = request.startswith(b"HEAD ")
        self._write(request)
        return exchange

    async def upload(self, exchange: Exchange, body: bytes) -> None:
        """Write a large body in slices, as fast as the peer takes them.

        Stops as soon as an answer has begun: the peer has made up its mind, and may not be
        reading any more. The connection is then not used again.

        Raises:
            TransportError: The connection broke first.
        """
        self._uploading = True
        view = memoryview(body)
        try:
            for start in range(0, len(view), SLICE):
                await asyncio.sleep(0)  # other work, and the sight of an answer, between slices
                while not self._writable and not exchange.status:
                    await exchange.changed()
                if exchange.status or not self._alive:
                    return
                self._write(view[start : start + SLICE])
        except BaseException:  # cancelled, or broken
            exchange.close()
            raise
        self._uploading = False

    def abort(self) -> None:
        """Close at once, without flushing. Safe to call more than once."""
        if not self._alive:
            return
        self._alive = False
        self._exchange = None
        self._keeper.withdrawn(self)
        if self._transport is not None:
            self._transport.abort()

    def shut(self, why: str) -> None:
        """End the exchange in course, if any, with an error, and close at once."""
        if self._exchange is not None:
            self._exchange.fail(Fault.CLOSED_EARLY, why)
        self.abort()

    def resume_reading(self) -> None:
        """Go on reading after the reader has caught up."""
        if not self._reading and self._alive and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()

    # -- called by the event loop ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is the event loop's now."""
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        exchange = self._exchange
        parser = self._parser
        if exchange is None or parser is None:  # nothing was asked
            self.abort()
            return
        self._quiet += len(data)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._stopped(exchange, error)
            return
        pieces = self._pieces
        if pieces:
            self._quiet = 0
            exchange.deliver(pieces)
            pieces.clear()
        if self._complete:
            self._finish(exchange)
        elif self._quiet > self._max_head:
            exchange.fail(Fault.TOO_LARGE, _HEAD_TOO_LARGE)
        elif exchange.waiting > HIGH_WATER and self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()
        exchange.wake()

    def eof_received(self) -> None:
        """The peer sends no more. Whatever else it still reads, this connection is over."""
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone. `exc` is None if we closed it, or it ended properly."""
        if exc is None:
            self.eof_received()
        else:
            if self._exchange is not None:
                self._read_what_is_left()
            self._broken(Fault.RESET, f"the connection broke: {reason(exc)}")
        self._alive = False
        self._parser = None  # it holds this object's callbacks, this object holds it
        self._keeper.closed(self)

    def pause_writing(self) -> None:
        """The write buffer is full."""
        self._writable = False

    def resume_writing(self) -> None:
        """The write buffer has room again."""
        self._writable = True
        if self._exchange is not None:
            self._exchange.wake()

    # -- called by the parser ----------------------------------------------------------------
    # An error raised in these comes out of `feed_data` as an HttpParserError.

    def on_message_begin(self) -> None:
        """A head begins; after a complete answer that is one nobody asked for."""
        if self._complete:
            raise HttpParserError("bytes after the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer (which is dropped)."""
        self._headers.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        """A head is complete. Interim (1xx) heads are skipped."""
        exchange, parser = self._exchange, self._parser
        if exchange is None or parser is None:
            return
        headers, self._headers = self._headers, []
        status = parser.get_status_code()
        if status < _FIRST_FINAL_STATUS:
            if status < _FIRST_STATUS:
                raise HttpParserError("a status code below 100")
            return
        if self._quiet > self._max_head and _size(headers) > self._max_head:
            self._overlong = True
            raise HttpParserError(_HEAD_TOO_LARGE)
        exchange.begin(status, headers)
        if self._no_body:
            self._complete = True
            raise HttpParserError("the parser would wait for the body that was not asked for")

    def on_message_complete(self) -> None:
        """An answer, or an interim head, is complete."""
        exchange, parser = self._exchange, self._parser
        if exchange is not None and exchange.status and parser is not None:
            self._complete = True
            self._keep = parser.should_keep_alive()

    def _read_what_is_left(self) -> None:
        """Take in what the peer had said before a write of ours failed.

        A server that refuses a large body often answers, and closes without reading on. The next
        write then fails, and the event loop gives up the socket with the answer still in it. The
        socket is open until this call returns.
        """
        known = None if self._transport is None else self._transport.get_extra_info("socket")
        if known is None or known.fileno() < 0:
            return
        self._reading, self._uploading = False, True  # so that it is neither paused nor kept
        with socket.socket(fileno=os.dup(known.fileno())) as sock, contextlib.suppress(OSError):
            sock.setblocking(False)
            while self._alive and (data := sock.recv(65536)):
                self.data_received(data)

    # -- how an exchange ends ----------------------------------------------------------------

    def _finish(self, exchange: Exchange) -> None:
        """The answer is complete: the connection goes back, or goes."""
        self._exchange = None
        exchange.finish()
        transport = self._transport
        if (
            self._keep
            and not self._uploading
            and self._alive
            and transport is not None
            and not transport.get_write_buffer_size()  # else it answered before it had read all
        ):
            self.resume_reading()
            self._keeper.released(self)
        else:
            self.abort()

    def _stopped(self, exchange: Exchange, error: Exception) -> None:
        """The parser does not go on: the answer is damaged, or over and followed by more."""
        if self._pieces:
            exchange.deliver(self._pieces)
            self._pieces.clear()
        if self._complete:
            self._keep = False
            self._finish(exchange)
            exchange.wake()
        elif self._overlong:
            exchange.fail(Fault.TOO_LARGE, _HEAD_TOO_LARGE)
        elif isinstance(error, HttpParserUpgrade):
            exchange.fail(Fault.PROTOCOL, "it switched to another protocol unasked")
        else:
            exchange.fail(Fault.PROTOCOL, f"its answer is not HTTP/1.1 ({error})")

    def _ended(self) -> None:
        """The peer has closed in an orderly way."""
        exchange = self._exchange
        if exchange is not None and exchange.status and _lasts_until_close(exchange.headers):
            self._keep = False
            self._finish(exchange)
            exchange.wake()
        elif exchange is not None and exchange.status:
            self._broken(Fault.CLOSED_EARLY, "closed in the middle of its answer")
        else:
            self._broken(Fault.CLOSED_EARLY, "closed without an answer")

    def _broken(self, fault: Fault, what: str) -> None:
        """The connection is of no more use; neither is what is under way on it."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
        else:
            exchange.fail(fault, what)


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)  # 4: ": " and CRLF


def _lasts_until_close(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether only the end of the connection ends this body (RFC 9112, section 6.3)."""
    coding = b""
    for name, value in headers:
        if name == b"content-length":
            return False
        if name == b"transfer-encoding":
            coding = value
    return coding.rpartition(b",")[2].strip().lower() != b"chunked"
