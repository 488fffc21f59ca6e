"""Work that nobody waits for is held, counted, and ended with its owner."""

from __future__ import annotations

import asyncio
import gc

from tiergate.pipeline.errands import Errands


async def test_work_is_counted_until_it_is_over():
    errands: Errands[int] = Errands()
    gate = asyncio.Event()

    async def work() -> int:
        await gate.wait()
        return 5

    task = errands.begin(work())
    gc.collect()
    assert len(errands) == 1
    gate.set()
    assert await task == 5
    await asyncio.sleep(0)
    assert len(errands) == 0


async def test_settling_waits_for_all_also_for_what_fails():
    errands: Errands[None] = Errands()
    done: list[str] = []

    async def fine() -> None:
        await asyncio.sleep(0)
        done.append("fine")

    async def fails() -> None:
        raise RuntimeError("no")

    errands.begin(fine())
    errands.begin(fails())
    await errands.settle()
    assert done == ["fine"]


async def test_closing_ends_what_is_under_way():
    errands: Errands[None] = Errands()
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    errands.begin(work())
    await asyncio.sleep(0)
    await errands.aclose()
    await asyncio.sleep(0)
    assert (ended, len(errands)) == (["ended"], 0)
