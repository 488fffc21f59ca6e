"""Writes metric families as Prometheus reads them: the text format, and OpenMetrics with examples.

Families are values; what they count is not known here. A page is written in pieces, so that
calls go on between them: with thousands of callers it has a hundred thousand lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate
from typing import Final

from tiergate.core.metrics_plan import MetricsPlan
from tiergate.telemetry.counts import Buckets, Mark

PIECE_LINES: Final = 500
"""Lines of one piece: about a millisecond of work."""

LONGEST_EXAMPLE: Final = 128 - len("call_id")
"""OpenMetrics allows an example 128 characters in the names and values of its labels."""


_SPECIAL: Final = frozenset('"\\\n')
"""Signs that would have to be escaped."""


class Kind(Enum):
    """What a metric is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


Values = tuple[str, ...]


@dataclass(slots=True)
class Family:
    """One metric with all its series. What is added twice under the same labels is summed up.

    Attributes:
        name: Without the `_total` that counters are written with.
        kind: What it is.
        text: What it says, one sentence without a point.
        labels: Names of its labels, in the order of the values.
        numbers: Values by label values, of counters and gauges.
        buckets: The same, of histograms.
        marks: Calls that counters show as examples.
    """

    name: str
    kind: Kind
    text: str
    labels: Values = ()
    numbers: dict[Values, float] = field(default_factory=dict[Values, float])
    buckets: dict[Values, Buckets] = field(default_factory=dict[Values, Buckets])
    marks: dict[Values, Mark] = field(default_factory=dict[Values, Mark])

    def add(self, values: Values, number: float, mark: Mark | None = None) -> None:
        """Add to a counter or gauge.

        Args:
            values: In the order of `labels`.
            number: What is added.
            mark: A call that is an example of it.
        """
        self.numbers[values] = self.numbers.get(values, 0) + number
        if mark is not None:
            self.marks[values] = mark

    def observe(self, values: Values, buckets: Buckets) -> None:
        """Add to a histogram; the buckets are not changed."""
        known = self.buckets.get(values)
        self.buckets[values] = buckets if known is None else _sum(known, buckets)

    @property
    def size(self) -> int:
        """How many lines it has, about."""
        of_buckets = sum(len(each.bounds) + 3 for each in self.buckets.values())
        return len(self.numbers) + of_buckets


def counter(name: str, text: str, labels: Values = ()) -> Family:
    """Make a family of numbers that only grow."""
    return Family(name, Kind.COUNTER, text, labels)


def gauge(name: str, text: str, labels: Values = ()) -> Family:
    """Make a family of numbers that go up and down."""
    return Family(name, Kind.GAUGE, text, labels)


def histogram(name: str, text: str, labels: Values = ()) -> Family:
    """Make a family of distributions."""
    return Family(name, Kind.HISTOGRAM, text, labels)


def selected(family: Family, plan: MetricsPlan) -> Family | None:
    """Return what the configuration leaves of a family; None where that is nothing."""
    name = bare(family.name)
    if name in plan.without:
        return None
    labels = frozenset(family.labels)
    if plan.groups:
        group = next((each for each in plan.groups if name in each.metrics), None)
        if group is None:
            return None
        if group.labels is not None:
            labels &= group.labels
    labels -= plan.without_labels
    if len(labels) == len(family.labels):
        return family
    kept = [at for at, label in enumerate(family.labels) if label in labels]
    left = Family(family.name, family.kind, family.text, tuple(family.labels[at] for at in kept))
    for values, number in family.numbers.items():
        left.add(tuple(values[at] for at in kept), number, family.marks.get(values))
    for values, buckets in family.buckets.items():
        left.observe(tuple(values[at] for at in kept), buckets)
    return left


def bare(name: str) -> str:
    """Return the name of a metric without the `_total` of counters."""
    return name.removesuffix("_total")


