"""Listening, answering faults in the caller's shape, draining."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal

import pytest

from support.gateway import free_port
from support.http_client import fetch
from tiergate.web.data_plane import DataPlane
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


async def test_signals_reload_and_then_drain():
    events: list[str] = []
    begun = asyncio.Event()

    async def slow(proto) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        proto.response_bytes(200, [], b"late")

    port = free_port()
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    hooks = Hooks(reload=lambda: events.append("reload"), ready=ready.set)
    thresholds = gc.get_threshold()
    serving = loop.create_task(
        serve(plane(slow), Listener("127.0.0.1", port, drain_seconds=5.0), hooks)
    )
    try:
        await asyncio.wait_for(ready.wait(), 5)
        os.kill(os.getpid(), signal.SIGHUP)
        call = asyncio.ensure_future(fetch(port, "GET", "/"))
        await asyncio.wait_for(begun.wait(), 5)
        os.kill(os.getpid(), signal.SIGTERM)
        answer = await call
        await asyncio.wait_for(serving, 5)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)
        gc.unfreeze()
        gc.set_threshold(*thresholds)

    assert answer.body == b"late"
    assert events == ["reload"]
    with pytest.raises(OSError):
        await fetch(port, "GET", "/")


def test_a_listener_is_patient_by_default():
    listener = Listener("127.0.0.1", 1)
    assert (listener.drain_seconds, listener.header_seconds) == (30.0, 30.0)
