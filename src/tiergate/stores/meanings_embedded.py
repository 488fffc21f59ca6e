"""Keeps vectors in a SQLite file that all workers of a machine share, or in memory.

The questions of one partition are compared one by one, which is exact: partitions are small (one
tenant, one alias, one system prompt, the same numbers and names), and a thousand comparisons take
less than a millisecond. A thread of its own does the work.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar, cast

import numpy as np

from tiergate.core.meaning import Near
from tiergate.ports import Remembered, StoreDownError

T = TypeVar("T")

FILE: Final = "meanings.db"

MOST_COMPARED: Final = 5000
"""Questions of one partition that are compared; the newest."""

_SWEPT: Final = 64
"""Additions between two removals of what has expired or has no room."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name BLOB NOT NULL UNIQUE,
    partition TEXT NOT NULL,
    space TEXT NOT NULL,
    key TEXT NOT NULL,
    sides TEXT NOT NULL,
    expires REAL NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS questions_by_partition ON questions (partition, id);
CREATE INDEX IF NOT EXISTS questions_by_end ON questions (expires);
"""

_NEAREST: Final = """
SELECT key, sides, vector FROM questions
WHERE partition = ? AND expires > ? AND length(vector) = ?
ORDER BY id DESC LIMIT ?
"""


class EmbeddedVectors:
    """Implements `meanings_guarded.Vectors`.

    Args:
        folder: Where the file is, made if it is not there; None keeps everything in memory.
        most: Questions that are kept; the oldest make room.
    """

    def __init__(self, folder: Path | None, most: int) -> None:
        self.place = "memory of this process" if folder is None else str(folder)
        self._folder = folder
        self._most = most
        self._session: sqlite3.Connection | None = None
        self._added = 0
        self._thread = ThreadPoolExecutor(1, "tiergate-meanings")

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int, now: float
    ) -> list[Near]:
        """Return the nearest questions; see `Vectors.nearest`."""
        return await self._do(lambda session: _nearest(session, partition, vector, most, now))

    async def add(self, question: Remembered, vector: Sequence[float], now: float) -> None:
        """Keep a question; see `Vectors.add`."""
        await self._do(lambda session: self._add(session, question, vector, now))

    async def clear(self, space: str) -> None:
        """Forget the questions of a namespace; see `Vectors.clear`."""
        await self._do(
            lambda session: session.execute("DELETE FROM questions WHERE space = ?", (space,))
        )

    async def aclose(self) -> None:
        """Close the file."""
        session = self._session
        if session is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, session.close)
        self._thread.shutdown(wait=False)

    # ------------------------------------------------------------------ in the thread

    def _add(
        self,
        session: sqlite3.Connection,
        question: Remembered,
        vector: Sequence[float],
        now: float,
    ) -> None:
        session.execute(
            "INSERT OR REPLACE INTO questions"
            " (name, partition, space, key, sides, expires, vector) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                _name(question),
                question.partition,
                question.space,
                question.key,
                " ".join(question.sides),
                question.expires,
                array("f", vector).tobytes(),
            ),
        )
        if self._added % _SWEPT == 0:
            session.execute("DELETE FROM questions WHERE expires <= ?", (now,))
        self._added += 1
        session.execute(
            "DELETE FROM questions WHERE id <= (SELECT max(id) FROM questions) - ?", (self._most,)
        )

    def _open(self) -> sqlite3.Connection:
        if self._session is None:
            where = ":memory:"
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                where = str(self._folder / FILE)
            session = sqlite3.connect(
                where, timeout=5.0, isolation_level=None, check_same_thread=False
            )
            session.execute("PRAGMA journal_mode = WAL")
            session.execute("PRAGMA synchronous = OFF")
            session.executescript(_SCHEMA)
            self._session = session
        return self._session

    def _begin_anew(self) -> None:
        """Forget a file that cannot be read; what it held is made again."""
        if self._session is not None:
            self._session.close()
            self._session = None
        if self._folder is not None:
            for end in ("", "-wal", "-shm"):
                (self._folder / (FILE + end)).unlink(missing_ok=True)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            try:
                return work(self._open())
            except (sqlite3.Error, OSError) as exc:
                if type(exc) is sqlite3.DatabaseError:  # damaged, or no database at all
                    self._begin_anew()
                raise StoreDownError(f"the vectors in {self.place}: {exc}") from exc

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)


def _nearest(
    session: sqlite3.Connection, partition: str, vector: Sequence[float], most: int, now: float
) -> list[Near]:
    wanted = array("f", vector).tobytes()
    rows = cast(
        "list[tuple[str, str, bytes]]",
        session.execute(_NEAREST, (partition, now, len(wanted), MOST_COMPARED)).fetchall(),
    )
    scores = similarities(wanted, [row[2] for row in rows])
    order = sorted(range(len(rows)), key=lambda place: -scores[place])[:most]
    return [Near(rows[i][0], scores[i], tuple(rows[i][1].split())) for i in order]


def similarities(wanted: bytes, vectors: Sequence[bytes]) -> list[float]:
    """Return the cosine of one vector with each of several.

    Args:
        wanted: 32 bit floats, a vector of length 1.
        vectors: Others of the same size, of length 1 too.
    """
    if not vectors:
        return []
    matrix = np.frombuffer(b"".join(vectors), dtype=np.float32).reshape(len(vectors), -1)
    return [float(score) for score in matrix @ np.frombuffer(wanted, dtype=np.float32)]


def _name(question: Remembered) -> bytes:
    """Return what makes a question one: its partition, and the key of its answer."""
    return hashlib.sha256(f"{question.partition}\n{question.key}".encode()).digest()[:16]
