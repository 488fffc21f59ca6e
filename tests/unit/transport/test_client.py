"""What a caller sees of well-behaved peers: answers of every framing, reuse, closing."""

from __future__ import annotations

import asyncio
import contextlib
import gc

import pytest

from tiergate.transport import Fault, Target, TransportError

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def say_ok(peer) -> None:
    while True:
        await peer.request()
        await peer.say(OK)


def always(answer: bytes):
    """A script that gives the same answer to every request."""

    async def script(peer) -> None:
        while True:
            await peer.request()
            await peer.say(answer)

    return script


def once(answer: bytes):
    """A script that gives one answer and closes."""

    async def script(peer) -> None:
        await peer.request()
        await peer.say(answer)

    return script


async def call(transport, target, head: bytes, body: bytes = b"", limit: int = 1 << 24):
    exchange = await transport.send(target, head, body)
    return exchange.status, await exchange.read(limit)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK, (200, b"{}")),
        (
            CHUNKED + b'4\r\n{"a"\r\n3;x=y\r\n:1}\r\n0\r\nX-Trailer: 1\r\n\r\n',
            (200, b'{"a":1}'),
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 500\r\nContent-Length: 4\r\n\r\noops", (500, b"oops")),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK,
            (200, b"{}"),
        ),
    ],
    ids=["length", "chunked", "no-content", "no-reason", "interim-first"],
)
async def test_an_answer_is_read_whatever_its_framing(serve, connect, post, answer, expected):
    server = await serve(always(answer))
    transport = connect()

    for _ in range(2):
        assert await call(transport, server.target(), post()) == expected
    assert server.accepted == 1
    assert transport.stats() == (1, 1)


async def test_a_body_without_length_ends_when_the_peer_closes(serve, connect, post):
    server = await serve(once(b"HTTP/1.1 200 OK\r\n\r\nto the end"))
    transport = connect()

    assert await call(transport, server.target(), post()) == (200, b"to the end")
    assert transport.stats()[1] == 0


