"""Collects what a scrape shows from the parts of a gateway, and makes the page beside calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tiergate.base.money import NANO
from tiergate.base.values import DeploymentId
from tiergate.core import cooldown
from tiergate.core.cooldown import CLEAN
from tiergate.core.key_terms import KeyRules
from tiergate.core.prefix_figures import PrefixFigures, PrefixKey
from tiergate.ports import Clock
from tiergate.telemetry.budget_families import BudgetRow
from tiergate.telemetry.counts import Names
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.moment import Health, Moment
from tiergate.telemetry.page import Scene, pieces
from tiergate.telemetry.reports import Others, Report, total
from tiergate.wiring.holder_rows import HolderBudgets
from tiergate.wiring.money import Money
from tiergate.wiring.siblings import Siblings


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the figures of one worker are.

    Attributes:
        metrics: What was counted.
        marks: The cooldown marks of the deployments.
        money: Budgets, stores and books.
        clock: The clock of the marks, seconds.
        wall: Unix seconds.
        cache_fault: Says what is wrong with the cache, if anything is.
        caches: Tells whether there is a cache.
        rules: Of keys; None before the first configuration.
        siblings: The other workers, if it is one of several.
    """

    metrics: Metrics
    marks: Mapping[DeploymentId, cooldown.Mark]
    money: Money
    clock: Clock
    wall: Clock
    cache_fault: Callable[[], str | None]
    caches: Callable[[], bool]
    rules: Callable[[], KeyRules | None]
    siblings: Siblings | None = None


class Scraper:
    """Answers whoever asks for figures.

    Args:
        sources: Where they are.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        money = sources.money
        self._holders = HolderBudgets(
            money.state.documents, money.standings.amounts, sources.rules, sources.wall
        )

    def report(self) -> Report:
        """Return the figures of this worker."""
        return self._sources.metrics.report(self._moment())

    async def page(self, *, openmetrics: bool = False) -> bytes:
        """Return the metrics page of all workers; calls go on while it is written.

        Args:
            openmetrics: In the format of OpenMetrics, with examples of calls.
        """
        sources, money = self._sources, self._sources.money
        rows = await money.standings.rows(money.spend.budgets)
        scene = Scene(
            budgets=tuple(
                BudgetRow(
                    row.scope,
                    row.name,
                    row.window,
                    row.limit / NANO,
                    row.spent / NANO,
                    row.held / NANO,
                    row.forecast / NANO if row.forecast is not None else None,
                )
                for row in rows
            ),
            holders=await self._holders.rows(),
            moment=self._moment(),
            others=await self._others(),
            now=sources.wall(),
        )
        written: list[bytes] = []
        for piece in pieces(sources.metrics, scene, openmetrics=openmetrics):
            written.append(piece)
            await asyncio.sleep(0)
        return b"".join(written)

    async def prefixes(self) -> Mapping[PrefixKey, PrefixFigures]:
        """Return what prompt caches did for each key, alias and phase, in all workers."""
        others = await self._others()
        reports = others.reports if others is not None else ()
        return total((self.report(), *reports)).counts.prefixes

    async def _others(self) -> Others | None:
        siblings = self._sources.siblings
        return await siblings.others(self.report()) if siblings is not None else None

    def _moment(self) -> Moment:
        """Look at the parts of this worker."""
        sources, money = self._sources, self._sources.money
        moment, now = Moment(), sources.clock()
        settings = sources.metrics.settings
        for deployment in settings.deployments if settings is not None else ():
            mark = sources.marks.get(deployment.id, CLEAN)
            moment.see(Names.of(deployment), health_of(mark, now))
        up: dict[str, bool] = {
            "budgets": money.leasing.down is None,
            "rate_limits": money.pace.down is None,
        }
        books = money.books
        if books is not None:
            up["ledger"] = books.fault is None
            moment.waiting, moment.oldest = books.waiting, books.oldest
        if sources.caches():
            up["cache"] = sources.cache_fault() is None
        moment.stores = tuple(up)
        moment.down = {name: 1 for name, answers in up.items() if not answers}
        return moment


def health_of(mark: cooldown.Mark, now: float) -> Health:
    """Return how a worker sees a deployment by its mark."""
    state = cooldown.state(mark, now)
    if state is cooldown.State.COOLING:
        return Health.OUT
    failing = any(at > now - cooldown.FAILURE_WINDOW for at, _ in mark.fails)
    return Health.HEALTHY if state is cooldown.State.READY and not failing else Health.PARTIAL
