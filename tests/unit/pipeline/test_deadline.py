"""A time limit that is one timer: it ends its block, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from support.jumping import play
from tiergate.pipeline.deadline import Deadline


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_block_that_takes_too_long_is_ended():
    async def work() -> None:
        began = now()
        with pytest.raises(TimeoutError):
            with Deadline(began + 2.0):
                await asyncio.sleep(9.0)
        assert now() - began == pytest.approx(2.0)
        await asyncio.sleep(1.0)  # the task goes on

    play(work())


def test_a_block_in_time_is_not_disturbed_later():
    async def work() -> None:
        with Deadline(now() + 2.0):
            await asyncio.sleep(1.0)
        await asyncio.sleep(9.0)

    play(work())


def test_no_limit_is_no_limit():
    async def work() -> None:
        with Deadline(None):
            await asyncio.sleep(1e6)

    play(work())


def test_an_instant_that_has_passed_ends_the_block_at_its_first_await():
    async def work() -> None:
        with pytest.raises(TimeoutError):
            with Deadline(now() - 1.0):
                await asyncio.sleep(1.0)

    play(work())


def test_an_error_of_the_block_goes_on():
    async def work() -> None:
        with pytest.raises(KeyError):
            with Deadline(now() + 1.0):
                raise KeyError

    play(work())


def test_a_cancellation_from_outside_is_no_timeout():
    async def inner() -> None:
        with Deadline(now() + 5.0):
            await asyncio.sleep(9.0)

    async def work() -> None:
        task = asyncio.ensure_future(inner())
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(work())


def test_a_cancellation_at_the_very_same_moment_is_no_timeout():
    async def inner() -> None:
        with Deadline(now() + 1.0):
            await asyncio.sleep(9.0)

    async def work() -> None:
        task = asyncio.ensure_future(inner())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_at(now() + 1.0, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    play(work())


def test_the_inner_of_two_limits_ends_only_its_own_block():
    async def work() -> None:
        began = now()
        with Deadline(began + 5.0):
            with pytest.raises(TimeoutError):
                with Deadline(began + 1.0):
                    await asyncio.sleep(9.0)
            await asyncio.sleep(1.0)
        with pytest.raises(TimeoutError):
            with Deadline(began + 4.0):
                with Deadline(began + 8.0):
                    await asyncio.sleep(9.0)
        assert now() - began == pytest.approx(4.0)

    play(work())


def test_it_needs_a_task_to_end():
    async def work() -> None:
        found: list[BaseException] = []

        def outside() -> None:
            try:
                Deadline(1.0).__enter__()
            except RuntimeError as error:
                found.append(error)

        asyncio.get_running_loop().call_soon(outside)
        await asyncio.sleep(0.1)
        assert "inside a task" in str(found[0])

    play(work())
