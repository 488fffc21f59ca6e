"""Many workers on shared budgets: never above a limit, and nothing lost, whatever happens."""

from __future__ import annotations

import pytest

from support.leases import World


class Dictionary:
    """Documents in a dict, without any store."""

    def __init__(self):
        self.kept = {}

    async def update(self, keys, change):
        written, answer = change({key: self.kept.get(key) for key in keys})
        for key, value in written.items():
            assert key in keys
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value
        return answer


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("period", ["rolling:100000", "calendar:day", "none"])
async def test_a_limit_holds_and_every_amount_is_found_again(seed, period):
    world = World(seed, Dictionary().update, period)
    for number in range(3400):
        await world.step()
        if number % 10 == 0:
            world.check()
    world.check()
    await world.finish()
    assert world.granted > 100
    assert world.refused > 100
