"""The server as a whole: start, count, drain, close; TLS; applications of RSGI."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest

from support.front import echo, open_sockets, post, told, until
from tiergate.front import Front, Limits
from tiergate.web.data_plane import DataPlane

GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def held():
    """A handler that holds each request until told."""
    opened = asyncio.Event()

    async def handler(request, call) -> None:
        await opened.wait()
        call.response_bytes(200, [], b"done")

    return handler, opened


async def test_it_counts_requests_and_connections(serve) -> None:
    handler, opened = held()
    served = await serve(handler)
    front = served.front
    clients = [await served.client() for _ in range(3)]
    await until(lambda: front.connections == 3)
    for client in clients[:2]:
        await client.say(GET)
    await until(lambda: front.in_flight == 2)
    opened.set()
    for client in clients[:2]:
        await client.answer()
    await until(lambda: front.in_flight == 0)
    assert front.connections == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_it_serves_under_names_and_addresses(serve, host) -> None:
    front = (await serve(echo, host=host)).front
    for sock in front.sockets:
        address, port, *_ = sock.getsockname()
        assert port == front.port
        reader, writer = await asyncio.open_connection(address, port)
        writer.write(GET.encode())
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()
        await writer.wait_closed()


async def test_a_taken_port_is_an_error_and_leaves_the_server_usable(serve) -> None:
    taken = (await serve(echo)).front.port
    front = Front(echo, Limits(), told, lambda path, exc: None)
    with pytest.raises(OSError, match="another program listens there"):
        await front.start("127.0.0.1", taken)
    assert (front.port, front.sockets) == (0, ())
    await front.start("127.0.0.1", 0)
    assert front.port != taken
    await front.aclose()


async def test_two_servers_can_share_a_port_if_both_ask(serve) -> None:
    fronts = [Front(echo, Limits(), told, lambda path, exc: None) for _ in range(2)]
    await fronts[0].start("127.0.0.1", 0, reuse_port=True)
    await fronts[1].start("127.0.0.1", fronts[0].port, reuse_port=True)
    for front in fronts:
        await front.aclose()


async def test_the_date_goes_on(serve) -> None:
    client = await (await serve(echo, Limits(header_seconds=0.4))).client()
    first = (await client.get()).header("date")
    await asyncio.sleep(1.2)
    assert (await client.get()).header("date") != first


# -- drain -----------------------------------------------------------------------------------


async def test_draining_an_idle_server_takes_no_time(serve) -> None:
    served = await serve(echo)
    fresh, idle = await served.client(), await served.client()
    await idle.get()
    async with asyncio.timeout(1):
        await served.front.drain(60)
    assert await fresh.closed()
    assert await idle.closed()


async def test_draining_lets_requests_end_and_tells_their_clients(serve) -> None:
    handler, opened = held()
    served = await serve(handler)
    client, idle = await served.client(), await served.client()
    await client.say(GET)
    await until(lambda: served.front.in_flight)
    draining = asyncio.create_task(served.front.drain(60))
    assert await idle.closed()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", client.writer.get_extra_info("peername")[1])
    assert not draining.done()
    opened.set()
    answer = await client.answer()
    assert (answer.body, answer.header("connection")) == (b"done", "close")
    assert await client.closed()
    await asyncio.wait_for(draining, 5)


async def test_draining_waits_for_a_head_that_has_begun(serve) -> None:
    served = await serve(echo)
    client = await served.client()
    await client.say(GET[:10])
    await asyncio.sleep(0.02)
    draining = asyncio.create_task(served.front.drain(60))
    await asyncio.sleep(0.02)
    await client.say(GET[10:])
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (200, "close")
    await asyncio.wait_for(draining, 5)


async def test_draining_lets_an_open_stream_end(serve) -> None:
    opened = asyncio.Event()

    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        await stream.send_bytes(b"a")
        await opened.wait()
        await stream.send_bytes(b"b")

    served = await serve(handler)
    client = await served.client()
    await client.say(GET)
    await client.head()
    assert await client.chunk() == b"a"
    draining = asyncio.create_task(served.front.drain(60))
    await asyncio.sleep(0.02)
    opened.set()
    assert await client.chunk() == b"b"
    assert await client.chunk() == b""
    assert await client.closed()
    await asyncio.wait_for(draining, 5)


async def test_draining_waits_until_the_client_has_taken_its_answer(serve) -> None:
    body = b"x" * 20_000_000

    async def handler(request, call) -> None:
        call.response_bytes(200, [], body)

    served = await serve(handler)
    client = await served.client()
    client.writer.transport.pause_reading()
    await client.say(GET)
    await until(lambda: served.front.connections)
    await asyncio.sleep(0.05)
    draining = asyncio.create_task(served.front.drain(60))
    await asyncio.sleep(0.05)
    assert not draining.done()
    client.writer.transport.resume_reading()
    assert len((await client.answer()).body) == len(body)
    await asyncio.wait_for(draining, 5)


async def test_draining_ends_after_its_time_and_cuts_what_is_left(serve) -> None:
    ended: list[str] = []

    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        await stream.send_bytes(b"a")
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    served = await serve(handler)
    client = await served.client()
    await client.say(GET)
    await client.head()
    await client.chunk()
    async with asyncio.timeout(2):
        await served.front.drain(0.1)
    assert ended == ["cancelled"]
    assert (served.front.connections, served.front.in_flight) == (0, 0)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.chunk()


async def test_who_is_late_may_say_so_before_the_connection_ends(serve) -> None:
    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await stream.send_bytes(b"sorry")

    served = await serve(handler)
    client = await served.client()
    await client.say(GET)
    await client.head()
    async with asyncio.timeout(2):
        await served.front.drain(0.1)
    assert await client.chunk() == b"sorry"
    assert await client.chunk() == b""
    assert await client.closed()


async def test_a_late_request_without_an_answer_is_told_to_come_again(serve) -> None:
    handler, _ = held()
    served = await serve(handler)
    client = await served.client()
    await client.say(GET)
    await until(lambda: served.front.in_flight)
    async with asyncio.timeout(2):
        await served.front.drain(0.1)
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (503, "close")
    assert b"stopping" in answer.body


async def test_who_does_not_listen_to_the_end_is_not_waited_for(serve) -> None:
    async def deaf(request, call) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
                return
            if call.over:
                return

    served = await serve(deaf)
    client = await served.client()
    await client.say(GET)
    await until(lambda: served.front.in_flight)
    async with asyncio.timeout(5):
        await served.front.drain(0.1)
    assert served.front.connections == 0


async def test_while_it_leaves_it_serves_and_every_answer_is_the_last_of_its_connection(
    serve,
) -> None:
    served = await serve(echo)
    known = await served.client()
    assert (await known.get()).header("connection") is None
    served.front.leave()
    assert (await known.get()).header("connection") == "close"
    assert await known.closed()
    fresh = await served.client()
    answer = await fresh.get()
    assert (answer.status, answer.header("connection")) == (200, "close")


# -- close -----------------------------------------------------------------------------------


async def test_closing_ends_handlers_and_connections_at_once(serve) -> None:
    handler, _ = held()
    served = await serve(handler)
    clients = [await served.client() for _ in range(3)]
    for client in clients:
        await client.say(GET)
    await until(lambda: served.front.in_flight == 3)
    async with asyncio.timeout(2):
        await served.front.aclose()
    assert (served.front.connections, served.front.in_flight) == (0, 0)
    for client in clients:
        assert await client.closed()


async def test_closing_ends_a_handler_that_has_not_begun(serve) -> None:
    begun: list[str] = []

    async def handler(request, call) -> None:
        begun.append("x")
        await asyncio.sleep(60)

    served = await serve(handler)
    client = await served.client()
    client.writer.write(GET.encode())
    while not served.front.in_flight:
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await served.front.aclose()
    assert served.front.in_flight == 0


async def test_closing_twice_and_closing_what_never_started_is_harmless(serve) -> None:
    served = await serve(echo)
    await served.front.aclose()
    await served.front.aclose()
    await served.front.drain(1)
    await Front(echo, Limits(), told, lambda path, exc: None).aclose()


# -- many ------------------------------------------------------------------------------------


async def test_five_hundred_connections_leave_nothing_behind(serve) -> None:
    served = await serve(echo)

    async def one(number: int) -> None:
        client = await served.client()
        for _ in range(2):
            assert (await client.post("/", b"x" * number)).status == 200
        if number % 3 == 0:
            client.abort()
        elif number % 3 == 1:
            await client.say("GET / HT")
            client.leave()

    before = open_sockets()
    for start in range(0, 500, 50):
        await asyncio.gather(*(one(start + step) for step in range(50)))
    for client in served.clients:
        client.abort()
    await until(lambda: served.front.connections == 0)
    await until(lambda: open_sockets() <= before)


# -- TLS -------------------------------------------------------------------------------------


@pytest.fixture
def contexts(certificate) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=certificate)
    return server, client


async def test_it_serves_https(serve, contexts) -> None:
    schemes: list[str] = []

    async def handler(request, call) -> None:
        schemes.append(request.scheme)
        await echo(request, call)

    server, trusting = contexts
    client = await (await serve(handler, ssl_context=server)).client(trusting)
    for size in (0, 10, 500_000):
        body = b"x" * size
        assert (await client.post("/", body)).body == b"POST /?\n" + body
    assert schemes == ["https"] * 3


async def test_a_client_that_leaves_https_is_seen(serve, contexts) -> None:
    seen = asyncio.get_running_loop().create_future()

    async def handler(request, call) -> None:
        await call.client_disconnect()
        seen.set_result(None)

    server, trusting = contexts
    served = await serve(handler, ssl_context=server, fails=True)
    client = await served.client(trusting)
    await client.say(GET)
    await until(lambda: served.front.in_flight)
    client.leave()
    await asyncio.wait_for(seen, 5)


async def test_errors_reach_clients_of_https(serve, contexts) -> None:
    server, trusting = contexts
    served = await serve(echo, Limits(linger_seconds=0.05), ssl_context=server)
    client = await served.client(trusting)
    await client.say("NONSENSE\r\n\r\n")
    assert (await client.answer()).status == 400
    assert await client.closed()


async def test_a_client_that_does_not_speak_tls_is_left(serve, contexts) -> None:
    served = await serve(echo, Limits(header_seconds=0.2), ssl_context=contexts[0])
    client = await served.client()
    assert await client.closed()


# -- RSGI ------------------------------------------------------------------------------------


async def test_an_application_of_the_data_plane_runs_in_it(serve) -> None:
    async def control(scope, proto, headers) -> None:
        proto.response_bytes(200, [], f"{scope.path} {headers['host']}".encode())

    async def inference(scope, proto, headers, route) -> None:
        proto.response_bytes(200, [], await proto())

    client = await (await serve(DataPlane(inference, control).__rsgi__)).client()
    assert (await client.get("/health")).body == b"/health x"
    await client.say(post("/v1/messages", b"{}"))
    assert (await client.answer()).body == b"{}"
