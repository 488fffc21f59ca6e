"""How budgets stand over all workers, for people and machines that ask: not for the calls.

Whoever asks gets what the store has, after this worker has told it everything. While the store
does not answer, what this worker last knew is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiergate.base.values import NanoUsd
from tiergate.core.budget import Budget, BudgetId, Standing
from tiergate.core.catalog import ScopeKind
from tiergate.core.lease import local_span
from tiergate.core.pages import Sheet
from tiergate.core.window import Span, next_span, went_back
from tiergate.pipeline.leasing import Leasing
from tiergate.pipeline.overspent import utc_text
from tiergate.ports import Clock, StoreDownError

_PROVIDERS = f"total:{ScopeKind.PROVIDER.value}:"
"""How the ids of the budgets begin that count what was ever spent at a provider."""


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget as it is shown; money in nano-USD, `resets_at` in ISO 8601 (UTC).

    `resets_at` is None where the window has no end or has not begun.
    """

    scope: str
    name: str
    limit: int
    spent: int
    held: int
    window: str
    resets_at: str | None
    forecast: int | None
    on_store_failure: str


@dataclass(frozen=True, slots=True)
class Totals:
    """What was spent since the ledger began, with or without budgets; nano-USD."""

    gateway: int
    providers: Mapping[str, int]


class Standings:
    """Reads budgets.

    Args:
        leasing: Whose budgets.
        wall: Unix seconds.
    """

    def __init__(self, leasing: Leasing, wall: Clock) -> None:
        self._leasing = leasing
        self._wall = wall

    async def of(self, budgets: Sequence[Budget]) -> list[Standing]:
        """Return how some budgets stand, in their order."""
        if not budgets:
            return []
        await self._leasing.exchange()
        now = self._wall()
        try:
            sheets = await self._leasing.sheets(budgets)
        except StoreDownError:
            return [self._leasing.slices.last_known(budget, now) for budget in budgets]
        return [_standing(budget, sheet, now) for budget, sheet in sheets]

    async def rows(self, budgets: Sequence[Budget]) -> list[BudgetRow]:
        """Return how those of some budgets stand that have a limit."""
        now = self._wall()
        capped = [budget for budget in budgets if budget.rule.capped]
        return [_row(standing, now) for standing in await self.of(capped)]

    async def totals(self, budgets: Sequence[Budget]) -> Totals:
        """Return what was spent in all, and by provider, of the budgets that only count.

        Providers that the configuration had once and has no more are among them: what was spent
        there stays spent, and stays in the ledger.
        """
        counting = [
            budget
            for budget in budgets
            if not budget.rule.capped and budget.rule.scope is ScopeKind.PROVIDER
        ]
        providers = {s.budget.rule.name: int(s.settled) for s in await self.of(counting)}
        now = self._wall()
        try:
            found = await self._leasing.sheets_of(_PROVIDERS)
        except StoreDownError:
            found = []  # what this worker knows is shown
        for name, sheet in found:
            if sheet.pages:
                spent = sheet.pages[-1].spent(now)
                providers.setdefault(name.removeprefix(_PROVIDERS), spent)
        return Totals(sum(providers.values()), providers)

    async def amounts(
        self, budgets: Sequence[Budget]
    ) -> Mapping[BudgetId, tuple[int, int, int | None]]:
        """Return by budget what is spent and held (nano-USD), and the Unix time of the reset."""
        return {
            standing.budget.id: (
                standing.settled,
                standing.held,
                standing.span.end if standing.span is not None else None,
            )
            for standing in await self.of(budgets)
        }


def _standing(budget: Budget, sheet: Sheet | None, now: float) -> Standing:
    """Return how a budget stands by its shared pages. Asking begins no window."""
    page = sheet.pages[-1] if sheet is not None and sheet.pages else None
    if page is None:
        return Standing(budget, NanoUsd(0), NanoUsd(0), local_span(budget.period, now))
    span: Span = next_span(budget.period, page.span, now)
    if span != page.span and not went_back(page.span, now):
        return Standing(budget, NanoUsd(0), NanoUsd(0), span)
    return Standing(budget, NanoUsd(page.spent(now)), NanoUsd(page.held(now)), span)


def _row(standing: Standing, now: float) -> BudgetRow:
    rule = standing.budget.rule
    span = standing.span
    ends = span.end if span is not None else None
    return BudgetRow(
        scope=rule.scope.value,
        name=rule.name,
        limit=rule.limit,
        spent=standing.settled,
        held=standing.held,
        window=rule.window,
        resets_at=utc_text(ends) if ends is not None else None,
        forecast=standing.forecast(now),
        on_store_failure=rule.on_store_failure.value,
    )
