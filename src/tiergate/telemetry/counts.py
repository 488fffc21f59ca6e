"""The numbers behind the metrics page, as plain integers and lists; no Prometheus in here."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from tiergate.core.catalog import Deployment

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
OVERHEAD_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5)


class Buckets:
    """A histogram as plain numbers: a count per bucket, the last one without a bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Served:
    """What one deployment did for one alias asked. Money is nano-USD."""

    answers: int = 0
    cost: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0
    fallbacks: int = 0
    latency: Buckets = field(default_factory=lambda: Buckets(SECONDS))
    upstream: Buckets = field(default_factory=lambda: Buckets(SECONDS))
    first: Buckets = field(default_factory=lambda: Buckets(SECONDS))
    overhead: Buckets = field(default_factory=lambda: Buckets(OVERHEAD_SECONDS))


@dataclass(frozen=True, slots=True)
class Names:
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


NOBODY = Names()


@dataclass(slots=True)
class Counts:
    """All numbers; keys are label values."""

    requests: dict[tuple[str, str, int, Names], int] = field(
        default_factory=dict[tuple[str, str, int, Names], int]
    )
    failures: dict[tuple[str, str, int, str, Names], int] = field(
        default_factory=dict[tuple[str, str, int, str, Names], int]
    )
    attempts: dict[tuple[Names, int, str], int] = field(
        default_factory=dict[tuple[Names, int, str], int]
    )
    cooldowns: dict[tuple[Names, int], int] = field(default_factory=dict[tuple[Names, int], int])
    broken: dict[Names, int] = field(default_factory=dict[Names, int])
    served: dict[tuple[str, Names], Served] = field(
        default_factory=dict[tuple[str, Names], Served]
    )
    in_flight: int = 0
