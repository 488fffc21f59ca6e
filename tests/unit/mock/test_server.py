"""The server carries out scripts over real connections, and sees callers leave."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.http_client import Exchange, fetch, request_bytes, send_raw
from tiergate.base.jsontypes import JsonObject
from tiergate.mock import server as server_module
from tiergate.mock.records import End
from tiergate.mock.rules import Cut, Fail, Hang, Reply, Rule, Slow, StreamFail
from tiergate.mock.server import MockServer

CHAT = "/v1/chat/completions"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MockServer]:
    async with MockServer() as running:
        yield running


def ask(*, stream: bool = False, question: str = "hello", model: str = "m") -> JsonObject:
    messages: JsonObject = {"role": "user", "content": question}
    return {"model": model, "stream": stream, "messages": [messages]}


async def ended(server: MockServer, end: End, seconds: float = 2.0) -> None:
    """Wait until the last call has ended so; the server notes it after the caller knows."""
    async with asyncio.timeout(seconds):
        while server.calls[-1].end is not end:
            await asyncio.sleep(0.005)


async def until_reset(reader: asyncio.StreamReader) -> bytes:
    """All that comes before the connection is reset; a proper end of it fails the test."""
    received = b""
    try:
        while piece := await reader.read(65_536):
            received += piece
    except ConnectionResetError:
        return received
    raise AssertionError(f"the connection ended properly, after {received!r}")


async def test_a_plain_answer_comes_whole(server: MockServer) -> None:
    answer = await fetch(server.port, "POST", CHAT, body=ask())
    assert (answer.status, answer.complete) == (200, True)
    assert answer.json["object"] == "chat.completion"
    await ended(server, End.SENT)
    assert server.calls[0].status == 200


async def test_a_stream_comes_event_by_event(server: MockServer) -> None:
    server.use([Rule((Slow(per_event_seconds=0.02, reply=Reply(text="a b c")),))])
    answer = await fetch(server.port, "POST", CHAT, body=ask(stream=True))
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.events[-1].data == "[DONE]"
    assert len(answer.pieces) == len(answer.events)
    assert answer.complete


async def test_a_cut_call_gets_no_answer(server: MockServer) -> None:
    server.use([Rule((Cut(),))])
    answer = await fetch(server.port, "POST", CHAT, body=ask())
    assert (answer.status, answer.complete) == (0, False)
    await ended(server, End.DROPPED)
    assert server.calls[0].status == 0


async def test_a_cut_stream_has_its_events_but_no_end(server: MockServer) -> None:
    server.use([Rule((Cut(after_events=4),))])
    answer = await fetch(server.port, "POST", CHAT, body=ask(stream=True))
    assert (answer.status, len(answer.events), answer.complete) == (200, 4, False)


@pytest.mark.parametrize(("after_events", "stream"), [(0, False), (0, True), (3, True)])
async def test_a_cut_is_a_reset_and_not_an_end(
    server: MockServer, after_events: int, stream: bool
) -> None:
    server.use([Rule((Cut(after_events),))])
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request_bytes(server.port, "POST", CHAT, body=ask(stream=stream)))
    received = await until_reset(reader)
    assert received.count(b"\ndata: ") == after_events
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_a_call_can_be_cut_on_a_connection_that_carried_others(server: MockServer) -> None:
    server.use([Rule((Reply(text="one"), Cut(), Reply(text="three")))])
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    request = request_bytes(server.port, "POST", CHAT, body=ask())
    writer.write(request)
    assert b"200 OK" in await reader.readline()
    writer.write(request * 2)
    await until_reset(reader)
    assert [call.end for call in server.calls] == [End.SENT, End.DROPPED]
    assert (await fetch(server.port, "POST", CHAT, body=ask())).status == 200
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_a_hanging_call_is_dropped_in_the_end(server: MockServer) -> None:
    server.use([Rule((Hang(0.1),))])
    started = asyncio.get_running_loop().time()
    answer = await fetch(server.port, "POST", CHAT, body=ask())
    assert asyncio.get_running_loop().time() - started >= 0.1
    assert answer.status == 0


async def test_a_caller_who_leaves_a_hanging_call_is_noticed(server: MockServer) -> None:
    server.use([Rule((Hang(30.0),))])
    async with Exchange(server.port, "POST", CHAT, body=ask()):
        async with asyncio.timeout(2):
            while not server.calls:
                await asyncio.sleep(0.005)
    await ended(server, End.CALLER_LEFT)


async def test_a_caller_who_leaves_a_slow_stream_is_noticed(server: MockServer) -> None:
    server.use([Rule((Slow(per_event_seconds=0.01, reply=Reply(text="word " * 1_000)),))])
    async with Exchange(server.port, "POST", CHAT, body=ask(stream=True)) as exchange:
        await exchange.piece()
    await ended(server, End.CALLER_LEFT)
    assert server.calls[0].status == 200


async def test_a_caller_who_leaves_a_fast_stream_is_noticed(server: MockServer) -> None:
    server.use([Rule((Reply(text="word " * 20_000),))])
    async with Exchange(server.port, "POST", CHAT, body=ask(stream=True)) as exchange:
        await exchange.head()
    await ended(server, End.CALLER_LEFT)


async def test_a_stream_never_looks_complete_to_a_caller_who_closed_one_half(
    server: MockServer,
) -> None:
    server.use([Rule((Slow(per_event_seconds=0.01, reply=Reply(text="word " * 1_000)),))])
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request_bytes(server.port, "POST", CHAT, body=ask(stream=True)))
    await reader.readline()
    writer.write_eof()
    await until_reset(reader)
    assert server.calls[0].end is End.CALLER_LEFT
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


@pytest.mark.parametrize(
    ("version", "shape"), [("", {"error"}), ("anthropic-version: x\r\n", {"type", "error"})]
)
async def test_what_is_not_http_is_refused_in_the_providers_shape_and_is_no_call(
    server: MockServer, version: str, shape: set[str]
) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n{version}content-length: none\r\n\r\n"
    raw = await send_raw(server.port, head.encode())
    told, _, body = raw.partition(b"\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 400 ")
    assert shape <= json.loads(body).keys()
    assert server.calls == ()


async def test_a_fault_of_our_own_is_logged_and_answered(
    server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.use([Rule((Reply(headers={"x-odd": "two\nlines"}),))])
    answer = await fetch(server.port, "POST", CHAT, body=ask())
    assert answer.status == 500
    assert "error" in answer.json
    assert f"failed inside the scripted providers: {CHAT}" in caplog.text
    assert "line break" in caplog.text


async def test_a_stream_failure_is_sent_in_band(server: MockServer) -> None:
    server.use([Rule((StreamFail(2),))])
    answer = await fetch(server.port, "POST", CHAT, body=ask(stream=True))
    assert "error" in answer.events[-1].json
    assert answer.complete


async def test_rules_and_calls_go_over_http_too(server: MockServer) -> None:
    rules: JsonObject = {"rules": [{"steps": [503, "ok"]}]}
    assert (await fetch(server.port, "PUT", "/_mock/rules", body=rules)).status == 200
    statuses = [(await fetch(server.port, "POST", CHAT, body=ask())).status for _ in range(2)]
    assert statuses == [503, 200]
    seen = (await fetch(server.port, "GET", "/_mock/calls")).json["calls"]
    assert isinstance(seen, list)
    assert len(seen) == 2
    server.forget_calls()
    assert server.calls == ()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_root_says_what_this_is(server: MockServer, method: str) -> None:
    answer = await fetch(server.port, method, "/")
    assert answer.status == 200
    assert ("scripted providers" in answer.text) == (method == "GET")
    assert server.calls == ()


async def test_a_query_does_not_change_the_route(server: MockServer) -> None:
    body: JsonObject = {**ask(), "max_tokens": 9}
    answer = await fetch(server.port, "POST", "/v1/messages?beta=true", body=body)
    assert answer.json["type"] == "message"
    assert server.calls[0].query == "beta=true"


async def test_a_body_beyond_the_limit_is_refused(
    server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_BODY_BYTES", 100)
    answer = await fetch(server.port, "POST", CHAT, body=ask(question="x" * 200))
    assert answer.status == 413
    assert server.calls[0].step == "fail"


async def test_many_calls_at_once_are_all_answered(server: MockServer) -> None:
    questions = [f"question {number}" for number in range(20)]
    answers = await asyncio.gather(
        *(fetch(server.port, "POST", CHAT, body=ask(question=text)) for text in questions)
    )
    assert [text in answer.text for text, answer in zip(questions, answers, strict=True)] == (
        [True] * 20
    )


async def test_stopping_does_not_wait_for_calls_under_way() -> None:
    loop = asyncio.get_running_loop()
    async with MockServer(rules=[Rule((Hang(30.0),))]) as server:
        call = asyncio.create_task(fetch(server.port, "POST", CHAT, body=ask()))
        async with asyncio.timeout(2):
            while not server.calls:
                await asyncio.sleep(0.005)
        stopping = loop.time()
    assert loop.time() - stopping < 1.0
    assert (await call).status == 0
    assert server.calls[0].end is End.DROPPED


async def test_stopping_does_not_wait_for_a_caller_who_does_not_read() -> None:
    loop = asyncio.get_running_loop()
    async with MockServer(rules=[Rule((Reply(text="word " * 50_000),))]) as server:
        exchange = Exchange(server.port, "POST", CHAT, body=ask(stream=True))
        await exchange.__aenter__()
        await exchange.head()
        stopping = loop.time()
    assert loop.time() - stopping < 2.0
    await exchange.leave()


async def test_a_taken_port_is_refused() -> None:
    async with MockServer() as first:
        with pytest.raises(OSError, match="another program listens there"):
            await MockServer(port=first.port).__aenter__()


async def test_a_port_that_another_program_would_share_is_refused_too() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="another program listens there"):
            await MockServer(port=taken.getsockname()[1]).__aenter__()


async def test_leaving_a_server_that_was_not_started_does_nothing() -> None:
    await MockServer().__aexit__(None, None, None)


async def test_a_host_name_will_do() -> None:
    async with MockServer("localhost") as server:
        assert server.url == f"http://localhost:{server.port}"
        assert (await fetch(server.port, "GET", "/")).status == 200


async def test_it_listens_on_ipv6_too() -> None:
    async with MockServer("::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        _, writer = await asyncio.open_connection("::1", server.port)
        writer.close()
        await writer.wait_closed()


async def test_two_servers_do_not_share_their_scripts() -> None:
    async with MockServer(rules=[Rule((Fail(500),))]) as one, MockServer() as other:
        assert (await fetch(one.port, "POST", CHAT, body=ask())).status == 500
        assert (await fetch(other.port, "POST", CHAT, body=ask())).status == 200
        assert one.url != other.url
