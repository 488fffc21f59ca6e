"""What a caller sees of peers that break: each way has its own fault, and none hangs."""

from __future__ import annotations

import asyncio

import pytest

from tiergate.transport import Fault, TransportError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answering(data: bytes, *, reset: bool = False):
    """A script that reads a request, says `data` and closes."""

    async def script(peer) -> None:
        await peer.request()
        await peer.say(data)
        if reset:
            await asyncio.sleep(0.02)  # a reset sent at once may overtake the data
            peer.reset()

    return script


async def body_of(exchange) -> tuple[bytes, TransportError | None]:
    """What `next` hands over until the end, and the error it ends in."""
    parts = []
    try:
        while part := await exchange.next():
            parts.append(part)
    except TransportError as error:
        return b"".join(parts), error
    return b"".join(parts), None


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"", Fault.CLOSED_EARLY),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Fault.CLOSED_EARLY),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Fault.CLOSED_EARLY),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Fault.PROTOCOL),
        (b"HTTP/2 200 OK\r\n\r\n", Fault.PROTOCOL),
        (b"HTTP/1.1 099 Strange\r\n\r\n", Fault.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", Fault.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Fault.PROTOCOL),
        (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", Fault.PROTOCOL),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            Fault.PROTOCOL,
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", Fault.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 10_000 + b"\r\n", Fault.TOO_LARGE),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000, Fault.TOO_LARGE),
    ],
)
async def test_a_broken_head_is_an_error_of_its_kind(serve, connect, post, said, fault):
    server = await serve(answering(said))
    transport = connect()

    with pytest.raises(TransportError) as caught:
        await transport.send(server.target(), post(), b"")

    assert caught.value.fault is fault
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert not caught.value.reused
    assert transport.stats()[1] == 0


@pytest.mark.parametrize(
    ("said", "body", "fault"),
    [
        (HEAD + b"short", b"short", Fault.CLOSED_EARLY),
        (HEAD, b"", Fault.CLOSED_EARLY),
        (CHUNKED + b"3\r\nabc\r\n", b"abc", Fault.CLOSED_EARLY),
        (CHUNKED + b"3\r\nabc\r\n5\r\nde", b"abcde", Fault.CLOSED_EARLY),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", b"abc", Fault.CLOSED_EARLY),
        (CHUNKED + b"3\r\nabc\r\nzz\r\n", b"abc", Fault.PROTOCOL),
        (CHUNKED + b"3\r\nabc\r\n" + b"f" * 17 + b"\r\n", b"abc", Fault.PROTOCOL),
        (CHUNKED + b"0\r\nX: " + b"a" * 400_000, b"", Fault.TOO_LARGE),
    ],
)
async def test_a_broken_body_is_an_error_after_what_had_arrived(
    serve, connect, post, said, body, fault
):
    server = await serve(answering(said))
    transport = connect()

    exchange = await transport.send(server.target(), post(), b"")
    got, error = await body_of(exchange)

    assert got == body
    assert error is not None
    assert error.fault is fault
    with pytest.raises(TransportError):
        await exchange.read(1000)  # it stays broken
    assert transport.stats()[1] == 0


async def test_a_reset_before_the_answer(serve, connect, post):
    server = await serve(answering(b"", reset=True))

    with pytest.raises(TransportError) as caught:
        await connect().send(server.target(), post(), b"")

    assert caught.value.fault is Fault.RESET


@pytest.mark.parametrize("head", [HEAD, b"HTTP/1.1 200 OK\r\n\r\n"], ids=["length", "until-close"])
async def test_a_reset_in_the_body_is_never_its_proper_end(serve, connect, post, head):
    server = await serve(answering(head + b"some", reset=True))

    exchange = await connect().send(server.target(), post(), b"")
    got, error = await body_of(exchange)

    assert got == b"some"
    assert error is not None
    assert error.fault is Fault.RESET


