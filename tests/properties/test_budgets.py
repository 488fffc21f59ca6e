"""Every store of budgets, played against plain bookkeeping by random sequences of commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Budgets, Hold, Standing, budget_id
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.window import read_period

LENGTH = 50
SCOPES = ((ScopeKind.GATEWAY, "gateway"), (ScopeKind.ALIAS, "cheap"), (ScopeKind.PROVIDER, "p"))
IDS = tuple(budget_id(*scope) for scope in SCOPES)
STORES = (Budgets,)


def budgets(limits):
    return [
        Budget(
            BudgetRule(
                scope=scope,
                name=name,
                limit=NanoUsd(limit),
                window=f"{LENGTH}s",
                period=f"rolling:{LENGTH}",
                source=Position("config.yaml", 1),
            ),
            read_period(f"rolling:{LENGTH}", UTC),
        )
        for (scope, name), limit in zip(SCOPES, limits, strict=True)
    ]


@dataclass
class Entry:
    """One hold as plain bookkeeping knows it."""

    hold: Hold
    windows: dict[str, int]
    amount: int
    expires: float
    settled: int = 0
    held: int = 0
    ended: bool = False


@dataclass
class Books:
    """Plain bookkeeping: every hold ever taken, summed anew for each question."""

    limits: dict[str, int]
    grids: dict[str, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def window(self, name, now):
        return (int(now) - self.grids[name]) // LENGTH if name in self.grids else None

    def sums(self, name, now):
        current = self.window(name, now)
        mine = [e for e in self.entries if name in e.windows and e.windows[name] == current]
        return sum(e.settled for e in mine), sum(e.held for e in mine)


class Commands(RuleBasedStateMachine):
    """The commands; `store` is set by each test."""

    store: type[Budgets]
    overruns: bool

    def __init__(self):
        super().__init__()
        self.real = self.store()
        self.now = 1000.0
        self.limits = dict(zip(IDS, (300, 120, 200), strict=True))
        self.real.configure(budgets(self.limits.values()))
        self.books = Books(self.limits)
        self.above = False

    @rule(names=st.sets(st.sampled_from(IDS), min_size=1), amount=st.integers(0, 90))
    def hold(self, names, amount):
        ordered = [name for name in IDS if name in names]
        answer = self.real.try_hold(ordered, NanoUsd(amount), self.now, self.now + 60)
        short = None
        for name in ordered:
            # A window begins with the first call that asks for it, also when another refuses.
            self.books.grids.setdefault(name, int(self.now))
            if sum(self.books.sums(name, self.now)) + amount > self.limits[name]:
                short = name
                break
        if short is None:
            assert isinstance(answer, Hold)
            windows = {name: self.books.window(name, self.now) for name in ordered}
            entry = Entry(answer, windows, amount, self.now + 60, held=amount)
            self.books.entries.append(entry)
        else:
            assert isinstance(answer, Standing)
            assert answer.budget.id == short

    def open(self):
        return [entry for entry in self.books.entries if not entry.ended]

    @precondition(lambda self: self.open())
    @rule(data=st.data(), share=st.integers(0, 100), more=st.integers(0, 40))
    def settle(self, data, share, more):
        entry = data.draw(st.sampled_from(self.open()))
        cost = entry.amount * share // 100 + (more if self.overruns else 0)
        self.above = self.above or cost > entry.amount
        self.real.settle(entry.hold, NanoUsd(cost))
        entry.settled, entry.held, entry.ended = cost, 0, True

    @precondition(lambda self: self.open())
    @rule(data=st.data())
    def release(self, data):
        entry = data.draw(st.sampled_from(self.open()))
        self.real.release(entry.hold)
        entry.settled, entry.held, entry.ended = 0, 0, True

    @precondition(lambda self: self.books.entries)
    @rule(data=st.data(), cost=st.integers(0, 90))
    def end_again(self, data, cost):
        entry = data.draw(st.sampled_from(self.books.entries))
        if entry.ended:
            self.real.settle(entry.hold, NanoUsd(cost))

    @rule(seconds=st.floats(0, 70))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def expire(self):
        late = [e for e in self.open() if e.held and e.expires <= self.now]
        idle = [e for e in self.open() if not e.amount and not e.settled and e.expires <= self.now]
        count = self.real.expire(self.now)
        for entry in late:
            entry.settled, entry.held = entry.amount, 0
        assert len(late) <= count <= len(late) + len(idle)

    @invariant()
    def books_agree(self):
        for name in IDS:
            standing = self.real.standing(name, self.now)
            assert (standing.settled, standing.held) == self.books.sums(name, self.now)

    @invariant()
    def no_cap_is_exceeded_while_no_cost_exceeds_its_hold(self):
        for standing in self.real.standings(self.now):
            assert standing.held >= 0
            if not self.above:
                assert standing.settled + standing.held <= standing.budget.rule.limit


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("overruns", [False, True])
def test_a_store_agrees_with_plain_bookkeeping(store, overruns):
    kind = type("Played", (Commands,), {"store": store, "overruns": overruns})

    run_state_machine_as_test(kind, settings=settings(max_examples=60, stateful_step_count=40))
