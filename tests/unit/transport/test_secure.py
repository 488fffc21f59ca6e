"""Calls over TLS: the same answers, and an end of the stream that may be trusted."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tiergate.transport import Fault, Target, TransportError
from tiergate.transport.connection import Connection
from tiergate.transport.pool import Pool
from tiergate.transport.secure import SecureConnection
from tiergate.transport.tls import Contexts

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REFUSAL = b"HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\ntoo big"
TARGET = Target("https", "provider", 443)


async def test_calls_over_tls_share_a_connection(
    serve, connect, post, certificate, tls_server_context
):
    async def script(peer) -> None:
        while True:
            _, body = await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(body), 100_000):
                piece = body[start : start + 100_000]
                await peer.say(b"%x\r\n%b\r\n" % (len(piece), piece))
            await peer.say(b"0\r\n\r\n")

    server = await serve(script, context=tls_server_context)
    target = server.target("https", str(certificate))
    transport = connect()

    for body in (b"small", bytes(range(256)) * 8000, b""):
        exchange = await transport.send(target, post(length=len(body)), body)
        assert await exchange.read(1 << 22) == body

    assert server.accepted == 1
    assert transport.stats() == (1, 1)


async def test_streamed_pieces_come_one_by_one_over_tls(serve, connect, post, tls_server_context):
    step = asyncio.Event()

    async def script(peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one", b"two"):
            await peer.say(b"3\r\n%b\r\n" % piece)
            await step.wait()
            step.clear()
        await peer.say(b"0\r\n\r\n")
        await peer.gone()

    server = await serve(script, context=tls_server_context)
    exchange = await connect().send(server.target("https", verify=False), post(), b"")

    for piece in (b"one", b"two"):
        assert await exchange.next() == piece
        step.set()
    assert await exchange.next() == b""


async def test_a_refused_certificate_is_a_tls_fault(serve, connect, post, tls_server_context):
    async def script(peer) -> None:
        await peer.gone()

    server = await serve(script, context=tls_server_context)

    with pytest.raises(TransportError) as caught:
        await connect().send(server.target("https"), post(), b"")

    assert caught.value.fault is Fault.TLS
    assert "certificate was refused: self-signed certificate" in str(caught.value)


async def test_a_cancelled_read_over_tls_is_seen_by_the_peer_at_once(
    serve, connect, post, tls_server_context
):
    closed_at = asyncio.get_running_loop().create_future()

    async def script(peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
        await peer.gone()
        closed_at.set_result(asyncio.get_running_loop().time())

    server = await serve(script, context=tls_server_context)
    exchange = await connect().send(server.target("https", verify=False), post(), b"")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(exchange.read(1000), 0.05)
    given_up_at = asyncio.get_running_loop().time()

    assert await closed_at - given_up_at < 0.2


class Wire(asyncio.Transport):
    """The event loop's side of a connection, moved by hand."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        super().__init__({"socket": sock})
        self.sent = b""
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: bytes) -> None:
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return 0


def secured(memory_server, wire: Wire):
    """A secure connection on `wire` with a request on it, and the server's end of its session."""
    pool = Pool(max_idle_per_target=8, idle_seconds=50.0, clock=lambda: 0.0)
    pool.closing = True
    server, session = memory_server(), Contexts().session("provider", verify=False)
    server.join(session)
    loop = asyncio.get_running_loop()
    connection = SecureConnection(pool, TARGET, loop, 65536, session)
    connection.connection_made(wire)
    return connection, connection.begin(b"GET / HTTP/1.1\r\n\r\n"), server


async def test_a_body_without_length_ends_with_the_session(memory_server):
    connection, exchange, server = secured(memory_server, Wire())

    connection.data_received(server.sends(b"HTTP/1.1 200 OK\r\n\r\nto the end") + server.closes())

    assert await exchange.read(100) == b"to the end"


async def test_a_body_without_length_that_is_cut_is_not_taken_for_whole(memory_server):
    connection, exchange, server = secured(memory_server, Wire())
    connection.data_received(server.sends(b"HTTP/1.1 200 OK\r\n\r\nto the"))

    connection.eof_received()

    assert await exchange.next() == b"to the"
    with pytest.raises(TransportError) as caught:
        await exchange.next()
    assert caught.value.fault is Fault.CLOSED_EARLY
    assert "without ending its TLS session" in str(caught.value)


async def test_damaged_bytes_are_a_tls_fault(memory_server):
    wire = Wire()
    connection, exchange, server = secured(memory_server, wire)
    record = bytearray(server.sends(OK))
    record[-1] ^= 1

    connection.data_received(bytes(record))

    with pytest.raises(TransportError) as caught:
        await exchange.answered()
    assert caught.value.fault is Fault.TLS
    assert wire.aborted


async def test_what_tls_itself_has_to_say_is_sent(memory_server):
    """An answer to a key update, for instance; Python cannot make a peer ask for one."""
    wire = Wire()
    connection, exchange, server = secured(memory_server, wire)
    connection._session._outgoing.write(b"said by the session")

    connection.data_received(server.sends(OK)[:5])

    assert wire.sent.endswith(b"said by the session")
    exchange.close()


async def test_an_idle_session_that_is_closed_or_speaks_is_dropped(memory_server):
    for last in ("closes", "sends"):
        wire = Wire()
        connection, exchange, server = secured(memory_server, wire)
        connection._keeper.closing = False
        connection.data_received(server.sends(OK))
        assert await exchange.read(10) == b"{}"
        assert not wire.aborted

        connection.data_received(server.closes() if last == "closes" else server.sends(b"more"))

        assert wire.aborted
        await asyncio.sleep(0)
        connection.connection_lost(None)
        await connection._keeper.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_an_answer_is_found_in_the_socket_after_a_failed_write(memory_server, tls):
    """The event loop gives a connection up when a write fails, unread bytes and all."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire(ours)
        if tls:
            connection, exchange, server = secured(memory_server, wire)
            theirs.sendall(server.sends(REFUSAL))
        else:
            pool = Pool(max_idle_per_target=8, idle_seconds=50.0, clock=lambda: 0.0)
            connection = Connection(pool, TARGET, asyncio.get_running_loop(), 65536)
            connection.connection_made(wire)
            exchange = connection.begin(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
            theirs.sendall(REFUSAL)
        connection._uploading = True

        connection.connection_lost(BrokenPipeError())

        await exchange.answered()
        assert exchange.status == 413
        assert await exchange.read(100) == b"too big"
        assert wire.aborted
