"""Asking an HTTP service."""

from __future__ import annotations

import time

import pytest

from support.exchange import Break, broken_reply, json_reply
from support.upstream import Upstream
from tiergate.transport import Transport
from tiergate.wiring.fetching import Fetcher

pytestmark = pytest.mark.asyncio


async def test_a_service_is_asked_and_its_answer_read() -> None:
    transport = Transport(environ={}, clock=time.monotonic)
    async with Upstream() as service:
        service.script(json_reply({"fine": True}, 202))
        fetch = Fetcher(transport)
        status, body = await fetch(f"{service.url}/check?x=1", [("x-key", "k")], b'{"a":1}', 1000)
        assert (status, body.replace(b" ", b"")) == (202, b'{"fine":true}')
        asked = service.last
        assert (asked.method, asked.json) == ("POST", {"a": 1})
        assert asked.target == "/check?x=1"
        assert dict(asked.headers)["x-key"] == "k"
    await transport.aclose()


async def test_an_answer_that_is_too_large_or_breaks_off_is_no_answer() -> None:
    transport = Transport(environ={}, clock=time.monotonic)
    async with Upstream() as service:
        fetch = Fetcher(transport)
        service.script(json_reply({"long": "x" * 1000}))
        with pytest.raises(ConnectionError):
            await fetch(service.url, [], b"{}", 100)
        service.script(broken_reply(Break.RESET), broken_reply(Break.RESET))
        with pytest.raises(ConnectionError):
            await fetch(service.url, [], b"{}", 100)
    await transport.aclose()


async def test_a_service_that_is_away_is_no_answer() -> None:
    transport = Transport(environ={}, clock=time.monotonic)
    with pytest.raises(ConnectionError):
        await Fetcher(transport)("http://127.0.0.1:9", [], b"{}", 100)
    await transport.aclose()
