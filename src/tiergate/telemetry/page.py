"""Puts the metrics page together: which families there are, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tiergate.telemetry.budget_families import (
    BudgetRow,
    HolderRow,
    budget_families,
    holder_families,
)
from tiergate.telemetry.cache_families import cache_families
from tiergate.telemetry.deployment_families import (
    answer_families,
    fallback_families,
    state_families,
    tier_families,
)
from tiergate.telemetry.exposition import Family, selected, written
from tiergate.telemetry.families import request_families, served_families, time_families
from tiergate.telemetry.guard_families import guard_families
from tiergate.telemetry.health_families import health_families
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.moment import Moment
from tiergate.telemetry.prefix_families import prefix_families
from tiergate.telemetry.reports import Others, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a page shows beside what this worker has counted.

    Attributes:
        budgets: Of the configuration; read from the store that all workers share, never added.
        holders: Budgets of keys, teams and users; likewise.
        moment: What holds in this worker now.
        others: The other workers, if there are any.
        now: Unix seconds.
    """

    budgets: tuple[BudgetRow, ...] = ()
    holders: tuple[HolderRow, ...] = ()
    moment: Moment = field(default_factory=Moment)
    others: Others | None = None
    now: float = 0.0


def families(metrics: Metrics, scene: Scene) -> Iterator[Family]:
    """Yield all families, as the configuration wants them."""
    plan = metrics.plan
    for family in _all(metrics, scene):
        if not plan.selects:
            yield family
        elif (left := selected(family, plan)) is not None:
            yield left


def pieces(metrics: Metrics, scene: Scene, *, openmetrics: bool = False) -> Iterator[bytes]:
    """Yield the page piece by piece; see `telemetry.exposition.written`."""
    return written(families(metrics, scene), openmetrics=openmetrics)


def page(metrics: Metrics, scene: Scene, *, openmetrics: bool = False) -> bytes:
    """Return the whole page."""
    return b"".join(pieces(metrics, scene, openmetrics=openmetrics))


def _all(metrics: Metrics, scene: Scene) -> Iterator[Family]:
    report = metrics.report(scene.moment)
    others = scene.others
    if others is not None:
        report = total((report, *others.reports))
    counts, plan, settings = report.counts, metrics.plan, metrics.settings
    yield from request_families(counts, plan, metrics.failure_marks)
    yield from answer_families(counts, plan)
    yield from fallback_families(counts, plan)
    deployments = settings.deployments if settings is not None else ()
    yield from state_families(counts, plan, deployments, report.moment)
    yield from tier_families(counts, settings.traffic_shares if settings is not None else ())
    yield from served_families(counts, plan)
    yield from time_families(counts, plan)
    yield from budget_families(scene.budgets)
    yield from holder_families(scene.holders)
    yield from cache_families(counts, plan)
    yield from prefix_families(counts)
    yield from guard_families(counts)
    workers: Mapping[str, int] = others.states() if others is not None else {}
    yield from health_families(counts, report.moment, workers, scene.now)
