"""Worlds whose store loses everything now and then: a cap is hardly passed, nothing is forgotten.

What a living worker tells again, and what the ledger knows, fill the store. What was leased since
the one who puts a page back last heard of it can be leased once more before it is told again: of
300 such worlds 15 passed a cap, by 46 of 300 at most. Once all have told, a page may count too
much until its window ends, never too little.
"""

from __future__ import annotations

import pytest

from support.leases import World
from tiergate.core.lease import Unseeded

LARGE_CALL = 150
"""The most that a call of these worlds can cost; the smallest cap is twice as much."""

PASSING = (36, 63, 91)
"""Worlds in which a cap is passed by a little."""


class LosingWorld(World):
    """A world whose documents can be lost, and whose ledger has every record at once."""

    def __init__(self, seed: int, period: str) -> None:
        self.kept: dict[str, bytes] = {}
        super().__init__(seed, self.change, period)

    async def change(self, keys, change):
        written, answer = change({key: self.kept.get(key) for key in keys})
        for key, value in written.items():
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value
        return answer

    def recorded(self, asked: Unseeded) -> int:
        """What the ledger says of a window: calls that have ended."""
        ended = (call for call in self.calls if call.cost is not None)
        return sum(c.cost for c in ended if c.windows.get(asked.budget) == asked.span.start)

    def check(self) -> None:
        """No window is above its limit by as much as one large call."""
        for name in self.limits:
            for start in {c.windows[name] for c in self.calls if name in c.windows}:
                assert self.truth(name, start) < self.limits[name] + LARGE_CALL, (name, start)

    async def lose(self) -> None:
        """Lose all documents; journals that lie about are read before, as a start does."""
        while self.dead:
            await self.recover(0)
        self.kept.clear()


@pytest.mark.parametrize("period", ["calendar:day", "rolling:100000", "none"])
@pytest.mark.parametrize("seed", [*range(9), *PASSING])
async def test_a_store_that_loses_everything_lets_no_cap_be_passed_by_a_large_call(seed, period):
    world = LosingWorld(seed, period)
    losses = 0
    for number in range(1200):
        await world.step()
        if number % 10 == 0:
            world.check()
        if world.dice.random() < 0.01:
            await world.lose()
            losses += 1
    world.check()
    assert losses
    assert world.granted > 50

    while world.dead:
        await world.recover(0)
    for worker in world.workers:
        for call in worker.calls:
            if call.cost is None:
                call.cost = world.dice.randint(0, call.amount)
                worker.slices.settle(call.hold, call.cost)
        await world.exchange(worker)
        await world.exchange(worker, closing=True)
    for name, sheet in (await world.sheets()).items():
        for page in sheet.pages[-1:] if sheet is not None else ():
            assert page.spent(world.now) >= world.truth(name, page.start)
