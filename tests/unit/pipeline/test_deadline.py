"""Time limits that share one timer: each ends its own block, late by one look at most."""

from __future__ import annotations

import asyncio

import pytest

from support.jumping import play
from tiergate.pipeline.deadline import LOOK_SECONDS, Deadlines

LATE = LOOK_SECONDS + 1e-6


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_block_that_takes_too_long_is_ended():
    async def work() -> None:
        limits = Deadlines()
        began = now()
        with pytest.raises(TimeoutError), limits.until(began + 2.0):
            await asyncio.sleep(9.0)
        assert 2.0 <= now() - began <= 2.0 + LATE
        await asyncio.sleep(1.0)  # the task goes on

    play(work())


def test_a_block_in_time_is_not_disturbed_later():
    async def work() -> None:
        limits = Deadlines()
        with limits.until(now() + 2.0):
            await asyncio.sleep(1.0)
        await asyncio.sleep(9.0)

    play(work())


def test_no_limit_is_no_limit():
    async def work() -> None:
        limits = Deadlines()
        with limits.until(None):
            await asyncio.sleep(1e6)

    play(work())


def test_an_instant_that_has_passed_ends_the_block_at_its_first_await():
    async def work() -> None:
        limits = Deadlines()
        with pytest.raises(TimeoutError), limits.until(now() - 1.0):
            await asyncio.sleep(1.0)

    play(work())


def test_an_error_of_the_block_goes_on():
    async def work() -> None:
        limits = Deadlines()
        with pytest.raises(KeyError), limits.until(now() + 1.0):
            raise KeyError

    play(work())


def test_a_cancellation_from_outside_is_no_timeout():
    async def inner(limits: Deadlines) -> None:
        with limits.until(now() + 5.0):
            await asyncio.sleep(9.0)

    async def work() -> None:
        limits = Deadlines()
        task = asyncio.ensure_future(inner(limits))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(work())


def test_a_cancellation_at_the_very_same_moment_is_no_timeout():
    async def inner(limits: Deadlines) -> None:
        with limits.until(now() + 1.0):
            await asyncio.sleep(9.0)

    async def work() -> None:
        limits = Deadlines()
        task = asyncio.ensure_future(inner(limits))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_at(now() + 1.0, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    play(work())


def test_the_inner_of_two_limits_ends_only_its_own_block():
    async def work() -> None:
        limits = Deadlines()
        began = now()
        with limits.until(began + 5.0):
            with pytest.raises(TimeoutError), limits.until(began + 1.0):
                await asyncio.sleep(9.0)
            await asyncio.sleep(1.0)
        with (
            pytest.raises(TimeoutError),
            limits.until(began + 4.0),
            limits.until(began + 8.0),
        ):
            await asyncio.sleep(9.0)
        assert 4.0 <= now() - began <= 4.0 + LATE

    play(work())


def test_many_limits_pass_each_in_its_time_and_the_timer_stops_with_the_last():
    ended: dict[float, float] = {}

    async def one(limits: Deadlines, began: float, seconds: float) -> None:
        try:
            with limits.until(began + seconds):
                await asyncio.sleep(3.0 if seconds > 3 else 99.0)
        except TimeoutError:
            ended[seconds] = now() - began

    async def work() -> None:
        limits = Deadlines()
        began = now()
        await asyncio.gather(*(one(limits, began, s) for s in (2.0, 0.5, 9.0, 1.0, 0.5, 2.5)))
        assert sorted(ended) == [0.5, 1.0, 2.0, 2.5]
        assert all(seconds <= took <= seconds + LATE for seconds, took in ended.items())
        await asyncio.sleep(2 * LOOK_SECONDS)
        assert limits._timer is None
        with pytest.raises(TimeoutError), limits.until(now() + 1.0):
            await asyncio.sleep(9.0)

    play(work())


def test_it_needs_a_task_to_end():
    async def work() -> None:
        limits = Deadlines()
        found: list[BaseException] = []

        def outside() -> None:
            try:
                limits.until(1.0).__enter__()
            except RuntimeError as error:
                found.append(error)

        asyncio.get_running_loop().call_soon(outside)
        await asyncio.sleep(0.1)
        assert "inside a task" in str(found[0])

    play(work())
