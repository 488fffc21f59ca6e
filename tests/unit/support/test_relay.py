"""The relay changes nothing and keeps each request as it was sent."""

from __future__ import annotations

from support.exchange import json_reply
from support.http_client import fetch, request_bytes, send_raw
from support.relay import Relay
from support.upstream import Upstream


async def test_bytes_pass_both_ways_and_requests_are_kept() -> None:
    async with Upstream() as upstream, Relay(upstream.port) as relay:
        upstream.script(json_reply({"said": "hello"}))
        body = b'{ "odd" :\t1.0 }'
        answer = await fetch(relay.port, "POST", "/v1/x?a=1", body=body, headers=[("X-A", "b")])
        assert answer.json == {"said": "hello"}
        (sent,) = relay.requests
        assert (sent.method, sent.target, sent.body) == ("POST", "/v1/x?a=1", body)
        assert ("X-A", "b") in sent.headers
        assert upstream.last.body == body


async def test_several_requests_of_one_connection_are_told_apart() -> None:
    async with Upstream() as upstream, Relay(upstream.port) as relay:
        first = request_bytes(relay.port, "GET", "/a")
        chunked = request_bytes(
            relay.port,
            "POST",
            "/b",
            body=b"3\r\nabc\r\n0\r\n\r\n",
            headers=[("transfer-encoding", "chunked")],
        )
        await send_raw(relay.port, first + chunked, timeout=0.3)
        assert [(sent.target, sent.body) for sent in relay.requests] == [
            ("/a", b""),
            ("/b", b"abc"),
        ]
        assert [recorded.path for recorded in upstream.requests] == ["/a", "/b"]


async def test_an_end_on_one_side_ends_the_other() -> None:
    async with Upstream() as upstream, Relay(upstream.port) as relay:
        await fetch(relay.port, "GET", "/a")
        await upstream.all_closed()
