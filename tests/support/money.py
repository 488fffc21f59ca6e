"""Accounts over documents in memory, decided at once: nothing in them ever really waits."""

from __future__ import annotations

from collections.abc import Coroutine

from tiergate.core.slices import Slices
from tiergate.pipeline.leasing import Leasing
from tiergate.pipeline.rates import Rates
from tiergate.pipeline.spend import Spend
from tiergate.pipeline.standings import Standings
from tiergate.ports import Pending
from tiergate.stores.documents_memory import MemoryDocuments


async def nothing(scope):
    """A ledger that has no records."""
    del scope
    return 0


def drive(work: Coroutine):
    """Run a coroutine that never waits for anything."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise AssertionError("it waits for something")


def decided(decision):
    """The decision itself, or what it comes to."""
    return drive(decision.wait()) if isinstance(decision, Pending) else decision


class Accounts:
    """Everything about money, with one worker and one clock.

    `documents` may be shared with another `Accounts`, as by two workers.
    """

    def __init__(self, estimate, wall, *, documents=None, worker="w", books=None, **more) -> None:
        self.documents = documents if documents is not None else MemoryDocuments()
        self.leasing = Leasing(Slices(worker, "source"), self.documents, nothing, wall)
        self.pace = Leasing(Slices(f"{worker}-pace", "source"), self.documents, None, wall)
        self.rates = Rates(self.pace, wall)
        self.spend = Spend(self.leasing, estimate, wall, rates=self.rates, books=books, **more)
        self.standings = Standings(self.leasing, wall)

    def hold(self, inbound, deployment, now=0.0):
        return decided(self.spend.hold(inbound, deployment, now))

    def rows(self):
        return drive(self.standings.rows(self.spend.budgets))

    def totals(self):
        return drive(self.standings.totals(self.spend.budgets))
