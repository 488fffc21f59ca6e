"""The model of budgets: what is settled, what is held, and whether a call may still be made.

Every store of budgets behaves as this model does; the memory store is the model itself. Time is
an argument (Unix seconds), money is nano-USD, and nothing here knows what a call is.

The rules:

* A hold is taken in all budgets of a call or in none.
* While no call costs more than was held for it, settled plus held never exceeds a limit.
* A hold counts in the windows in which it was taken, however late it is settled.
* A cost above the hold is booked as it is. The budget may then stand above its limit, and admits
  nothing more in that window.
* A hold ends once. One that is past its expiry is charged in full until its owner tells the cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

from tiergate.base.values import NanoUsd
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.window import Period, Span, Total, next_span, span_at, went_back

BudgetId = NewType("BudgetId", str)
"""Names a budget: `alias:frontier`."""


def budget_id(scope: ScopeKind, name: str) -> BudgetId:
    """Return the id of a budget."""
    return BudgetId(f"{scope.value}:{name}")


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget.

    Attributes:
        rule: What the file says.
        period: Its window.
    """

    rule: BudgetRule
    period: Period

    @property
    def id(self) -> BudgetId:
        """The budget's name in a store."""
        return budget_id(self.rule.scope, self.rule.name)


@dataclass(slots=True, eq=False)
class Page:
    """The sums of one budget in one window. Holds keep hold of the page they were taken in."""

    span: Span
    until: float
    """The span's end, or infinity."""
    settled: int = 0
    held: int = 0


class HoldState(Enum):
    """What has become of a hold."""

    OPEN = "open"
    ASSUMED = "assumed"
    """It is past its expiry and charged in full; its owner may still tell the true cost."""
    ENDED = "ended"


@dataclass(slots=True, eq=False)
class Hold:
    """Money set aside for one call.

    Attributes:
        amount: nano-USD in each budget.
        pages: The windows it was taken in.
        expires: Unix seconds after which nobody is thought to settle it any more.
    """

    amount: NanoUsd
    pages: tuple[Page, ...]
    expires: float
    state: HoldState = HoldState.OPEN


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands at an instant.

    `span` is None for a rolling window that has not begun.
    """

    budget: Budget
    settled: NanoUsd
    held: NanoUsd
    span: Span | None

    @property
    def used_up(self) -> bool:
        """Whether nothing is left, not even after open holds are given back... see `left`."""
        return self.settled + self.held >= self.budget.rule.limit

    @property
    def forecast(self) -> NanoUsd | None:
        """nano-USD by the window's end if spending goes on; needs `at`, see `forecast_at`."""
        return None


@dataclass(slots=True)
class _Balance:
    budget: Budget
    limit: int
    page: Page | None = None


class Budgets:
    """All budgets of one gateway, or of one lease of a shared store."""

    def __init__(self) -> None:
        self._balances: dict[BudgetId, _Balance] = {}
        self._open: dict[Hold, None] = {}
