"""PostgreSQL: the database for several machines, named by `general_settings.database_url`.

Works behind a pooler in transaction mode (PgBouncer): nothing is kept in a connection between
transactions. What is in the tables is not known here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tiergate.base.values import Secret
from tiergate.ports import StoreDownError
from tiergate.stores.sql_documents import SqlDocuments
from tiergate.stores.sql_ledger import LedgerLimits, SqlLedger, ledger_source
from tiergate.stores.sql_schema import Part, bring_up_to_date
from tiergate.stores.sql_session import (
    Row,
    SqlBusyError,
    SqlFaultError,
    SqlKind,
    SqlSession,
    SqlValueError,
    Value,
    quoted,
)
from tiergate.stores.sql_thread import SqlThread

_CONNECT_SECONDS = 2
"""The shortest time that PostgreSQL's library gives a connection."""

_PRISMA = frozenset(
    {
        "connection_limit",
        "pgbouncer",
        "pool_timeout",
        "schema",
        "socket_timeout",
        "sslaccept",
        "statement_cache_size",
    }
)
"""What an address written for LiteLLM (https://www.prisma.io/docs, PostgreSQL connector) may have
in its query, and PostgreSQL's own library refuses."""

_USUAL_SCHEMA = "public"

_VALUE_ERRORS = (psycopg.DataError, psycopg.IntegrityError, OverflowError, UnicodeError)


class PostgresUrlError(StoreDownError):
    """The address of the database cannot be read. The message has nothing of the address in it."""


