"""The pages of calls: those under way, the last ones, and everything about one of them.

What is over comes from the ledger, so it is the same on all workers and replicas, and it is still
there next month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from tiergate.base.errors import Refused
from tiergate.base.values import DeploymentId
from tiergate.core.caller import MASTER
from tiergate.core.catalog import Deployment
from tiergate.core.ledger import Entry, EntryStatus, Filter, Group, Mark
from tiergate.core.ledger_lines import input_tokens
from tiergate.core.sighting import UnderWay, under_way
from tiergate.core.trail_words import in_words
from tiergate.ports import Ledger
from tiergate.ui.cost_lines import CostSheet, cost_sheet
from tiergate.ui.gauges import Gauge, gauges
from tiergate.ui.key_names import key_names
from tiergate.ui.periods import address, conditions_of
from tiergate.ui.rendering import Page
from tiergate.ui.sights import Sights
from tiergate.ui.visits import Entrance, Visit

LIVE_SECONDS: Final = 3
_SHOWN: Final = 50
_MOST_PARTS: Final = 50
_LONGEST_ID: Final = 200

FILTERS: Final = (
    (Group.ASKED, "Alias asked"),
    (Group.ALIAS, "Alias that served"),
    (Group.TICKET, "Ticket"),
    (Group.PHASE, "Phase"),
    (Group.KEY, "Key"),
    (Group.STATUS, "Status"),
)
STATUSES: Final = tuple(status.value for status in EntryStatus)

_ENDED: Final[Mapping[str, tuple[str, str]]] = {
    EntryStatus.SUCCESS.value: ("good", "answered"),
    EntryStatus.FAILURE.value: ("bad", "failed"),
    EntryStatus.REFUSED.value: ("warn", "refused"),
    EntryStatus.CANCELLED.value: ("warn", "caller left"),
    EntryStatus.DECLINED.value: ("warn", "paid, not used"),
    EntryStatus.LOST.value: ("bad", "worker died"),
}


@dataclass(frozen=True, slots=True)
class CallRow:
    """One recorded call, ready to be shown.

    Attributes:
        entry: The record.
        link: Of the page about it.
        mood: `good`, `warn` or `bad`.
        ended: How it ended, in words.
        input: All tokens of the prompt.
        moved: Another alias served than the one asked.
    """

    entry: Entry
    link: str
    mood: str
    ended: str
    input: int
    moved: bool


@dataclass(frozen=True, slots=True)
class PartView:
    """One record of a call on its own page.

    Attributes:
        row: The record.
        who: The deployment in words; empty when nobody was called.
        sheet: How its cost comes about; None where there is nothing to explain.
        key_link: The costs of its key; empty for the master key.
    """

    row: CallRow
    who: str
    sheet: CostSheet | None
    key_link: str


class CallPages:
    """Makes the pages.

    Args:
        sights: What they may look at.
    """

    def __init__(self, sights: Sights) -> None:
        self._sights = sights

    def entrances(self) -> list[Entrance]:
        """Return the addresses of the pages."""
        return [
            Entrance("GET", "/ui/requests", self._calls),
            Entrance("GET", "/ui/requests/*", self._call),
        ]

    async def _calls(self, visit: Visit) -> Page:
        fleet = await self._sights.fleet()
        calls, number = under_way(fleet.sightings)
        ledger, after = self._sights.ledger, _mark(visit.query.get("after", ""))
        rows: list[CallRow] = []
        older = ""
        if ledger is not None:
            which = Filter(equal=await self._conditions(visit.query))
            found, mark = await ledger.entries(which, limit=_SHOWN, after=after, newest=True)
            # Paid attempts that did not serve stand on the page of their call.
            rows = [_row(entry) for entry in found if entry.part == 0]
            if mark is not None:
                older = address("/ui/requests", visit.query, {"after": str(mark.number)})
        return Page(
            template="requests.html",
            title="Requests",
            place="/ui/requests",
            data={
                "under_way": calls,
                "calls": number,
                "more": max(0, number - len(calls)),
                "rows": rows,
                "kept": ledger is not None,
                "older": older,
                "newest": after is None,
                "filters": [
                    (group.value, label, visit.query.get(group.value, ""))
                    for group, label in FILTERS
                ],
                "filtered": any(visit.query.get(group.value) for group, _ in FILTERS),
                "statuses": STATUSES,
                "aliases": _aliases(self._sights),
            },
            # An older page does not change.
            live=LIVE_SECONDS if after is None else 0,
        )

    async def _call(self, visit: Visit) -> Page:
        call_id = visit.rest
        entries: list[Entry] = []
        if self._sights.ledger is not None and len(call_id) <= _LONGEST_ID:
            entries = await _entries(self._sights.ledger, call_id)
        if not entries:
            return await self._not_yet(call_id)
        main = next((entry for entry in entries if entry.part == 0), entries[0])
        deployments = self._sights.serving().settings.deployments
        steps = in_words(main.why, {d.id: f"{d.provider}/{d.model}" for d in deployments})
        parts = [self._part(entry, deployments) for entry in entries]
        return Page(
            template="request.html",
            title=f"Request {main.call_id}",
            place="/ui/requests",
            data={
                "headline": headline(main),
                "main": next(part for part in parts if part.row.entry is main),
                "parts": [part for part in parts if part.row.entry is not main],
                "steps": steps,
                "why": main.why,
                "budgets": await self._budgets(main),
                "total": sum(entry.cost for entry in entries),
            },
        )

    async def _not_yet(self, call_id: str) -> Page:
        """Show a call that is under way; or say that there is none.

        Raises:
            Refused: 404, when nobody knows it.
        """
        fleet = await self._sights.fleet()
        calls, _ = under_way(fleet.sightings)
        call: UnderWay | None = next((c for c in calls if c.call_id == call_id), None)
        if call is None:
            raise Refused(
                404,
                "No call with this id is known. A call that has just ended is in the ledger "
                "within a second; of a request that was refused before it was understood "
                "(a wrong key, a malformed body) there is no record.",
                code="unknown_call",
            )
        return Page(
            template="request_under_way.html",
            title=f"Request {call_id}",
            place="/ui/requests",
            data={"call": call},
            live=LIVE_SECONDS,
        )

    # ------------------------------------------------------------------ parts

    async def _conditions(self, query: Mapping[str, str]) -> tuple[tuple[Group, str], ...]:
        """Return what is looked for; a key may be named as people call it."""
        found = conditions_of(query)
        named = query.get(Group.KEY.value, "")
        if not named:
            return found
        names = await key_names(self._sights.keys.book)
        hashes = {name: key for key, name in names.items()} | {MASTER.name: ""}
        return tuple(
            (group, hashes.get(value, value)) if group is Group.KEY else (group, value)
            for group, value in found
        )

    def _part(self, entry: Entry, deployments: Sequence[Deployment]) -> PartView:
        price = self._sights.price(DeploymentId(entry.deployment))
        tokens = input_tokens(entry) + entry.output
        known = {d.id for d in deployments}
        gone = "" if entry.deployment in known else " (no longer in the configuration)"
        return PartView(
            row=_row(entry),
            who=f"{entry.provider}/{entry.model}{gone}" if entry.deployment else "",
            sheet=cost_sheet(entry, price) if price is not None and tokens else None,
            key_link=f"/ui/costs?key={quote(entry.key)}" if entry.key else "",
        )

    async def _budgets(self, entry: Entry) -> list[Gauge]:
        """Return the budgets with a limit in which a call counts, as they stand now."""
        tags = {("tag", tag) for tag in entry.tags}
        scopes = {
            ("alias", entry.served),
            ("provider", entry.provider),
            ("deployment", entry.deployment),
            *tags,
        }
        rows = await self._sights.budgets()
        return gauges(
            row for row in rows if row.scope == "gateway" or (row.scope, row.name) in scopes
        )


def headline(entry: Entry) -> str:
    """Say in one sentence what became of a call."""
    asked = entry.asked or "a name that is no alias"
    match entry.status:
        case EntryStatus.SUCCESS.value if entry.cache:
            return f"Asked for {asked}; the {entry.cache} cache answered."
        case EntryStatus.SUCCESS.value if entry.served == entry.asked:
            again = f" after {_times(entry.retries, 'retry', 'retries')}" if entry.retries else ""
            return f"Asked for {asked}; {entry.served} answered{again}."
        case EntryStatus.SUCCESS.value:
            return f"Asked for {asked}; {entry.served} answered in its place. The steps say why."
        case EntryStatus.REFUSED.value:
            return f"Asked for {asked}; the gateway refused it with {entry.http_status}."
        case EntryStatus.CANCELLED.value:
            return f"Asked for {asked}; the caller left before the end."
        case EntryStatus.LOST.value:
            return (
                f"Asked for {asked}; the worker died during the call. It is charged with what was "
                "held for it."
            )
        case _:
            return f"Asked for {asked}; nobody answered, and the caller got {entry.http_status}."


async def _entries(ledger: Ledger, call_id: str) -> list[Entry]:
    entries, _ = await ledger.entries(Filter(call_id=call_id), limit=_MOST_PARTS, newest=True)
    # A caller may use one id twice; the page is about the latest call.
    latest = max((entry.wall for entry in entries), default=0.0)
    return sorted((e for e in entries if e.wall == latest), key=lambda entry: entry.part)


def _row(entry: Entry) -> CallRow:
    mood, ended = _ENDED.get(entry.status, ("warn", entry.status))
    return CallRow(
        entry=entry,
        link=f"/ui/requests/{quote(entry.call_id, safe='')}",
        mood=mood,
        ended=ended,
        input=input_tokens(entry),
        moved=bool(entry.served) and entry.served != entry.asked,
    )


def _mark(text: str) -> Mark | None:
    return Mark(int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _aliases(sights: Sights) -> list[str]:
    return list(dict.fromkeys(str(d.alias) for d in sights.serving().settings.deployments))


def _times(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
