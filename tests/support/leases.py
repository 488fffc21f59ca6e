"""A world of workers that share budgets: random steps, and the truth to compare with.

Workers are the real slices; the documents are the real pages, in whatever store is given. The
truth is plain bookkeeping: every hold that was ever granted, and what it cost.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Hold, budget_id
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.closing import close_lease, close_rest
from tiergate.core.lease import FOLD_SECONDS, LEASE_SECONDS, Unseeded
from tiergate.core.slice import Short, Slice
from tiergate.core.slices import Slices
from tiergate.core.window import read_period
from tiergate.pipeline.sheets import document_of, exchanging, read_sheet, write_sheet
from tiergate.ports import Change, Seen

SCOPES = (
    (ScopeKind.GATEWAY, "gateway", 4000),
    (ScopeKind.ALIAS, "cheap", 900),
    (ScopeKind.PROVIDER, "p", 2500),
    (ScopeKind.KEY, "k", 300),
)


def budgets(period: str, factor: int = 1) -> list[Budget]:
    return [
        Budget(
            BudgetRule(
                scope=scope,
                name=name,
                limit=NanoUsd(limit * factor),
                window=period,
                period=period,
                source=Position("config.yaml", 1),
            ),
            read_period(period, UTC),
        )
        for scope, name, limit in SCOPES
    ]


IDS = tuple(budget_id(scope, name) for scope, name, _ in SCOPES)

Update = Callable[[Sequence[str], Change[object]], Awaitable[object]]


@dataclass(eq=False)
class Call:
    """One granted hold, and where it counts."""

    worker: Worker
    hold: Hold
    windows: dict[str, int]
    leases: tuple[str, ...]
    amount: int
    cost: int | None = None


@dataclass(eq=False)
class Worker:
    """One worker; `dead` ones may leave a journal."""

    name: str
    slices: Slices
    calls: list[Call] = field(default_factory=list)
    killed: float = 0.0
    seen: dict[str, Slice] = field(default_factory=dict)


class World:
    """Workers, a store, a clock, and the truth.

    Args:
        seed: Of the dice.
        update: The store's `update`.
        period: Of every budget.
    """

    def __init__(self, seed: int, update, period: str = "rolling:100000", factor: int = 1) -> None:
        self.dice = random.Random(seed)
        self.update = update
        self.now = 1_000_000.0
        self.budgets = budgets(period, factor)
        self.limits = {b.id: b.rule.limit for b in self.budgets}
        self.calls: list[Call] = []
        self.dead: list[Worker] = []
        self.number = 0
        self.workers = [self.worker() for _ in range(3)]
        self.granted = self.refused = 0

    def worker(self) -> Worker:
        self.number += 1
        made = Worker(f"w{self.number}", Slices(f"w{self.number}", "source"))
        made.slices.configure(self.budgets)
        return made

    # ------------------------------------------------------------------ what can happen

    async def step(self) -> None:
        self.now += self.dice.random() * self.dice.choice((0.01, 0.3, 2.0))
        roll = self.dice.random()
        worker = self.dice.choice(self.workers)
        if roll < 0.45:
            await self.hold(worker)
        elif roll < 0.75:
            self.end(worker)
        elif roll < 0.90:
            await self.exchange(worker)
        elif roll < 0.93:
            await self.exchange(worker, lost=True)
        elif roll < 0.95:
            worker.slices.failed([part for part, _ in worker.slices.asks(self.now)])
        elif roll < 0.96:
            self.kill(worker)
        elif roll < 0.98 and self.dead:
            await self.recover(self.dice.randrange(len(self.dead)))
        elif roll < 0.985:
            self.now += LEASE_SECONDS * self.dice.random() * 2
        elif roll < 0.9852:
            self.now += 120_000
        else:
            worker.slices.sweep(self.now)

    async def hold(self, worker: Worker) -> None:
        names = [name for name in IDS if self.dice.random() < 0.7] or [IDS[0]]
        amount = self.dice.choice((1, 7, 20, 60, 150))
        found = worker.slices.try_hold(names, amount, self.now, self.now + 1e9)
        if isinstance(found, Short):
            short = found
            worker.slices.want(short)
            await self.exchange(worker)
            worker.slices.unwant(short)
            found = worker.slices.try_hold(names, amount, self.now, self.now + 1e9)
        if isinstance(found, Hold):
            self.granted += 1
            windows = {p.budget.id: p.span.start for p in found.pages}
            leases = tuple(page.lease for page in found.pages)
            call = Call(worker, found, windows, leases, amount)
            worker.calls.append(call)
            self.calls.append(call)
            for page in found.pages:
                worker.seen[page.lease] = page
            return
        self.refused += 1
        assert isinstance(found, Short)
        for part in found.slices:
            assert part.left < amount
            if part.told == self.now and not part.recalled:
                assert part.free + part.left < amount or part.free == 0

    def end(self, worker: Worker) -> None:
        open_ = [call for call in worker.calls if call.cost is None]
        if not open_:
            return
        call = self.dice.choice(open_)
        call.cost = self.dice.randint(0, call.amount)
        worker.slices.settle(call.hold, call.cost)

    async def exchange(self, worker: Worker, *, lost: bool = False, closing: bool = False) -> None:
        told = worker.slices.asks(self.now, closing=closing)
        left = told
        while left:
            change = exchanging([ask for _, ask in left], lambda: self.now)
            names = dict.fromkeys(document_of(ask.budget.id) for _, ask in left)
            answers = await self.update(tuple(names), change)
            if lost:
                worker.slices.failed([part for part, _ in told])
                return
            again = []
            for (part, ask), reply in zip(left, answers.replies, strict=True):
                if isinstance(reply, Unseeded):
                    again.append((part, replace(ask, seed=self.recorded(reply))))
                else:
                    worker.slices.absorb(part, ask, reply, self.now)
            left = again

    def recorded(self, asked: Unseeded) -> int:
        """What the ledger says of a window that the store knows nothing of: it is new here."""
        del asked
        return 0

    def kill(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self.dead.append(worker)
        worker.killed = self.now
        for call in worker.calls:
            if call.cost is None:  # nobody will ever tell: charged what was held
                call.cost = call.amount
        self.workers.append(self.worker())

    async def recover(self, index: int) -> None:
        """Read the dead worker's journal: what it had settled, and what it held."""
        worker = self.dead.pop(index)
        settled: dict[str, int] = {}
        for call in worker.calls:
            for lease in call.leases:
                settled[lease] = settled.get(lease, 0) + (call.cost or 0)
        for lease, part in worker.seen.items():
            name = document_of(part.budget.id)

            def change(seen: Seen, lease=lease, part=part, name=name):
                sheet = close_lease(
                    read_sheet(seen.get(name)),
                    lease,
                    "source",
                    part.span,
                    settled.get(lease, 0),
                    self.now,
                    old=self.now - worker.killed >= FOLD_SECONDS,
                )
                return {name: write_sheet(sheet)}, None

            await self.update((name,), change)

        def rest(seen: Seen):
            written = {}
            for name in names:
                sheet = read_sheet(seen.get(name))
                if sheet is not None and close_rest(sheet, worker.name, settled, self.now):
                    written[name] = write_sheet(sheet)
            return written, None

        names = tuple(document_of(b.id) for b in self.budgets)
        await self.update(names, rest)

    # ------------------------------------------------------------------ the truth

    def truth(self, name: str, start: int) -> int:
        """Return what is spent and held in a window, whoever knows of it."""
        mine = (c for c in self.calls if c.windows.get(name) == start)
        return sum(c.amount if c.cost is None else c.cost for c in mine)

    def forget_old(self) -> None:
        """Drop ended calls of windows that are over, so that long worlds stay quick."""
        newest: dict[str, int] = {}
        for call in self.calls:
            for name, start in call.windows.items():
                newest[name] = max(newest.get(name, 0), start)
        self.calls = [
            c
            for c in self.calls
            if c.cost is None or any(newest[n] == s for n, s in c.windows.items())
        ]

    def check(self) -> None:
        starts: dict[str, set[int]] = {}
        for call in self.calls:
            for name, start in call.windows.items():
                starts.setdefault(name, set()).add(start)
        for name, all_ in starts.items():
            for start in all_:
                assert self.truth(name, start) <= self.limits[name], (name, start)

    async def sheets(self) -> dict:
        names = tuple(document_of(b.id) for b in self.budgets)

        def look(seen: Seen):
            return {}, {name: read_sheet(seen.get(name)) for name in names}

        found = await self.update(names, look)
        return {b.id: found[document_of(b.id)] for b in self.budgets}

    async def finish(self) -> None:
        """End everything; then the store must say exactly what the truth says."""
        while self.dead:
            await self.recover(0)
        for worker in self.workers:
            for call in worker.calls:
                if call.cost is None:
                    call.cost = self.dice.randint(0, call.amount)
                    worker.slices.settle(call.hold, call.cost)
            await self.exchange(worker)
            await self.exchange(worker, closing=True)
        for name, sheet in (await self.sheets()).items():
            for page in sheet.pages if sheet is not None else ():
                assert page.held(self.now) == 0
                assert page.assumed(self.now) == 0
                known = self.truth(name, page.start)
                assert page.spent(self.now) == known, (name, page.start)


__all__ = ["FOLD_SECONDS", "IDS", "World", "budgets"]
