"""SQLite: a database in a file of this machine, for several workers. The default store.

The file is in write-ahead mode, so that readers and the one writer do not wait for each other.
A commit survives the death of every process; after a power cut the last few may be missing.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from tiergate.ports import StoreDownError
from tiergate.stores.sql_documents import SqlDocuments
from tiergate.stores.sql_ledger import LedgerLimits, SqlLedger, ledger_source
from tiergate.stores.sql_schema import Part, bring_up_to_date
from tiergate.stores.sql_session import (
    Row,
    SqlBusyError,
    SqlFaultError,
    SqlKind,
    SqlValueError,
    Value,
    quoted,
)
from tiergate.stores.sql_thread import SqlThread

_MOST_ROWS = 256
"""Rows in one statement. The interpreter's lock is let go and taken again around every statement,
which costs more than the statement when the event loop is busy."""

_SMALLER = 16
"""The rest of the rows goes in statements a sixteenth as large, so that few texts are prepared."""

_VALUE_ERRORS = (OverflowError, UnicodeError, sqlite3.IntegrityError)

_PAUSE_SECONDS = 0.005
_PATIENCE = 0.9
"""Part of a time limit that is spent waiting for a lock, so that the reason can still be told."""


class SqliteSession:
    """Implements `sql_session.SqlSession`."""

    kind = SqlKind.SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._patience = -1

    def execute(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Run one statement; return its rows."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except _VALUE_ERRORS as exc:
            raise SqlValueError(str(exc)) from exc
        except sqlite3.Error as exc:
            raise _fault(exc) from exc

    def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement that returns nothing for each of some rows."""
        try:
            self._connection.executemany(sql, rows)
        except _VALUE_ERRORS as exc:
            raise SqlValueError(str(exc)) from exc
        except sqlite3.Error as exc:
            raise _fault(exc) from exc

    def execute_rows(self, head: str, row: str, tail: str, rows: Sequence[Row]) -> None:
        """Run a statement that has a list of rows in it, in as few pieces as fit."""
        self._pieces(head, row, tail, rows, ())

    def _pieces(
        self, head: str, row: str, tail: str, rows: Sequence[Row], bound: Sequence[Value]
    ) -> None:
        """Run it; the values of `bound` come before those of the rows, in each piece."""
        if not rows:
            return
        values = self._connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - len(bound)
        size, first = min(_MOST_ROWS, values // len(rows[0])), 0
        while first < len(rows):
            while size > len(rows) - first:
                size = max(1, size // _SMALLER)
            sql = head + ", ".join([row] * size) + tail
            last = len(rows) - (len(rows) - first) % size
            for begin in range(first, last, size):
                self.execute(sql, [*bound, *chain.from_iterable(rows[begin : begin + size])])
            first = last

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add many rows; one that breaks a unique index is left out.

        What is the same in all rows is bound once: most of a ledger's columns are, and binding
        them for each row is half of what an insert costs.
        """
        if not rows:
            return
        by_column = list(zip(*rows, strict=True))
        alike = [i for i, of in enumerate(by_column) if of.count(of[0]) == len(of)]
        varying = [i for i in range(len(columns)) if i not in alike]
        if not varying:
            varying = [alike.pop()]  # a list of rows has at least one column
        names = quoted([columns[i] for i in (*varying, *alike)])
        selected = ", ".join(
            [*(f"r.column{n + 1}" for n in range(len(varying))), *"?" * len(alike)]
        )
        head = f"INSERT INTO {table} ({names}) SELECT {selected} FROM (VALUES "  # noqa: S608 - names of ours
        tail = ") AS r WHERE true ON CONFLICT DO NOTHING"
        row = f"({', '.join('?' * len(varying))})"
        bound = [by_column[i][0] for i in alike]
        picked = list(zip(*(by_column[i] for i in varying), strict=True))
        self._pieces(head, row, tail, picked, bound)

    def begin(self, seconds: float, *, write: bool) -> None:
        """Begin a transaction; one that writes waits for the others that do."""
        patience = int(seconds * 1000 * _PATIENCE)
        if patience != self._patience:
            self.execute(f"PRAGMA busy_timeout = {patience}")
            self._patience = patience
        self.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def lock(self, names: Sequence[bytes]) -> None:
        """Do nothing: a transaction that writes is alone in the whole database."""

    def commit(self) -> None:
        """End the transaction and keep it."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """End the transaction and forget it."""
        self.execute("ROLLBACK")

    def abort(self) -> None:
        """Make whatever runs now fail soon."""
        try:
            self._connection.interrupt()
        except sqlite3.Error:
            return  # it is closed already

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class SqliteDocuments(SqlDocuments):
    """Documents in a SQLite file."""

    @staticmethod
    def open(path: Path, *, seconds: float = 2.0) -> SqliteDocuments:
        """Open the file, or make it, and bring its tables up to date. Blocks for a moment.

        Args:
            path: The file; it and its directory are made for their owner alone.
            seconds: The most that a question may take.

        Raises:
            StoreDownError: The file cannot be opened.
            NewerDatabaseError: A newer Tiergate has written it.
        """
        place = _place(path)
        session = _ready(path, Part.DOCUMENTS, place)
        return SqliteDocuments(SqlThread(place, lambda: _connect(path), session), seconds)


class SqliteLedger(SqlLedger):
    """The ledger in a SQLite file."""

    @staticmethod
    def open(path: Path, limits: LedgerLimits | None = None) -> SqliteLedger:
        """Open the file, or make it, and bring its tables up to date. Blocks for a moment.

        Args:
            path: The file; it and its directory are made for their owner alone. It should not be
                that of the documents: a long append would keep them waiting.
            limits: How long questions may take.

        Raises:
            StoreDownError: The file cannot be opened.
            NewerDatabaseError: A newer Tiergate has written it.
        """
        place = _place(path)
        session = _ready(path, Part.LEDGER, place)
        try:
            source = ledger_source(session)
        except SqlFaultError as exc:
            session.close()
            raise StoreDownError(f"{place}: {exc}") from exc
        writer = SqlThread(place, lambda: _connect(path), session)
        reader = SqlThread(place, lambda: _connect(path))
        return SqliteLedger(writer, reader, source, limits or LedgerLimits())


def _place(path: Path) -> str:
    return f"SQLite at {path}"


def _ready(path: Path, part: Part, place: str) -> SqliteSession:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the files beside it the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        session = _connect(path)
        try:
            bring_up_to_date(session, part, place)
        except BaseException:
            session.close()
            raise
    except OSError as exc:
        raise StoreDownError(f"{place}: {exc.strerror or exc}") from exc
    except SqlFaultError as exc:
        raise StoreDownError(f"{place}: {exc}") from exc
    return session


def _fault(exc: sqlite3.Error) -> SqlFaultError:
    busy = getattr(exc, "sqlite_errorname", "").startswith("SQLITE_BUSY")
    return SqlBusyError(str(exc)) if busy else SqlFaultError(str(exc))


def _connect(path: Path) -> SqliteSession:
    try:
        connection = sqlite3.connect(
            path, timeout=1.0, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as exc:
        raise SqlFaultError(str(exc)) from exc
    session = SqliteSession(connection)
    try:
        _write_ahead(session)
        session.execute("PRAGMA synchronous = NORMAL")
    except SqlFaultError:
        session.close()
        raise
    return session


def _write_ahead(session: SqliteSession) -> None:
    """Switch to write-ahead mode.

    SQLite does not wait for others here, as it does everywhere else, so we do.
    """
    last = time.monotonic() + 1.0
    while True:
        try:
            session.execute("PRAGMA journal_mode = WAL")
        except SqlFaultError:
            if time.monotonic() > last:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
