"""Puts together the dashboard: what its pages may look at, and the pages.

What a worker sees itself is here; what the others see comes with their figures.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tiergate.base.values import DeploymentId
from tiergate.config import durations
from tiergate.core import cooldown
from tiergate.core.catalog import Deployment
from tiergate.core.cooldown import FAILURE_WINDOW, Mark
from tiergate.core.cost import Price
from tiergate.core.load import Load
from tiergate.core.sighting import MOST_UNDER_WAY, Seen, Sighting, UnderWay
from tiergate.pipeline.fallback_book import FallbackBook
from tiergate.pipeline.standings import BudgetRow
from tiergate.ports import Clock, Inbound
from tiergate.pricing import PriceList
from tiergate.telemetry.counts import SECONDS, Buckets, Counts
from tiergate.telemetry.reports import Others, Report, total
from tiergate.ui.call_pages import CallPages
from tiergate.ui.dashboard import Dashboard
from tiergate.ui.doorkeeper import Doorkeeper
from tiergate.ui.fleet_pages import FleetPages
from tiergate.ui.key_pages import KeyPages
from tiergate.ui.money_pages import MoneyPages
from tiergate.ui.rendering import Renderer
from tiergate.ui.route_pages import RoutePages
from tiergate.ui.sights import Fleet, Lookups, Sights, Speed
from tiergate.web.cache_routes import OpenCache
from tiergate.web.inference import Serving
from tiergate.web.keys import KeyDesk
from tiergate.wiring.money import Money
from tiergate.wiring.siblings import Siblings

OpenCalls = dict[int, Inbound]
"""The requests under way in this worker, by the identity of the object."""

_HALF: Final = 0.5
_MOST: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The parts of a worker that the dashboard looks at.

    Attributes:
        serving: Gives the configuration in force.
        money: Budgets, ledger and stores.
        marks: The cooldown marks of the deployments.
        load: The calls at each deployment.
        calls: The requests under way.
        clock: The clock of the marks, seconds.
        prices: The price list.
        report: Gives the figures of this worker.
        faults: Says what does not work now.
        cache: Gives the cache in force.
        keys: Virtual keys.
        fallbacks: Fallback routes.
        siblings: The other workers, if it is one of several.
    """

    serving: Callable[[], Serving]
    money: Money
    marks: Mapping[DeploymentId, Mark]
    load: Load
    calls: OpenCalls
    clock: Clock
    prices: PriceList
    report: Callable[[], Report]
    faults: Callable[[], Sequence[str]]
    cache: Callable[[], OpenCache | None]
    keys: KeyDesk
    fallbacks: FallbackBook
    siblings: Siblings | None = None


def dashboard_of(views: Views) -> Dashboard:
    """Return the dashboard of a worker."""
    state = views.money.state
    sights = Sights(
        serving=views.serving,
        wall=time.time,
        budgets=lambda: _budgets(views.money),
        ledger=state.ledger,
        fleet=lambda: _fleet(views),
        faults=views.faults,
        cache=views.cache,
        price=_Prices(views.prices, views.serving).of,
        keys=views.keys,
        fallbacks=views.fallbacks,
        seconds=durations.seconds,
        place=state.place,
    )
    entrances = [
        *MoneyPages(sights).entrances(),
        *CallPages(sights).entrances(),
        *FleetPages(sights).entrances(),
        *RoutePages(sights).entrances(),
        *KeyPages(sights).entrances(),
    ]
    door = Doorkeeper(state.documents, time.time)
    return Dashboard(views.serving, entrances, door, Renderer(), time.time, secrets.token_bytes)


def sighting(
    deployments: Iterable[Deployment],
    marks: Mapping[DeploymentId, Mark],
    load: Load,
    calls: OpenCalls,
    clock: Clock,
    wall: Clock,
) -> Sighting:
    """Return what this worker sees at this instant.

    Args:
        deployments: Those of the configuration in force.
        marks: Their cooldown marks.
        load: The calls at each of them.
        calls: The requests under way; those that began first come first.
        clock: The clock of the marks, seconds.
        wall: Unix seconds.
    """
    now = clock()
    # Instants of the marks' clock as Unix time, whole seconds: it must not change by itself.
    to_wall = wall() - now
    first = list(calls.values())[:MOST_UNDER_WAY]
    return Sighting(
        worker=os.getpid(),
        under_way=tuple(_under_way(each) for each in first),
        calls=len(calls),
        deployments=tuple(_seen(each, marks, load, now, to_wall) for each in deployments),
    )


