"""The ledger in tables of SQLite or PostgreSQL: appends records, sums them, reads them back.

Appending and reporting have a connection and a thread each, so that a long report delays no
append. What a record means is not known here.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from tiergate.core.ledger import Bucket, Entry, Filter, Group, Mark, ScopeSum, SpendRow
from tiergate.stores.sql_questions import (
    COLUMNS,
    entries_question,
    range_question,
    spend_question,
    total_question,
)
from tiergate.stores.sql_session import Row, SqlSession, SqlValueError, Value, marks, transaction
from tiergate.stores.sql_steps import calendar_steps
from tiergate.stores.sql_thread import SqlThread

_LOCK = b"ledger"
_AT_ONCE = 500
_TAGS = (
    (
        "INSERT INTO tiergate_ledger_tags (number, position, tag)"
        " SELECT l.number, t.column1, t.column2 FROM (VALUES "
    ),
    (
        "(CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT),"
        " CAST(? AS DOUBLE PRECISION))"
    ),
    (
        ") AS t CROSS JOIN tiergate_ledger AS l"
        " WHERE l.call_id = t.column3 AND l.part = t.column4 AND l.wall = t.column5"
        " ON CONFLICT DO NOTHING"
    ),
)
"""Adds tags to records by what names a record: their numbers are the database's."""
_LARGEST = 1 << 53
"""What a number is cut to that no column can hold; a thousand of them can still be summed."""

_OPEN_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLimits:
    """The most seconds that a question may take before the ledger is said to be down."""

    append: float = 10.0
    total: float = 10.0
    report: float = 60.0


