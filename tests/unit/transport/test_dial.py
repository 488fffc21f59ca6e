"""Opening a connection: every step that can fail has its own fault, and nothing stays open."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from tiergate.transport import Fault, Target, TransportError
from tiergate.transport.dial import Dialler, _first_connected, _interleaved
from tiergate.transport.proxies import Proxy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def say_ok(peer) -> None:
    while True:
        await peer.request()
        await peer.say(OK)


async def stay_silent(peer) -> None:
    await peer.gone()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def deaf_port():
    """A port whose queue is full: connecting to it neither works nor fails."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield listener.getsockname()[1]


def address(port: int):
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))


async def fault_of(transport, target, head) -> tuple[Fault, str]:
    with pytest.raises(TransportError) as caught:
        await transport.send(target, head, b"")
    assert caught.value.__cause__ is None
    assert transport.stats() == (0, 0)
    return caught.value.fault, str(caught.value)


async def test_a_refused_connection_is_a_connect_fault(connect, post, closed_port):
    target = Target("http", "127.0.0.1", closed_port)

    fault, message = await fault_of(connect(), target, post())

    assert fault is Fault.CONNECT
    assert message == f"127.0.0.1:{closed_port}: no connection to it: connection refused"


@pytest.mark.parametrize("host", ["a b.invalid", "a" * 70 + ".invalid"], ids=["unknown", "label"])
async def test_a_name_without_address_is_a_dns_fault(connect, post, host):
    fault, message = await fault_of(connect(), Target("http", host, 80), post())

    assert fault is Fault.DNS
    assert message.startswith(f"{host}:80: no address was found for it: ")


async def test_a_connection_has_a_time_limit(connect, post, deaf_port):
    target = Target("http", "127.0.0.1", deaf_port)

    fault, message = await fault_of(connect(connect_seconds=0.1), target, post())

    assert fault is Fault.CONNECT
    assert message.endswith("no connection to it: not done within 0.1 s")


async def test_a_silent_tls_peer_is_given_up_in_time_and_sees_the_close(serve, connect, post):
    server = await serve(stay_silent)

    fault, message = await fault_of(
        connect(connect_seconds=0.1), server.target("https", verify=False), post()
    )

    assert fault is Fault.TLS
    assert message.endswith("no TLS session: not done within 0.1 s")