def _under_way(inbound: Inbound) -> UnderWay:
    purpose = inbound.purpose
    return UnderWay(
        call_id=inbound.call_id,
        wall=inbound.wall,
        asked=inbound.asked,
        operation=inbound.operation.value,
        stream=inbound.stream,
        key_name=inbound.caller.name,
        ticket=purpose.ticket,
        phase=purpose.phase,
    )


def _seen(
    deployment: Deployment,
    marks: Mapping[DeploymentId, Mark],
    load: Load,
    now: float,
    to_wall: float,
) -> Seen:
    mark = marks.get(deployment.id)
    in_flight = load.in_flight(deployment.id)
    if deployment.off is not None:
        return Seen(deployment.id, "off", in_flight=in_flight)
    state = cooldown.state(mark, now)
    if mark is None:
        return Seen(deployment.id, state.value, in_flight=in_flight)
    ready = state is cooldown.State.READY
    return Seen(
        deployment=deployment.id,
        state=state.value,
        until=0.0 if ready or not mark.until else float(round(mark.until + to_wall)),
        cause="" if ready or mark.cause is None else mark.cause.value,
        fails=sum(at > now - FAILURE_WINDOW for at, _ in mark.fails),
        in_flight=in_flight,
    )


async def _budgets(money: Money) -> Sequence[BudgetRow]:
    return await money.standings.rows(money.spend.budgets)


async def _fleet(views: Views) -> Fleet:
    """Ask all workers."""
    own = views.report()
    others: Others | None = None
    if views.siblings is not None:
        others = await views.siblings.others(own)
    reports = (own, *(others.reports if others is not None else ()))
    counts = total(reports).counts
    return Fleet(
        sightings=tuple(each.sighting for each in reports if each.sighting is not None),
        states=others.states() if others is not None else {},
        speeds=speeds(counts),
        lookups=_lookups(counts),
        prefixes=counts.prefixes,
    )


def speeds(counts: Counts) -> Mapping[str, Speed]:
    """Return how fast each deployment was, by its id."""
    whole: dict[str, Buckets] = {}
    first: dict[str, Buckets] = {}
    for key, times in counts.times.items():
        if key.names.id:
            _pour(whole.setdefault(key.names.id, Buckets(SECONDS)), times.latency)
            _pour(first.setdefault(key.names.id, Buckets(SECONDS)), times.first)
    return {
        name: Speed(
            answers=sum(buckets.counts),
            half=within(buckets, _HALF),
            most=within(buckets, _MOST),
            first_half=within(first[name], _HALF),
        )
        for name, buckets in whole.items()
    }


def within(buckets: Buckets, part: float) -> float | None:
    """Return the seconds in which a part of all answers came; None without answers.

    It is the upper bound of a bucket: no answer of that part took longer. Beyond the last bound
    it is that bound.
    """
    left = sum(buckets.counts) * part
    if not left:
        return None
    for bound, number in zip(buckets.bounds, buckets.counts, strict=False):
        left -= number
        if left <= 0:
            return bound
    return buckets.bounds[-1]


def _pour(into: Buckets, more: Buckets) -> None:
    for at, number in enumerate(more.counts):
        into.counts[at] += number


def _lookups(counts: Counts) -> list[Lookups]:
    aliases = sorted({alias for alias, _ in (*counts.lookups, *counts.compared)})
    return [
        Lookups(
            alias,
            {result: n for (of, result), n in counts.lookups.items() if of == alias},
            {result: n for (of, result), n in counts.compared.items() if of == alias},
        )
        for alias in aliases
    ]


class _Prices:
    """The prices of the deployments in force; looked up once for each configuration."""

    def __init__(self, prices: PriceList, serving: Callable[[], Serving]) -> None:
        self._prices = prices
        self._serving = serving
        self._for: object = None
        self._found: Mapping[DeploymentId, Price | None] = {}

    def of(self, deployment: DeploymentId) -> Price | None:
        """Return the price of a deployment; None where it has none, or there is none."""
        settings = self._serving().settings
        if settings is not self._for:
            self._found = self._prices.of(settings.deployments)
            self._for = settings
        return self._found.get(deployment)
