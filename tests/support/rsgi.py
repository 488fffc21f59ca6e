"""The server's side of one request, in memory: RSGI's interface as the web layer uses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence

from tiergate.base.jsontypes import Json

Pairs = list[tuple[str, str]]


class Headers:
    """The request's headers."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def items(self) -> Pairs:
        """Return them all."""
        return self._pairs


class Scope:
    """What the server tells of a request."""

    def __init__(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        query: str = "",
    ) -> None:
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        self.proto = "http"
        self.method = method
        self.path = path
        self.query_string = query
        self.client = "127.0.0.1:1"
        self.headers = Headers(pairs)


class Body:
    """The part of a body that needs no waiting."""

    def __init__(self, data: bytes, complete: bool) -> None:
        self.complete = complete
        self._data = data

    def take(self) -> bytes:
        """Return it."""
        return self._data


class Sink:
    """An answer under way."""

    def __init__(self, proto: Proto) -> None:
        self._proto = proto

    async def send_bytes(self, data: bytes) -> None:
        """Keep a piece."""
        await self._proto.write(data)


class Proto:
    """One request and its answer.

    Args:
        pieces: The request body, as it comes.
        waits: The body does not come by itself; `None` pieces hang.
        write: Called before each piece of a stream is taken.
    """

    def __init__(
        self,
        pieces: Sequence[bytes | None] = (b"",),
        *,
        waits: bool = False,
        write: Callable[[bytes], object] | None = None,
    ) -> None:
        self._pieces = list(pieces)
        whole = b"".join(p for p in pieces if p is not None)
        self.body = Body(whole, complete=not waits)
        self._before_write = write
        self.watcher: Callable[[], None] | None = None
        self.watched = 0
        self.answers = 0
        self.status = 0
        self.headers: Pairs = []
        self.data = b""
        self.streamed = False

    async def __call__(self) -> bytes:
        """Return the whole body."""
        return b"".join([piece async for piece in self])

    def __aiter__(self) -> Proto:
        """Read it in pieces."""
        return self

    async def __anext__(self) -> bytes:
        """Return a piece."""
        await asyncio.sleep(0)
        if not self._pieces:
            raise StopAsyncIteration
        piece = self._pieces.pop(0)
        if piece is None:
            await asyncio.Event().wait()
            raise AssertionError
        return piece

    def watch(self, callback: Callable[[], None] | None) -> None:
        """Set who is told that the client has left."""
        self.watcher = callback
        self.watched += callback is not None

    def leave(self) -> None:
        """The client leaves."""
        if self.watcher is not None:
            self.watcher()

    def response_empty(self, status: int, headers: Pairs) -> None:
        """Answer without a body."""
        self._begin(status, headers)

    def response_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer."""
        self._begin(status, headers)
        self.data = body

    def response_stream(self, status: int, headers: Pairs) -> Sink:
        """Begin an answer."""
        self._begin(status, headers)
        self.streamed = True
        return Sink(self)

    async def write(self, data: bytes) -> None:
        """Take a piece of a stream."""
        if self._before_write is not None:
            found = self._before_write(data)
            if asyncio.iscoroutine(found):
                await found
        await asyncio.sleep(0)
        self.data += data

    @property
    def json(self) -> Json:
        """The body of the answer."""
        value: Json = json.loads(self.data)
        return value

    def header(self, name: str) -> str | None:
        """The one value of a header of the answer."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} twice"
        return values[0] if values else None

    def _begin(self, status: int, headers: Pairs) -> None:
        self.answers += 1
        assert self.answers == 1, "answered twice"
        self.status = status
        self.headers = headers
        for name, value in headers:
            assert name == name.lower()
            assert value.isprintable(), f"{name} cannot be sent"
