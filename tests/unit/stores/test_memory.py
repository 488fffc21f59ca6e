"""The memory store is the model, and fits the port."""

from __future__ import annotations

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Hold
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.window import Total
from tiergate.ports import BudgetStore
from tiergate.stores.memory import MemoryBudgets

RULE = BudgetRule(
    scope=ScopeKind.GATEWAY,
    name="gateway",
    limit=NanoUsd(100),
    window="none",
    period="none",
    source=Position("config.yaml", 1),
)


def test_it_is_a_store_of_budgets():
    store: BudgetStore = MemoryBudgets()
    budget = Budget(RULE, Total())
    store.configure([budget])
    hold = store.try_hold([budget.id], NanoUsd(60), 1000.0, 2000.0)

    assert isinstance(hold, Hold)

    store.settle(hold, NanoUsd(40))

    assert store.standing(budget.id, 1000.0).settled == 40


def test_two_stores_share_nothing():
    one, other = MemoryBudgets(), MemoryBudgets()
    budget = Budget(RULE, Total())
    one.configure([budget])
    other.configure([budget])
    one.try_hold([budget.id], NanoUsd(100), 1000.0, 2000.0)

    assert isinstance(other.try_hold([budget.id], NanoUsd(100), 1000.0, 2000.0), Hold)
