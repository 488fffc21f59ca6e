"""Tables are made once, changed in order, and left alone when they are newer than the program."""

from __future__ import annotations

import sqlite3
from importlib import resources

import pytest

from tiergate.core.ledger import Entry
from tiergate.ports import StoreDownError
from tiergate.stores import sql_schema
from tiergate.stores.sql_schema import (
    NewerDatabaseError,
    Part,
    bring_up_to_date,
    newest_version,
    statements,
)
from tiergate.stores.sql_session import SqlFaultError, SqlKind
from tiergate.stores.sqlite import SqliteSession


@pytest.fixture
def session():
    made = SqliteSession(sqlite3.connect(":memory:", isolation_level=None))
    yield made
    made.close()


def names(session) -> list[str]:
    rows = session.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [str(row[0]) for row in rows]


def test_each_part_has_its_own_tables_and_its_own_version(session):
    bring_up_to_date(session, Part.DOCUMENTS, "DB")
    assert names(session) == ["tiergate_documents", "tiergate_schema"]

    bring_up_to_date(session, Part.LEDGER, "DB")
    assert "tiergate_ledger" in names(session)
    rows = session.execute("SELECT part, version FROM tiergate_schema ORDER BY part")
    assert rows == [("documents", 1), ("ledger", 2)]


def test_tables_that_are_up_to_date_are_not_touched(session):
    bring_up_to_date(session, Part.LEDGER, "DB")
    session.execute("PRAGMA query_only = ON")

    bring_up_to_date(session, Part.LEDGER, "DB")


def test_a_newer_database_is_refused_with_what_to_do(session):
    bring_up_to_date(session, Part.LEDGER, "DB")
    session.execute("UPDATE tiergate_schema SET version = 7")

    with pytest.raises(NewerDatabaseError) as caught:
        bring_up_to_date(session, Part.LEDGER, "SQLite at x.db")

    assert str(caught.value) == (
        "SQLite at x.db: the ledger tables are of version 7, and this Tiergate knows versions up"
        " to 2. A newer Tiergate has changed them. Start that version or a later one, or give this"
        " one another database."
    )
    assert isinstance(caught.value, StoreDownError)


def test_only_what_is_new_is_applied(session, monkeypatch):
    steps = ["CREATE TABLE one (a);", "CREATE TABLE two (a);\nCREATE TABLE three (a);"]
    monkeypatch.setattr(sql_schema, "_files", lambda part, kind: steps[:1])
    bring_up_to_date(session, Part.LEDGER, "DB")
    monkeypatch.setattr(sql_schema, "_files", lambda part, kind: steps)

    bring_up_to_date(session, Part.LEDGER, "DB")

    assert names(session) == ["one", "three", "tiergate_schema", "two"]


def test_a_step_that_fails_leaves_nothing_behind(session, monkeypatch):
    steps = ["CREATE TABLE one (a);", "CREATE TABLE two (a);\nCREATE TABLE two (a);"]
    monkeypatch.setattr(sql_schema, "_files", lambda part, kind: steps)

    with pytest.raises(SqlFaultError):
        bring_up_to_date(session, Part.LEDGER, "DB")
    session.rollback()

    assert names(session) == []


@pytest.mark.parametrize("part", Part)
def test_both_databases_are_at_the_same_version(part):
    assert newest_version(part, SqlKind.SQLITE) == newest_version(part, SqlKind.POSTGRES) >= 1


def test_the_ledger_has_a_column_for_every_field_of_a_record(session):
    bring_up_to_date(session, Part.LEDGER, "DB")

    columns = [str(row[1]) for row in session.execute("PRAGMA table_info(tiergate_ledger)")]

    assert sorted(columns) == sorted(["number", *Entry._fields[:-1]])
    assert Entry._fields[-1] == "tags"


@pytest.mark.parametrize("kind", SqlKind)
def test_every_file_belongs_to_a_part_and_a_database(kind):
    folder = resources.files("tiergate.stores").joinpath("sql")
    files = [file.name for file in folder.iterdir() if file.name.endswith(".sql")]

    counted = sum(newest_version(part, one) for part in Part for one in SqlKind)

    assert len(files) == counted


def test_statements_end_with_a_semicolon_at_the_end_of_a_line():
    text = "-- a; comment;\nCREATE TABLE a (\n  b TEXT -- with; a comment\n);\n\nDROP TABLE a;\n"

    assert statements(text) == ["CREATE TABLE a (\n  b TEXT -- with; a comment\n)", "DROP TABLE a"]
