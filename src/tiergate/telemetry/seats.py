"""Finds the numbers that a request belongs to, and keeps how many there are in bounds.

What callers make up (end users, metadata) and what grows with a company (keys, users) becomes a
label only while there is room; what is more is counted under `other`, so that sums stay right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from tiergate.core.caller import Caller
from tiergate.core.catalog import Deployment
from tiergate.core.metrics_plan import ALL_METRICS, MetricsPlan
from tiergate.telemetry.counts import (
    NOBODY,
    Counts,
    Names,
    Series,
    SeriesKey,
    Served,
    Times,
    TimesKey,
    Who,
)

OTHER: Final = "other"
"""The value of labels for which there is no room."""

LONGEST_VALUE: Final = 128
_SEATS_PER_SERIES: Final = 4


class Origin(Protocol):
    """Who asks: a request, or the record of one."""

    @property
    def caller(self) -> Caller:
        """Who calls."""
        ...

    @property
    def user(self) -> str | None:
        """The end user, if given."""
        ...

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """The labels that the configuration adds."""
        ...


@dataclass(slots=True)
class Seat:
    """Where the numbers of one caller, alias and deployment are.

    Attributes:
        caller: Whose they are; a key that was changed is another caller.
        deployment: Who serves; None where nobody is called.
        key: The labels.
        series: The numbers.
        served: Of them, those of the standard tier.
        times: Of the standard tier.
        left_at: Unix time at which the provider's rate limits were last read.
    """

    caller: Caller
    deployment: Deployment | None
    key: SeriesKey
    series: Series
    served: Served | None = None
    times: Times | None = None
    left_at: float = 0.0


class Seats:
    """All seats of a worker.

    Args:
        counts: Where the numbers are.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._plan = ALL_METRICS
        self._known: dict[tuple[str, str, str, str | None, object], Seat] = {}

    def configure(self, plan: MetricsPlan) -> None:
        """Take over a configuration; the numbers stay."""
        self._plan = plan
        self._known.clear()

    def of(self, origin: Origin, asked: str, deployment: Deployment | None) -> Seat:
        """Return the seat of a request; most find theirs by one look.

        Args:
            origin: Who asks.
            asked: The alias.
            deployment: The one that served, or one that failed; None for neither.
        """
        caller = origin.caller
        at = (
            caller.key,
            asked,
            "" if deployment is None else deployment.id,
            origin.user if self._plan.end_users else None,
            origin.labels,
        )
        seat = self._known.get(at)
        if seat is not None and seat.caller is caller and seat.deployment is deployment:
            return seat
        if len(self._known) >= _SEATS_PER_SERIES * self._plan.most_series:
            self._known.clear()  # they only save looking up
        seat = self._known[at] = self._seat(origin, asked, deployment)
        return seat

    def named(self, key: SeriesKey) -> tuple[SeriesKey, Series]:
        """Return the numbers under some labels, or under `other` where there is no room."""
        series = self._counts.series.get(key)
        if series is not None:
            return key, series
        if len(self._counts.series) >= self._plan.most_series:
            key = key._replace(who=others(self._plan))
        return key, self._counts.series.setdefault(key, Series())

    def times(self, key: SeriesKey, tier: str = "") -> Times:
        """Return the histograms under some labels, or under `other` where there is no room."""
        all_times = self._counts.times
        place = TimesKey(*key, tier)
        found = all_times.get(place)
        if found is not None:
            return found
        if len(all_times) >= self._plan.most_timed:
            place = place._replace(who=others(self._plan))
        return all_times.setdefault(place, Times())

    def _seat(self, origin: Origin, asked: str, deployment: Deployment | None) -> Seat:
        names = NOBODY if deployment is None else Names.of(deployment)
        end_user = origin.user if self._plan.end_users else None
        who = who_of(origin.caller, end_user or "", origin.labels)
        key, series = self.named(SeriesKey(who, asked, names))
        return Seat(origin.caller, deployment, key, series)


def who_of(caller: Caller, end_user: str, labels: tuple[tuple[str, str], ...]) -> Who:
    """Return the labels of a caller."""
    return Who(
        end_user=cut(end_user),
        key=caller.key,
        key_alias=cut(caller.alias),
        team=cut(caller.team),
        team_alias=cut(caller.team_alias),
        user=cut(caller.user),
        email=cut(caller.email),
        labels=tuple((name, cut(value)) for name, value in labels),
    )


def others(plan: MetricsPlan) -> Who:
    """Return the labels of all for whom there is no room."""
    added = tuple((name, OTHER) for name in plan.label_names)
    return Who(OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, added)


def cut(value: str) -> str:
    """Return a value that is not too long for a label, without signs that no page can show."""
    short = value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 3] + "..."
    return short if short.isprintable() else "".join(c for c in short if c.isprintable())
