"""How a budget is drawn and what is said of it: spent, held, forecast, against its limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tiergate.pipeline.standings import BudgetRow

NEAR: Final = 0.8
"""The part of a limit from which a budget is worth a look."""

TOLD: Final = 0.1
"""The part of a limit from which a forecast says something: that of the first calls is a guess."""

_SCOPES: Final = ("gateway", "alias", "provider", "deployment")


@dataclass(frozen=True, slots=True)
class Gauge:
    """One budget, ready to be drawn; parts are of the scale, 0 to 100.

    Attributes:
        row: The budget.
        used: Spent and held as a part of the limit; None where the limit is 0.
        spent: Where the bar of what is spent ends.
        held: Where the bar of what is held ends.
        limit: Where the limit stands.
        forecast: Where the forecast stands; None without one.
        state: `over`, `near`, `tight` (the forecast is above the limit) or `fine`.
        resets: Unix seconds; None where the window has no end or has not begun.
    """

    row: BudgetRow
    used: float | None
    spent: float
    held: float
    limit: float
    forecast: float | None
    state: str
    resets: float | None

    @property
    def name(self) -> str:
        """What the budget is for; the gateway's is for all calls."""
        return "all calls" if self.row.scope == "gateway" else self.row.name

    @property
    def words(self) -> str:
        """The state in words."""
        return _WORDS[self.state]


_WORDS: Final = {
    "over": "used up",
    "near": "nearly used up",
    "tight": "forecast above the limit",
    "fine": "within the limit",
}


def gauges(rows: Iterable[BudgetRow]) -> list[Gauge]:
    """Return the budgets in the order of their scopes: the gateway first, then by name."""
    return [_gauge(row) for row in sorted(rows, key=lambda r: (_rank(r.scope), r.scope, r.name))]


def nearest(all_: Sequence[Gauge], most: int) -> list[Gauge]:
    """Return the budgets that are nearest to their limits, the nearest first."""
    return sorted(all_, key=_nearness)[:most]


def _nearness(gauge: Gauge) -> tuple[int, float]:
    order = ("over", "near", "tight", "fine")
    return order.index(gauge.state), -(gauge.used if gauge.used is not None else 1.0)


def _gauge(row: BudgetRow) -> Gauge:
    taken = row.spent + row.held
    forecast = row.forecast if row.forecast is not None else 0
    # The bar is as long as the largest of the amounts; a far forecast does not squeeze the rest.
    scale = max(row.limit, taken, min(forecast, row.limit * 3 // 2), 1)
    return Gauge(
        row=row,
        used=taken / row.limit if row.limit else None,
        spent=_place(row.spent, scale),
        held=_place(taken, scale),
        limit=_place(row.limit, scale),
        forecast=_place(row.forecast, scale) if row.forecast is not None else None,
        state=_state(row, taken),
        resets=_instant(row.resets_at),
    )


def _state(row: BudgetRow, taken: int) -> str:
    if taken >= row.limit:
        return "over"
    if taken >= row.limit * NEAR:
        return "near"
    guess = taken < row.limit * TOLD
    if row.forecast is not None and row.forecast > row.limit and not guess:
        return "tight"
    return "fine"


def _place(amount: int, scale: int) -> float:
    return round(min(100.0, 100 * amount / scale), 2)


def _instant(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _rank(scope: str) -> int:
    return _SCOPES.index(scope) if scope in _SCOPES else len(_SCOPES)
