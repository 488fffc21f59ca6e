"""The model of budgets: what is settled, what is held, and whether a call may still be made.

Every store of budgets behaves as this model does; the memory store is the model itself. Time is
an argument (Unix seconds), money is nano-USD, and what a call costs is not known here.

The rules:

* A hold is taken in all budgets of a call or in none.
* While no call costs more than was held for it, settled plus held never exceeds a limit.
* A hold counts in the windows in which it was taken, however late it ends.
* A cost above the hold is booked as it is. The budget may then stand above its limit, and admits
  nothing more in that window.
* A hold ends once. Past its expiry it is charged in full until its owner tells the true cost.
* A clock that goes back opens no window again (`core.window.next_span`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NewType

from tiergate.base.values import NanoUsd
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.window import Period, Rolling, Span, next_span, span_at, went_back

BudgetId = NewType("BudgetId", str)
"""Names a budget: `alias:frontier`."""


_COUNTED_ONCE = frozenset({ScopeKind.KEY, ScopeKind.USER, ScopeKind.TEAM})


def budget_id(scope: ScopeKind, name: str) -> BudgetId:
    """Return the id of a budget."""
    return BudgetId(f"{scope.value}:{name}")


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget: what the file says, and its window."""

    rule: BudgetRule
    period: Period

    @property
    def id(self) -> BudgetId:
        """The budget's name in a store.

        Of the gateway and of providers a total is counted beside their limits. A key, a user and
        a team have one budget, which goes on when it gets a limit or loses it.
        """
        name = budget_id(self.rule.scope, self.rule.name)
        single = self.rule.capped or self.rule.scope in _COUNTED_ONCE
        return name if single else BudgetId(f"total:{name}")


@dataclass(slots=True, eq=False)
class Page:
    """The sums of one budget in one window, in nano-USD.

    A hold keeps the pages it was taken in, so a page whose window is over lives as long as its
    last hold.
    """

    span: Span
    until: float
    settled: int = 0
    held: int = 0


class HoldState(Enum):
    """What has become of a hold."""

    OPEN = "open"
    ASSUMED = "assumed"
    """Past its expiry: charged in full, until its owner tells the true cost."""
    ENDED = "ended"


@dataclass(slots=True, eq=False)
class Hold:
    """Money set aside for one call.

    Attributes:
        amount: nano-USD, in each budget.
        pages: The windows it counts in.
        expires: Unix seconds after which its owner is thought lost.
        state: What has become of it.
    """

    amount: NanoUsd
    pages: tuple[Page, ...]
    expires: float
    state: HoldState = HoldState.OPEN


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands at an instant; `span` is None while a rolling window has not begun."""

    budget: Budget
    settled: NanoUsd
    held: NanoUsd
    span: Span | None

    @property
    def left(self) -> int:
        """nano-USD that may still be held; below 0 when providers charged more than was held."""
        return self.budget.rule.limit - self.settled - self.held

    def forecast(self, at: float) -> NanoUsd | None:
        """Return what will be spent by the window's end if spending goes on at the same pace.

        None where the window has no end or has not begun. In the window's first second the pace
        is that of one second.
        """
        if self.span is None or self.span.end is None:
            return None
        length = self.span.end - self.span.start
        gone = min(length, max(1, math.floor(at) - self.span.start))
        return NanoUsd(self.settled * length // gone)


@dataclass(slots=True)
class _Balance:
    budget: Budget
    limit: int
    page: Page | None = None

    def page_at(self, at: float) -> Page:
        """Return the page of an instant, a fresh one where a new window has begun."""
        page = self.page
        if page is None:
            page = self.page = _page(span_at(self.budget.period, at))
            return page
        span = next_span(self.budget.period, page.span, at)
        if span is page.span:
            return page
        if went_back(page.span, at):
            page.span, page.until = span, _until(span)
            return page
        page = self.page = _page(span)
        return page


class Budgets:
    """All budgets of a gateway."""

    def __init__(self) -> None:
        self._balances: dict[BudgetId, _Balance] = {}
        self._open: dict[Hold, None] = {}

    def configure(self, budgets: Iterable[Budget]) -> None:
        """Take over the budgets of a configuration.

        One that was there before with the same window goes on with what it has spent, under the
        new limit. Open holds of budgets that are gone end without effect.
        """
        before = self._balances
        self._balances = {}
        for budget in budgets:
            known = before.get(budget.id)
            balance = _Balance(budget, budget.rule.limit)
            if known is not None and known.budget.rule.period == budget.rule.period:
                balance.page = known.page
            self._balances[budget.id] = balance

    def try_hold(
        self, budgets: Sequence[BudgetId], amount: NanoUsd, now: float, expires: float
    ) -> Hold | Standing:
        """Set an amount aside in every one of some budgets.

        Args:
            budgets: Their ids. Where several cannot bear the amount, the first is named.
            amount: nano-USD, 0 or more.
            now: Unix seconds.
            expires: Unix seconds after which the hold is charged in full.

        Returns:
            The hold, or how the budget stands that cannot bear it; then nothing is set aside.

        Raises:
            KeyError: There is no budget of that id.
        """
        pages: list[Page] = []
        for name in budgets:
            balance = self._balances[name]
            page = balance.page
            if page is None or not page.span.start <= now < page.until:
                page = balance.page_at(now)
            if page.settled + page.held + amount > balance.limit:
                return self.standing(name, now)
            pages.append(page)
        for page in pages:
            page.held += amount
        hold = Hold(amount, tuple(pages), expires)
        self._open[hold] = None
        return hold

    def settle(self, hold: Hold, cost: NanoUsd) -> None:
        """Replace a hold by the true cost. A hold that has ended is left as it is."""
        if hold.state is HoldState.OPEN:
            for page in hold.pages:
                page.held -= hold.amount
                page.settled += cost
            del self._open[hold]
        elif hold.state is HoldState.ASSUMED:
            for page in hold.pages:
                page.settled += cost - hold.amount
        hold.state = HoldState.ENDED

    def release(self, hold: Hold) -> None:
        """Give a hold back: nothing was spent."""
        self.settle(hold, NanoUsd(0))

    def expire(self, now: float) -> int:
        """Charge every hold past its expiry in full; return how many there were."""
        late = [hold for hold in self._open if hold.expires <= now]
        for hold in late:
            for page in hold.pages:
                page.held -= hold.amount
                page.settled += hold.amount
            del self._open[hold]
            hold.state = HoldState.ASSUMED
        return len(late)

    def standing(self, name: BudgetId, now: float) -> Standing:
        """Return how a budget stands. Asking begins no window.

        Raises:
            KeyError: There is no budget of that id.
        """
        balance = self._balances[name]
        page, period = balance.page, balance.budget.period
        if page is None:
            span = None if isinstance(period, Rolling) else span_at(period, now)
            return Standing(balance.budget, NanoUsd(0), NanoUsd(0), span)
        span = next_span(period, page.span, now)
        if span is page.span or went_back(page.span, now):
            return Standing(balance.budget, NanoUsd(page.settled), NanoUsd(page.held), span)
        return Standing(balance.budget, NanoUsd(0), NanoUsd(0), span)

    def standings(self, now: float) -> list[Standing]:
        """Return how every budget stands, in the order of the configuration."""
        return [self.standing(name, now) for name in self._balances]

    @property
    def open_holds(self) -> int:
        """The number of holds that have not ended."""
        return len(self._open)


def _page(span: Span) -> Page:
    return Page(span, _until(span))


def _until(span: Span) -> float:
    return math.inf if span.end is None else span.end
