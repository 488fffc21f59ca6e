"""Carries the numbers of one worker to another as bytes, and adds them up.

What a page shows is the sum over all workers. Budgets are not among these numbers: workers share
them, so they are read from the store and never added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

import msgspec

from tiergate.core.prefix_figures import add_figures
from tiergate.core.sighting import Sighting
from tiergate.telemetry.counts import (
    OVERHEAD_SECONDS,
    QUEUE_SECONDS,
    SECONDS,
    TOKEN_SECONDS,
    Buckets,
    Counts,
    Gains,
    Left,
    Names,
    Series,
    SeriesKey,
    Served,
    Times,
    TimesKey,
    Who,
)
from tiergate.telemetry.moment import Moment

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Report:
    """All numbers of one worker.

    Attributes:
        counts: What was counted; it may be the living numbers of this process.
        moment: What holds now.
        sighting: What the dashboard shows of this instant; sums have none.
    """

    counts: Counts
    moment: Moment = field(default_factory=Moment)
    sighting: Sighting | None = None

    def without_calls(self) -> Report:
        """Return the report of a worker that has ended: none of its calls is under way."""
        return Report(replace(self.counts, in_flight=0))


@dataclass(frozen=True, slots=True)
class Others:
    """The reports of all workers but one, and how many workers stand how.

    Attributes:
        reports: At most one for each other worker.
        serving: Workers whose numbers are of this instant, the one that asks included.
        silent: Workers that did not answer in time; their reports are up to a second old.
        ended: Workers that have ended, and whose successors do not serve yet.
    """

    reports: tuple[Report, ...]
    serving: int
    silent: int
    ended: int

    def states(self) -> Mapping[str, int]:
        """Return the number of workers by state, as the page shows it."""
        return {"serving": self.serving, "silent": self.silent, "ended": self.ended}


# ------------------------------------------------------------------ bytes

_Flat: TypeAlias = tuple[list[int], float]
"""A histogram: its counts and its sum. Its bounds are known from where it stands."""

_BOUNDS = (
    SECONDS,
    SECONDS,
    SECONDS,
    OVERHEAD_SECONDS,
    QUEUE_SECONDS,
    TOKEN_SECONDS,
)
"""Of the histograms of `Times`, in their order."""


# As arrays, since field names would be most of the bytes.
class _Numbers(msgspec.Struct, array_like=True):
    """One series; callers and deployments are numbers in the lists of the whole."""

    who: int
    asked: str
    names: int
    ends: dict[tuple[str, int, str], int]
    failures: dict[tuple[str, int, str], int]
    attempts: dict[tuple[int, str], int]
    steps: dict[tuple[int, str], int]
    missteps: dict[tuple[int, str], int]
    served: dict[str, tuple[int, int, int, int, int, int, int, int]]
    gains: dict[str, tuple[int, int, int]]
    misses: int


class _Timed(msgspec.Struct, array_like=True):
    """The histograms of one set of labels; those that are empty are left out."""

    who: int
    asked: str
    names: int
    tier: str
    buckets: dict[int, _Flat]


class _Wire(msgspec.Struct, array_like=True):
    """A whole report."""

    callers: list[Who]
    names: list[Names]
    series: list[_Numbers]
    times: list[_Timed]
    guard_seconds: dict[tuple[str, str, str, str], _Flat]
    rest: Counts
    moment: Moment
    sighting: Sighting | None


def pack_report(report: Report) -> bytes:
    """Return a report as bytes (MessagePack). Examples of calls are not in them."""
    counts = report.counts
    callers: dict[Who, int] = {}
    names: dict[Names, int] = {}
    series = [
        _Numbers(
            callers.setdefault(key.who, len(callers)),
            key.asked,
            names.setdefault(key.names, len(names)),
            each.ends,
            each.failures,
            each.attempts,
            each.steps,
            each.missteps,
            {tier: _served_out(served) for tier, served in each.served.items()},
            {layer: (g.answers, g.tokens, g.saving) for layer, g in each.gains.items()},
            each.misses,
        )
        for key, each in counts.series.items()
    ]
    times = [
        _Timed(
            callers.setdefault(key.who, len(callers)),
            key.asked,
            names.setdefault(key.names, len(names)),
            key.tier,
            {
                at: (buckets.counts, buckets.total)
                for at, buckets in enumerate(_histograms(each))
                if any(buckets.counts)
            },
        )
        for key, each in counts.times.items()
    ]
    guards = {key: (each.counts, each.total) for key, each in counts.guard_seconds.items()}
    rest = replace(counts, series={}, times={}, guard_seconds={})
    wire = _Wire(
        list(callers),
        list(names),
        series,
        times,
        guards,
        rest,
        report.moment,
        report.sighting,
    )
    return msgspec.msgpack.encode(wire)


def unpack_report(data: bytes) -> Report:
    """Read what `pack_report` wrote.

    Raises:
        msgspec.MsgspecError: It is something else.
    """
    wire = msgspec.msgpack.decode(data, type=_Wire)
    counts = wire.rest
    try:
        for one in wire.series:
            key = SeriesKey(wire.callers[one.who], one.asked, wire.names[one.names])
            counts.series[key] = Series(
                one.ends,
                one.failures,
                one.attempts,
                one.steps,
                one.missteps,
                {tier: Served(*numbers) for tier, numbers in one.served.items()},
                {layer: Gains(*numbers) for layer, numbers in one.gains.items()},
                one.misses,
            )
        for one in wire.times:
            place = TimesKey(wire.callers[one.who], one.asked, wire.names[one.names], one.tier)
            counts.times[place] = _times_in(one.buckets)
        for guard, flat in wire.guard_seconds.items():
            counts.guard_seconds[guard] = _buckets_in(SECONDS, flat)
    except IndexError:
        raise msgspec.ValidationError("a report names what is not in it") from None
    return Report(counts, wire.moment, wire.sighting)


def _histograms(times: Times) -> tuple[Buckets, ...]:
    return (
        times.latency,
        times.upstream,
        times.first,
        times.overhead,
        times.queue,
        times.per_token,
    )


def _served_out(served: Served) -> tuple[int, int, int, int, int, int, int, int]:
    return (
        served.answers,
        served.cost,
        served.input,
        served.output,
        served.cached,
        served.written,
        served.reasoning,
        served.unpriced,
    )


def _times_in(flats: Mapping[int, _Flat]) -> Times:
    if not flats.keys() <= set(range(len(_BOUNDS))):
        raise IndexError
    return Times(
        *(
            _buckets_in(bounds, flats[at]) if at in flats else Buckets(bounds)
            for at, bounds in enumerate(_BOUNDS)
        )
    )


def _buckets_in(bounds: tuple[float, ...], flat: _Flat) -> Buckets:
    if len(flat[0]) != len(bounds) + 1:
        raise msgspec.ValidationError("a histogram has other buckets")
    return Buckets(bounds, flat[0], flat[1])


# ------------------------------------------------------------------ sums


def total(reports: Iterable[Report]) -> Report:
    """Return the sum of reports; none of them is changed."""
    counts, moment = Counts(), Moment()
    for report in reports:
        add(counts, report.counts)
        moment.add(report.moment)
    return Report(counts, moment)


def add(into: Counts, more: Counts) -> None:
    """Add numbers to others, in place. Of what providers said, the newest counts."""
    for key, series in more.series.items():
        _add_series(into.series.setdefault(key, Series()), series)
    for place, times in more.times.items():
        kept = into.times.get(place)
        if kept is None:
            into.times[place] = Times(*map(_copied, _histograms(times)))
            continue
        for buckets, others in zip(_histograms(kept), _histograms(times), strict=True):
            _add_buckets(buckets, others)
    _add(into.cooldowns, more.cooldowns)
    _add(into.broken, more.broken)
    _add(into.escalations, more.escalations)
    _add(into.upgrades, more.upgrades)
    _add(into.upgrade_costs, more.upgrade_costs)
    _add(into.lookups, more.lookups)
    _add(into.compared, more.compared)
    _add(into.guard_requests, more.guard_requests)
    _add(into.guard_errors, more.guard_errors)
    _add(into.guard_findings, more.guard_findings)
    for guard, seconds in more.guard_seconds.items():
        _add_buckets(into.guard_seconds.setdefault(guard, Buckets(SECONDS)), seconds)
    _add(into.callback_failures, more.callback_failures)
    _add(into.callback_drops, more.callback_drops)
    for names, left in more.left.items():
        if left.at > into.left.get(names, _NEVER).at:
            into.left[names] = left
    add_figures(into.prefixes, more.prefixes)
    into.in_flight += more.in_flight


_NEVER = Left(at=-1.0)


def _add(into: dict[Key, int], more: Mapping[Key, int]) -> None:
    for key, number in more.items():
        into[key] = into.get(key, 0) + number


def _add_series(into: Series, more: Series) -> None:
    _add(into.ends, more.ends)
    _add(into.failures, more.failures)
    _add(into.attempts, more.attempts)
    _add(into.steps, more.steps)
    _add(into.missteps, more.missteps)
    into.misses += more.misses
    for tier, served in more.served.items():
        _add_served(into.served.setdefault(tier, Served()), served)
    for layer, number in more.gains.items():
        kept = into.gains.setdefault(layer, Gains())
        kept.answers += number.answers
        kept.tokens += number.tokens
        kept.saving += number.saving


def _add_served(into: Served, more: Served) -> None:
    into.answers += more.answers
    into.cost += more.cost
    into.input += more.input
    into.output += more.output
    into.cached += more.cached
    into.written += more.written
    into.reasoning += more.reasoning
    into.unpriced += more.unpriced


def _add_buckets(into: Buckets, more: Buckets) -> None:
    into.total += more.total
    into.counts = [one + other for one, other in zip(into.counts, more.counts, strict=True)]
    into.marks.update(more.marks)


def _copied(buckets: Buckets) -> Buckets:
    return Buckets(buckets.bounds, buckets.counts[:], buckets.total, buckets.marks.copy())
