"""A store of vectors that is down: nobody waits long, nothing raises, and it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tiergate.core.meaning import Near
from tiergate.ports import Remembered, StoreDownError
from tiergate.stores.meanings_guarded import REST_SECONDS, GuardedMeanings

QUESTION = Remembered(key="n:k", space="n", partition="n:p", sides=(), expires=100.0)


class Shaky:
    """Implements `Vectors`: works, is down, or hangs."""

    place = "a shaky place"

    def __init__(self) -> None:
        self.fault: str | None = None
        self.hangs = False
        self.asked = 0
        self.added: list[Remembered] = []
        self.closed = False

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int, now: float
    ) -> list[Near]:
        await self._work()
        return [Near("n:k", 1.0, ())]

    async def add(self, question: Remembered, vector: Sequence[float], now: float) -> None:
        await self._work()
        self.added.append(question)

    async def clear(self, space: str) -> None:
        await self._work()

    async def aclose(self) -> None:
        self.closed = True
        await self._work()

    async def _work(self) -> None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise StoreDownError(self.fault)


class World:
    def __init__(self, wait: float = 5.0) -> None:
        self.store = Shaky()
        self.now = 0.0
        self.guarded = GuardedMeanings(self.store, wait, lambda: self.now, lambda: self.now)

    async def ask(self) -> list[Near] | None:
        return await self.guarded.nearest("n:p", (1.0,), 8)


async def test_one_that_works_is_asked_each_time():
    world = World()
    assert await world.ask() == [Near("n:k", 1.0, ())]
    await world.guarded.add(QUESTION, (1.0,))
    assert (world.store.added, world.guarded.fault) == ([QUESTION], None)


async def test_one_that_is_down_is_left_alone_and_asked_again_by_one():
    world = World()
    world.store.fault = "no connection"
    assert await world.ask() is None
    assert world.guarded.fault == "no connection"
    assert await world.ask() is None
    await world.guarded.add(QUESTION, (1.0,))
    assert world.store.asked == 1
    world.now = REST_SECONDS + 0.1
    world.store.hangs = True
    trying = asyncio.ensure_future(world.ask())
    await asyncio.sleep(0)
    assert await world.ask() is None  # while one finds out, the others do not wait
    assert world.store.asked == 2
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)


async def test_it_comes_back_by_itself():
    world = World()
    world.store.fault = "no connection"
    await world.ask()
    world.store.fault = None
    world.now = REST_SECONDS + 0.1
    assert await world.ask() is not None
    assert world.guarded.fault is None


async def test_nobody_waits_longer_than_the_limit():
    world = World(wait=0.01)
    world.store.hangs = True
    assert await world.ask() is None
    assert world.guarded.fault == "a shaky place did not answer within 0.01 seconds"


async def test_what_has_expired_is_not_kept():
    world = World()
    world.now = QUESTION.expires
    await world.guarded.add(QUESTION, (1.0,))
    assert world.store.added == []


@pytest.mark.parametrize("method", ["clear", "aclose"])
async def test_nothing_raises_for_a_store_that_is_down(method):
    world = World()
    world.store.fault = "no connection"
    await (world.guarded.clear("n") if method == "clear" else world.guarded.aclose())
    assert world.guarded.fault == "no connection"
