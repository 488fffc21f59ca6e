"""What a handler can do: read, answer, and see the client leave."""

from __future__ import annotations

import asyncio

import pytest

from support.front import echo, post, until
from tiergate.front import ClientGoneError

GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def answering(method: str, *args):
    async def handler(request, call) -> None:
        getattr(call, method)(*args)

    return handler


def streaming(*pieces: bytes, status: int = 200):
    async def handler(request, call) -> None:
        stream = call.response_stream(status, [("content-type", "text/plain")])
        for piece in pieces:
            await stream.send_bytes(piece)

    return handler


# -- answers ---------------------------------------------------------------------------------


async def test_an_answer_has_length_date_and_the_headers_of_the_handler(serve) -> None:
    headers = [("content-type", "text/plain"), ("x-a", "1"), ("x-a", "2"), ("content-length", "9")]
    client = await (await serve(answering("response_bytes", 201, headers, b"hello"))).client()
    answer = await client.get()
    assert (answer.status, answer.body) == (201, b"hello")
    assert answer.header("content-length") == "5"
    assert answer.header("date").endswith(" GMT")
    assert [value for name, value in answer.headers if name == "x-a"] == ["1", "2"]
    assert answer.header("connection") is None


async def test_a_large_answer_is_whole(serve) -> None:
    body = bytes(range(256)) * 20_000
    client = await (await serve(answering("response_bytes", 200, [], body))).client()
    for _ in range(2):
        assert (await client.get()).body == body


async def test_an_empty_answer_says_that_it_is_empty(serve) -> None:
    client = await (await serve(answering("response_empty", 200, []))).client()
    assert (await client.get()).header("content-length") == "0"


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("method", ["response_empty", "response_bytes", "response_stream"])
async def test_answers_that_have_no_body_have_none(serve, status, method) -> None:
    async def handler(request, call) -> None:
        if method == "response_empty":
            call.response_empty(status, [])
        elif method == "response_bytes":
            call.response_bytes(status, [], b"body")
        else:
            stream = call.response_stream(status, [])
            await stream.send_bytes(b"body")

    client = await (await serve(handler)).client()
    for _ in range(2):
        answer = await client.get()
        assert answer.status == status
        assert answer.header("content-length") is None
        assert answer.header("transfer-encoding") is None