class PostgresSession:
    """Implements `sql_session.SqlSession`."""

    kind = SqlKind.POSTGRES

    def __init__(self, connection: psycopg.Connection, conceal: Callable[[str], str]) -> None:
        self._connection = connection
        self._conceal = conceal
        # A name of our own for the connection: `abort` may use it while the library closes its.
        self._wire = socket.socket(fileno=os.dup(connection.fileno()))

    def execute(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Run one statement; return its rows."""
        try:
            if not values:
                cursor = self._connection.execute(sql.encode())
            else:
                cursor = self._connection.execute(_marked(sql), [_storable(v) for v in values])
            return cursor.fetchall() if cursor.description is not None else []
        except _VALUE_ERRORS as exc:
            raise SqlValueError(self._conceal(_first_line(exc))) from exc
        except psycopg.Error as exc:
            raise self._fault(exc) from exc

    def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement that returns nothing for each of some rows."""
        try:
            self._connection.cursor().executemany(_marked(sql), rows)
        except _VALUE_ERRORS as exc:
            raise SqlValueError(self._conceal(_first_line(exc))) from exc
        except psycopg.Error as exc:
            raise self._fault(exc) from exc

    def execute_rows(self, head: str, row: str, tail: str, rows: Sequence[Row]) -> None:
        """Run a statement for each row; the driver sends them together."""
        self.execute_many(head + row + tail, rows)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add many rows; one that breaks a unique index is left out.

        They go as one JSON text, which costs a fifth of the time that a statement for each row
        would (docs/decisions/0011).
        """
        try:
            objects = [dict(zip(columns, row, strict=True)) for row in rows]
            text = msgspec.json.encode(objects).decode()
        except _VALUE_ERRORS as exc:
            raise SqlValueError(str(exc)) from exc
        names = quoted(columns)
        self.execute(
            f"INSERT INTO {table} ({names}) SELECT {names}"  # noqa: S608 - names of ours
            f" FROM json_populate_recordset(NULL::{table}, ?::json) ON CONFLICT DO NOTHING",
            (text,),
        )

    def begin(self, seconds: float, *, write: bool) -> None:
        """Begin a transaction, which the server ends too when it takes too long.

        A worker that stands still in the middle of one must not keep the others waiting for ever.
        """
        mode = "READ COMMITTED READ WRITE" if write else "REPEATABLE READ READ ONLY"
        limit = max(1, int(seconds * 1000))
        self.execute(
            f"BEGIN ISOLATION LEVEL {mode}; SET LOCAL statement_timeout = {limit};"
            f" SET LOCAL idle_in_transaction_session_timeout = {limit}"
        )

    def lock(self, names: Sequence[bytes]) -> None:
        """Keep everybody else who locks one of these names waiting until the transaction ends.

        All lock in one order, so that no two wait for each other.
        """
        numbers = sorted({_lock_number(name) for name in names})
        array = f"ARRAY[{', '.join(map(str, numbers))}]::bigint[]"
        self.execute(f"SELECT pg_advisory_xact_lock(n) FROM unnest({array}) AS n")  # noqa: S608 - numbers

    def commit(self) -> None:
        """End the transaction and keep it."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """End the transaction and forget it."""
        self.execute("ROLLBACK")

    def abort(self) -> None:
        """Make whatever runs now fail soon: it sees the connection's end."""
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back."""
        with contextlib.suppress(psycopg.Error):
            self._connection.close()
        self._wire.close()

    def _fault(self, exc: psycopg.Error) -> SqlFaultError:
        text = self._conceal(_first_line(exc))
        slow = isinstance(exc, psycopg.errors.QueryCanceled)
        return SqlBusyError(text) if slow else SqlFaultError(text)


class PostgresDocuments(SqlDocuments):
    """Documents in a PostgreSQL database."""

    @staticmethod
    def open(url: Secret, *, seconds: float = 2.0) -> PostgresDocuments:
        """Connect, and bring the tables up to date. Blocks for a moment.

        Args:
            url: The database's address.
            seconds: The most that a question may take.

        Raises:
            PostgresUrlError: The address cannot be read.
            StoreDownError: The database cannot be reached.
            NewerDatabaseError: A newer Tiergate has changed it.
        """
        target = _Target(url)
        session = _ready(target, Part.DOCUMENTS)
        return PostgresDocuments(SqlThread(target.place, target.connect, session), seconds)


class PostgresLedger(SqlLedger):
    """The ledger in a PostgreSQL database."""

    @staticmethod
    def open(url: Secret, limits: LedgerLimits | None = None) -> PostgresLedger:
        """Connect, and bring the tables up to date. Blocks for a moment.

        Raises:
            PostgresUrlError: The address cannot be read.
            StoreDownError: The database cannot be reached.
            NewerDatabaseError: A newer Tiergate has changed it.
        """
        target = _Target(url)
        session = _ready(target, Part.LEDGER)
        try:
            source = ledger_source(session)
        except SqlFaultError as exc:
            session.close()
            raise StoreDownError(f"{target.place}: {exc}") from exc
        writer = SqlThread(target.place, target.connect, session)
        reader = SqlThread(target.place, target.connect)
        return PostgresLedger(writer, reader, source, limits or LedgerLimits())


class _Target:
    """Where to connect; shows no password."""

    def __init__(self, url: Secret) -> None:
        try:
            info = make_conninfo(_without_prisma(url.value))
            given = conninfo_to_dict(info)
        except (psycopg.Error, ValueError):
            raise PostgresUrlError(
                "The PostgreSQL address (general_settings.database_url) cannot be read. It must"
                " look like postgresql://USER:PASSWORD@HOST:PORT/DATABASE, where characters like"
                " @ : / ? # in the password are written as %40 %3A %2F %3F %23."
            ) from None
        given.setdefault("fallback_application_name", "tiergate")
        given.setdefault("connect_timeout", _CONNECT_SECONDS)
        self._info = make_conninfo("", **given)
        self._password = str(given.get("password") or "")
        host = given.get("host") or given.get("hostaddr") or "localhost"
        port = given.get("port") or "5432"
        self.place = f"PostgreSQL at {host}:{port}/{given.get('dbname') or ''}".rstrip("/")

    def connect(self) -> SqlSession:
        """Connect anew."""
        try:
            connection = psycopg.connect(self._info, autocommit=True, prepare_threshold=None)
        except psycopg.Error as exc:
            raise SqlFaultError(self._conceal(_first_line(exc))) from exc
        return PostgresSession(connection, self._conceal)

    def _conceal(self, text: str) -> str:
        return text.replace(self._password, "***") if self._password else text


def _ready(target: _Target, part: Part) -> SqlSession:
    try:
        session = target.connect()
        try:
            bring_up_to_date(session, part, target.place)
        except BaseException:
            session.close()
            raise
    except SqlFaultError as exc:
        raise StoreDownError(f"{target.place}: {exc}") from exc
    return session


def _without_prisma(url: str) -> str:
    """Return an address without what only LiteLLM's database library understands."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres") or not parts.netloc:
        return url  # the other form, `host=... user=...`
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(key, value) for key, value in query if key not in _PRISMA]
    schema = dict(query).get("schema", _USUAL_SCHEMA)
    if schema != _USUAL_SCHEMA:
        # Left out where it is the usual one: PgBouncer refuses `options`.
        options = dict(query).get("options", "")
        kept.append(("options", f"{options} -csearch_path={_escaped(schema)}".strip()))
    return urlunsplit(
        ("postgresql", parts.netloc, parts.path, urlencode(kept, quote_via=quote), parts.fragment)
    )


def _escaped(schema: str) -> str:
    """Return a schema's exact name as a value in `options`, where spaces part values."""
    name = schema.replace('"', '""')
    return f'"{name}"'.replace("\\", "\\\\").replace(" ", "\\ ")


def _marked(sql: str) -> bytes:
    """Return SQL with the library's sign for a value; none of ours has another `?` or a `%`."""
    return sql.replace("?", "%s").encode()


def _storable(value: Value) -> Value:
    """Return a value as `append` keeps it: PostgreSQL's text has no zero character."""
    if isinstance(value, str) and "\x00" in value:
        return value.replace("\x00", "\ufffd")
    return value


def _lock_number(name: bytes) -> int:
    digest = hashlib.blake2b(name, digest_size=8, person=b"tiergate").digest()
    return int.from_bytes(digest, signed=True)


def _first_line(exc: Exception) -> str:
    return next(iter(str(exc).strip().splitlines()), type(exc).__name__)
