"""The numbers behind the metrics page, as plain integers and lists; no Prometheus in here.

Keys are label values. They are tuples all the way down, since some are hashed for every request.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from tiergate.core.catalog import Deployment
from tiergate.core.prefix_figures import PrefixFigures, PrefixKey

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
OVERHEAD_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5)
QUEUE_SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
TOKEN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

Mark: TypeAlias = tuple[str, float, float]
"""One call that a number counted: its id, its value, the Unix time of its arrival."""


@dataclass(slots=True)
class Buckets:
    """A histogram as plain numbers: a count per bucket, the last one without a bound.

    Attributes:
        marks: By bucket, the last call that fell into it. They stay in their worker: a page shows
            those of the worker that made it.
    """

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list[int])
    total: float = 0.0
    marks: dict[int, Mark] = field(default_factory=dict[int, Mark], compare=False)

    def __post_init__(self) -> None:
        if not self.counts:
            self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def mark(self, call_id: str, value: float, wall: float) -> None:
        """Count one observation, and keep it as the example of its bucket."""
        at = bisect_left(self.bounds, value)
        self.counts[at] += 1
        self.total += value
        self.marks[at] = (call_id, value, wall)


@dataclass(slots=True)
class Served:
    """What one deployment did for one caller and alias asked. Money is nano-USD.

    Attributes:
        unpriced: Answers that cost nothing for want of a price.
    """

    answers: int = 0
    cost: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    unpriced: int = 0


@dataclass(slots=True)
class Times:
    """How long answers took, in seconds; where each ends is told on the page of metrics."""

    latency: Buckets = field(default_factory=lambda: Buckets(SECONDS))
    upstream: Buckets = field(default_factory=lambda: Buckets(SECONDS))
    first: Buckets = field(default_factory=lambda: Buckets(SECONDS))
    overhead: Buckets = field(default_factory=lambda: Buckets(OVERHEAD_SECONDS))
    queue: Buckets = field(default_factory=lambda: Buckets(QUEUE_SECONDS))
    per_token: Buckets = field(default_factory=lambda: Buckets(TOKEN_SECONDS))

    def note(
        self, call_id: str, seconds: float, overhead: float, queue: float, wall: float
    ) -> None:
        """Count what is known of every answer, in one step: this is done for each of them."""
        latency, upstream = self.latency, self.upstream
        at = bisect_left(SECONDS, seconds)
        latency.counts[at] += 1
        latency.total += seconds
        latency.marks[at] = (call_id, seconds, wall)
        alone = seconds - overhead
        if alone < 0.0:
            alone = 0.0
        at = bisect_left(SECONDS, alone, 0, at)  # it is no longer than the whole
        upstream.counts[at] += 1
        upstream.total += alone
        upstream.marks[at] = (call_id, alone, wall)
        self.overhead.add(overhead)
        self.queue.add(queue)


class Who(NamedTuple):
    """Who called, in LiteLLM's labels; empty where it is not known or does not count.

    Attributes:
        labels: Names and values of the labels that the configuration adds.
    """

    end_user: str = ""
    key: str = ""
    key_alias: str = ""
    team: str = ""
    team_alias: str = ""
    user: str = ""
    email: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class Names(NamedTuple):
    """The label values of one deployment; equal ones share their series over a reload."""

    alias: str = ""
    model: str = ""
    id: str = ""
    api_base: str = ""
    provider: str = ""

    @staticmethod
    def of(deployment: Deployment) -> Names:
        """Take the names of a deployment."""
        return Names(
            deployment.alias,
            deployment.model,
            deployment.id,
            deployment.api_base,
            deployment.provider,
        )


ANYBODY = Who()
NOBODY = Names()


class SeriesKey(NamedTuple):
    """Who asked for what, and who served it or failed last (`NOBODY` where nobody was called)."""

    who: Who
    asked: str
    names: Names


class TimesKey(NamedTuple):
    """The same, and the tier that the provider served in (empty for the standard one)."""

    who: Who
    asked: str
    names: Names
    tier: str


@dataclass(slots=True)
class Gains:
    """What answers from a cache have saved. Money is nano-USD."""

    answers: int = 0
    tokens: int = 0
    saving: int = 0


@dataclass(slots=True)
class Left:
    """What a provider said last of its own rate limits; None where it said nothing.

    Attributes:
        at: Unix time of the answer that said it.
    """

    requests: int | None = None
    tokens: int | None = None
    at: float = 0.0


def _numbers() -> dict[str, int]:
    return {}


def _pairs() -> dict[tuple[str, str], int]:
    return {}


def _triples() -> dict[tuple[str, str, str], int]:
    return {}


@dataclass(slots=True)
class Series:
    """Everything that is counted for one caller, alias asked and deployment.

    Attributes:
        ends: Requests by route, status, and whether a stream was asked for (empty where that is
            not told apart).
        failures: Requests that failed, by route, status and class.
        attempts: Failed calls to the deployment, by status and class.
        steps: Answers that came by a fallback, by status and class of the failure before.
        missteps: Fallbacks to the deployment that failed, by status and class of their failure.
        served: Answers and what they cost, by tier.
        gains: Answers from a cache, by layer.
        misses: Look-ups in the response cache that found nothing.
    """

    ends: dict[tuple[str, int, str], int] = field(default_factory=dict[tuple[str, int, str], int])
    failures: dict[tuple[str, int, str], int] = field(
        default_factory=dict[tuple[str, int, str], int]
    )
    attempts: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    steps: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    missteps: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    served: dict[str, Served] = field(default_factory=dict[str, Served])
    gains: dict[str, Gains] = field(default_factory=dict[str, Gains])
    misses: int = 0


@dataclass(slots=True)
class Counts:
    """All numbers that only grow, and what providers said last."""

    series: dict[SeriesKey, Series] = field(default_factory=dict[SeriesKey, Series])
    times: dict[TimesKey, Times] = field(default_factory=dict[TimesKey, Times])
    cooldowns: dict[tuple[Names, int], int] = field(default_factory=dict[tuple[Names, int], int])
    broken: dict[Names, int] = field(default_factory=dict[Names, int])
    escalations: dict[tuple[str, str], int] = field(default_factory=_pairs)
    """Calls that a fallback brought to the escalation alias, by alias asked and served."""
    upgrades: dict[tuple[str, str], int] = field(default_factory=_pairs)
    """Answers of a dearer alias than the asked one, by alias asked and served."""
    upgrade_costs: dict[tuple[str, str], int] = field(default_factory=_pairs)
    """What these cost, nano-USD."""
    left: dict[Names, Left] = field(default_factory=dict[Names, Left])
    lookups: dict[tuple[str, str], int] = field(default_factory=_pairs)
    """Requests by alias and by what the response cache did."""
    compared: dict[tuple[str, str], int] = field(default_factory=_pairs)
    """Requests by alias and by what comparing by meaning brought."""
    prefixes: dict[PrefixKey, PrefixFigures] = field(
        default_factory=dict[PrefixKey, PrefixFigures]
    )
    """By key, alias and phase: what the providers' prompt caches did."""
    guard_requests: dict[tuple[str, str, str], int] = field(default_factory=_triples)
    """Looks of guards, by name, stage and what came of them."""
    guard_errors: dict[tuple[str, str, str], int] = field(default_factory=_triples)
    """Guards that could not decide, by name, stage and kind of fault."""
    guard_seconds: dict[tuple[str, str, str, str], Buckets] = field(
        default_factory=dict[tuple[str, str, str, str], Buckets]
    )
    """How long guards took, by name, stage, what came of it, and kind of fault."""
    guard_findings: dict[tuple[str, str, str], int] = field(default_factory=_triples)
    """What guards found, by name, stage and what was done about it."""
    callback_failures: dict[str, int] = field(default_factory=_numbers)
    """Records that a callback did not take, by its name."""
    callback_drops: dict[str, int] = field(default_factory=_numbers)
    """Records that were never offered to a callback, since too many waited, by its name."""
    in_flight: int = 0
