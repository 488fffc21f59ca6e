"""A ledger in memory, and records to put into it: what the ledger's readers are tested with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tiergate.core.ledger import (
    Bucket,
    Entry,
    EntryStatus,
    Filter,
    Group,
    Mark,
    ScopeSum,
    SpendRow,
)
from tiergate.core.window import Calendar, Unit, span_at
from tiergate.ports import StoreDownError

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
"""2026-11-24 12:00 UTC, a Tuesday."""

DAY = 86_400.0

_NAMES = set(Entry._fields)


def entry(number: int = 1, **given: object) -> Entry:
    """Return a record of a call that was served; `given` replaces its fields."""
    assert set(given) <= _NAMES, set(given) - _NAMES
    values: dict[str, object] = {
        "call_id": f"call-{number}",
        "wall": NOON + number,
        "booked": NOON + number,
        "operation": "chat",
        "dialect": "openai",
        "status": EntryStatus.SUCCESS.value,
        "http_status": 200,
        "asked": "frontier",
        "served": "frontier",
        "deployment": "dep-f",
        "provider": "anthropic",
        "model": "claude-opus-4-6",
        "key_name": "master",
        "input": 1000,
        "output": 200,
        "cost": 1_500_000,
        "seconds": 1.25,
    }
    made = {**values, **given}
    if "wall" in given and "booked" not in given:
        made["booked"] = given["wall"]
    return Entry(**made)


def _value(record: Entry, group: Group) -> str:
    column = {Group.ALIAS: "served"}.get(group, group.value)
    return str(getattr(record, column))


@dataclass
class MemoryLedger:
    """Implements `ports.Ledger`; `down` makes every question fail."""

    records: list[Entry] = field(default_factory=list)
    down: str = ""
    closed: bool = False

    @property
    def source(self) -> str:
        return "ledger-in-memory"

    def _ask(self) -> None:
        if self.down:
            raise StoreDownError(self.down)

    async def append(self, entries: Sequence[Entry]) -> None:
        self._ask()
        known = {(r.call_id, r.part, r.wall) for r in self.records}
        self.records += [e for e in entries if (e.call_id, e.part, e.wall) not in known]

    async def total(self, scope: ScopeSum) -> int:
        self._ask()
        chosen = (r for r in self.records if _in_window(r, scope.since, scope.until))
        name = scope.scope.value
        if name == "gateway":
            return sum(r.cost for r in chosen)
        if name == "tag":
            return sum(r.cost for r in chosen if scope.name in r.tags)
        return sum(r.cost for r in chosen if _value(r, Group(name)) == scope.name)

    async def spend(
        self,
        groups: Sequence[Group],
        which: Filter,
        *,
        bucket: Bucket | None = None,
        timezone: str = "UTC",
    ) -> list[SpendRow]:
        self._ask()
        sums: dict[tuple[tuple[str, ...], int | None], list[Entry]] = {}
        for record in self._chosen(which):
            start = None
            if bucket is not None:
                period = Calendar(Unit(bucket.value), ZoneInfo(timezone))
                start = span_at(period, record.booked).start
            for keys in _keys(record, groups):
                sums.setdefault((keys, start), []).append(record)
        rows = [_row(keys, start, records) for (keys, start), records in sums.items()]
        return sorted(rows, key=lambda row: (row.start or 0, -row.cost, row.keys))

    async def entries(
        self, which: Filter, *, limit: int, after: Mark | None = None, newest: bool = False
    ) -> tuple[list[Entry], Mark | None]:
        self._ask()
        numbered = list(enumerate(self.records, 1))
        if newest:
            numbered.reverse()
        chosen = {id(r) for r in self._chosen(which)}
        found = [
            (n, r)
            for n, r in numbered
            if id(r) in chosen
            and (after is None or (n < after.number if newest else n > after.number))
        ][:limit]
        records = [r for _, r in found]
        if newest and len(found) < limit:
            return records, None
        return records, Mark(found[-1][0]) if found else after

    async def aclose(self) -> None:
        self.closed = True

    def _chosen(self, which: Filter) -> list[Entry]:
        return [
            r
            for r in self.records
            if _in_window(r, which.since, which.until)
            and (which.call_id is None or r.call_id == which.call_id)
            and all(_has(r, group, value) for group, value in which.equal)
        ]


def _in_window(record: Entry, since: float | None, until: float | None) -> bool:
    return (since is None or record.booked >= since) and (until is None or record.booked < until)


def _has(record: Entry, group: Group, value: str) -> bool:
    return value in record.tags if group is Group.TAG else _value(record, group) == value


def _keys(record: Entry, groups: Sequence[Group]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for group in groups:
        values = list(record.tags) or [""] if group is Group.TAG else [_value(record, group)]
        found = [(*keys, value) for keys in found for value in values]
    return found


def _row(keys: tuple[str, ...], start: int | None, records: Sequence[Entry]) -> SpendRow:
    whole = [r for r in records if r.part == 0]
    return SpendRow(
        keys=keys,
        start=start,
        calls=len(whole),
        failed=sum(r.status != EntryStatus.SUCCESS.value for r in whole),
        input=sum(r.input for r in records),
        output=sum(r.output for r in records),
        cached=sum(r.cache_read for r in records),
        written=sum(r.cache_write_5m + r.cache_write_1h for r in records),
        cost=sum(r.cost for r in records),
        saving=sum(r.saving for r in records),
        estimated=sum(r.cost for r in records if r.estimated),
    )
