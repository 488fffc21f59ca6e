"""Listening, answering faults in the caller's shape, draining."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest

from support.gateway import free_port
from support.http_client import fetch
from tiergate.core.life import Life
from tiergate.web.data_plane import DataPlane
from tiergate.wiring.leaving import Leaving
from tiergate.wiring.server import Hooks, Listener, PortTakenError, listen, serve


def plane(work) -> DataPlane:
    async def both(scope, proto, headers, route=None) -> None:
        await work(proto)

    return DataPlane(both, both)


async def good(proto) -> None:
    proto.response_bytes(200, [("content-type", "text/plain")], b"fine")


async def test_it_answers_on_its_port():
    front = await listen(plane(good), Listener("127.0.0.1", 0))
    try:
        answer = await fetch(front.port, "GET", "/")
        assert (answer.status, answer.body) == (200, b"fine")
    finally:
        await front.aclose()


async def test_a_taken_port_is_an_error_that_says_what_to_do():
    front = await listen(plane(good), Listener("127.0.0.1", 0))
    try:
        with pytest.raises(PortTakenError, match="--port"):
            await listen(plane(good), Listener("127.0.0.1", front.port))
    finally:
        await front.aclose()


@pytest.mark.parametrize(
    ("path", "headers", "anthropic"),
    [
        ("/v1/messages", (), True),
        ("/v1/chat/completions", (), False),
        ("/x", (("anthropic-version", "2023-06-01"),), True),
    ],
)
async def test_a_fault_of_our_own_is_a_500_in_the_callers_shape_and_logged(
    path, headers, anthropic, caplog, monkeypatch
):
    monkeypatch.setattr(logging.getLogger("tiergate"), "propagate", True)

    async def bad(proto) -> None:
        raise ZeroDivisionError

    front = await listen(plane(bad), Listener("127.0.0.1", 0))
    try:
        answer = await fetch(front.port, "POST", path, body=b"{}", headers=headers)
    finally:
        await front.aclose()

    body = json.loads(answer.body)
    assert answer.status == 500
    assert ("type" in body) is anthropic
    assert "ZeroDivision" not in answer.body.decode()
    (line,) = [r for r in caplog.records if r.name == "tiergate.server"]
    assert (line.path, line.exc_info[0]) == (path, ZeroDivisionError)


async def test_a_head_that_is_too_large_is_a_431():
    front = await listen(plane(good), Listener("127.0.0.1", 0, max_head_bytes=1000))
    try:
        answer = await fetch(front.port, "GET", "/", headers=(("x", "y" * 5000),))
        assert answer.status == 431
        assert json.loads(answer.body)["error"]["message"]
    finally:
        await front.aclose()


class House:
    """Something that serves until it is told to stop."""

    def __init__(self, work, life: Life) -> None:
        self.events: list[str] = []
        self.port = free_port()
        self.ready = asyncio.Event()
        self.leaving = Leaving()
        self._life = life
        hooks = Hooks(
            reload=lambda: self.events.append("reload"), ready=self.ready.set, leave=self._leave
        )
        listener = Listener("127.0.0.1", self.port)
        self.served = asyncio.ensure_future(serve(plane(work), listener, hooks, self.leaving))

    def _leave(self) -> Life:
        self.events.append("leave")
        return self._life

    async def get(self):
        return await fetch(self.port, "GET", "/")


@pytest.fixture
async def house() -> AsyncIterator[Callable[..., House]]:
    made: list[House] = []
    thresholds = gc.get_threshold()

    def build(work, **life: float) -> House:
        made.append(House(work, Life(**life)))
        return made[-1]

    yield build
    loop = asyncio.get_running_loop()
    for each in made:
        each.served.cancel()
        await asyncio.gather(each.served, return_exceptions=True)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.remove_signal_handler(number)
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Slow:
    """A handler that answers when it is told."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, proto) -> None:
        self.begun.set()
        await self.go.wait()
        proto.response_bytes(200, [], b"late")


async def test_signals_reload_and_then_drain(house):
    slow = Slow()
    home = house(slow)
    await asyncio.wait_for(home.ready.wait(), 5)
    os.kill(os.getpid(), signal.SIGHUP)
    call = asyncio.ensure_future(home.get())
    await asyncio.wait_for(slow.begun.wait(), 5)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(home.leaving.begun.wait(), 5)
    slow.go.set()
    assert (await call).body == b"late"
    assert await asyncio.wait_for(home.served, 5) is True
    assert home.events == ["reload", "leave"]
    with pytest.raises(OSError):
        await home.get()


async def test_with_a_delay_calls_are_taken_until_it_is_over(house):
    home = house(good, drain_delay=0.5)
    await asyncio.wait_for(home.ready.wait(), 5)
    begun = asyncio.get_running_loop().time()
    home.leaving.say()
    answer = await home.get()
    assert (answer.status, answer.header("connection")) == (200, "close")
    assert home.events == ["leave"]
    assert await asyncio.wait_for(home.served, 5) is True
    assert asyncio.get_running_loop().time() - begun >= 0.5


@pytest.mark.parametrize("life", [{"drain_delay": 60.0}, {"drain_timeout": 60.0}])
async def test_a_second_word_ends_it_at_once(house, life):
    slow = Slow()
    home = house(slow, **life)
    await asyncio.wait_for(home.ready.wait(), 5)
    call = asyncio.ensure_future(home.get())
    await asyncio.wait_for(slow.begun.wait(), 5)
    home.leaving.say()
    home.leaving.say()
    assert await asyncio.wait_for(home.served, 5) is False
    (ended,) = await asyncio.gather(call, return_exceptions=True)
    assert isinstance(ended, Exception) or not ended.complete


async def test_a_request_that_is_cut_is_told_so_in_the_callers_shape(house):
    slow = Slow()
    home = house(slow, drain_timeout=0.1)
    await asyncio.wait_for(home.ready.wait(), 5)
    call = asyncio.ensure_future(fetch(home.port, "POST", "/v1/messages", body=b"{}"))
    await asyncio.wait_for(slow.begun.wait(), 5)
    home.leaving.say()
    answer = await call
    assert answer.status == 503
    assert json.loads(answer.body)["error"]["type"] == "overloaded_error"
    assert await asyncio.wait_for(home.served, 5) is True


def test_a_listener_is_patient_by_default():
    assert Listener("127.0.0.1", 1).header_seconds == 30.0