def written(families: Iterable[Family], *, openmetrics: bool = False) -> Iterator[bytes]:
    """Yield the page, piece by piece."""
    lines: list[str] = []
    for family in families:
        lines += _head(family, openmetrics=openmetrics)
        for more in _lines(family, openmetrics=openmetrics):
            lines += more
            if len(lines) >= PIECE_LINES:
                yield "".join(lines).encode()
                lines.clear()
    if openmetrics:
        lines.append("# EOF\n")
    yield "".join(lines).encode()


def _head(family: Family, *, openmetrics: bool) -> tuple[str, str]:
    total = "_total" if family.kind is Kind.COUNTER and not openmetrics else ""
    name = family.name + total
    text = _escaped(family.text) if openmetrics else _unbroken(family.text)
    return f"# HELP {name} {text}\n", f"# TYPE {name} {family.kind.value}\n"


def _lines(family: Family, *, openmetrics: bool) -> Iterator[list[str]]:
    """Yield the lines of each series."""
    pairs_of = _Pairs(family.labels)
    if family.kind is Kind.HISTOGRAM:
        ends = {bounds: _ends(bounds) for bounds in {b.bounds for b in family.buckets.values()}}
        for values, buckets in family.buckets.items():
            les = ends[buckets.bounds]
            yield _of_histogram(family.name, pairs_of(values), buckets, les, openmetrics)
        return
    counts = family.kind is Kind.COUNTER
    name = family.name + ("_total" if counts else "")
    exemplary = openmetrics and counts and bool(family.marks)
    for values, number in family.numbers.items():
        pairs = pairs_of(values)
        example = _example(family.marks.get(values)) if exemplary else ""
        place = f"{{{pairs}}}" if pairs else ""
        yield [f"{name}{place} {_number(number)}{example}\n"]


def _ends(bounds: tuple[float, ...]) -> list[str]:
    """Return how the labels of each bucket end."""
    return [f'le="{_number(bound)}"}} ' for bound in (*bounds, math.inf)]


def _of_histogram(
    name: str, pairs: str, buckets: Buckets, ends: list[str], openmetrics: bool
) -> list[str]:
    start = f"{name}_bucket{{{pairs}{',' if pairs else ''}"
    sums = accumulate(buckets.counts)
    if openmetrics and buckets.marks:
        marks = buckets.marks
        lines = [
            f"{start}{end}{total}{_example(marks.get(at))}\n"
            for at, (end, total) in enumerate(zip(ends, sums, strict=True))
        ]
    else:
        lines = [f"{start}{end}{total}\n" for end, total in zip(ends, sums, strict=True)]
    place = f"{{{pairs}}}" if pairs else ""
    lines.append(f"{name}_count{place} {sum(buckets.counts)}\n")
    lines.append(f"{name}_sum{place} {_number(buckets.total)}\n")
    return lines


class _Pairs:
    """Writes the labels of one family; a template, since a page has a hundred thousand of them."""

    def __init__(self, labels: Values) -> None:
        self._template = ",".join(f'{label}="%s"' for label in labels)

    def __call__(self, values: Values) -> str:
        if not _SPECIAL.isdisjoint("".join(values)):
            values = tuple(map(_escaped, values))
        return self._template % values


def _unbroken(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _escaped(value: str) -> str:
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return value


def _example(mark: Mark | None) -> str:
    """Return what OpenMetrics calls an exemplar; empty where the id would not fit.

    Callers may choose ids. One with quotes is left out: not every reader of OpenMetrics
    understands them there (prometheus_client 0.26 does not).
    """
    if mark is None or len(mark[0]) > LONGEST_EXAMPLE or not _SPECIAL.isdisjoint(mark[0]):
        return ""
    return f' # {{call_id="{mark[0]}"}} {_number(mark[1])} {mark[2]:.3f}'


def _number(number: float) -> str:
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return repr(number)


def _sum(one: Buckets, other: Buckets) -> Buckets:
    counts = [a + b for a, b in zip(one.counts, other.counts, strict=True)]
    return Buckets(one.bounds, counts, one.total + other.total, {**one.marks, **other.marks})
