"""Keeps the bytes of answers in a SQLite file that all workers of a machine share.

A thread of its own does the work, so no event loop waits for the disk. Nothing here must outlive
a crash of the machine: the file is written without waiting for the disk, and one that is damaged
is begun anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar, cast

from tiergate.core.caching import is_key
from tiergate.ports import Clock, StoreDownError, StoreFigures

T = TypeVar("T")

FILE: Final = "answers.db"

BESIDE: Final = 200
"""Bytes that a row takes beside its key and its data, with its place in two indexes."""

ASKED_SECONDS: Final = 60.0
"""How exact the order of use is: an answer is not written to each time it is read."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    expires REAL NOT NULL,
    asked REAL NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_use ON answers (asked, size);
CREATE INDEX IF NOT EXISTS answers_by_end ON answers (expires);
CREATE TABLE IF NOT EXISTS total (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES (1, 0);
CREATE TRIGGER IF NOT EXISTS answers_come AFTER INSERT ON answers
    BEGIN UPDATE total SET size = size + new.size; END;
CREATE TRIGGER IF NOT EXISTS answers_go AFTER DELETE ON answers
    BEGIN UPDATE total SET size = size - old.size; END;
"""
_SOME: Final = 64
"""Answers that make room in one step."""


class DiskAnswers:
    """Implements `answers_guarded.Bytes`. What was not asked for longest makes room.

    Args:
        folder: Where the file is; made if it is not there.
        most_bytes: What all answers together may take.
        wall: Unix seconds.
    """

    kind = "disk"

    def __init__(self, folder: Path, most_bytes: int, wall: Clock) -> None:
        self.place = f"{folder}"
        self._file = folder / FILE
        self._most = most_bytes
        self._wall = wall
        self._session: sqlite3.Connection | None = None
        self._dropped = 0
        self._thread = ThreadPoolExecutor(1, "tiergate-answers")

    async def read(self, key: str) -> bytes | None:
        """Return the bytes of a key."""
        return await self._do(lambda session: self._read(session, key))

    def begin(self, key: str, seconds: float) -> None:
        """Nothing is read without a task here."""
        del key, seconds

    async def write(self, key: str, data: bytes, seconds: float) -> None:
        """Keep bytes for some time, or until there is no room for them."""
        await self._do(lambda session: self._write(session, key, data, seconds))

    def post(
        self, key: str, data: bytes, seconds: float, done: Callable[[str | None], None]
    ) -> bool:
        """Say that this store is written to by `write` alone."""
        del key, data, seconds, done
        return False

    async def remove(self, keys: Sequence[str]) -> int:
        """Forget keys."""
        return await self._do(lambda session: _remove(session, keys))

    async def clear(self, namespace: str) -> int:
        """Forget the answers of a namespace."""
        return await self._do(lambda session: _clear(session, namespace))

    async def ping(self) -> None:
        """Return if the file can be read and written."""
        await self._do(lambda session: session.execute("UPDATE total SET size = size"))

    async def figures(self) -> StoreFigures:
        """Return how much is kept."""
        entries, size = await self._do(_count)
        return StoreFigures(
            kind=self.kind,
            place=self.place,
            entries=entries,
            size=size,
            most=self._most,
            dropped=self._dropped,
        )

    async def aclose(self) -> None:
        """Close the file."""
        session = self._session
        if session is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, session.close)
        self._thread.shutdown(wait=False)

    # ------------------------------------------------------------------ in the thread

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def done() -> T:
            try:
                return self._with(work)
            except sqlite3.DatabaseError as exc:
                if not _is_damaged(exc):
                    raise StoreDownError(f"{self._file}: {exc}") from exc
            except OSError as exc:
                raise StoreDownError(f"{self._file}: {exc.strerror or exc}") from exc
            return self._anew(work)

        return await asyncio.get_running_loop().run_in_executor(self._thread, done)

    def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        session = self._session
        if session is None:
            session = self._session = self._open()
        with session:
            return work(session)

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        session = sqlite3.connect(self._file, timeout=1.0, check_same_thread=False)
        try:
            session.execute("PRAGMA journal_mode = WAL")
            session.execute("PRAGMA synchronous = OFF")
            session.executescript(_SCHEMA)
            self._file.chmod(0o600)
        except BaseException:
            session.close()
            raise
        return session

    def _anew(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Drop a damaged file and begin another one."""
        try:
            if self._session is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._session.close()
            self._session = None
            for end in ("", "-wal", "-shm"):
                self._file.with_name(self._file.name + end).unlink(missing_ok=True)
            return self._with(work)
        except (sqlite3.Error, OSError) as exc:
            raise StoreDownError(f"{self._file}: {exc}") from exc

    def _read(self, session: sqlite3.Connection, key: str) -> bytes | None:
        row: tuple[float, float, bytes] | None = session.execute(
            "SELECT expires, asked, data FROM answers WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        expires, asked, data = row
        now = self._wall()
        if now >= expires:
            return None
        if now - asked > ASKED_SECONDS:
            session.execute("UPDATE answers SET asked = ? WHERE key = ?", (now, key))
        return data

    def _write(self, session: sqlite3.Connection, key: str, data: bytes, seconds: float) -> None:
        size, now = len(key) + len(data) + BESIDE, self._wall()
        session.execute("DELETE FROM answers WHERE key = ?", (key,))
        if size > self._most:
            self._dropped += 1
            return
        session.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?)", (key, now + seconds, now, size, data)
        )
        if _count(session)[1] <= self._most:
            return
        session.execute("DELETE FROM answers WHERE expires <= ?", (now,))
        while _count(session)[1] > self._most:
            rows = cast(
                "list[tuple[str, int]]",
                session.execute(
                    "SELECT key, size FROM answers WHERE key != ? ORDER BY asked LIMIT ?",
                    (key, _SOME),
                ).fetchall(),
            )
            self._dropped += _remove(session, self._oldest(session, rows))

    def _oldest(self, session: sqlite3.Connection, rows: Sequence[tuple[str, int]]) -> list[str]:
        """Return as many of the rows as must go."""
        over = _count(session)[1] - self._most
        gone: list[str] = []
        for key, size in rows:
            if over <= 0:
                break
            gone.append(key)
            over -= size
        return gone


def _count(session: sqlite3.Connection) -> tuple[int, int]:
    """Return how many answers there are, and their bytes."""
    size: tuple[int] = session.execute("SELECT size FROM total").fetchone()
    entries: tuple[int] = session.execute("SELECT count(*) FROM answers").fetchone()
    return entries[0], size[0]


def _remove(session: sqlite3.Connection, keys: Iterable[str]) -> int:
    return sum(
        session.execute("DELETE FROM answers WHERE key = ?", (key,)).rowcount for key in keys
    )


def _clear(session: sqlite3.Connection, namespace: str) -> int:
    start = f"{namespace}:"
    rows = cast(
        "list[tuple[str]]",
        session.execute(
            "SELECT key FROM answers WHERE key >= ? AND key < ?", (start, f"{namespace};")
        ).fetchall(),
    )
    return _remove(session, [key for (key,) in rows if is_key(namespace, key)])


def _is_damaged(exc: sqlite3.DatabaseError) -> bool:
    text = str(exc)
    return "malformed" in text or "not a database" in text or "no such table" in text
