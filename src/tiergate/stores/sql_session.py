"""What the SQL stores ask of a database: one small face for SQLite and PostgreSQL. No I/O here.

SQL is written once, with `?` for values; the few things in which the two databases differ are
methods of a session. What is kept in the tables is not known here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from enum import Enum
from typing import Protocol, TypeAlias

Value: TypeAlias = str | bytes | int | float | bool | None
"""What goes into a column and comes out of it."""

Row: TypeAlias = tuple[Value, ...]


class SqlKind(Enum):
    """The two databases. The value is the name in the schema's files."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class SqlFaultError(Exception):
    """The database cannot be reached or refused. The message has no credentials in it."""


class SqlBusyError(SqlFaultError):
    """Others held what was wanted for too long; trying again at once is of no use."""


class SqlValueError(Exception):
    """A value is none that the database can keep; the session goes on."""


class SqlSession(Protocol):
    """One connection. One thread uses it at a time; only `abort` may come from another one.

    Every method but `abort` and `close` raises `SqlFaultError`. After one, the session is closed
    and a new one is made; nothing of an unfinished transaction is then kept. What is given values
    may raise `SqlValueError` too.
    """

    @property
    def kind(self) -> SqlKind:
        """Which database it is."""
        ...

    def execute(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Run one statement; return its rows."""
        ...

    def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement that returns nothing for each of some rows."""
        ...

    def execute_rows(self, head: str, row: str, tail: str, rows: Sequence[Row]) -> None:
        """Run a statement that has a list of rows in it, in as few pieces as the database takes.

        Args:
            head: What stands before the rows.
            row: One row, with a `?` for each of its values.
            tail: What stands after them.
            rows: Their values.
        """
        ...

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add many rows; one that breaks a unique index is left out."""
        ...

    def begin(self, seconds: float, *, write: bool) -> None:
        """Begin a transaction, in which no statement takes longer than a time.

        One that only reads sees the database at one instant.
        """
        ...

    def lock(self, names: Sequence[bytes]) -> None:
        """Keep everybody else who locks one of these names waiting until the transaction ends."""
        ...

    def commit(self) -> None:
        """End the transaction and keep it."""
        ...

    def rollback(self) -> None:
        """End the transaction and forget it."""
        ...

    def abort(self) -> None:
        """Make whatever runs now fail soon. For another thread; it never waits."""
        ...

    def close(self) -> None:
        """Give the connection back. Never raises."""
        ...


@contextlib.contextmanager
def transaction(session: SqlSession, seconds: float, *, write: bool) -> Generator[None]:
    """Keep what is done inside, or nothing of it when an exception leaves it.

    Raises:
        SqlFaultError: The transaction could not be begun or ended.
    """
    session.begin(seconds, write=write)
    try:
        yield
    except SqlFaultError:
        raise  # the connection is given up, and the transaction with it
    except BaseException:
        session.rollback()
        raise
    session.commit()


def marks(count: int) -> str:
    """Return a list of `?` for an `IN`."""
    return ", ".join("?" * count)


def quoted(columns: Sequence[str]) -> str:
    """Return a list of column names; some of them (`user`) are words of SQL."""
    return ", ".join(f'"{name}"' for name in columns)
