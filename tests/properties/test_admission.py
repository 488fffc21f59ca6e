"""Callers of several workers rush a budget: what there is money for is admitted, to the last."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC

import pytest

from support.jumping import play
from support.money import nothing
from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, BudgetId, Hold
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.slices import Short, Slices
from tiergate.core.window import read_period
from tiergate.pipeline.leasing import Leasing
from tiergate.stores.documents_memory import MemoryDocuments

WORKERS = 4
CALLS = 200
NAME = BudgetId("alias:a")


class Far(MemoryDocuments):
    """A store whose answers take their time, one change after the other."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice
        self._turn = asyncio.Lock()

    async def update(self, keys, change):
        await asyncio.sleep(self._dice.random() * 0.01)
        async with self._turn:
            await asyncio.sleep(self._dice.random() * 0.004)
            answer = await super().update(keys, change)
        await asyncio.sleep(self._dice.random() * 0.01)
        return answer


def budget(limit: int) -> Budget:
    rule = BudgetRule(
        scope=ScopeKind.ALIAS,
        name="a",
        limit=NanoUsd(limit),
        window="none",
        period="none",
        source=Position("config.yaml", 1),
    )
    return Budget(rule, read_period("none", UTC))


async def rush(seed: int, limit: int, amounts) -> tuple[int, int]:
    """Return how much was admitted, and the least that was refused."""
    dice = random.Random(seed)
    clock = asyncio.get_running_loop().time
    documents = Far(dice)
    workers = [
        Leasing(Slices(f"w{i}", "source"), documents, nothing, clock) for i in range(WORKERS)
    ]
    for worker in workers:
        worker.configure([budget(limit)])
        worker.start()
    admitted: list[int] = []
    refused: list[int] = []

    async def call(number: int) -> None:
        await asyncio.sleep(dice.random() * 0.1)
        amount = dice.choice(amounts)
        worker, now = workers[number % WORKERS], clock()
        found = worker.try_hold([NAME], amount, now, now + 1000)
        if isinstance(found, Short):
            found = await worker.hold([NAME], found, now, 1000)
        if not isinstance(found, Hold):
            refused.append(amount)
            return
        admitted.append(amount)
        assert sum(admitted) <= limit
        await asyncio.sleep(3.0)
        worker.settle(found, amount)

    await asyncio.gather(*(call(number) for number in range(CALLS)))
    for worker in workers:
        await worker.aclose()
    return sum(admitted), min(refused)


@pytest.mark.parametrize("seed", range(60))
def test_exactly_what_there_is_money_for_is_admitted(seed):
    admitted, _ = play(rush(seed, 1000, [100]))
    assert admitted == 1000


@pytest.mark.parametrize("seed", range(30))
def test_of_calls_that_differ_no_more_is_left_than_the_least_refused(seed):
    admitted, least = play(rush(seed, 5000, [70, 100, 130, 400]))
    assert 5000 - 400 < admitted <= 5000
    assert least > 0