async def test_a_failure_on_a_reused_connection_says_so(serve, connect, post):
    async def script(peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()

    server = await serve(script)
    transport = connect()
    await (await transport.send(server.target(), post(), b"")).read(10)

    with pytest.raises(TransportError) as caught:
        await transport.send(server.target(), post(), b"")

    assert caught.value.fault is Fault.CLOSED_EARLY
    assert caught.value.reused


async def test_messages_name_neither_headers_nor_bodies(serve, connect):
    secret = b"sk-very-secret"
    server = await serve(answering(b"HTTP/1.1 200 OK\r\n" + secret + b"\r\n\r\n" + secret))
    head = b"POST / HTTP/1.1\r\nHost: x\r\nx-api-key: %b\r\n\r\n" % secret

    with pytest.raises(TransportError) as caught:
        await connect().send(server.target(), head, b"")

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("stall_after", [b"", b"HTTP/1.1 200 OK\r\nConte"], ids=["silent", "half"])
async def test_a_cancelled_send_closes_the_connection_at_once(serve, connect, post, stall_after):
    closed_at = asyncio.get_running_loop().create_future()

    async def script(peer) -> None:
        await peer.request()
        await peer.say(stall_after)
        await peer.gone()
        closed_at.set_result(asyncio.get_running_loop().time())

    server = await serve(script)
    transport = connect()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await transport.send(server.target(), post(), b"")
    given_up_at = asyncio.get_running_loop().time()

    assert await closed_at - given_up_at < 0.2
    assert transport.stats() == (0, 0)


@pytest.mark.parametrize("reading", ["next", "read"])
async def test_a_cancelled_read_closes_the_connection_at_once(serve, connect, post, reading):
    closed_at = asyncio.get_running_loop().create_future()

    async def script(peer) -> None:
        await peer.request()
        await peer.say(CHUNKED + b"3\r\nabc\r\n")
        await peer.gone()
        closed_at.set_result(asyncio.get_running_loop().time())

    server = await serve(script)
    transport = connect()
    exchange = await transport.send(server.target(), post(), b"")

    async def on_and_on() -> None:
        while await (exchange.next() if reading == "next" else exchange.read(100)):
            pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(on_and_on(), 0.05)
    given_up_at = asyncio.get_running_loop().time()

    assert await closed_at - given_up_at < 0.2
    assert transport.stats() == (0, 0)


async def test_closing_a_half_read_exchange_is_seen_by_the_peer(serve, connect, post):
    closed = asyncio.Event()

    async def script(peer) -> None:
        await peer.request()
        await peer.say(CHUNKED + b"3\r\nabc\r\n")
        await peer.gone()
        closed.set()

    server = await serve(script)
    exchange = await connect().send(server.target(), post(), b"")

    exchange.close()
    exchange.close()

    async with asyncio.timeout(0.2):
        await closed.wait()
    with pytest.raises(TransportError) as caught:
        await exchange.next()
    assert caught.value.fault is Fault.CLOSED_EARLY


async def test_closing_while_another_task_reads_ends_that_read(serve, connect, post):
    server = await serve(answering_never)
    exchange = await connect().send(server.target(), post(), b"")
    reading = asyncio.create_task(exchange.next())
    await asyncio.sleep(0.01)

    exchange.close()

    with pytest.raises(TransportError):
        await reading


async def answering_never(peer) -> None:
    await peer.request()
    await peer.say(CHUNKED)
    await peer.gone()


@pytest.mark.parametrize("ending", ["close", "reset", "stay"])
async def test_an_early_refusal_of_a_large_upload_is_returned(serve, connect, post, ending):
    body = bytes(8 << 20)
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\ntoo big"
    taken = []

    async def script(peer) -> None:
        await peer.head()
        await peer.say(refusal)
        if ending == "stay":
            taken.append(len(await peer.reader.read()))
        elif ending == "reset":
            await asyncio.sleep(0.02)
            peer.reset()

    server = await serve(script)
    transport = connect()

    exchange = await transport.send(server.target(), post(length=len(body)), body)

    assert exchange.status == 413
    if ending != "reset":
        assert await exchange.read(100) == b"too big"
        assert transport.stats()[1] == 0
        while not taken and ending == "stay":
            await asyncio.sleep(0.001)
    assert sum(taken) < len(body)
    exchange.close()


async def test_an_upload_waits_for_a_slow_peer(serve, connect, post):
    body = bytes(range(256)) * (24 << 10)  # 6 MiB: more than the sockets hold
    go_on = asyncio.Event()
    got = []

    async def script(peer) -> None:
        await peer.head()
        await go_on.wait()
        got.append(await peer.reader.readexactly(len(body)))
        await peer.say(OK)
        await peer.gone()

    server = await serve(script)
    transport = connect()
    sending = asyncio.create_task(transport.send(server.target(), post(length=len(body)), body))
    await asyncio.sleep(0.1)
    (connection,) = transport._pool._open

    assert not sending.done()
    assert connection._transport.get_write_buffer_size() < (1 << 20)
    go_on.set()
    exchange = await sending
    assert await exchange.read(10) == b"{}"
    assert got == [body]
    assert transport.stats() == (1, 1)


async def test_an_upload_given_up_at_any_moment_leaves_nothing_open(serve, connect, post):
    async def script(peer) -> None:
        await peer.head()
        await peer.gone()

    server = await serve(script)
    body = bytes(2 << 20)
    transport = connect()

    for turns in range(30):
        sending = asyncio.create_task(
            transport.send(server.target(), post(length=len(body)), body)
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await asyncio.sleep(0)
        assert transport.stats()[0] == 0


async def test_a_reset_during_an_upload_is_an_error(serve, connect, post):
    async def script(peer) -> None:
        await peer.head()
        peer.reset()

    server = await serve(script)
    body = bytes(8 << 20)

    with pytest.raises(TransportError) as caught:
        await connect().send(server.target(), post(length=len(body)), body)

    assert caught.value.fault is Fault.RESET


async def test_a_slow_reader_slows_the_peer_down(serve, connect, post):
    piece = bytes(64 << 10)
    total = 400  # 25 MiB
    said = 0

    async def script(peer) -> None:
        nonlocal said
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (total * len(piece)))
        for _ in range(total):
            await peer.say(piece)
            said += 1
        await peer.gone()

    server = await serve(script)
    transport = connect()
    exchange = await transport.send(server.target(), post(), b"")
    await asyncio.sleep(0.2)

    assert said < total / 2  # what is missing fills our 256 KiB and the sockets' buffers
    assert exchange.waiting <= (256 << 10) + (256 << 10)  # the last read may overshoot

    size = 0
    while part := await exchange.next():
        size += len(part)
    assert size == total * len(piece)
    assert transport.stats() == (1, 1)


async def test_an_answer_in_single_bytes_is_read(serve, connect, post):
    async def script(peer) -> None:
        await peer.request()
        answer = b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        for position in range(len(answer)):
            await peer.say(answer[position : position + 1])
            await asyncio.sleep(0)
        await peer.gone()

    server = await serve(script)
    transport = connect()

    exchange = await transport.send(server.target(), post(), b"")

    assert (await body_of(exchange)) == (b"abcde", None)
    assert transport.stats() == (1, 1)


async def test_a_head_of_the_allowed_size_may_be_followed_by_much_body(serve, connect, post):
    size = 3 << 20
    said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX: " % size + b"a" * 60_000 + b"\r\n\r\n"
    server = await serve(answering(said + bytes(size)))

    exchange = await connect().send(server.target(), post(), b"")

    assert len(await exchange.read(size)) == size
