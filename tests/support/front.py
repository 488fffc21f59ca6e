"""A client that speaks to a `tiergate.front` server byte by byte, and what tests of it share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tiergate.front import Front

TIMEOUT = 10.0


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    version: str = "HTTP/1.1"
    chunks: list[bytes] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} comes twice"
        return values[0] if values else None


class Client:
    """One connection to the server, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, data: bytes | str) -> None:
        self.writer.write(data.encode("latin-1") if isinstance(data, str) else data)
        await self.writer.drain()

    async def get(self, path: str = "/", method: str = "GET", version: str = "1.1") -> Answer:
        await self.say(f"{method} {path} HTTP/{version}\r\nHost: x\r\n\r\n")
        return await self.answer(head=method == "HEAD")

    async def post(self, path: str, body: bytes, *headers: str) -> Answer:
        await self.say(post(path, body, *headers))
        return await self.answer()

    async def head(self) -> Answer:
        """The next head."""
        async with asyncio.timeout(TIMEOUT):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        version, status, _ = first.split(" ", 2)
        pairs = [line.partition(": ") for line in lines]
        return Answer(int(status), [(k, v) for k, _, v in pairs], version=version)

    async def chunk(self) -> bytes:
        """The next chunk; empty at the end of the body."""
        async with asyncio.timeout(TIMEOUT):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    async def answer(self, *, head: bool = False) -> Answer:
        """The next answer, whole."""
        answer = await self.head()
        length = answer.header("content-length")
        if head or answer.status in (204, 304) or answer.status < 200:
            return answer
        if answer.header("transfer-encoding") == "chunked":
            assert length is None
            while chunk := await self.chunk():
                answer.chunks.append(chunk)
            answer.body = b"".join(answer.chunks)
        elif length is not None:
            async with asyncio.timeout(TIMEOUT):
                answer.body = await self.reader.readexactly(int(length))
        else:
            assert answer.header("connection") == "close"
            answer.body = await self.rest()
        return answer

    async def rest(self) -> bytes:
        """Everything until the server closes; raises ConnectionResetError if it does not say so
        properly."""
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.read()

    async def closed(self) -> bool:
        """Wait until the server closes; whether there was nothing more before."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    def leave(self) -> None:
        """Close."""
        self.writer.close()

    def abort(self) -> None:
        """Close at once, unread bytes or not."""
        self.writer.transport.abort()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Served:
    """A running server, and what its application failed in."""

    def __init__(self, front: Front, failures: list[tuple[str, Exception | None]]) -> None:
        self.front = front
        self.failures = failures
        self.clients: list[Client] = []

    async def client(self, context: ssl.SSLContext | None = None) -> Client:
        made = await asyncio.open_connection("127.0.0.1", self.front.port, ssl=context)
        client = Client(*made)
        self.clients.append(client)
        return client


def told(status: int, path: str, headers, sentence: str) -> tuple[list[tuple[str, str]], bytes]:
    """The error answer of these tests: everything it was made from."""
    names = ",".join(name for name, _ in headers)
    return [("content-type", "text/x-error")], f"{status}|{path}|{names}|{sentence}".encode()


def open_sockets() -> int:
    """Descriptors of this process that are sockets."""
    folder = Path("/proc/self/fd")
    count = 0
    for entry in (folder if folder.is_dir() else Path("/dev/fd")).iterdir():
        with contextlib.suppress(OSError):
            count += stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode)
    return count


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def echo(request, call) -> None:
    """Answer with the request: first line, then the body."""
    body = await call()
    text = f"{request.method} {request.path}?{request.query_string}\n".encode()
    call.response_bytes(200, [("content-type", "text/plain")], text + body)
