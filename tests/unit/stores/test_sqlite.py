"""A SQLite file is private, in write-ahead mode, and what is wrong with it is said in words."""

from __future__ import annotations

import sqlite3

import pytest

from support.documents import counting
from tiergate.ports import StoreDownError
from tiergate.stores.sql_schema import NewerDatabaseError
from tiergate.stores.sql_session import SqlBusyError, SqlFaultError, SqlKind, SqlValueError
from tiergate.stores.sqlite import SqliteDocuments, SqliteLedger, SqliteSession


def session_of(path) -> SqliteSession:
    return SqliteSession(sqlite3.connect(path, isolation_level=None))


async def test_the_file_and_its_directory_are_the_owners_alone(tmp_path):
    path = tmp_path / "new" / "state.db"
    store = SqliteDocuments.open(path)
    await store.update(["a"], counting("a"))

    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    await store.aclose()


async def test_it_is_in_write_ahead_mode(tmp_path):
    store = SqliteDocuments.open(tmp_path / "state.db")

    def ask(session):
        return session.execute("PRAGMA journal_mode") + session.execute("PRAGMA synchronous")

    assert await store._thread.run(ask, 5) == [("wal",), (1,)]
    await store.aclose()


@pytest.mark.parametrize("kind", [SqliteDocuments, SqliteLedger])
def test_a_file_that_is_no_database_is_said_so(tmp_path, kind):
    path = tmp_path / "state.db"
    path.write_bytes(b"no database at all " * 100)

    with pytest.raises(StoreDownError, match=r"SQLite at .*state\.db: file is not a database"):
        kind.open(path)


@pytest.mark.parametrize("kind", [SqliteDocuments, SqliteLedger])
def test_a_place_that_is_no_directory_is_said_so(tmp_path, kind):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StoreDownError, match=r"SQLite at .*: (File exists|Not a directory)"):
        kind.open(tmp_path / "file" / "state.db")


async def test_a_file_of_a_newer_tiergate_is_refused(tmp_path):
    path = tmp_path / "state.db"
    await SqliteDocuments.open(path).aclose()
    session = session_of(path)
    session.execute("UPDATE tiergate_schema SET version = 99")
    session.close()

    with pytest.raises(NewerDatabaseError, match="version 99"):
        SqliteDocuments.open(path)


def test_its_errors_are_told_apart(tmp_path):
    one, other = session_of(tmp_path / "x.db"), session_of(tmp_path / "x.db")
    assert one.kind is SqlKind.SQLITE
    one.execute("CREATE TABLE t (a INTEGER NOT NULL)")

    with pytest.raises(SqlValueError):
        one.execute("INSERT INTO t VALUES (?)", (1 << 70,))
    with pytest.raises(SqlValueError):
        one.execute_many("INSERT INTO t VALUES (?)", [("\ud800",)])
    with pytest.raises(SqlValueError):
        one.insert("t", ("a",), [(None,)])
    with pytest.raises(SqlFaultError, match="no such table"):
        one.execute("SELECT * FROM u")
    one.begin(1, write=True)
    with pytest.raises(SqlBusyError, match="locked"):
        other.begin(0.05, write=True)
    one.rollback()
    one.close()
    one.abort()
    other.close()


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 40, 57])
def test_rows_are_added_in_their_order_and_once(tmp_path, count):
    session = session_of(tmp_path / "x.db")
    session.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, a INTEGER UNIQUE, b TEXT)")
    session.insert("t", ("a", "b"), [(5, "before")])

    session.insert("t", ("a", "b"), [(number, "new") for number in range(count)])

    rows = session.execute("SELECT a, b FROM t ORDER BY n")
    new = [(n, "new") for n in range(count) if n != 5]
    assert rows == [(5, "before"), *new]
    session.close()
