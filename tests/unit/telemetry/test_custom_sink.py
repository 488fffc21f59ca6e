"""A logger that raises, blocks or hangs stops nothing but itself."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from support.told import no_fold, telling, told
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.telemetry import custom_sink
from tiergate.telemetry.custom_hooks import Hooks
from tiergate.telemetry.custom_sink import CustomSender
from tiergate.telemetry.outbox import NotTakenError


class Logger:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.threads: set[str] = set()

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.threads.add(threading.current_thread().name)
        await asyncio.sleep(0)
        self.seen.append(kwargs["litellm_call_id"])


def sender(logger: object) -> CustomSender:
    return CustomSender("mine", Hooks(logger), no_fold, nameless=False)


async def test_calls_are_told_in_a_thread_of_their_own():
    logger = Logger()
    send = sender(logger)
    alert = BudgetAlert(ScopeKind.GATEWAY, "", "50", 1, 2, None, "1d", None)
    try:
        assert await send([told(call_id="a"), alert, told(call_id="b")]) is None
    finally:
        send.close()
    assert sorted(logger.seen) == ["a", "b"]
    assert logger.threads == {"callback mine"}


async def test_what_is_not_asynchronous_has_a_thread_of_its_own_too():
    names: list[str] = []

    class Sync:
        def log_success_event(self, kwargs, response_obj, start_time, end_time):
            names.append(threading.current_thread().name)

    send = sender(Sync())
    try:
        assert await send([told(), told()]) is None
    finally:
        send.close()
    assert names == ["callback mine, blocking"] * 2


async def test_errors_are_counted_and_the_others_are_told():
    class Picky(Logger):
        async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
            if kwargs["litellm_call_id"] == "bad":
                raise ValueError("I do not like it")
            await super().async_log_success_event(kwargs, response_obj, start_time, end_time)

    logger = Picky()
    send = sender(logger)
    try:
        partly = await send([told(call_id="a"), told(call_id="bad"), told(call_id="b")])
    finally:
        send.close()
    assert partly is not None
    assert (partly.failed, partly.why) == (1, "ValueError: I do not like it")
    assert sorted(logger.seen) == ["a", "b"]


async def test_an_asynchronous_method_that_hangs_is_cancelled(monkeypatch):
    monkeypatch.setattr(custom_sink, "HOOK_SECONDS", 0.05)
    cancelled: list[bool] = []

    class Hangs:
        async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

    send = sender(Hangs())
    try:
        partly = await send([told()])
    finally:
        send.close()
    assert partly is not None
    assert "longer than" in partly.why
    assert cancelled == [True]


async def test_a_method_that_blocks_its_loop_blocks_no_other(monkeypatch):
    monkeypatch.setattr(custom_sink, "BATCH_SECONDS", 0.2)
    free = threading.Event()

    class Blocks:
        async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
            free.wait(20)

    send = sender(Blocks())
    try:
        begun = time.monotonic()
        with pytest.raises(NotTakenError) as first:
            await send([told()])
        assert time.monotonic() - begun < 5
        assert not first.value.again, "which calls were told is not known"
        with pytest.raises(NotTakenError, match="not returned") as second:
            await send([told()])
        assert second.value.again
    finally:
        free.set()
        send.close()


async def test_a_blocking_method_that_hangs_does_not_gather_what_waits_for_it(monkeypatch):
    monkeypatch.setattr(custom_sink, "HOOK_SECONDS", 0.05)
    free = threading.Event()

    class Sleeps:
        def log_success_event(self, kwargs, response_obj, start_time, end_time):
            free.wait(20)

    send = sender(Sleeps())
    try:
        for _ in range(5):
            partly = await send([told() for _ in range(8)])
            assert partly is not None
            assert partly.failed == 8
        assert send._blocking is not None
        assert len(send._blocking._jobs) <= 8
    finally:
        free.set()
        send.close()


async def test_a_logger_that_wants_no_words_gets_none():
    seen: list[object] = []

    class Shy:
        turn_off_message_logging = True

        def log_success_event(self, kwargs, response_obj, start_time, end_time):
            seen.append(kwargs["messages"])

    send = sender(Shy())
    try:
        await send([told(telling())])
    finally:
        send.close()
    assert seen == [[]]


async def test_threads_end_when_it_is_closed():
    send = sender(Logger())
    await send([told()])
    send.close()
    loops = [each for each in threading.enumerate() if each.name.startswith("callback mine")]
    for each in loops:
        each.join(5)
        assert not each.is_alive()


def test_a_logger_that_was_never_told_has_no_threads():
    send = sender(Logger())
    send.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("callback mine")]