class SqlLedger:
    """Implements `ports.Ledger`.

    Args:
        writer: Appends, and sums for budgets.
        reader: Reports.
        source: The ledger's name (`ledger_source`).
        limits: How long questions may take.
    """

    def __init__(
        self, writer: SqlThread, reader: SqlThread, source: str, limits: LedgerLimits
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._source = source
        self._limits = limits

    @property
    def source(self) -> str:
        """A random name made with the ledger."""
        return self._source

    async def append(self, entries: Sequence[Entry]) -> None:
        """Add records in one transaction; one that is already there is left as it is.

        What a database cannot hold is replaced, so that one odd record does not keep the others
        out: a zero character or half a surrogate pair by U+FFFD, a number beyond 64 bits by
        2 to the 53rd.

        Raises:
            StoreDownError: Nothing is known to be written.
        """
        if not entries:
            return
        seconds = self._limits.append

        def work(session: SqlSession) -> None:
            try:
                _append(session, entries, seconds)
            except SqlValueError:
                _append(session, [_bearable(entry) for entry in entries], seconds)

        await self._writer.run(work, seconds)

    async def total(self, scope: ScopeSum) -> int:
        """Return nano-USD of the records that count in a budget's window.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        question = total_question(scope)
        seconds = self._limits.total

        def work(session: SqlSession) -> int:
            with transaction(session, seconds, write=False):
                return _whole(session.execute(question.sql, question.values)[0][0])

        return await self._writer.run(work, seconds)

    async def spend(
        self,
        groups: Sequence[Group],
        which: Filter,
        *,
        bucket: Bucket | None = None,
        timezone: str = "UTC",
    ) -> list[SpendRow]:
        """Sum records; rows by start, then by falling cost, then by keys.

        Without records there are no rows. Where tags are a group, a call without tags counts
        under the empty one.

        Raises:
            StoreDownError: The store cannot be reached.
            ZoneInfoNotFoundError: There is no such time zone (a `KeyError`).
        """
        seconds = self._limits.report

        def work(session: SqlSession) -> list[SpendRow]:
            with transaction(session, seconds, write=False):
                return _spend(session, groups, which, bucket, timezone)

        return await self._reader.run(work, seconds)

    async def entries(
        self, which: Filter, *, limit: int, after: Mark | None = None, newest: bool = False
    ) -> tuple[list[Entry], Mark | None]:
        """Return records in the order they were appended (or the newest first).

        Raises:
            StoreDownError: The store cannot be reached.
        """
        question = entries_question(which, limit, after, newest=newest)
        seconds = self._limits.report

        def work(session: SqlSession) -> tuple[list[Row], dict[int, list[str]]]:
            with transaction(session, seconds, write=False):
                rows = session.execute(question.sql, question.values)
                return rows, _tags(session, [_whole(row[0]) for row in rows])

        rows, tags = await self._reader.run(work, seconds)
        found = [_entry(row, tags.get(_whole(row[0]), ())) for row in rows]
        if newest and len(rows) < limit:
            return found, None
        return found, Mark(_whole(rows[-1][0])) if rows else after

    async def aclose(self) -> None:
        """Give back both connections."""
        await self._writer.aclose(self._limits.append)
        await self._reader.aclose(self._limits.append)


def ledger_source(session: SqlSession) -> str:
    """Return the ledger's name, made the first time that it is asked for.

    Raises:
        SqlFaultError: The database refused.
    """
    ask = "SELECT value FROM tiergate_meta WHERE name = 'source'"
    rows = session.execute(ask)
    if not rows:
        with transaction(session, _OPEN_SECONDS, write=True):
            session.execute(
                "INSERT INTO tiergate_meta (name, value) VALUES ('source', ?)"
                " ON CONFLICT (name) DO NOTHING",
                (uuid.uuid4().hex,),
            )
            rows = session.execute(ask)
    return str(rows[0][0])


def _append(session: SqlSession, entries: Sequence[Entry], seconds: float) -> None:
    with transaction(session, seconds, write=True):
        # One after the other: numbers then become visible in their order, and whoever reads
        # after a mark misses none.
        session.lock([_LOCK])
        session.insert("tiergate_ledger", COLUMNS, [entry[:-1] for entry in entries])
        tags: list[Row] = [
            (position, tag, entry.call_id, entry.part, entry.wall)
            for entry in entries
            if entry.tags
            for position, tag in enumerate(dict.fromkeys(entry.tags))
        ]
        session.execute_rows(*_TAGS, tags)


def _spend(
    session: SqlSession,
    groups: Sequence[Group],
    which: Filter,
    bucket: Bucket | None,
    timezone: str,
) -> list[SpendRow]:
    bounds = range_question(which)
    first, last = session.execute(bounds.sql, bounds.values)[0]
    if not isinstance(first, float) or not isinstance(last, float):
        return []
    if bucket is None:
        question = spend_question(groups, which, None)
        return _rows(session.execute(question.sql, question.values), len(groups), None)
    steps = calendar_steps(first, last, bucket, timezone, session.kind)
    question = spend_question(groups, which, steps.sql)
    return _rows(session.execute(question.sql, question.values), len(groups), steps.starts)


def _rows(found: Iterable[Row], groups: int, starts: Sequence[int] | None) -> list[SpendRow]:
    """Put the days' sums together to those of the calendar steps."""
    sums: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for row in found:
        start = 0 if starts is None else starts[_whole(row[0])]
        place = (start, tuple(str(key) for key in row[1 : groups + 1]))
        more = [_whole(value) for value in row[groups + 1 :]]
        known = sums.get(place)
        sums[place] = more if known is None else [a + b for a, b in zip(known, more, strict=True)]
    rows = [
        SpendRow(
            keys=keys,
            start=None if starts is None else start,
            calls=of[0],
            failed=of[1],
            input=of[2],
            output=of[3],
            cached=of[4],
            written=of[5],
            cost=of[6],
            saving=of[7],
            estimated=of[8],
        )
        for (start, keys), of in sums.items()
    ]
    return sorted(rows, key=lambda row: (row.start or 0, -row.cost, row.keys))


def _tags(session: SqlSession, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of some records, in the order of their requests."""
    tags: dict[int, list[str]] = {}
    for first in range(0, len(numbers), _AT_ONCE):
        some = numbers[first : first + _AT_ONCE]
        sql = (
            "SELECT number, tag FROM tiergate_ledger_tags"  # noqa: S608 - question marks
            f" WHERE number IN ({marks(len(some))}) ORDER BY number, position"
        )
        for number, tag in session.execute(sql, some):
            tags.setdefault(_whole(number), []).append(str(tag))
    return tags


def _entry(row: Row, tags: Sequence[str]) -> Entry:
    return msgspec.convert((*row[1:], tuple(tags)), Entry, strict=False)


def _whole(value: Value) -> int:
    return int(value or 0)


def _bearable(entry: Entry) -> Entry:
    """Return a record that every database can hold."""
    tags = tuple(str(_plain(tag)) for tag in entry.tags)
    return msgspec.convert((*map(_plain, entry[:-1]), tags), Entry)


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\x00", "\ufffd")
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return max(-_LARGEST, min(value, _LARGEST))
    if isinstance(value, float) and not math.isfinite(value):
        return 0.0
    return value
