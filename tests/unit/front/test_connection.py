"""The order of things on one connection: turns, bounds, errors, and when it closes."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.front import echo, post, until
from tiergate.front import ClientGoneError, Limits
from tiergate.front.connection import MAX_WAITING

GET = "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n"


def gate():
    """A handler that holds each request until told, and a list of what it has begun."""
    begun: list[str] = []
    opened = asyncio.Event()

    async def handler(request, call) -> None:
        begun.append(request.path)
        await opened.wait()
        call.response_bytes(200, [], request.path.encode())

    return handler, begun, opened


# -- turns -----------------------------------------------------------------------------------


async def test_a_connection_carries_one_request_after_the_other(serve) -> None:
    client = await (await serve(echo)).client()
    for number in range(5):
        answer = await client.post(f"/{number}?a=b", b"x" * number)
        assert answer.status == 200
        assert answer.header("connection") is None
        assert answer.body == b"POST /%d?a=b\n" % number + b"x" * number


async def test_requests_sent_together_are_answered_in_order_one_at_a_time(serve) -> None:
    handler, begun, opened = gate()
    client = await (await serve(handler)).client()
    await client.say("".join(GET.format(n) for n in range(5)))
    await until(lambda: begun)
    await asyncio.sleep(0.02)
    assert begun == ["/0"]
    opened.set()
    for number in range(5):
        assert (await client.answer()).body == b"/%d" % number


async def test_a_body_that_comes_with_the_next_request_is_not_lost(serve) -> None:
    client = await (await serve(echo)).client()
    await client.say(post("/1", b"abc") + post("/2", b"defg")[:-2])
    assert (await client.answer()).body == b"POST /1?\nabc"
    await client.say("fg")
    assert (await client.answer()).body == b"POST /2?\ndefg"


async def test_what_comes_during_a_request_waits_for_its_turn(serve) -> None:
    handler, begun, opened = gate()
    client = await (await serve(handler)).client()
    await client.say(GET.format(1))
    await until(lambda: begun)
    await client.say(GET.format(2) + "GET /3 HT")
    await asyncio.sleep(0.02)
    assert begun == ["/1"]
    opened.set()
    assert (await client.answer()).body == b"/1"
    assert (await client.answer()).body == b"/2"
    await client.say("TP/1.1\r\nHost: x\r\n\r\n")
    assert (await client.answer()).body == b"/3"


async def test_a_client_that_sends_ahead_without_end_is_paused(serve) -> None:
    handler, begun, opened = gate()
    client = await (await serve(handler, Limits(max_ahead_bytes=1000))).client()
    await client.say(GET.format("first"))
    await until(lambda: begun)
    client.writer.write(b"x" * 30_000_000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.writer.drain()
    opened.set()
    assert (await client.answer()).body == b"/first"
    assert (await client.answer()).status == 400


async def test_more_requests_at_once_than_may_wait_are_cut_off_with_notice(serve) -> None:
    handler, begun, opened = gate()
    client = await (await serve(handler)).client()
    await client.say("".join(GET.format(n) for n in range(MAX_WAITING + 10)))
    await until(lambda: begun)
    opened.set()
    answers = [await client.answer() for _ in range(MAX_WAITING + 1)]
    assert [answer.header("connection") for answer in answers] == [None] * MAX_WAITING + ["close"]
    assert await client.closed()


# -- closing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Connection: close", "connection: Close"])
async def test_a_client_that_asks_for_it_gets_the_connection_closed(serve, header) -> None:
    client = await (await serve(echo)).client()
    answer = await client.post("/", b"", header)
    assert answer.header("connection") == "close"
    assert await client.closed()


async def test_what_follows_a_last_request_is_not_answered(serve) -> None:
    client = await (await serve(echo)).client()
    await client.say(post("/", b"", "Connection: close") + post("/more", b""))
    assert (await client.answer()).body == b"POST /?\n"
    assert await client.closed()


async def test_http_1_0_is_closed_unless_the_client_wants_otherwise(serve) -> None:
    served = await serve(echo)
    client = await served.client()
    answer = await client.get(version="1.0")
    assert (answer.version, answer.header("connection")) == ("HTTP/1.1", "close")
    assert await client.closed()
    client = await served.client()
    for _ in range(2):
        await client.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await client.answer()).header("connection") == "keep-alive"


async def test_a_half_closed_connection_gets_its_answer(serve) -> None:
    async def handler(request, call) -> None:
        await call.client_disconnect()
        call.response_bytes(200, [], b"still there")

    client = await (await serve(handler)).client()
    await client.say(GET.format(""))
    client.writer.write_eof()
    answer = await client.answer()
    assert (answer.body, answer.header("connection")) == (b"still there", "close")
    assert await client.closed()


async def test_an_idle_connection_that_the_client_closes_is_forgotten(serve) -> None:
    served = await serve(echo)
    client = await served.client()
    await client.get()
    assert served.front.connections == 1
    client.leave()
    await until(lambda: served.front.connections == 0)


# -- too slow --------------------------------------------------------------------------------


async def test_a_connection_on_which_nothing_is_sent_is_closed_without_an_answer(serve) -> None:
    client = await (await serve(echo, Limits(header_seconds=0.1))).client()
    assert await client.closed()


async def test_a_head_that_comes_too_slowly_is_answered_408(serve) -> None:
    client = await (await serve(echo, Limits(header_seconds=0.1))).client()
    await client.say("GET /slow?x HTTP/1.1\r\nHost: x\r\nA: b\r\n")
    answer = await client.answer()
    assert answer.status == 408
    assert answer.header("content-type") == "text/x-error"
    assert answer.body == b"408|/slow|host|The request head did not arrive within 0.1 seconds."
    assert answer.header("connection") == "close"
    assert await client.closed()


async def test_a_second_head_that_comes_too_slowly_is_answered_408(serve) -> None:
    client = await (await serve(echo, Limits(header_seconds=0.1))).client()
    await client.say(post("/", b"") + b"GET /slow HTT")
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 408


async def test_an_idle_connection_is_closed(serve) -> None:
    client = await (await serve(echo, Limits(keep_alive_seconds=0.1))).client()
    await client.get()
    assert await client.closed()


async def test_a_handler_may_take_longer_than_heads_and_idle_connections(serve) -> None:
    async def slow(request, call) -> None:
        await asyncio.sleep(0.3)
        call.response_empty(200, [])

    limits = Limits(header_seconds=0.1, keep_alive_seconds=0.1)
    client = await (await serve(slow, limits)).client()
    assert (await client.get()).status == 200


async def test_a_client_that_takes_nothing_for_too_long_is_left(serve) -> None:
    ended = asyncio.get_running_loop().create_future()

    async def flood(request, call) -> None:
        stream = call.response_stream(200, [])
        try:
            while True:
                await stream.send_bytes(b"x" * 50_000)
        except ClientGoneError as error:
            ended.set_result(error)
            raise

    served = await serve(flood, Limits(stalled_seconds=0.2))
    client = await served.client()
    client.writer.transport.pause_reading()
    await client.say(GET.format(""))
    await asyncio.wait_for(ended, 5)
    await until(lambda: served.front.connections == 0)


# -- errors of the protocol ------------------------------------------------------------------


async def test_what_is_not_http_is_answered_400_and_closed(serve) -> None:
    client = await (await serve(echo)).client()
    await client.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    answer = await client.answer()
    assert answer.status == 400
    assert answer.body.startswith(b"400|||The request is not HTTP/1.1: ")
    assert await client.closed()


async def test_an_error_waits_for_the_answers_before_it(serve) -> None:
    handler, begun, opened = gate()
    client = await (await serve(handler)).client()
    await client.say(GET.format(1) + GET.format(2) + "NONSENSE\r\n\r\n")
    await until(lambda: begun)
    opened.set()
    assert (await client.answer()).body == b"/1"
    assert (await client.answer()).body == b"/2"
    assert (await client.answer()).status == 400
    assert await client.closed()


CHUNKED = "POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_broken_body_is_answered_in_place_of_its_handler(serve) -> None:
    seen: list[object] = []

    async def handler(request, call) -> None:
        call.watch(lambda: seen.append("told"))
        try:
            await call()
        except ClientGoneError:
            seen.append("gone")
            raise

    client = await (await serve(handler)).client()
    await client.say(CHUNKED + "3\r\nabc\r\n")
    await asyncio.sleep(0.02)
    await client.say("nonsense\r\n")
    answer = await client.answer()
    assert answer.status == 400
    assert answer.body.startswith(b"400|/up|host,transfer-encoding|")
    assert await client.closed()
    assert seen == ["told", "gone"]


async def test_a_broken_body_breaks_a_stream_that_has_begun(serve) -> None:
    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        await stream.send_bytes(b"a")
        await call()

    client = await (await serve(handler)).client()
    await client.say(CHUNKED)
    await client.head()
    assert await client.chunk() == b"a"
    await client.say("nonsense\r\n")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.chunk()


async def test_a_broken_body_after_a_whole_answer_changes_nothing(serve) -> None:
    async def handler(request, call) -> None:
        call.response_bytes(200, [], b"early")
        await call()

    client = await (await serve(handler)).client()
    await client.say(CHUNKED)
    assert (await client.answer()).body == b"early"
    await client.say("nonsense\r\n")
    assert await client.closed()


async def test_a_broken_body_of_a_waiting_request_is_answered_in_its_turn(serve) -> None:
    handler, begun, opened = gate()
    client = await (await serve(handler)).client()
    await client.say(GET.format(1) + CHUNKED)
    await until(lambda: begun)
    await client.say("nonsense\r\n")
    await asyncio.sleep(0.02)
    opened.set()
    assert (await client.answer()).body == b"/1"
    answer = await client.answer()
    assert (answer.status, answer.body[:8]) == (400, b"400|/up|")
    assert begun == ["/1"]


# -- answers that come before the request is read --------------------------------------------


async def refuse(request, call) -> None:
    call.response_bytes(413, [], b"too large")


async def test_an_answer_before_the_body_reaches_the_client_that_goes_on_sending(serve) -> None:
    client = await (await serve(refuse, Limits(linger_seconds=0.5))).client()
    await client.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
    await client.say("x" * 30_000)
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (413, "close")
    await client.say("x" * 10_000)  # no reset
    assert await client.closed()


async def test_lingering_ends_after_its_bytes(serve) -> None:
    served = await serve(refuse, Limits(linger_seconds=60, linger_bytes=1000))
    client = await served.client()
    await client.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
    await client.answer()
    await client.say("x" * 2000)
    await until(lambda: served.front.connections == 0)


async def test_lingering_ends_after_its_time(serve) -> None:
    served = await serve(refuse, Limits(linger_seconds=0.05, header_seconds=1))
    client = await served.client()
    await client.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
    await client.answer()
    await until(lambda: served.front.connections == 0)


async def test_one_connection_too_many_is_answered_503(serve) -> None:
    served = await serve(echo, Limits(max_connections=2))
    first, second, third = [await served.client() for _ in range(3)]
    await third.say(GET.format(""))
    answer = await third.answer()
    assert (answer.status, answer.header("connection")) == (503, "close")
    assert await third.closed()
    assert (await first.get()).status == 200
    second.leave()
    await until(lambda: served.front.connections < 2)
    assert (await (await served.client()).get()).status == 200


# -- handlers that fail ----------------------------------------------------------------------


async def test_an_exception_is_answered_500_without_its_text(serve) -> None:
    error = ValueError("secret")

    async def handler(request, call) -> None:
        raise error

    served = await serve(handler, fails=True)
    client = await served.client()
    for _ in range(2):  # the connection goes on
        answer = await client.get("/x")
        assert answer.status == 500
        assert answer.body.startswith(b"500|/x|host|The server made a mistake")
        assert b"secret" not in answer.body
    assert served.failures == [("/x", error)] * 2


async def test_a_handler_that_does_not_answer_is_answered_500(serve) -> None:
    async def handler(request, call) -> None:
        pass

    served = await serve(handler, fails=True)
    assert (await (await served.client()).get("/x")).status == 500
    assert served.failures == [("/x", None)]


async def test_a_handler_that_is_cancelled_is_answered_500(serve) -> None:
    async def handler(request, call) -> None:
        raise asyncio.CancelledError

    assert (await (await serve(handler)).client()).reader is not None
    assert (await (await (await serve(handler)).client()).get("/x")).status == 500


@pytest.mark.parametrize("error", [ValueError("x"), asyncio.CancelledError()])
async def test_a_stream_that_fails_does_not_look_complete(serve, error) -> None:
    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        await stream.send_bytes(b"a")
        await asyncio.sleep(0.02)
        raise error

    served = await serve(handler, fails=True)
    client = await served.client()
    await client.say(GET.format(""))
    await client.head()
    assert await client.chunk() == b"a"
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.chunk()


async def test_a_stream_that_fails_does_not_look_complete_to_http_1_0(serve) -> None:
    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        await stream.send_bytes(b"a")
        await asyncio.sleep(0.02)
        raise ValueError

    client = await (await serve(handler, fails=True)).client()
    await client.say("GET / HTTP/1.0\r\n\r\n")
    await client.head()
    with pytest.raises(ConnectionResetError):
        await client.rest()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_handler_can_reset_the_connection_in_place_of_an_answer(serve, version) -> None:
    told_left: list[str] = []

    async def handler(request, call) -> None:
        call.watch(lambda: told_left.append("the watcher"))
        call.abort()
        call.response_bytes(200, [], b"too late")

    client = await (await serve(handler)).client()
    await client.say(f"GET / HTTP/{version}\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await client.rest()
    assert told_left == []


async def test_a_handler_can_reset_the_connection_in_the_middle_of_a_stream(serve) -> None:
    read = asyncio.Event()
    refused: list[BaseException] = []

    async def handler(request, call) -> None:
        stream = call.response_stream(200, [])
        await stream.send_bytes(b"a")
        await read.wait()
        call.abort()
        try:
            await stream.send_bytes(b"b")
        except ClientGoneError as exc:
            refused.append(exc)

    client = await (await serve(handler)).client()
    await client.say(GET.format("1") + GET.format("2"))
    await client.head()
    assert await client.chunk() == b"a"
    read.set()
    with pytest.raises(ConnectionResetError):
        await client.rest()
    assert len(refused) == 1  # and the second request was not served


async def test_resetting_a_connection_that_the_client_has_left_is_harmless(serve) -> None:
    left, done = asyncio.Event(), asyncio.Event()

    async def handler(request, call) -> None:
        call.watch(left.set)
        await left.wait()
        await asyncio.sleep(0.02)  # the socket may be gone by now, too
        call.abort()
        done.set()

    served = await serve(handler)
    for leave in (lambda client: client.leave(), lambda client: client.abort()):
        left.clear()
        done.clear()
        client = await served.client()
        await client.say(GET.format(""))
        await until(lambda: served.front.in_flight)
        leave(client)
        await asyncio.wait_for(done.wait(), 5)
    await until(lambda: served.front.connections == 0)


async def test_an_exception_after_the_answer_is_reported_and_harmless(serve) -> None:
    async def handler(request, call) -> None:
        call.response_bytes(200, [], b"done")
        raise ValueError

    served = await serve(handler, fails=True)
    client = await served.client()
    assert (await client.get()).body == b"done"
    assert (await client.get()).body == b"done"
    assert len(served.failures) == 2


async def test_a_client_that_leaves_is_no_failure_of_the_handler(serve) -> None:
    ended = asyncio.get_running_loop().create_future()

    async def handler(request, call) -> None:
        try:
            await call()
        finally:
            ended.set_result(None)

    served = await serve(handler)
    client = await served.client()
    await client.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    await until(lambda: served.front.in_flight)
    client.leave()
    await asyncio.wait_for(ended, 5)


# -- bounds ----------------------------------------------------------------------------------


async def test_body_bytes_wait_at_the_client_while_the_handler_does_not_read(serve) -> None:
    opened = asyncio.Event()
    calls: list[object] = []
    most = 256 * 1024

    async def handler(request, call) -> None:
        calls.append(call)
        await opened.wait()
        size = 0
        async for piece in call:
            size += len(piece)
            await asyncio.sleep(0)
        call.response_bytes(200, [], str(size).encode())

    client = await (await serve(handler, Limits(max_unread_bytes=most))).client()
    size = 30_000_000
    sending = asyncio.create_task(client.say(post("/", b"x" * size)))
    await asyncio.sleep(0.3)
    assert not sending.done()
    unread = calls[0].body.unread
    assert most < unread < most + 300_000
    opened.set()
    await sending
    assert (await client.answer()).body == str(size).encode()


async def test_a_body_that_is_read_whole_is_not_held_back(serve) -> None:
    client = await (await serve(echo, Limits(max_unread_bytes=1000))).client()
    body = bytes(range(256)) * 10_000
    answer = await client.post("/", body)
    assert answer.body == b"POST /?\n" + body


async def test_an_answer_that_is_not_taken_holds_back_the_next_request(serve) -> None:
    begun: list[str] = []

    async def handler(request, call) -> None:
        begun.append(request.path)
        call.response_bytes(200, [], b"x" * 20_000_000)

    client = await (await serve(handler)).client()
    client.writer.transport.pause_reading()
    await client.say(GET.format(1) + GET.format(2))
    await until(lambda: begun)
    await client.say(GET.format(3))
    await asyncio.sleep(0.05)
    assert begun == ["/1"]
    client.writer.transport.resume_reading()
    for _ in range(3):
        assert len((await client.answer()).body) == 20_000_000
    assert begun == ["/1", "/2", "/3"]


# -- anything at all -------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n", b"\n", b"HEAD ",
        b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"hello", b"5\r\n",
        b"0\r\n\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n",
        b"Connection: upgrade\r\n", b"HTTP/1.0\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b":", b"\0",
    ]
)  # fmt: skip
PIECES = st.lists(st.one_of(WORDS, st.binary(max_size=40)), max_size=12)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pieces=PIECES, leaves=st.booleans())
async def test_any_bytes_leave_the_server_well(serve, pieces, leaves) -> None:
    limits = Limits(header_seconds=0.05, keep_alive_seconds=0.05, linger_seconds=0.05)
    served = await serve(echo, limits)
    client = await served.client()
    for piece in pieces:
        client.writer.write(piece)
        await asyncio.sleep(0)
    if leaves:
        client.writer.write_eof()
    else:
        await asyncio.sleep(0.01)
        client.abort()
    await until(lambda: served.front.connections == 0 and served.front.in_flight == 0)
    assert (await (await served.client()).get()).status == 200