@pytest.mark.parametrize(
    ("handler", "length"),
    [
        (answering("response_empty", 200, []), None),
        (answering("response_empty", 200, [("content-length", "12")]), "12"),
        (answering("response_bytes", 200, [], b"hello"), "5"),
        (streaming(b"hello"), None),
    ],
)
async def test_answers_to_head_have_no_body(serve, handler, length) -> None:
    client = await (await serve(handler)).client()
    for _ in range(2):
        answer = await client.get(method="HEAD")
        assert (answer.status, answer.header("content-length")) == (200, length)
    await client.say("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await client.answer(head=True)
    assert await client.closed()


async def test_a_stream_comes_in_chunks_and_ends_when_the_handler_returns(serve) -> None:
    client = await (await serve(streaming(b"one", b"", b"two"))).client()
    for _ in range(2):
        answer = await client.get()
        assert answer.header("transfer-encoding") == "chunked"
        assert answer.header("content-length") is None
        assert answer.chunks == [b"one", b"two"]


async def test_a_stream_to_http_1_0_ends_with_the_connection(serve) -> None:
    client = await (await serve(streaming(b"one", b"two"))).client()
    await client.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer = await client.answer()
    assert answer.header("transfer-encoding") is None
    assert (answer.header("connection"), answer.body) == ("close", b"onetwo")


async def test_the_head_of_a_stream_does_not_wait_for_its_first_piece(serve) -> None:
    opened = asyncio.Event()

    async def handler(request, call) -> None:
        call.response_stream(200, [])
        await opened.wait()

    client = await (await serve(handler)).client()
    await client.say(GET)
    assert (await client.head()).status == 200
    opened.set()
    assert await client.chunk() == b""


async def test_a_handler_can_close_the_connection(serve) -> None:
    handler = answering("response_bytes", 200, [("connection", "close")], b"bye")
    client = await (await serve(handler)).client()
    answer = await client.get()
    assert (answer.header("connection"), answer.body) == ("close", b"bye")
    assert await client.closed()


async def test_a_request_is_answered_once(serve) -> None:
    errors: list[object] = []

    async def handler(request, call) -> None:
        call.response_bytes(200, [], b"first")
        for again in (call.response_empty, call.response_stream):
            try:
                again(500, [])
            except RuntimeError as error:
                errors.append(str(error))

    client = await (await serve(handler)).client()
    assert (await client.get()).body == b"first"
    assert errors == ["this request has been answered before"] * 2


@pytest.mark.parametrize(
    ("status", "headers"),
    [(200, [("a", "b\r\nset-cookie: x")]), (200, [("a", "Ω")]), (101, []), (99, [])],
)
async def test_an_answer_that_cannot_be_written_becomes_a_500(serve, status, headers) -> None:
    served = await serve(answering("response_bytes", status, headers, b"x"), fails=True)
    assert (await (await served.client()).get()).status == 500
    assert isinstance(served.failures[0][1], ValueError)


# -- the body --------------------------------------------------------------------------------


async def test_a_body_is_read_whole_or_in_pieces(serve) -> None:
    async def handler(request, call) -> None:
        if request.path == "/whole":
            body = await call()
        else:
            body = b"".join([piece async for piece in call])
        call.response_bytes(200, [], body)

    client = await (await serve(handler)).client()
    for path in ("/whole", "/pieces"):
        for size in (0, 1, 100, 2_000_000):
            body = b"x" * size
            assert (await client.post(path, body)).body == body
        await client.say(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        )
        await asyncio.sleep(0.01)
        await client.say("4\r\ndefg\r\n0\r\n\r\n")
        assert (await client.answer()).body == b"abcdefg"


async def test_100_continue_is_sent_when_the_body_is_wanted(serve) -> None:
    opened = asyncio.Event()

    async def handler(request, call) -> None:
        await opened.wait()
        await echo(request, call)

    client = await (await serve(handler)).client()
    await client.say(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.reader.read(1)
    opened.set()
    assert (await client.answer()).status == 100
    await client.say("abc")
    assert (await client.answer()).body == b"POST /?\nabc"
    assert (await client.get()).status == 200


async def test_100_continue_is_not_sent_when_the_body_is_not_wanted(serve) -> None:
    client = await (await serve(answering("response_bytes", 401, [], b"no"))).client()
    await client.say(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (401, "close")
    assert await client.closed()


async def test_100_continue_is_not_sent_to_a_client_that_did_not_wait(serve) -> None:
    client = await (await serve(echo)).client()
    assert (await client.post("/", b"abc", "Expect: 100-continue")).status == 200


# -- the client's presence -------------------------------------------------------------------


@pytest.mark.parametrize("way", ["leave", "abort"])
@pytest.mark.parametrize("how", ["watch", "client_disconnect"])
async def test_a_client_that_leaves_is_seen_at_once(serve, way, how) -> None:
    loop = asyncio.get_running_loop()
    seen = loop.create_future()

    async def handler(request, call) -> None:
        if how == "watch":
            gone = loop.create_future()
            call.watch(lambda: gone.set_result(None))
        else:
            gone = call.client_disconnect()
        await gone
        seen.set_result(loop.time())

    served = await serve(handler, fails=True)
    client = await served.client()
    await client.say(GET)
    await until(lambda: served.front.in_flight)
    await asyncio.sleep(0.01)
    left = loop.time()
    getattr(client, way)()
    assert await asyncio.wait_for(seen, 5) - left < 0.1


async def test_a_client_that_leaves_a_stream_is_seen(serve) -> None:
    ended = asyncio.get_running_loop().create_future()
    calls: list[str] = []

    async def handler(request, call) -> None:
        call.watch(lambda: calls.append("left"))
        stream = call.response_stream(200, [])
        try:
            while True:
                await stream.send_bytes(b"x")
                await asyncio.sleep(0.001)
        except ClientGoneError:
            ended.set_result(None)
            raise

    client = await (await serve(handler)).client()
    await client.say(GET)
    await client.head()
    client.abort()
    await asyncio.wait_for(ended, 5)
    assert calls == ["left"]


@pytest.mark.parametrize("how", ["watch", "client_disconnect"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_stream_left_early_because_the_client_left_does_not_look_complete(
    serve, how, version
) -> None:
    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        await stream.send_bytes(b"a")
        if how == "watch":
            gone = asyncio.Event()
            call.watch(gone.set)
            await gone.wait()
        else:
            await call.client_disconnect()

    client = await (await serve(handler)).client()
    await client.say(f"GET / HTTP/{version}\r\nHost: x\r\n\r\n")
    await client.head()
    client.writer.write_eof()  # which leaves the client able to read
    if version == "1.0":
        with pytest.raises(ConnectionResetError):
            await client.rest()
    else:
        assert not (await client.rest()).endswith(b"0\r\n\r\n")


async def test_a_watcher_may_cancel_its_handler(serve) -> None:
    ended: list[str] = []

    async def handler(request, call) -> None:
        call.watch(asyncio.current_task().cancel)
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("handler")

    served = await serve(handler)
    client = await served.client()
    await client.say(GET)
    await until(lambda: served.front.in_flight)
    await asyncio.sleep(0.01)
    client.leave()
    await until(lambda: ended)
    await until(lambda: served.front.in_flight == 0 and served.front.connections == 0)


async def test_a_watcher_is_not_told_after_the_answer(serve) -> None:
    told: list[str] = []

    async def handler(request, call) -> None:
        call.watch(lambda: told.append("late"))
        call.response_bytes(200, [], b"")
        await call.client_disconnect()

    served = await serve(handler)
    client = await served.client()
    await client.get()
    client.abort()
    await until(lambda: served.front.connections == 0)
    assert told == []


async def test_a_watcher_that_is_taken_away_is_not_told(serve) -> None:
    told: list[str] = []

    async def handler(request, call) -> None:
        call.watch(lambda: told.append("x"))
        call.watch(None)
        await call.client_disconnect()
        call.watch(lambda: told.append("at once"))
        call.response_empty(200, [])

    served = await serve(handler)
    client = await served.client()
    await client.say(GET)
    await until(lambda: served.front.in_flight)
    await asyncio.sleep(0.01)
    client.abort()
    await until(lambda: told)
    assert told == ["at once"]


async def test_who_waits_for_the_client_to_leave_is_released_at_the_end(serve) -> None:
    waiting: list[asyncio.Task[None]] = []

    async def wait(call) -> None:
        await call.client_disconnect()

    async def handler(request, call) -> None:
        waiting.append(asyncio.create_task(wait(call)))
        await asyncio.sleep(0)
        call.response_empty(200, [])

    client = await (await serve(handler)).client()
    await client.get()
    await asyncio.wait_for(waiting[0], 5)


async def drip(stream) -> None:
    for _ in range(100):
        await stream.send_bytes(b"x")
        await asyncio.sleep(0.001)


async def test_what_is_answered_to_nobody_is_dropped(serve) -> None:
    done: list[str] = []

    async def handler(request, call) -> None:
        await call.client_disconnect()
        await asyncio.sleep(0.05)
        if request.path == "/stream":
            with pytest.raises(ClientGoneError):
                await drip(call.response_stream(200, []))
        else:
            call.response_bytes(200, [], b"x")
        done.append(request.path)

    served = await serve(handler)
    for path in ("/stream", "/bytes"):
        client = await served.client()
        await client.say(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: served.front.in_flight)
        await asyncio.sleep(0.01)
        client.abort()
        await until(lambda path=path: path in done)
        await until(lambda: served.front.in_flight == 0)


async def test_the_next_client_is_not_taken_for_the_last_one(serve) -> None:
    seen: list[str] = []

    async def handler(request, call) -> None:
        seen.append(request.client)
        call.response_empty(200, [])

    served = await serve(handler)
    first, second = await served.client(), await served.client()
    await first.get()
    await second.get()
    names = [client.writer.get_extra_info("sockname") for client in (first, second)]
    assert seen == [f"{host}:{port}" for host, port in names]


async def test_a_request_can_be_answered_before_its_body_and_read_nevertheless(serve) -> None:
    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        async for piece in call:
            await stream.send_bytes(piece.upper())

    client = await (await serve(handler)).client()
    await client.say(post("/", b"abcdef")[:-3])
    assert (await client.head()).header("connection") == "close"
    assert await client.chunk() == b"ABC"
    await client.say("def")
    assert await client.chunk() == b"DEF"
    assert await client.chunk() == b""
    assert await client.closed()
