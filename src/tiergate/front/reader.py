"""Turns a connection's bytes into requests; refuses what is not HTTP/1.1 to the letter.

The grammar is llhttp's, in its strict mode: line ends are CRLF, no folded headers, exactly one way
to tell a body's length. What llhttp leaves to its user is decided here: the limits of a head, the
`Host` header, transfer codings, and upgrades, which are passed over. Which request is handled
when is the connection's decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from tiergate.front.limits import Limits
from tiergate.front.request import Pairs, Request, split_target

_NOTED = frozenset({b"expect", b"host", b"transfer-encoding", b"upgrade"})
_LINE_OVERHEAD = 4  # ": " and CRLF


@dataclass(frozen=True, slots=True)
class Fault:
    """Why no further request can be read.

    Attributes:
        status: What to answer.
        sentence: For the client.
        path: Path of the request, as far as known.
        headers: Headers of the request, as far as they came.
    """

    status: int
    sentence: str
    path: str
    headers: Pairs

    def inside(self, request: Request) -> Fault:
        """Return the same fault, found in the body of a request."""
        return Fault(self.status, self.sentence, request.path, request.headers.items())


class Requests(Protocol):
    """Who is told of requests."""

    def request_begun(self, request: Request) -> None:
        """A head is complete."""
        ...

    def body_received(self, pieces: list[bytes]) -> None:
        """A part of the body has come; the list is used again afterwards."""
        ...

    def request_complete(self, pieces: list[bytes]) -> None:
        """All of the request has come; what is left of the body comes along."""
        ...


class Reader:
    """Reads the requests of one connection.

    Args:
        requests: Told of them.
        limits: Of their heads.
        client: See `Request.client`.
        scheme: See `Request.scheme`.

    Attributes:
        fault: Set once no further request can be read.
        on_body: Used by the parser.
    """

    __slots__ = (
        "_client",
        "_framing",
        "_headers",
        "_in_body",
        "_limits",
        "_noted",
        "_parser",
        "_pieces",
        "_quiet",
        "_requests",
        "_scheme",
        "_skip_head",
        "_url",
        "fault",
        "on_body",
    )

    def __init__(self, requests: Requests, limits: Limits, client: str, scheme: str) -> None:
        self.fault: Fault | None = None
        self._client = client
        self._scheme = scheme
        self._requests = requests
        self._limits = limits
        self._url = b""
        self._headers: Pairs = []
        self._noted: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._quiet = 0  # bytes since the last request, or piece of body
        self._in_body = False
        self._framing = b""  # of a body that llhttp would forget because of an upgrade
        self._skip_head = False  # the head being parsed is our own
        self.on_body: Callable[[bytes], None] = self._pieces.append
        self._parser: HttpRequestParser | None = HttpRequestParser(self)

    @property
    def in_head(self) -> bool:
        """Whether a part of a head has come (one that ends before its path may go unnoticed)."""
        return not self._in_body and (self._quiet > 0 or bool(self._url))

    def close(self) -> None:
        """Read no more. Without it, this object and its parser would keep each other alive."""
        self._parser = None

    def feed(self, data: bytes | memoryview) -> None:
        """Read on; tells of requests, or sets `fault`."""
        parser = self._parser
        if parser is None or self.fault is not None:
            return
        self._quiet += len(data)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._pass_over_upgrade(data, upgrade)
        except HttpParserError as error:
            if self.fault is None:
                if isinstance(error, HttpParserCallbackError):
                    raise  # a mistake in the server, not of the client
                self._set_fault(400, f"The request is not HTTP/1.1: {error}.")
        if self._pieces:
            self._quiet = 0
            self._requests.body_received(self._pieces)
            self._pieces.clear()
        if self._quiet > self._limits.max_head_bytes and self.fault is None:
            self._too_large()

    # -- called by the parser ----------------------------------------------------------------
    # An error raised in these ends the parsing, and comes out of `feed_data`.

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer (which is dropped)."""
        name = name.lower()
        if name in _NOTED:
            self._noted.append((name, value))
        self._headers.append((name.decode("latin-1"), value.rstrip().decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        parser = self._parser
        if self._skip_head or parser is None:
            self._skip_head = False
            self._forget_head()
            return
        headers = self._headers
        if self._quiet > self._limits.max_head_bytes or len(headers) > self._limits.max_headers:
            self._check_size()
        version = parser.get_http_version()
        request = Request(
            parser.get_method().decode("latin-1"),
            self._url.decode("latin-1"),
            version,
            headers,
            self._client,
            self._scheme,
            keep_alive=parser.should_keep_alive(),
        )
        noted = self._noted
        if len(noted) != 1 or noted[0][0] != b"host" or version != "1.1":
            self._check_noted(version, request)
        if request.method == "CONNECT":
            self._refuse(501, "This server is not a forward proxy; CONNECT is not possible.")
        self._forget_head()
        self._quiet = 0
        self._in_body = True
        self._requests.request_begun(request)

    def on_message_complete(self) -> None:
        """The request is complete."""
        if self._framing:
            return
        if self._headers:  # trailers
            self._forget_head()
        self._quiet = 0
        self._in_body = False
        self._requests.request_complete(self._pieces)
        self._pieces.clear()

    def _forget_head(self) -> None:
        self._url = b""
        self._headers = []
        self._noted.clear()

    # -- checks ------------------------------------------------------------------------------

    def _check_size(self) -> None:
        """Refuse a head over the limits; called when there is a reason to count."""
        size = len(self._url) + sum(len(n) + len(v) + _LINE_OVERHEAD for n, v in self._headers)
        if size > self._limits.max_head_bytes:
            self._too_large()
            raise HttpParserError
        if len(self._headers) > self._limits.max_headers:
            self._refuse(431, f"The request has more than {self._limits.max_headers} headers.")

    def _check_noted(self, version: str, request: Request) -> None:
        """Look at the headers with which the server itself has to do."""
        names = [name for name, _ in self._noted]
        if version not in {"1.1", "1.0"}:
            self._refuse(505, f"HTTP/{version} is not served; use HTTP/1.1.")
        hosts = names.count(b"host")
        if hosts > 1 or (not hosts and version == "1.1"):
            # RFC 9112, section 3.2: a server MUST answer 400.
            self._refuse(400, f"The request has {hosts} Host headers; there must be exactly one.")
        for name, value in self._noted:
            if name == b"expect":
                request.expects = version == "1.1" and value.strip().lower() == b"100-continue"
            elif name == b"transfer-encoding":
                self._check_coding(version, value)
        if b"upgrade" in names and self._parser is not None and self._parser.should_upgrade():
            self._framing = _framing(request)

    def _check_coding(self, version: str, value: bytes) -> None:
        if version != "1.1":
            # RFC 9112, section 6.1: such a message must be treated as badly framed.
            self._refuse(400, "HTTP/1.0 has no Transfer-Encoding.")
        if value.strip().lower() != b"chunked":
            self._refuse(501, "The only transfer coding served is chunked.")

    def _refuse(self, status: int, sentence: str) -> None:
        self._set_fault(status, sentence)
        raise HttpParserError

    def _too_large(self) -> None:
        limit = self._limits.max_head_bytes
        if self._in_body:
            self._set_fault(
                400, f"The chunk extensions or trailers of the body are larger than {limit} bytes."
            )
        else:
            self._set_fault(431, f"The request head is larger than {limit} bytes.")

    def _set_fault(self, status: int, sentence: str) -> None:
        self.fault = self.fault_now(status, sentence)

    def fault_now(self, status: int, sentence: str) -> Fault:
        """Make a fault of what has come of the next request."""
        path = split_target(self._url.decode("latin-1"))[0] if self._url else ""
        return Fault(status, sentence, path, self._headers)

    # -- upgrades ----------------------------------------------------------------------------

    def _pass_over_upgrade(self, data: bytes | memoryview, upgrade: HttpParserUpgrade) -> None:
        """Go on after a request that asks for another protocol (RFC 9110, section 7.8).

        A server may pass that over. llhttp stops behind the head, and forgets the body: the HTTP
        client of Java sends such requests, body included, to every plain-text server. So the body
        is given to a fresh parser, behind a head that has nothing but the body's framing.
        """
        framing, self._framing = self._framing, b""
        if framing:
            self._skip_head = True
            self._parser = HttpRequestParser(self)
            self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing)
        rest = memoryview(data)[int(upgrade.args[0]) :]
        if rest:
            self.feed(rest)


def _framing(request: Request) -> bytes:
    """Return the header line that frames the body of a request, or nothing."""
    for name, value in request.headers.items():
        if name in {"content-length", "transfer-encoding"}:
            return f"{name}: {value}".encode("latin-1")
    return b""
