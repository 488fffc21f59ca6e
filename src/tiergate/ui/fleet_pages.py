"""The pages of what serves: deployments, caches, and what checking the configuration has found."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tiergate.base.errors import Refused
from tiergate.core.catalog import Deployment
from tiergate.core.ledger import Group, SpendRow
from tiergate.core.prefix_figures import PrefixFigures, PrefixKey
from tiergate.core.remarks import Remark
from tiergate.core.sighting import Standing, standings
from tiergate.core.trail_words import failure_words
from tiergate.ports import StoreFigures
from tiergate.ui.periods import choices, filter_of, period_of
from tiergate.ui.rendering import Page
from tiergate.ui.sights import Lookups, Sights, Speed
from tiergate.ui.visits import Done, Entrance, Visit
from tiergate.web.prefix_routes import drift_text

LOG = logging.getLogger("tiergate.ui")

LIVE_SECONDS: Final = 5
_MOST_PREFIXES: Final = 100
_NO_SPEED: Final = Speed(0, None, None, None)

_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "ready": ("good", "ready"),
    "cooling": ("bad", "cooling down"),
    "probe allowed": ("warn", "waiting for a probe"),
    "probing": ("warn", "being probed"),
    "off": ("plain", "switched off"),
}


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """One deployment, ready to be shown.

    Attributes:
        deployment: As configured.
        standing: In the eyes of all workers.
        mood: `good`, `warn`, `bad` or `plain`.
        state: In words.
        speed: How fast it was.
        host: Its address without user name and password.
        cause: What its cooldown began with, in words; or empty.
    """

    deployment: Deployment
    standing: Standing
    mood: str
    state: str
    speed: Speed
    host: str
    cause: str


@dataclass(frozen=True, slots=True)
class PrefixRow:
    """The prompt caches of one key, alias and phase; rates are parts of 1."""

    key: str
    alias: str
    phase: str
    figures: PrefixFigures
    rate: float | None
    drifts: int
    drift: str


@dataclass(frozen=True, slots=True)
class LookupRow:
    """What a cache did for one alias."""

    alias: str
    outcomes: tuple[tuple[str, int], ...]
    hits: int
    asked: int

    @property
    def rate(self) -> float | None:
        """The part of the calls that were looked up and found."""
        return self.hits / self.asked if self.asked else None


class FleetPages:
    """Makes the pages.

    Args:
        sights: What they may look at.
    """

    def __init__(self, sights: Sights) -> None:
        self._sights = sights

    def entrances(self) -> list[Entrance]:
        """Return the addresses of the pages."""
        return [
            Entrance("GET", "/ui/deployments", self._deployments),
            Entrance("GET", "/ui/caches", self._caches),
            Entrance("POST", "/ui/caches/clear", self._clear),
            Entrance("GET", "/ui/check", self._check),
        ]

    # ------------------------------------------------------------------ deployments

    async def _deployments(self, visit: Visit) -> Page:
        del visit
        fleet = await self._sights.fleet()
        states = standings(fleet.sightings)
        settings = self._sights.serving().settings
        groups: dict[str, list[DeploymentRow]] = {}
        for each in settings.deployments:
            row = _deployment(
                each,
                states.get(each.id, Standing()),
                fleet.speeds.get(each.id, _NO_SPEED),
            )
            groups.setdefault(each.alias, []).append(row)
        return Page(
            template="deployments.html",
            title="Deployments",
            place="/ui/deployments",
            data={
                "groups": groups,
                "router": settings.router,
                "states": {name: number for name, number in fleet.states.items() if number},
            },
            live=LIVE_SECONDS,
        )

    # ------------------------------------------------------------------ caches

    async def _caches(self, visit: Visit) -> Page:
        fleet = await self._sights.fleet()
        period = period_of(visit.query, visit.moment)
        cache = self._sights.cache()
        figures: StoreFigures | None = None
        if cache is not None:
            figures = await cache.store.figures()
        layers: list[SpendRow] = []
        ledger = self._sights.ledger
        if ledger is not None:
            layers = await ledger.spend((Group.CACHE,), filter_of(period, ()))
        settings = self._sights.serving().settings
        prefixes = _prefixes(fleet.prefixes)
        return Page(
            template="caches.html",
            title="Caches",
            place="/ui/caches",
            data={
                "period_choices": choices("/ui/caches", visit.query, period),
                "cache": cache,
                "figures": figures,
                "meaning": settings.cache.meaning if settings.cache is not None else None,
                "exact": _lookups(fleet.lookups, exact=True),
                "near": _lookups(fleet.lookups, exact=False),
                "layers": {row.keys[0]: row for row in layers},
                "kept": ledger is not None,
                "prefixes": prefixes[:_MOST_PREFIXES],
                "more_prefixes": max(0, len(prefixes) - _MOST_PREFIXES),
            },
            live=LIVE_SECONDS,
        )

    async def _clear(self, visit: Visit) -> Done:
        cache = self._sights.cache()
        if cache is None:
            raise Refused(400, "There is no response cache.", code="no_cache")
        gone = await cache.store.clear(cache.namespace)
        if gone is None:
            raise Refused(
                503,
                f"The cache does not answer, so nothing was deleted: {cache.store.fault}.",
                code="cache_down",
            )
        if cache.meanings is not None:
            await cache.meanings.clear(cache.namespace)
        LOG.info(
            "cache cleared",
            extra={"namespace": cache.namespace, "answers": gone, "by": visit.caller.name},
        )
        return Done("/ui/caches", "cache-cleared")

    # ------------------------------------------------------------------ check

    async def _check(self, visit: Visit) -> Page:
        del visit
        remarks = self._sights.serving().settings.remarks
        return Page(
            template="check.html",
            title="Check",
            place="/ui/check",
            data={
                "faults": list(self._sights.faults()),
                "groups": [
                    (name, title, mood, _of(remarks, name)) for name, title, mood in _SEVERITIES
                ],
                "total": len(remarks),
                "place": self._sights.place,
            },
        )


_SEVERITIES: Final = (
    ("error", "Errors", "bad"),
    ("warning", "Warnings", "warn"),
    ("notice", "Notices", "plain"),
)


def _of(remarks: Iterable[Remark], severity: str) -> list[Remark]:
    return [each for each in remarks if each.severity == severity]


def _deployment(deployment: Deployment, standing: Standing, speed: Speed) -> DeploymentRow:
    state = "off" if deployment.off is not None else standing.state
    mood, text = _STATES.get(state, ("plain", state))
    base = deployment.api_base.partition("://")[2] or deployment.api_base
    return DeploymentRow(
        deployment=deployment,
        standing=standing,
        mood=mood,
        state=text,
        speed=speed,
        host=base.partition("/")[0].rpartition("@")[2],
        cause=failure_words(standing.cause) if standing.cause else "",
    )


def _prefixes(found: Mapping[PrefixKey, PrefixFigures]) -> list[PrefixRow]:
    ordered = sorted(found.items(), key=lambda each: -each[1].input)
    return [
        PrefixRow(
            key=figures.name or key[:12],
            alias=alias,
            phase=phase,
            figures=figures,
            rate=figures.read / figures.input if figures.input else None,
            drifts=sum(figures.drifts.values()),
            drift=drift_text(figures.last) if figures.last is not None else "",
        )
        for (key, alias, phase), figures in ordered
    ]


def _lookups(lookups: Iterable[Lookups], *, exact: bool) -> list[LookupRow]:
    rows: list[LookupRow] = []
    for each in lookups:
        outcomes = each.exact if exact else each.near
        if not outcomes:
            continue
        hits = sum(outcomes.get(name, 0) for name in _FOUND)
        missed = sum(outcomes.get(name, 0) for name in _MISSED)
        ordered = tuple(sorted(outcomes.items(), key=lambda pair: -pair[1]))
        rows.append(LookupRow(each.alias, ordered, hits, hits + missed))
    return rows


_FOUND: Final = ("hit", "shared", "near")
_MISSED: Final = ("miss", "miss_down", "far")
"""What a look-up came to; whatever else is told was not looked up at all."""
