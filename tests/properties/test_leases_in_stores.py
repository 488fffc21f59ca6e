"""The same worlds of workers as in `test_leases`, with budgets in real stores.

Other clients of the store change other documents meanwhile, as in service. How many steps are
made stands in `TIERGATE_LEASE_STEPS`; a full run has 100,000 for each store.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from support.documents import counting
from support.leases import World
from support.servers import running_postgres, running_redis
from tiergate.base.values import Secret
from tiergate.ports import Documents
from tiergate.stores.postgres import PostgresDocuments
from tiergate.stores.redis_documents import RedisDocuments
from tiergate.stores.redis_place import RedisPlace
from tiergate.stores.sqlite import SqliteDocuments

STEPS = int(os.environ.get("TIERGATE_LEASE_STEPS", "20000"))
"""Steps for each store, over all periods together."""

PERIODS = ("rolling:100000", "calendar:day", "none")
WORLD_STEPS = 3400
"""A world has at most so many: its truth is looked through again and again."""

CHECK_EACH = 50
STORES = ("sqlite", "postgres", "redis")

Opener = Callable[[], Documents]


@contextmanager
def opener(kind: str, folder: Path) -> Iterator[Opener]:
    """A store that can be opened as often as wanted, each time as by another worker."""
    with ExitStack() as stack:
        if kind == "sqlite":
            yield lambda: SqliteDocuments.open(folder / "state.db", seconds=20.0)
        elif kind == "postgres":
            url = Secret(stack.enter_context(running_postgres()).url)
            yield lambda: PostgresDocuments.open(url, seconds=20.0)
        else:
            server = stack.enter_context(running_redis(folder / "redis"))
            place = RedisPlace(host="127.0.0.1", port=server.port)
            yield lambda: RedisDocuments(place, random.Random(1).random, seconds=20.0)


@asynccontextmanager
async def disturbed(store: Documents) -> AsyncIterator[list[int]]:
    """Somebody else changes other documents of the store meanwhile; yields their counts."""
    counts: list[int] = []

    async def disturb() -> None:
        while True:
            counts.append(await store.update(["other"], counting("other")))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(disturb())
    try:
        yield counts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def play(store: Documents, seed: int, period: str, steps: int) -> tuple[int, int]:
    """Play one world to its end; returns how many holds it granted and refused."""
    world = World(seed, store.update, period)
    for number in range(steps):
        await world.step()
        if number % CHECK_EACH == 0:
            world.check()
    world.check()
    await world.finish()
    names = [name for name, _ in await store.scan("budget:")]
    await store.update(names, lambda _: (dict.fromkeys(names), None))
    return world.granted, world.refused


@pytest.mark.parametrize("kind", STORES)
async def test_limits_hold_and_every_amount_is_found_again_in_a_real_store(
    kind: str, tmp_path: Path
):
    with opener(kind, tmp_path) as opens:
        store, other = opens(), opens()
        played = granted = refused = seed = 0
        async with disturbed(other) as counts:
            while played < STEPS:
                steps = min(WORLD_STEPS, max(1, STEPS // len(PERIODS)))
                found = await play(store, seed, PERIODS[seed % len(PERIODS)], steps)
                granted, refused = granted + found[0], refused + found[1]
                played, seed = played + steps, seed + 1
        await store.aclose()
        await other.aclose()
    assert played >= STEPS
    assert granted > STEPS // 20
    assert refused > STEPS // 50
    assert counts == list(range(1, len(counts) + 1)), "nobody undid the others' changes"