async def test_the_answer_to_head_has_no_body_whatever_its_length_says(serve, connect, post):
    server = await serve(always(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"))
    transport = connect()

    assert await call(transport, server.target(), post(method="HEAD")) == (200, b"")
    assert transport.stats()[1] == 0


async def test_headers_come_in_order_with_lower_case_names_and_without_trailers(
    serve, connect, post
):
    server = await serve(
        always(
            b"HTTP/1.1 200 OK\r\nRequest-ID: r1  \r\nSet-Cookie: a\r\nSET-COOKIE: b\r\nEmpty:\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\nRequest-Id: trailer\r\n\r\n"
        )
    )

    exchange = await connect().send(server.target(), post(), b"")

    assert await exchange.read(0) == b""
    assert exchange.headers == [
        (b"request-id", b"r1"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
        (b"empty", b""),
        (b"transfer-encoding", b"chunked"),
    ]
    assert exchange.header(b"set-cookie") == b"a"
    assert exchange.header(b"retry-after") is None


async def test_the_request_arrives_as_it_was_given(serve, connect, post):
    seen = []

    async def script(peer) -> None:
        while True:
            seen.append(await peer.request())
            await peer.say(OK)

    server = await serve(script)
    transport = connect()
    small, large = b"x" * 2048, bytes(range(256)) * 20_000

    await call(transport, server.target(), post(length=len(small)), small)
    await call(transport, server.target(), post(length=len(large)), large)

    assert seen == [(post(length=len(small)), small), (post(length=len(large)), large)]
    assert server.accepted == 1


async def test_sequential_calls_share_one_connection(serve, connect, post):
    server = await serve(say_ok)
    transport = connect()

    reused = []
    for _ in range(3):
        exchange = await transport.send(server.target(), post(), b"")
        await exchange.read(10)
        reused.append(exchange.reused)

    assert reused == [False, True, True]
    assert server.accepted == 1


async def test_concurrent_calls_have_a_connection_each_and_leave_them_for_later(
    serve, connect, post
):
    server = await serve(say_ok)
    transport = connect(max_idle_per_target=3)

    for _ in range(2):
        await asyncio.gather(*[call(transport, server.target(), post()) for _ in range(5)])

    assert server.accepted == 5 + 2  # three of the first five were kept
    assert transport.stats()[1] == 3


async def test_a_connection_goes_back_to_the_pool_before_its_answer_is_read(serve, connect, post):
    server = await serve(say_ok)
    transport = connect()

    first = await transport.send(server.target(), post(), b"")
    second = await transport.send(server.target(), post(), b"")

    assert await first.read(10) == await second.read(10) == b"{}"
    assert server.accepted == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["said", "http/1.0"],
)
async def test_a_peer_that_wants_to_close_is_not_asked_again(serve, connect, post, answer):
    server = await serve(always(answer))
    transport = connect()

    for _ in range(2):
        assert await call(transport, server.target(), post()) == (200, b"{}")

    assert server.accepted == 2


async def test_after_an_idle_close_by_the_peer_the_next_call_opens_a_new_connection(
    serve, connect, post
):
    server = await serve(once(OK))
    transport = connect()

    for _ in range(3):
        exchange = await transport.send(server.target(), post(), b"")
        assert await exchange.read(10) == b"{}"
        assert not exchange.reused
        while transport.stats() != (0, 0):
            await asyncio.sleep(0.001)

    assert server.accepted == 3


async def test_an_idle_connection_that_speaks_unasked_is_dropped(serve, connect, post):
    async def script(peer) -> None:
        await peer.request()
        await peer.say(OK)
        await asyncio.sleep(0.02)
        await peer.say(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()

    server = await serve(script)
    transport = connect()

    assert await call(transport, server.target(), post()) == (200, b"{}")
    assert transport.stats() == (1, 1)
    while transport.stats() != (0, 0):
        await asyncio.sleep(0.001)
    assert await call(transport, server.target(), post()) == (200, b"{}")


@pytest.mark.parametrize("extra", [OK, b"HTT", b"garbage"], ids=["answer", "part", "garbage"])
async def test_what_follows_an_answer_is_neither_read_nor_reused(serve, connect, post, extra):
    server = await serve(always(OK + extra))
    transport = connect()

    for _ in range(2):
        assert await call(transport, server.target(), post()) == (200, b"{}")

    assert server.accepted == 2


async def test_five_hundred_calls_leave_no_descriptor(serve, connect, post):
    async def script(peer) -> None:
        for _ in range(7):
            await peer.request()
            await peer.say(OK)

    server = await serve(script)
    transport = connect()

    done, cut = 0, []
    while done < 500:
        try:
            assert await call(transport, server.target(), post()) == (200, b"{}")
            done += 1
        except TransportError as error:
            cut.append(error)

    assert all(error.reused for error in cut)  # it closed just as we wrote
    assert transport.stats()[0] <= 1


@pytest.mark.parametrize("answer_bytes", [0, 1 << 20], ids=["unanswered", "half-read"])
async def test_closing_the_transport_breaks_off_what_is_under_way(
    serve, connect, post, answer_bytes
):
    async def script(peer) -> None:
        await peer.request()
        if answer_bytes:
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (answer_bytes + 1)
            await peer.say(head + bytes(answer_bytes))
        await peer.gone()

    server = await serve(script)
    transport = connect()
    calling = asyncio.create_task(call(transport, server.target(), post()))
    while not server.peers:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)

    await transport.aclose()

    with pytest.raises(TransportError) as caught:
        await calling
    assert caught.value.fault is Fault.CLOSED_EARLY
    assert transport.stats() == (0, 0)
    with pytest.raises(TransportError) as caught:
        await transport.send(server.target(), post(), b"")
    assert caught.value.fault is Fault.CONNECT


async def test_closing_twice_is_harmless(serve, connect, post):
    server = await serve(say_ok)
    transport = connect()
    await call(transport, server.target(), post())

    await asyncio.gather(transport.aclose(), transport.aclose())
    await transport.aclose()

    assert transport.stats() == (0, 0)


async def test_closed_connections_and_failed_calls_need_no_cycle_collector(serve, connect, post):
    """Connections, parsers and errors refer to each other; closing and failing must untie them."""
    server = await serve(once(OK + b"junk"))
    deaf = await serve(once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"))
    transport = connect()
    gc.collect()
    gc.disable()
    try:
        await call(transport, server.target(), post())
        for target in (deaf.target(), Target("http", "127.0.0.1", 1)):
            try:
                await call(transport, target, post())
            except TransportError:
                continue
            pytest.fail("the call must fail")
        await transport.aclose()
        await asyncio.sleep(0.01)
        kinds = {type(thing).__name__ for thing in gc.get_objects()}
        assert kinds.isdisjoint({"Connection", "Exchange", "TransportError"})
    finally:
        gc.enable()


async def test_a_released_answer_lets_its_connection_be_used_again(serve, connect, post):
    gate = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlast\r\n")
        await gate.wait()
        await peer.say(b"4\r\nmore\r\n0\r\n\r\n")
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = await serve(script)
    transport = connect()
    exchange = await transport.send(server.target(), post(), b"")
    assert await exchange.next() == b"last"

    exchange.release()
    gate.set()
    await until(lambda: transport.stats() == (1, 1))
    again = await transport.send(server.target(), post(), b"")

    assert await again.read(100) == b"ok"
    assert again.reused


async def test_a_released_answer_that_does_not_end_is_closed(serve, connect, post):
    gone = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlast\r\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await peer.head()
        gone.set()

    server = await serve(script)
    transport = connect()
    exchange = await transport.send(server.target(), post(), b"")
    await exchange.next()

    exchange.release(grace=0.05)
    await asyncio.wait_for(gone.wait(), 2)

    assert transport.stats() == (0, 0)


async def until(condition) -> None:
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.005)
