"""The scripted upstream of the streaming scenarios: paced events, each in a write of its own.

Run as `python -m bench.upstream PORT`. It speaks both dialects by path, plays the script it finds
in the prompt, and tells at `/bench/stats` how many streams it has open. It never fails on purpose.
"""

import asyncio
import json
import sys
import time
from typing import cast

import httptools
import uvloop

from bench import wire

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
_DEFAULT_SCRIPT = wire.StreamScript(chunks=10, interval_ms=5)


class Tally:
    """What this upstream has done since it started."""

    __slots__ = ("begun", "open")

    def __init__(self) -> None:
        self.begun = 0
        self.open = 0

    def as_json(self) -> bytes:
        """The counts as a JSON object."""
        return json.dumps({"begun": self.begun, "open": self.open}).encode()


class Connection(asyncio.Protocol):
    """One client connection: reads requests, answers them one after the other."""

    __slots__ = ("_body", "_parser", "_playing", "_tally", "_transport", "_url")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._parser = httptools.HttpRequestParser(self)
        self._body = bytearray()
        self._url = b""
        self._transport: asyncio.WriteTransport | None = None
        self._playing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection is open."""
        # uvloop's transports have the methods of asyncio's but do not inherit from them.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes of a request."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - its name is given
        """Asyncio: the client has gone; a stream being played ends here."""
        self._transport = None
        if self._playing is not None:
            self._playing.cancel()

    def on_message_begin(self) -> None:
        """Parser: a request begins."""
        self._body.clear()
        self._url = b""

    def on_url(self, url: bytes) -> None:
        """Parser: a piece of the address."""
        self._url += url

    def on_body(self, body: bytes) -> None:
        """Parser: a piece of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Parser: the request is whole."""
        path = self._url.partition(b"?")[0].decode("latin-1")
        if path == "/bench/stats":
            self._answer(self._tally.as_json())
            return
        try:
            dialect = wire.Dialect(path)
        except ValueError:
            self._answer(b'{"error":{"message":"no such path"}}', status=b"404 Not Found")
            return
        body = bytes(self._body)
        if b'"stream"' not in body:
            self._answer(wire.plain_answer(dialect))
            return
        self._playing = asyncio.get_running_loop().create_task(self._play(dialect, body))

    def _answer(self, body: bytes, status: bytes = b"200 OK") -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                % (status, len(body), body)
            )

    async def _play(self, dialect: wire.Dialect, body: bytes) -> None:
        script = wire.script_of(body) or _DEFAULT_SCRIPT
        usage = dialect is wire.Dialect.OPENAI and wire.wants_usage(body)
        self._tally.begun += 1
        self._tally.open += 1
        try:
            await self._write(_STREAM_HEAD)
            for event in wire.stream_head(dialect):
                await self._write(_framed(event))
            await self._write_content(dialect, script)
            for event in wire.stream_tail(dialect, script.chunks, usage=usage):
                await self._write(_framed(event))
            await self._write(b"0\r\n\r\n")
        finally:
            self._tally.open -= 1

    async def _write_content(self, dialect: wire.Dialect, script: wire.StreamScript) -> None:
        loop = asyncio.get_running_loop()
        first = loop.time()
        for number in range(script.chunks):
            wait = first + number * script.interval_ms / 1000 - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            stamp = wire.Stamp(number, time.monotonic_ns())
            await self._write(_framed(wire.content_chunk(dialect, stamp)))

    async def _write(self, data: bytes) -> None:
        """Write, and let the loop send it before anything else is written."""
        if self._transport is not None:
            self._transport.write(data)
        await asyncio.sleep(0)


def _framed(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


async def serve(port: int) -> None:
    """Serve on 127.0.0.1 until cancelled."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(tally), "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
