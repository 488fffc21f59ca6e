"""The raw client shows headers as sent, and knows a whole body from a broken one."""

from __future__ import annotations

from support.exchange import Framing, Reply
from support.http_client import events_of, fetch, request_bytes
from support.upstream import Upstream


async def test_repeated_headers_are_kept_in_order() -> None:
    async with Upstream() as upstream:
        upstream.script(Reply(headers=(("Set-Cookie", "a=1"), ("set-cookie", "b=2"))))
        answer = await fetch(upstream.port, "GET", "/")
    assert answer.header_values("SET-COOKIE") == ["a=1", "b=2"]
    assert answer.header("absent") is None


async def test_each_piece_has_its_time() -> None:
    async with Upstream() as upstream:
        upstream.script(Reply((b"a", b"b"), framing=Framing.CHUNKED))
        answer = await fetch(upstream.port, "GET", "/")
    times = [at for at, _ in answer.pieces]
    assert times == sorted(times)
    assert times[0] >= answer.head_at > 0


def test_a_json_body_gets_its_headers() -> None:
    sent = request_bytes(80, "POST", "/a?b", body={"x": "é"})
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /a?b HTTP/1.1",
        b"host: 127.0.0.1:80",
        b"content-type: application/json",
        b"content-length: 11",
    ]
    assert body == '{"x": "é"}'.encode()


def test_headers_given_are_not_sent_twice() -> None:
    pairs = (("Host", "h"), ("Content-Type", "t"), ("Content-Length", "9"))
    sent = request_bytes(80, "POST", "/", body=b"abc", headers=pairs)
    assert sent.lower().count(b"content-length") == 1
    assert sent.lower().count(b"host:") == 1
    assert sent.lower().count(b"content-type") == 1


def test_an_unfinished_event_is_left_out() -> None:
    got = events_of(b": comment\n\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata: {}\n\ndata: cut")
    assert [(event.name, event.data) for event in got] == [("a", "1\n2"), ("", "{}")]
    assert got[1].json == {}
