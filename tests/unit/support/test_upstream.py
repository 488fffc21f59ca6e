"""The scripted upstream does what its script says, byte by byte, and sees what callers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support import anthropic_wire, openai_wire
from support.exchange import (
    Break,
    Framing,
    Gate,
    Reply,
    Wait,
    broken_reply,
    hanging_reply,
    json_reply,
    split,
    stream_reply,
)
from support.http_client import Exchange, fetch, send_raw
from support.upstream import Upstream


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream("u") as server:
        yield server


async def test_answers_come_in_order_and_the_last_one_repeats(upstream: Upstream) -> None:
    upstream.script(json_reply({"n": 1}, 500), json_reply({"n": 2}))
    seen = [await fetch(upstream.port, "GET", "/x") for _ in range(3)]
    assert [(answer.status, answer.json["n"]) for answer in seen] == [(500, 1), (200, 2), (200, 2)]


async def test_a_script_for_a_path_wins_over_one_for_all(upstream: Upstream) -> None:
    upstream.script(json_reply({"for": "all"}))
    upstream.script(json_reply({"for": "models"}), path="/models")
    assert (await fetch(upstream.port, "GET", "/v1/models")).json == {"for": "models"}
    assert (await fetch(upstream.port, "GET", "/v1/files")).json == {"for": "all"}


async def test_an_answer_may_be_made_from_the_request(upstream: Upstream) -> None:
    upstream.script(lambda request: json_reply({"saw": request.json["a"]}))
    assert (await fetch(upstream.port, "POST", "/x", body={"a": 7})).json == {"saw": 7}


async def test_an_unscripted_message_call_is_answered_in_its_dialect(upstream: Upstream) -> None:
    path = "/v1/messages"
    plain = await fetch(upstream.port, "POST", path, body={"model": "m"})
    assert plain.json == anthropic_wire.message("from u")
    streamed = await fetch(upstream.port, "POST", path, body={"model": "m", "stream": True})
    assert streamed.body == b"".join(anthropic_wire.text_events("from u"))
    counted = await fetch(upstream.port, "POST", f"{path}/count_tokens", body={"model": "m"})
    assert counted.json == {"input_tokens": 42}


async def test_an_unscripted_openai_call_is_answered_in_its_dialect(upstream: Upstream) -> None:
    path = "/v1/chat/completions"
    plain = await fetch(upstream.port, "POST", path, body={"model": "m"})
    assert plain.json == openai_wire.completion("from u")
    streamed = await fetch(upstream.port, "POST", path, body={"model": "m", "stream": True})
    assert streamed.body == b"".join(openai_wire.text_events("from u"))
    vectors = await fetch(upstream.port, "POST", "/v1/embeddings", body={"input": ["a", "b"]})
    assert vectors.json == openai_wire.embeddings([(1.0, 0.0, 0.0), (1.0, 0.0, 0.0)])


async def test_an_unknown_path_is_told_to_be_unscripted(upstream: Upstream) -> None:
    answer = await fetch(upstream.port, "GET", "/nowhere")
    assert (answer.status, answer.error["message"]) == (404, "not scripted")


async def test_requests_are_recorded_as_they_came(upstream: Upstream) -> None:
    body = b'{"a" :  1}'
    pairs = (("X-Twice", "1"), ("x-twice", "2"))
    await fetch(upstream.port, "POST", "/v1/messages?beta=true", body=body, headers=pairs)
    got = upstream.last
    assert (got.method, got.path, got.query) == ("POST", "/v1/messages", {"beta": ["true"]})
    assert got.body == body
    assert got.header_values("X-TWICE") == ["1", "2"]
    assert got.head.startswith(b"POST /v1/messages?beta=true HTTP/1.1\r\n")
    assert got.done is not None
    assert got.done >= got.arrived
    assert got.gone is None


async def test_a_chunked_request_is_put_together(upstream: Upstream) -> None:
    head = b"POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    await send_raw(upstream.port, head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", timeout=0.1)
    assert upstream.last.body == b"abcde"


async def test_connections_are_counted_and_reused(upstream: Upstream) -> None:
    one = b"GET /x HTTP/1.1\r\n\r\n"
    await send_raw(upstream.port, one + one, timeout=0.1)
    await fetch(upstream.port, "GET", "/x")
    assert [request.connection for request in upstream.requests] == [1, 1, 2]
    await upstream.all_closed()
    assert (upstream.accepted, upstream.open_connections) == (2, 0)


@pytest.mark.parametrize("framing", [Framing.LENGTH, Framing.CHUNKED, Framing.EOF])
async def test_every_framing_ends_a_body_properly(upstream: Upstream, framing: Framing) -> None:
    upstream.script(Reply((b"ab", b"cd"), framing=framing))
    answer = await fetch(upstream.port, "GET", "/x")
    assert (answer.body, answer.complete) == (b"abcd", True)


async def test_raw_framing_sends_the_steps_alone(upstream: Upstream) -> None:
    upstream.script(
        Reply((b"HTTP/1.1 299 Odd\r\ncontent-length: 1\r\n\r\nx",), framing=Framing.RAW)
    )
    answer = await fetch(upstream.port, "GET", "/x")
    assert (answer.status, answer.body) == (299, b"x")


async def test_a_wrong_content_length_leaves_the_body_incomplete(upstream: Upstream) -> None:
    upstream.script(Reply((b"abc", Break.CLOSE), length=10))
    answer = await fetch(upstream.port, "GET", "/x")
    assert (answer.body, answer.complete) == (b"abc", False)


async def test_single_bytes_arrive_as_one_body(upstream: Upstream) -> None:
    events = b"".join(anthropic_wire.text_events("naïve → 😀"))
    upstream.script(stream_reply(*split(events)))
    answer = await fetch(upstream.port, "GET", "/x")
    assert answer.body == events
    assert [event.name for event in answer.events][0::7] == ["message_start", "message_stop"]


async def test_a_gate_holds_the_answer_until_it_is_opened(upstream: Upstream) -> None:
    gate = Gate()
    upstream.script(stream_reply(openai_wire.text_chunk("a"), gate, openai_wire.DONE))
    async with Exchange(upstream.port, "GET", "/x") as exchange:
        first = await exchange.piece()
        assert first == openai_wire.text_chunk("a")
        await gate.reached()
        assert upstream.last.done is None
        gate.open()
        answer = await exchange.rest()
    assert answer.complete
    assert answer.events[-1].data == "[DONE]"


async def test_headers_can_be_late(upstream: Upstream) -> None:
    gate = Gate()
    upstream.script(Reply((b"x",), before=(gate, Wait(0.01))))
    async with Exchange(upstream.port, "GET", "/x") as exchange:
        await gate.reached()
        gate.open()
        head = await exchange.head()
    assert head.status == 200
    assert head.head_at >= 0.01


async def test_a_reset_in_a_body_is_seen_as_incomplete(upstream: Upstream) -> None:
    upstream.script(stream_reply(b"data: 1\n\n", Wait(0.02), Break.RESET))
    answer = await fetch(upstream.port, "GET", "/x")
    assert (answer.status, answer.complete) == (200, False)


@pytest.mark.parametrize("how", list(Break))
async def test_a_connection_can_end_before_any_answer(upstream: Upstream, how: Break) -> None:
    upstream.script(broken_reply(how))
    answer = await fetch(upstream.port, "GET", "/x")
    assert (answer.status, answer.headers, answer.complete) == (0, (), False)
    assert upstream.last.done is None


async def test_a_caller_who_leaves_a_held_answer_is_noticed_at_once(upstream: Upstream) -> None:
    upstream.script(hanging_reply())
    async with Exchange(upstream.port, "GET", "/x"):
        got = await upstream.received()
    left_at = asyncio.get_running_loop().time()
    await got.ended()
    assert got.gone is not None
    assert got.gone - left_at < 0.5
    assert got.done is None


async def test_a_head_request_gets_no_body(upstream: Upstream) -> None:
    upstream.script(json_reply({"a": 1}))
    answer = await fetch(upstream.port, "HEAD", "/x")
    assert (answer.header("content-length"), answer.body, answer.complete) == ("8", b"", True)


async def test_reset_forgets_scripts_and_requests(upstream: Upstream) -> None:
    upstream.script(json_reply({}))
    await fetch(upstream.port, "GET", "/x")
    upstream.reset()
    assert upstream.requests == []
    assert (await fetch(upstream.port, "GET", "/x")).status == 404


async def test_a_reset_is_a_reset_on_the_wire(upstream: Upstream) -> None:
    upstream.script(broken_reply(Break.RESET))
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    writer.write(b"GET /x HTTP/1.1\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
