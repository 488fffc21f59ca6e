"""A small HTTP/1.1 client that shows what came over the wire, piece by piece and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass

import httptools

from tiergate.base.jsontypes import Json, JsonObject

TIMEOUT = 10.0
READ_SIZE = 65_536


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `name` is empty if it has none."""

    name: str
    data: str

    @property
    def json(self) -> JsonObject:
        """The data, which must be a JSON object."""
        return _object(self.data.encode())


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, as far as it came.

    Attributes:
        headers: in the order sent, repeated ones kept.
        pieces: the body as it was received, each with its arrival in seconds after sending.
        head_at: arrival of the headers, in seconds after sending.
        complete: did the body end as its framing promised?
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[tuple[float, bytes], ...]
    head_at: float
    complete: bool

    @property
    def body(self) -> bytes:
        """The body."""
        return b"".join(data for _, data in self.pieces)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> JsonObject:
        """The body, which must be a JSON object."""
        return _object(self.body)

    @property
    def error(self) -> JsonObject:
        """The `error` object of an error body."""
        found = self.json.get("error")
        assert isinstance(found, dict), f"expected an error body, got {self.body[:300]!r}"
        return found

    @property
    def events(self) -> list[Event]:
        """The server-sent events of the body."""
        return events_of(self.body)

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.header_values(name)), None)

    def header_values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Exchange:
    """One request on a connection of its own: `async with Exchange(port, ...) as exchange:`.

    Entering sends the request. `head`, `piece` and `rest` read as much as the test wants; leaving
    closes the connection, wherever the answer stands.

    Args:
        port: on the loopback address.
        method: as sent.
        target: path and query.
        body: bytes as they are, or a value sent as JSON.
        headers: pairs, so that names may repeat; `host` and `content-length` are added.
        timeout: seconds for each single wait.
    """

    def __init__(
        self,
        port: int,
        method: str,
        target: str,
        *,
        body: bytes | Json = None,
        headers: Iterable[tuple[str, str]] = (),
        timeout: float = TIMEOUT,
    ) -> None:
        self._port = port
        self._timeout = timeout
        self._request = request_bytes(port, method, target, body=body, headers=headers)
        self._parser = _Parser(is_head=method == "HEAD")
        self._pieces: list[tuple[float, bytes]] = []
        self._head_at = 0.0
        self._sent_at = 0.0

    async def __aenter__(self) -> Exchange:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._sent_at = asyncio.get_running_loop().time()
        self._writer.write(self._request)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the connection now."""
        self._writer.close()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def head(self) -> Answer:
        """Read up to the headers; the answer has what else came with them."""
        while not self._parser.has_head and await self._read():
            pass
        return self._answer()

    async def piece(self) -> bytes | None:
        """The next bytes of the body as they arrive; `None` when there are no more."""
        count = len(self._pieces)
        while len(self._pieces) == count and not self._parser.complete and await self._read():
            pass
        return b"".join(data for _, data in self._pieces[count:]) or None

    async def rest(self) -> Answer:
        """Read to the end."""
        while not self._parser.complete and await self._read():
            pass
        return self._answer()

    async def _read(self) -> bool:
        try:
            async with asyncio.timeout(self._timeout):
                data = await self._reader.read(READ_SIZE)
        except ConnectionError:
            data = b""
        now = asyncio.get_running_loop().time() - self._sent_at
        if not data:
            self._parser.end_of_connection()
            return False
        had_head = self._parser.has_head
        self._parser.feed(data)
        if self._parser.has_head and not had_head:
            self._head_at = now
        body = self._parser.take_body()
        if body:
            self._pieces.append((now, body))
        return True

    def _answer(self) -> Answer:
        parser = self._parser
        headers, pieces = tuple(parser.headers), tuple(self._pieces)
        return Answer(parser.status, headers, pieces, self._head_at, parser.complete)


async def fetch(
    port: int,
    method: str,
    target: str,
    *,
    body: bytes | Json = None,
    headers: Iterable[tuple[str, str]] = (),
    timeout: float = TIMEOUT,
) -> Answer:
    """Make one request and read all of its answer; the arguments are those of `Exchange`.

    An answer with status 0 means that the connection ended before any headers came.
    """
    exchange = Exchange(port, method, target, body=body, headers=headers, timeout=timeout)
    async with exchange:
        return await exchange.rest()


async def send_raw(port: int, data: bytes, *, timeout: float = TIMEOUT) -> bytes:
    """Send bytes as they are; give all that comes back until the server closes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    out = b""
    try:
        writer.write(data)
        async with asyncio.timeout(timeout):
            while piece := await reader.read(READ_SIZE):
                out += piece
    except (TimeoutError, ConnectionError):
        pass  # what came until then is the answer
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return out


def request_bytes(
    port: int,
    method: str,
    target: str,
    *,
    body: bytes | Json = None,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """One request as bytes; the arguments are those of `Exchange`."""
    pairs = list(headers)
    names = {name.lower() for name, _ in pairs}
    content = body if isinstance(body, bytes) else b"" if body is None else _json_bytes(body)
    if "host" not in names:
        pairs.insert(0, ("host", f"127.0.0.1:{port}"))
    if content and "content-type" not in names:
        pairs.append(("content-type", "application/json"))
    if content and not names & {"content-length", "transfer-encoding"}:
        pairs.append(("content-length", str(len(content))))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + content


def events_of(body: bytes) -> list[Event]:
    """The events of an event stream; comments are passed over, an unfinished event is left out."""
    out: list[Event] = []
    for block in body.decode().replace("\r\n", "\n").split("\n\n")[:-1]:
        name = ""
        data: list[str] = []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            if field == "event":
                name = value.removeprefix(" ")
            elif field == "data":
                data.append(value.removeprefix(" "))
        if name or data:
            out.append(Event(name, "\n".join(data)))
    return out


class _Parser:
    """Collects what httptools reports."""

    def __init__(self, *, is_head: bool) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.has_head = False
        self.complete = False
        self._body: list[bytes] = []
        self._is_head = is_head
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse bytes from the connection."""
        self._parser.feed_data(data)

    def take_body(self) -> bytes:
        """The body bytes parsed since the last call."""
        out = b"".join(self._body)
        self._body.clear()
        return out

    def end_of_connection(self) -> None:
        """An answer without announced length ends with the connection."""
        names = {name.lower() for name, _ in self.headers}
        if self.has_head and not names & {"content-length", "transfer-encoding"}:
            self.complete = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        self.status = self._parser.get_status_code()
        self.has_head = True
        self.complete = self._is_head

    def on_body(self, data: bytes) -> None:
        """Called by httptools."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Called by httptools."""
        self.complete = True


def _json_bytes(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _object(data: bytes) -> JsonObject:
    value: Json = json.loads(data)
    assert isinstance(value, dict), f"expected a JSON object, got {data[:300]!r}"
    return value
