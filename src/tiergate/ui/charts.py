"""The numbers of a chart, and the same numbers as a table: cost by day, stacked by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tiergate.core.ledger import SpendRow
from tiergate.ui import words
from tiergate.ui.rendering import Moment

MOST_NAMES = 6
"""Names with a colour of their own; the rest is added up."""

OTHERS = "others"
NOBODY = "(none)"
MOST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Chart:
    """Cost by day.

    Attributes:
        title: What it shows.
        days: The days, the oldest first.
        names: What is stacked, the dearest first.
        amounts: By name: nano-USD of each day.
    """

    title: str
    days: tuple[str, ...]
    names: tuple[str, ...]
    amounts: Mapping[str, tuple[int, ...]]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(any(amounts) for amounts in self.amounts.values())

    def totals(self) -> tuple[int, ...]:
        """Return the sum of each day, nano-USD."""
        each = [self.amounts[name] for name in self.names]
        return tuple(sum(day) for day in zip(*each, strict=True)) or (0,) * len(self.days)

    def numbers(self) -> str:
        """Return what the script draws, as JSON: days, and series of USD."""
        return json.dumps(
            {
                "days": self.days,
                "series": [
                    {"name": name, "usd": [words.axis_usd(nano) for nano in self.amounts[name]]}
                    for name in self.names
                ],
            }
        )


def by_day(
    title: str,
    rows: Iterable[SpendRow],
    since: float | None,
    moment: Moment,
    names: Mapping[str, str],
) -> Chart:
    """Return the chart of the ledger's sums by day and one group.

    Args:
        title: What it shows.
        rows: Sums of one group with steps of a day.
        since: Where the period begins, Unix seconds; None: with the first row.
        moment: The page's instant and zone.
        names: What values of the group are called; others are called as they are.
    """
    known = [row for row in rows if row.start is not None]
    first = since
    if first is None:
        first = min((float(row.start or 0) for row in known), default=moment.now)
    days = _days(first, moment)
    totals: dict[str, int] = {}
    for row in known:
        totals[row.keys[0]] = totals.get(row.keys[0], 0) + row.cost
    spent = [key for key, total in totals.items() if total]
    dearest = sorted(spent, key=lambda key: (-totals[key], key))
    shown = dearest if len(dearest) <= MOST_NAMES else dearest[: MOST_NAMES - 1]
    labels = {key: names.get(key, key) or NOBODY for key in shown}
    order = [*dict.fromkeys(labels.values()), *([OTHERS] if len(shown) < len(dearest) else [])]
    amounts = {name: [0] * len(days) for name in order}
    places = {day: at for at, day in enumerate(days)}
    for row in known:
        at = places.get(words.day(row.start or 0, moment.zone))
        if at is not None and row.cost:
            amounts[labels.get(row.keys[0], OTHERS)][at] += row.cost
    return Chart(
        title=title,
        days=tuple(days),
        names=tuple(order),
        amounts={name: tuple(each) for name, each in amounts.items()},
    )


def _days(first: float, moment: Moment) -> list[str]:
    """Return each day from the first to today; the last ones of very many."""
    last = datetime.fromtimestamp(moment.now, moment.zone).date()
    day = datetime.fromtimestamp(first, moment.zone).date()
    day = max(day, last - timedelta(days=MOST_DAYS - 1))
    found: list[str] = []
    while day <= last:
        found.append(day.isoformat())
        day += timedelta(days=1)
    return found
