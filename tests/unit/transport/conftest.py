"""Real peers on the loopback interface that act out a script, on both event loops.

Every test that uses a server or a transport is also a leak test: it fails if the event loop had
anything to complain about (a pending task, an exception nobody fetched) or if a socket stays open.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import ssl
import stat
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from tiergate.transport import Target, Transport
from tiergate.transport.tls import Session


def pytest_asyncio_loop_factories(
    config, item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Peer:
    """One accepted connection, as a script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        """The next request head; raises IncompleteReadError when the client has left."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def request(self) -> tuple[bytes, bytes]:
        """The next request, head and body."""
        head = await self.head()
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return head, await self.reader.readexactly(length)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Cut the connection with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Return when the client has closed."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


Script = Callable[[Peer], Awaitable[None]]


class Server:
    """A listener that plays one script per connection.

    Attributes:
        accepted: Number of connections accepted so far.
        peers: The connections, in order.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._plays: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self.accepted = 0
        self.peers: list[Peer] = []
        self.port = 0

    async def start(self, context: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=context, limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        peer = Peer(reader, writer)
        self.peers.append(peer)
        play = asyncio.current_task()
        self._plays.add(play)
        try:
            await self._script(peer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        except Exception as error:
            self.failures.append(error)
        finally:
            self._plays.discard(play)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def stop(self) -> None:
        self._server.close()
        for _ in range(3):  # connections accepted in the last turn begin their play first
            await asyncio.sleep(0)
        plays = tuple(self._plays)
        for play in plays:
            play.cancel()
        await asyncio.gather(*plays, return_exceptions=True)
        for peer in self.peers:
            peer.writer.transport.abort()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures[0]

    def target(self, scheme: str = "http", verify: bool | str = True) -> Target:
        return Target(scheme, "127.0.0.1", self.port, verify)


def open_sockets() -> int:
    """Descriptors of this process that are sockets (the loops open other things of their own)."""
    folder = Path("/proc/self/fd")
    count = 0
    for entry in (folder if folder.is_dir() else Path("/dev/fd")).iterdir():
        with contextlib.suppress(OSError):
            count += stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode)
    return count


async def settled_sockets(at_most: int) -> int:
    """The number of open sockets, once closed ones have had time to go."""
    for _ in range(200):
        if (count := open_sockets()) <= at_most:
            break
        await asyncio.sleep(0.005)
    return count


@pytest.fixture
async def nothing_left_behind() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    before = open_sockets()
    gc.freeze()  # what is older than the test need not be searched below
    yield
    after = await settled_sockets(before)
    gc.collect()
    gc.unfreeze()
    leftover = asyncio.all_tasks() - {asyncio.current_task()}
    assert not leftover
    assert complaints == []
    assert after <= before


@pytest.fixture
async def serve(nothing_left_behind) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start a server that plays the given script on each connection."""
    servers: list[Server] = []

    async def start(script: Script, *, context: ssl.SSLContext | None = None) -> Server:
        server = Server(script)
        servers.append(server)
        await server.start(context)
        return server

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def connect(serve) -> AsyncIterator[Callable[..., Transport]]:
    """Make a transport; keywords override its defaults. It is closed before the servers stop."""
    transports: list[Transport] = []

    def make(**options) -> Transport:
        transport = Transport(**{"environ": {}, "clock": time.monotonic, **options})
        transports.append(transport)
        return transport

    yield make
    for transport in transports:
        await transport.aclose()
        assert transport.stats() == (0, 0)


@pytest.fixture
def post() -> Callable[..., bytes]:
    """Make a request head."""

    def head(path: str = "/v1/messages", length: int = 0, method: str = "POST") -> bytes:
        text = f"{method} {path} HTTP/1.1\r\nHost: provider\r\nContent-Length: {length}\r\n\r\n"
        return text.encode()

    return head


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A self-signed certificate for localhost and 127.0.0.1, with its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


class Memory:
    """The server's end of a TLS session, all in memory."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def sends(self, data: bytes) -> bytes:
        """The records that carry `data`."""
        self.object.write(data)
        return self.outgoing.read()

    def closes(self) -> bytes:
        """The close_notify alert."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.object.unwrap()
        return self.outgoing.read()

    def join(self, session: Session) -> None:
        """Carry bytes to and fro until both have done the handshake."""
        done = False
        while not session.handshake() or not done:
            self.incoming.write(session.reply())
            try:
                self.object.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            if self.outgoing.pending:
                session.receive(self.outgoing.read())
        self.incoming.write(session.reply())


@pytest.fixture
def memory_server(tls_server_context) -> Callable[[], Memory]:
    return lambda: Memory(tls_server_context)


@pytest.fixture
def tls_server_context(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