@pytest.mark.parametrize(
    ("said", "words"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version number"), (b"", "eof")],
    ids=["http", "closes"],
)
async def test_a_peer_without_tls_is_a_tls_fault(serve, connect, post, said, words):
    async def script(peer) -> None:
        await peer.reader.read(10)
        await peer.say(said)

    server = await serve(script)

    fault, message = await fault_of(connect(), server.target("https", verify=False), post())

    assert fault is Fault.TLS
    assert words in message


async def test_a_name_with_several_addresses_is_reached(serve, connect, post):
    server = await serve(say_ok)

    exchange = await connect().send(Target("http", "localhost", server.port), post(), b"")

    assert await exchange.read(10) == b"{}"


async def test_a_refused_address_gives_way_to_the_next_at_once(serve, closed_port):
    server = await serve(stay_silent)
    loop = asyncio.get_running_loop()
    before = loop.time()

    sock = await _first_connected(loop, [address(closed_port), address(server.port)])

    with sock:
        assert sock.getpeername()[1] == server.port
        assert loop.time() - before < 0.2


async def test_a_deaf_address_delays_the_next_by_a_quarter_second(serve, deaf_port):
    server = await serve(stay_silent)
    loop = asyncio.get_running_loop()
    before = loop.time()

    sock = await _first_connected(loop, [address(deaf_port), address(server.port)])

    with sock:
        assert sock.getpeername()[1] == server.port
        assert 0.2 < loop.time() - before < 1.0


async def test_of_two_addresses_that_answer_together_one_is_closed(serve, monkeypatch):
    monkeypatch.setattr("tiergate.transport.dial._STAGGER_SECONDS", 0.0)
    server = await serve(stay_silent)
    loop = asyncio.get_running_loop()

    for _ in range(10):
        sock = await _first_connected(loop, [address(server.port)] * 3)
        sock.close()


async def test_when_all_addresses_refuse_the_first_refusal_is_told(
    nothing_left_behind, closed_port
):
    with pytest.raises(ConnectionRefusedError):
        await _first_connected(
            asyncio.get_running_loop(), [address(closed_port), address(closed_port)]
        )


async def test_giving_up_the_race_closes_every_attempt(deaf_port, nothing_left_behind):
    loop = asyncio.get_running_loop()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(
            _first_connected(loop, [address(deaf_port), address(deaf_port)]), 0.3
        )


def test_address_families_take_turns():
    four = [(socket.AF_INET, n) for n in range(2)]
    six = [(socket.AF_INET6, n) for n in range(3)]

    assert _interleaved([*six, *four]) == [six[0], four[0], six[1], four[1], six[2]]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_call_given_up_at_any_moment_leaves_nothing_open(
    serve, connect, post, scheme, tls_server_context
):
    server = await serve(say_ok, context=tls_server_context if scheme == "https" else None)
    target = server.target(scheme, verify=False)
    transport = connect()

    for turns in range(25):
        calling = asyncio.create_task(transport.send(target, post(), b""))
        for _ in range(turns):
            await asyncio.sleep(0)
        calling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            (await calling).close()

    exchange = await transport.send(target, post(), b"")
    assert await exchange.read(10) == b"{}"


# -- proxies ---------------------------------------------------------------------------------


def tunnelling(seen: list[bytes]):
    """A proxy that opens the tunnel it is asked for."""

    async def script(peer) -> None:
        head = await peer.head()
        seen.append(head)
        host, _, port = head.split()[1].rpartition(b":")
        reader, writer = await asyncio.open_connection(host.decode(), int(port))
        await peer.say(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")

        async def carry(source, sink) -> None:
            while data := await source.read(65536):
                sink.write(data)

        ways = [
            asyncio.create_task(carry(peer.reader, writer)),
            asyncio.create_task(carry(reader, peer.writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.transport.abort()

    return script


async def test_https_goes_through_a_tunnel(serve, connect, post, certificate, tls_server_context):
    server = await serve(say_ok, context=tls_server_context)
    seen: list[bytes] = []
    proxy = await serve(tunnelling(seen))
    transport = connect(environ={"HTTPS_PROXY": f"http://me:pass@127.0.0.1:{proxy.port}"})

    for _ in range(2):
        exchange = await transport.send(server.target("https", str(certificate)), post(), b"")
        assert await exchange.read(10) == b"{}"

    assert len(seen) == 1
    assert seen[0].startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % server.port)
    assert b"\r\nProxy-Authorization: Basic bWU6cGFzcw==\r\n" in seen[0]
    assert server.accepted == 1


async def test_http_is_asked_of_the_proxy_in_absolute_form(serve, connect, post):
    seen = []

    async def script(peer) -> None:
        while True:
            seen.append(await peer.request())
            await peer.say(OK)

    proxy = await serve(script)
    transport = connect(environ={"http_proxy": f"127.0.0.1:{proxy.port}"})

    for _ in range(2):
        exchange = await transport.send(
            Target("http", "llm.invalid", 8000), post("/v1/x?y=1", length=4), b"body"
        )
        assert await exchange.read(10) == b"{}"

    head = post("/v1/x?y=1", length=4).replace(b" /v1", b" http://llm.invalid:8000/v1", 1)
    assert seen == [(head, b"body")] * 2
    assert proxy.accepted == 1


async def test_no_proxy_is_obeyed(serve, connect, post, closed_port):
    server = await serve(say_ok)
    environ = {"ALL_PROXY": f"http://127.0.0.1:{closed_port}", "NO_PROXY": "127.0.0.0/8"}

    exchange = await connect(environ=environ).send(server.target(), post(), b"")

    assert await exchange.read(10) == b"{}"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "refused with status 403"),
        (b"HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\n\r\n", "user name and password"),
        (b"HTTP/1.1 200 OK\r\n\r\nextra", "more than its reply"),
        (b"HTTP/1.1 200 OK\r\nVia: ", "not HTTP"),
        (b"SOCKS?\r\n\r\n", "not HTTP"),
        (b"x" * 20_000, "not HTTP"),
        (b"", "not HTTP"),
    ],
)
async def test_a_tunnel_that_is_not_opened_is_a_proxy_fault(serve, connect, post, reply, words):
    async def script(peer) -> None:
        await peer.head()
        await peer.say(reply)

    proxy = await serve(script)
    transport = connect(environ={"HTTPS_PROXY": f"http://me:hunter2@127.0.0.1:{proxy.port}"})

    fault, message = await fault_of(transport, Target("https", "provider.invalid", 443), post())

    assert fault is Fault.PROXY
    assert message.startswith("provider.invalid:443: no tunnel through its proxy 127.0.0.1:")
    assert words in message
    assert "hunter2" not in message


async def test_a_proxy_that_cannot_be_reached_is_a_proxy_fault(connect, post, closed_port):
    transport = connect(environ={"ALL_PROXY": f"http://127.0.0.1:{closed_port}"})

    for scheme in ("http", "https"):
        fault, message = await fault_of(transport, Target(scheme, "provider.invalid", 80), post())
        assert fault is Fault.PROXY
        assert "no connection to its proxy 127.0.0.1:" in message


async def test_a_silent_proxy_is_given_up_in_time(serve, connect, post):
    proxy = await serve(stay_silent)
    transport = connect(
        environ={"ALL_PROXY": f"http://127.0.0.1:{proxy.port}"}, connect_seconds=0.1
    )

    fault, message = await fault_of(transport, Target("https", "provider.invalid", 443), post())

    assert fault is Fault.PROXY
    assert message.endswith("not done within 0.1 s")


async def test_a_proxy_that_asks_for_a_password_is_a_proxy_fault_for_http_too(
    serve, connect, post
):
    async def script(peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()

    proxy = await serve(script)
    transport = connect(environ={"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"})

    with pytest.raises(TransportError) as caught:
        await transport.send(Target("http", "provider.invalid", 80), post(), b"")

    assert caught.value.fault is Fault.PROXY
    assert "user name and password" in str(caught.value)


async def test_a_dialled_socket_sends_at_once_and_stays_alive_through_silence(serve):
    server = await serve(stay_silent)

    sock, session = await Dialler(5.0).open(server.target(), None)

    with sock:
        assert session is None
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_the_fault_of_a_target_behind_a_tunnel_is_the_targets_own(serve):
    """TLS trouble beyond an open tunnel is not the proxy's."""

    async def script(peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.reader.read(10)
        await peer.say(b"not TLS at all")

    proxy = await serve(script)

    with pytest.raises(TransportError) as caught:
        await Dialler(5.0).open(
            Target("https", "provider.invalid", 443), Proxy("127.0.0.1", proxy.port, None)
        )

    assert caught.value.fault is Fault.TLS
