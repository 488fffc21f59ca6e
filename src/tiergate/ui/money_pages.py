"""The pages of money: the overview, the budgets, and what was spent by whom on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tiergate.base.errors import Refused
from tiergate.core.ledger import Bucket, Filter, Group, SpendRow
from tiergate.core.sighting import standings, under_way
from tiergate.core.tier_mix import Tier, mix
from tiergate.ports import Ledger
from tiergate.ui.charts import NOBODY, Chart, by_day
from tiergate.ui.gauges import Gauge, gauges, nearest
from tiergate.ui.key_names import NO_NAMES, key_names
from tiergate.ui.periods import (
    Period,
    address,
    choices,
    conditions_of,
    filter_of,
    period_of,
)
from tiergate.ui.rendering import Moment, Page
from tiergate.ui.sights import Fleet, Sights
from tiergate.ui.visits import Entrance, Visit

LIVE_SECONDS: Final = 10
_NEAREST: Final = 6
_MOST_ROWS: Final = 200

GROUPS: Final = (
    (Group.ALIAS, "Alias"),
    (Group.TICKET, "Ticket"),
    (Group.PHASE, "Phase"),
    (Group.KEY, "Key"),
    (Group.TEAM, "Team"),
    (Group.USER, "User"),
    (Group.WORKFLOW, "Workflow"),
    (Group.MODEL, "Model"),
    (Group.PROVIDER, "Provider"),
    (Group.DEPLOYMENT, "Deployment"),
    (Group.TAG, "Tag"),
    (Group.END_USER, "End user"),
    (Group.SESSION, "Session"),
    (Group.CACHE, "Cache"),
    (Group.STATUS, "Status"),
)
"""By what costs can be shown, the usual ones first."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Sums of the ledger over all rows; money is nano-USD."""

    calls: int = 0
    failed: int = 0
    cost: int = 0
    saving: int = 0
    estimated: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that asks for a look: how much it weighs, what it is, and where to look."""

    weight: str
    text: str
    path: str


@dataclass(frozen=True, slots=True)
class CostRow:
    """One row of the costs.

    Attributes:
        row: The ledger's sum.
        name: What it is called for people.
        link: The address of the costs of this row alone; empty where it has no name.
        part: Of the cost of all rows, 0 to 1.
    """

    row: SpendRow
    name: str
    link: str
    part: float


class MoneyPages:
    """Makes the pages.

    Args:
        sights: What they may look at.
    """

    def __init__(self, sights: Sights) -> None:
        self._sights = sights

    def entrances(self) -> list[Entrance]:
        """Return the addresses of the pages."""
        return [
            Entrance("GET", "/ui", self._overview),
            Entrance("GET", "/ui/budgets", self._budgets),
            Entrance("GET", "/ui/costs", self._costs),
        ]

    async def _overview(self, visit: Visit) -> Page:
        sights = self._sights
        period = period_of(visit.query, visit.moment)
        all_ = gauges(await sights.budgets())
        fleet = await sights.fleet()
        ledger = sights.ledger
        today = period_of({"period": "today"}, visit.moment)
        data: dict[str, object] = {
            "period": period,
            "periods": choices("/ui", visit.query, period),
            "budgets": nearest(all_, _NEAREST),
            "more_budgets": max(0, len(all_) - _NEAREST),
            "notices": self._notices(all_, fleet, visit.moment),
            "under_way": under_way(fleet.sightings)[1],
            "kept": ledger is not None,
            "today": Sum(),
            "tiers": (),
            "chart": None,
        }
        if ledger is not None:
            data["today"] = _sum(await ledger.spend((), Filter(since=today.since)))
            data["tiers"] = await self._tiers(ledger, period)
            data["chart"] = await self._chart(
                ledger, Group.ALIAS, "Cost by day and alias", period, (), visit.moment
            )
        return Page(
            template="overview.html",
            title="Overview",
            place="/ui",
            data=data,
            live=LIVE_SECONDS,
            charts=True,
        )

    async def _budgets(self, visit: Visit) -> Page:
        del visit
        all_ = gauges(await self._sights.budgets())
        return Page(
            template="budgets.html",
            title="Budgets",
            place="/ui/budgets",
            data={
                "budgets": all_,
                "each": self._sights.serving().settings.each_budgets,
                "place": self._sights.place,
                "zone": self._sights.serving().settings.budget_timezone,
            },
            live=LIVE_SECONDS,
        )

    async def _costs(self, visit: Visit) -> Page:
        period = period_of(visit.query, visit.moment, "30d")
        group = _group(visit.query.get("by", Group.ALIAS.value))
        conditions = conditions_of(visit.query)
        ledger = self._sights.ledger
        data: dict[str, object] = {
            "period": period,
            "periods": choices("/ui/costs", visit.query, period),
            "group": dict(GROUPS)[group],
            "groups": [
                (label, address("/ui/costs", visit.query, {"by": each.value}), each is group)
                for each, label in GROUPS
            ],
            "conditions": [
                (each.value, value, address("/ui/costs", visit.query, {each.value: ""}))
                for each, value in conditions
            ],
            "kept": ledger is not None,
            "rows": (),
            "left": 0,
            "sum": Sum(),
            "chart": None,
            "overlap": group is Group.TAG,
        }
        if ledger is not None:
            found = await ledger.spend((group,), filter_of(period, conditions))
            names = await self._names(group)
            whole = sum(row.cost for row in found) or 1
            data["rows"] = [
                CostRow(
                    row,
                    names.get(row.keys[0], row.keys[0]) or NOBODY,
                    address("/ui/costs", visit.query, {group.value: row.keys[0], "by": "alias"})
                    if row.keys[0]
                    else "",
                    row.cost / whole,
                )
                for row in found[:_MOST_ROWS]
            ]
            data["left"] = max(0, len(found) - _MOST_ROWS)
            data["sum"] = _sum(await ledger.spend((), filter_of(period, conditions)))
            title = f"Cost by day and {dict(GROUPS)[group].lower()}"
            data["chart"] = await self._chart(
                ledger, group, title, period, conditions, visit.moment
            )
        return Page(
            template="costs.html", title="Costs", place="/ui/costs", data=data, charts=True
        )

    # ------------------------------------------------------------------ parts

    async def _names(self, group: Group) -> Mapping[str, str]:
        """Return what the members of a group are called, where that is not their value."""
        return await key_names(self._sights.keys.book) if group is Group.KEY else NO_NAMES

    async def _tiers(self, ledger: Ledger, period: Period) -> tuple[Tier, ...]:
        rows = await ledger.spend((Group.ALIAS,), filter_of(period, ()))
        return mix(rows, self._sights.serving().settings.traffic_shares)

    async def _chart(
        self,
        ledger: Ledger,
        group: Group,
        title: str,
        period: Period,
        conditions: tuple[tuple[Group, str], ...],
        moment: Moment,
    ) -> Chart:
        zone = self._sights.serving().settings.budget_timezone
        rows = await ledger.spend(
            (group,), filter_of(period, conditions), bucket=Bucket.DAY, timezone=zone
        )
        names = await self._names(group)
        return by_day(title, rows, period.since, moment, names)

    def _notices(self, all_: Sequence[Gauge], fleet: Fleet, moment: Moment) -> list[Notice]:
        """Collect what asks for a look, the worst first."""
        found = [Notice("bad", f"{fault}.", "/ui/check") for fault in self._sights.faults()]
        for gauge in all_:
            if gauge.state != "fine":
                weight = "bad" if gauge.state == "over" else "warn"
                text = f"The budget of {gauge.row.scope} {gauge.name}: {gauge.words}."
                found.append(Notice(weight, text, "/ui/budgets"))
        settings = self._sights.serving().settings
        states = standings(fleet.sightings)
        for deployment in settings.deployments:
            seen = states.get(deployment.id)
            if seen is not None and seen.state in ("cooling", "probing", "probe allowed"):
                left = moment.relative(seen.until) if seen.until > moment.now else "now"
                text = (
                    f"{deployment.alias} at {deployment.provider}/{deployment.model} is "
                    f"{seen.state} after failures; tried again {left}."
                )
                found.append(Notice("warn", text, "/ui/deployments"))
        heavy = [each for each in settings.remarks if each.severity != "notice"]
        if heavy:
            text = f"The configuration has {len(heavy)} warning{'s' if len(heavy) > 1 else ''}."
            found.append(Notice("warn", text, "/ui/check"))
        listing = self._sights.fallbacks.listing()
        found.extend(
            Notice("warn", f"Fallback routes: {each.what}.", "/ui/routes")
            for each in listing.conflicts
        )
        return sorted(found, key=lambda notice: notice.weight != "bad")


def _group(text: str) -> Group:
    for group, _ in GROUPS:
        if group.value == text:
            return group
    raise Refused(400, "Costs cannot be shown by that.", code="invalid_request")


def _sum(rows: Sequence[SpendRow]) -> Sum:
    return Sum(
        calls=sum(row.calls for row in rows),
        failed=sum(row.failed for row in rows),
        cost=sum(row.cost for row in rows),
        saving=sum(row.saving for row in rows),
        estimated=sum(row.estimated for row in rows),
    )
