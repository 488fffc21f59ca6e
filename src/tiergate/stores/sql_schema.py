"""Bring a database's tables up to date, by the numbered files in `sql/`. Knows no table's meaning.

The files of each part (documents, ledger) count from 1 and are applied in one transaction, under
a lock, so that processes which start together do it once. A file is never changed after a
release; the next change is the next file.
"""

from __future__ import annotations

import re
from enum import Enum
from importlib import resources

from tiergate.ports import StoreDownError
from tiergate.stores.sql_session import SqlKind, SqlSession, transaction

MIGRATION_SECONDS = 60.0
"""The most that one statement of a migration may take, the wait for the lock included."""

_FILE = re.compile(r"(\d{4})_(documents|ledger)\.(sqlite|postgres)\.sql")
_LOCK = b"schema"


class Part(Enum):
    """What is kept in tables of its own, possibly in a database of its own."""

    DOCUMENTS = "documents"
    LEDGER = "ledger"


class NewerDatabaseError(StoreDownError):
    """A newer Tiergate has changed the database; the message says what to do."""


def newest_version(part: Part, kind: SqlKind) -> int:
    """Return the version that this program works with."""
    return len(_files(part, kind))


def bring_up_to_date(session: SqlSession, part: Part, place: str) -> None:
    """Make or change the tables of a part. Does nothing where they are up to date.

    Args:
        session: A connection.
        part: Whose tables.
        place: The database, for messages.

    Raises:
        NewerDatabaseError: The tables are newer than this program.
        SqlFaultError: The database refused.
    """
    files = _files(part, session.kind)
    version = _version(session, part)
    if version < len(files):
        with transaction(session, MIGRATION_SECONDS, write=True):
            session.lock([_LOCK])
            version = _apply(session, part, files)
    if version > len(files):
        raise NewerDatabaseError(
            f"{place}: the {part.value} tables are of version {version}, and this Tiergate knows"
            f" versions up to {len(files)}. A newer Tiergate has changed them. Start that version"
            " or a later one, or give this one another database."
        )


def _apply(session: SqlSession, part: Part, files: list[str]) -> int:
    session.execute(
        "CREATE TABLE IF NOT EXISTS tiergate_schema"
        " (part TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)"
    )
    version = _read(session, part)
    for text in files[version:]:
        for statement in statements(text):
            session.execute(statement)
    if version < len(files):
        session.execute(
            "INSERT INTO tiergate_schema (part, version) VALUES (?, ?)"
            " ON CONFLICT (part) DO UPDATE SET version = excluded.version",
            (part.value, len(files)),
        )
    return max(version, len(files))


def _version(session: SqlSession, part: Part) -> int:
    """Return the version of a part; 0 where there is none.

    Tables are only made where they are missing: the database's user need not be allowed to.
    """
    if session.kind is SqlKind.SQLITE:
        there = session.execute("SELECT 1 FROM sqlite_master WHERE name = 'tiergate_schema'")
    else:
        there = session.execute("SELECT 1 WHERE to_regclass('tiergate_schema') IS NOT NULL")
    return _read(session, part) if there else 0


def _read(session: SqlSession, part: Part) -> int:
    rows = session.execute("SELECT version FROM tiergate_schema WHERE part = ?", (part.value,))
    return int(rows[0][0] or 0) if rows else 0


def statements(text: str) -> list[str]:
    """Return the statements of a file; each ends with a semicolon at the end of a line."""
    plain = re.sub(r"^\s*--.*$", "", text, flags=re.MULTILINE)
    parts = re.split(r";\s*$", plain, flags=re.MULTILINE)
    return [part.strip() for part in parts if part.strip()]


def _files(part: Part, kind: SqlKind) -> list[str]:
    """Return the texts of a part's files in their order."""
    found: dict[int, str] = {}
    for file in resources.files("tiergate.stores").joinpath("sql").iterdir():
        name = _FILE.fullmatch(file.name)
        if name is not None and name[2] == part.value and name[3] == kind.value:
            found[int(name[1])] = file.read_text("utf-8")
    return [found[number] for number in range(1, len(found) + 1)]
