"""A stream on its way to the caller: the order of things, breaks, silence, slow callers."""

from __future__ import annotations

import asyncio

import pytest

from support import anthropic_wire
from support.engine import Checkpoint, Hang, MemoryExchange, Pause, Turn
from support.jumping import play
from tiergate.base.errors import FailureClass
from tiergate.pipeline.attempt import Open
from tiergate.pipeline.relay import cut_short, relay
from tiergate.ports import Fault
from tiergate.providers.anthropic import AnthropicPassthrough

EVENTS = anthropic_wire.text_events("hello")
END = EVENTS[-1]


def opened(*pieces, held: bytes = b"") -> tuple[Open, MemoryExchange]:
    exchange = MemoryExchange(Turn(pieces), Checkpoint())
    reader = AnthropicPassthrough("cheap", error_frame=lambda failure: b"ERROR")
    return Open(exchange, reader, held), exchange


class Caller:
    """Takes a stream, as slowly as told."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.got: list[bytes] = []
        self._seconds = seconds

    async def __call__(self, data: bytes) -> None:
        await asyncio.sleep(self._seconds)
        self.got.append(data)


def test_pieces_go_on_in_order_as_they_come():
    async def work() -> None:
        stream, exchange = opened(*EVENTS[1:], held=EVENTS[0])
        caller = Caller()
        assert await relay(stream, caller, 5.0) is None
        assert caller.got == EVENTS
        assert exchange.over

    play(work())


def test_an_end_that_was_held_is_the_end():
    async def work() -> None:
        stream, exchange = opened(held=b"all")
        stream.reader.ended = True
        caller = Caller()
        assert await relay(stream, caller, 5.0) is None
        assert caller.got == [b"all"]
        assert exchange.closed

    play(work())


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CLOSED_EARLY, Fault.TLS, Fault.PROTOCOL])
def test_a_break_is_the_last_thing_the_caller_is_told(fault):
    async def work() -> None:
        stream, exchange = opened(*EVENTS[:4], fault)
        caller = Caller()
        failure = await relay(stream, caller, 5.0)
        assert failure.kind is FailureClass.CONNECTION
        assert caller.got == [*EVENTS[:4], b"ERROR"] or b"".join(caller.got).endswith(b"ERROR")
        assert exchange.closed

    play(work())


def test_an_end_without_its_marks_is_a_break():
    async def work() -> None:
        stream, _ = opened(*EVENTS[:4])
        caller = Caller()
        failure = await relay(stream, caller, 5.0)
        assert failure.kind is FailureClass.CONNECTION
        assert caller.got[-1] == b"ERROR"

    play(work())


def test_what_came_with_an_error_event_is_sent_before_the_error():
    async def work() -> None:
        stream, _ = opened(*EVENTS[:3], EVENTS[3] + anthropic_wire.error_event() + END)
        caller = Caller()
        failure = await relay(stream, caller, 5.0)
        assert failure.kind is FailureClass.UPSTREAM
        assert caller.got[-2:] == [EVENTS[3], b"ERROR"]

    play(work())


def test_silence_is_a_timeout_told_in_band():
    async def work() -> None:
        stream, exchange = opened(*EVENTS[:4], Hang())
        caller = Caller()
        began = asyncio.get_running_loop().time()
        failure = await relay(stream, caller, 5.0)
        assert failure.kind is FailureClass.TIMEOUT
        assert 5.0 <= asyncio.get_running_loop().time() - began <= 5.5 + 0.01
        assert caller.got[-1] == b"ERROR"
        assert exchange.closed

    play(work())


def test_a_pause_within_the_limit_is_none():
    async def work() -> None:
        pieces = [piece for event in EVENTS for piece in (Pause(4.9), event)]
        stream, _ = opened(*pieces)
        assert await relay(stream, Caller(), 5.0) is None

    play(work())


def test_a_slow_caller_is_not_taken_for_a_silent_provider():
    async def work() -> None:
        stream, _ = opened(*EVENTS)
        caller = Caller(60.0)
        assert await relay(stream, caller, 5.0) is None
        assert len(caller.got) == len(EVENTS)

    play(work())


def test_without_a_limit_silence_may_last():
    async def work() -> None:
        stream, _ = opened(*EVENTS[:4], Pause(1e5), *EVENTS[4:])
        assert await relay(stream, Caller(), None) is None

    play(work())


def test_a_caller_who_is_gone_ends_the_upstream():
    async def work() -> None:
        async def gone(data: bytes) -> None:
            raise ConnectionError

        stream, exchange = opened(*EVENTS)
        with pytest.raises(ConnectionError):
            await relay(stream, gone, 5.0)
        assert exchange.closed

    play(work())


def test_cancelling_ends_the_upstream_and_the_watch():
    async def work() -> None:
        stream, exchange = opened(*EVENTS[:4], Hang())
        task = asyncio.ensure_future(relay(stream, Caller(), 5.0))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert exchange.closed
        await asyncio.sleep(60.0)

    play(work())


def test_a_stream_cut_short_ends_with_the_callers_error_frame():
    async def work() -> None:
        stream, _ = opened(held=EVENTS[0])
        caller = Caller()
        await cut_short(stream, caller)
        assert caller.got == [b"ERROR"]

    play(work())
