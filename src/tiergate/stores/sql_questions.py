"""Put the ledger's questions into SQL. Text only: nothing is asked here.

Values never stand in the text; what stands in it are names of ours and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiergate.core.catalog import ScopeKind
from tiergate.core.ledger import Entry, Filter, Group, Mark, ScopeSum
from tiergate.stores.sql_session import Value, quoted

COLUMNS = Entry._fields[:-1]
"""The ledger's columns, in the order of the record's fields; tags, the last, have a table."""

_INDEXED = frozenset({"key", "user", "team", "end_user", "ticket"})
"""Columns whose index leaves empty values out; a question has to say that it does too."""

_SUMS = (
    "SUM(CASE WHEN part = 0 THEN 1 ELSE 0 END)",
    "SUM(CASE WHEN part = 0 AND status <> 'success' THEN 1 ELSE 0 END)",
    "SUM(input)",
    "SUM(output)",
    "SUM(cache_read)",
    "SUM(cache_write_5m + cache_write_1h)",
    "SUM(cost)",
    "SUM(saving)",
    "SUM(CASE WHEN estimated THEN cost ELSE 0 END)",
)
"""The sums of a `SpendRow`, in the order of its fields."""


@dataclass(frozen=True, slots=True)
class Question:
    """SQL with `?` for its values."""

    sql: str
    values: tuple[Value, ...]


def total_question(scope: ScopeSum) -> Question:
    """Ask what counts in a budget: one row with nano-USD."""
    which = Filter(since=scope.since, until=scope.until, equal=_of_scope(scope))
    condition = _condition(which)
    return Question(
        "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT)"  # noqa: S608 - see the module
        f" FROM tiergate_ledger AS entry{condition.sql}",
        condition.values,
    )


def range_question(which: Filter) -> Question:
    """Ask for the first and the last instant of some records; both NULL where there are none."""
    condition = _condition(which)
    return Question(
        f"SELECT MIN(booked), MAX(booked) FROM tiergate_ledger AS entry{condition.sql}",  # noqa: S608 - see the module
        condition.values,
    )


def spend_question(groups: Sequence[Group], which: Filter, step: str | None) -> Question:
    """Ask for sums: rows of a step's number (or 0), the groups' values, and the sums.

    Args:
        groups: By what to sum.
        which: Which records.
        step: An expression that gives the number of a record's calendar step.
    """
    condition = _condition(which)
    keys = [step or "0", *(_column(group) for group in groups)]
    join = ""
    if Group.TAG in groups:
        join = " LEFT JOIN tiergate_ledger_tags AS tagged ON tagged.number = entry.number"
    chosen = ", ".join([*keys, *(f"CAST({total} AS BIGINT)" for total in _SUMS)])
    by = ", ".join(str(position) for position in range(1, len(keys) + 1))
    return Question(
        f"SELECT {chosen} FROM tiergate_ledger AS entry{join}{condition.sql} GROUP BY {by}",  # noqa: S608 - see the module
        condition.values,
    )


def entries_question(which: Filter, limit: int, after: Mark | None, *, newest: bool) -> Question:
    """Ask for records: rows of a number and the columns, in the order wanted."""
    further = () if after is None else (after.number,)
    condition = _condition(which, f"entry.number {'<' if newest else '>'} ?", further)
    order = "DESC" if newest else "ASC"
    return Question(
        f"SELECT number, {quoted(COLUMNS)} FROM tiergate_ledger AS entry{condition.sql}"  # noqa: S608 - see the module
        f" ORDER BY number {order} LIMIT {limit:d}",
        condition.values,
    )


def _of_scope(scope: ScopeSum) -> tuple[tuple[Group, str], ...]:
    """Return which records belong to a scope; its names are those of the groups."""
    if scope.scope is ScopeKind.GATEWAY:
        return ()
    return ((Group(scope.scope.value), scope.name),)


def _column(group: Group) -> str:
    if group is Group.TAG:
        return "COALESCE(tagged.tag, '')"
    return "served" if group is Group.ALIAS else f'"{group.value}"'


def _condition(which: Filter, also: str = "", values: tuple[Value, ...] = ()) -> Question:
    """Return a WHERE, or nothing where all records are meant; `also` counts if it has values."""
    parts: list[Question] = []
    if which.since is not None:
        parts.append(Question("booked >= ?", (which.since,)))
    if which.until is not None:
        parts.append(Question("booked < ?", (which.until,)))
    if which.call_id is not None:
        parts.append(Question("call_id = ?", (which.call_id,)))
    parts += [_equal(group, value) for group, value in which.equal]
    if values:
        parts.append(Question(also, values))
    if not parts:
        return Question("", ())
    return Question(
        " WHERE " + " AND ".join(part.sql for part in parts),
        tuple(value for part in parts for value in part.values),
    )


def _equal(group: Group, value: str) -> Question:
    if group is Group.TAG:
        tags = "SELECT number FROM tiergate_ledger_tags"
        if not value:
            return Question(f"entry.number NOT IN ({tags})", ())
        return Question(f"entry.number IN ({tags} WHERE tag = ?)", (value,))
    column = _column(group)
    if value and group.value in _INDEXED:
        return Question(f"{column} = ? AND {column} <> ''", (value,))
    return Question(f"{column} = ?", (value,))
