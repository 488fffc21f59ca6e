"""A relay in front of a server that passes every byte on and keeps what the client sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httptools


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the client wrote it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Relay:
    """Listens on a free loopback port for a server on another: `async with Relay(port) as relay:`.

    Args:
        port: where the server listens on the loopback address.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self.requests: list[Sent] = []
        """In the order in which they were complete."""
        self._target = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        recorder = _Recorder(self.requests)
        try:
            await asyncio.gather(_pump(reader, back, recorder), _pump(there, writer, None))
        finally:
            for end in (writer, back):
                end.close()
            await asyncio.gather(writer.wait_closed(), back.wait_closed(), return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recorder: _Recorder | None
) -> None:
    """Pass on what comes until its end."""
    try:
        while data := await reader.read(65_536):
            if recorder is not None:
                recorder.feed(data)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except ConnectionError:
        writer.close()


class _Recorder:
    """Collects the requests of one connection."""

    def __init__(self, out: list[Sent]) -> None:
        self._out = out
        self._parser = httptools.HttpRequestParser(self)
        self._target = ""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Parse bytes of the client."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Called by httptools."""
        self._target = ""
        self._headers = []
        self._body = []

    def on_url(self, part: bytes) -> None:
        """Called by httptools."""
        self._target += part.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, part: bytes) -> None:
        """Called by httptools."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Called by httptools."""
        method = self._parser.get_method().decode("latin-1")
        self._out.append(Sent(method, self._target, tuple(self._headers), b"".join(self._body)))
