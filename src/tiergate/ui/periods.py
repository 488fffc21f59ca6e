"""The periods that a page can be asked for, and the questions to the ledger that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from tiergate.base.errors import Refused
from tiergate.core.ledger import Filter, Group
from tiergate.core.ledger_query import QueryError, condition_value, read_group
from tiergate.ui.rendering import Moment

PERIODS: Final[Mapping[str, str]] = MappingProxyType(
    {"today": "Today", "7d": "7 days", "30d": "30 days", "month": "This month", "all": "All"}
)
"""By the word in the address: what the period is called."""

USUAL: Final = "7d"
_DAYS: Final[Mapping[str, int]] = MappingProxyType({"today": 0, "7d": 6, "30d": 29})


@dataclass(frozen=True, slots=True)
class Period:
    """A period that ends now.

    Attributes:
        word: One of `PERIODS`.
        since: Unix seconds; None: from the beginning.
    """

    word: str
    since: float | None


def period_of(query: Mapping[str, str], moment: Moment, usual: str = USUAL) -> Period:
    """Return the period that an address asks for; a day begins at midnight of the page's zone.

    Raises:
        Refused: 400, for a word that is none.
    """
    word = query.get("period") or usual
    if word not in PERIODS:
        raise Refused(
            400, f"There is no such period. Choose {', '.join(PERIODS)}.", code="invalid_request"
        )
    if word == "all":
        return Period(word, None)
    midnight = datetime.fromtimestamp(moment.now, moment.zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    if word == "month":
        return Period(word, midnight.replace(day=1).timestamp())
    return Period(word, (midnight - timedelta(days=_DAYS[word])).timestamp())


def conditions_of(query: Mapping[str, str]) -> tuple[tuple[Group, str], ...]:
    """Return the conditions of an address: each parameter that is named like a group.

    Raises:
        Refused: 400, for a name that is no group.
    """
    found: list[tuple[Group, str]] = []
    for name, value in query.items():
        if name in _CONTROLS or not value:
            continue
        try:
            group = read_group(name)
        except QueryError as exc:
            raise Refused(400, str(exc), code="invalid_request") from None
        found.append((group, condition_value(group, value)))
    return tuple(found)


def filter_of(period: Period, conditions: tuple[tuple[Group, str], ...]) -> Filter:
    """Return the question to the ledger."""
    return Filter(since=period.since, equal=conditions)


def address(path: str, query: Mapping[str, str], changes: Mapping[str, str]) -> str:
    """Return the address of a page with some parameters changed; empty ones are left out."""
    merged = {name: value for name, value in {**query, **changes}.items() if value}
    merged.pop("said", None)
    return f"{path}?{urlencode(merged)}" if merged else path


def choices(path: str, query: Mapping[str, str], chosen: Period) -> list[tuple[str, str, bool]]:
    """Return each period: what it is called, its address, and whether it is the one shown."""
    return [
        (label, address(path, query, {"period": word}), word == chosen.word)
        for word, label in PERIODS.items()
    ]


_CONTROLS: Final = frozenset({"period", "by", "after", "said", "next"})
