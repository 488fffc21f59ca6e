"""Documents in a table of SQLite or PostgreSQL, shared by all that use the database.

One that changes documents keeps the others waiting, so no change is ever lost or made again.
Keys are kept as bytes: callers choose parts of them, and PostgreSQL's text cannot hold them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tiergate.ports import Change, Seen
from tiergate.stores.change import Writes, apply_change
from tiergate.stores.keys import after_prefix, key_bytes, key_text
from tiergate.stores.sql_session import SqlSession, marks, transaction
from tiergate.stores.sql_thread import SqlThread

T = TypeVar("T")

_MOST_AT_ONCE = 500
"""Keys in one question; old versions of SQLite take no more than 999 values."""


class SqlDocuments:
    """Implements `ports.Documents`.

    Args:
        thread: Does the work.
        seconds: The most that a question may take before the store is said to be down.
    """

    def __init__(self, thread: SqlThread, seconds: float) -> None:
        self._thread = thread
        self._seconds = seconds

    async def update(self, keys: Sequence[str], change: Change[T]) -> T:
        """Change some documents together. `change` runs in the store's thread.

        Raises:
            StoreDownError: See `ports.Documents`.
            ValueError: `change` returned a document that it was not shown.
        """

        def work(session: SqlSession) -> T:
            with transaction(session, self._seconds, write=True):
                session.lock([key_bytes(key) for key in keys])
                writes, answer = apply_change(change, _select(session, keys))
                _write(session, writes)
            return answer

        return await self._thread.run(work, self._seconds)

    async def read(self, keys: Sequence[str]) -> Seen:
        """Return documents as they are.

        Raises:
            StoreDownError: The store cannot be reached.
        """

        def work(session: SqlSession) -> Seen:
            with transaction(session, self._seconds, write=False):
                return _select(session, keys)

        return await self._thread.run(work, self._seconds)

    async def scan(self, prefix: str) -> list[tuple[str, bytes]]:
        """Return all documents whose key begins with a prefix, in the order of their keys.

        Raises:
            StoreDownError: The store cannot be reached.
        """

        def work(session: SqlSession) -> list[tuple[str, bytes]]:
            with transaction(session, self._seconds, write=False):
                return _scan(session, prefix)

        return await self._thread.run(work, self._seconds)

    async def aclose(self) -> None:
        """Give back the connection."""
        await self._thread.aclose(self._seconds)


def _select(session: SqlSession, keys: Sequence[str]) -> Seen:
    seen: dict[str, bytes | None] = dict.fromkeys(keys)
    for first in range(0, len(keys), _MOST_AT_ONCE):
        some = [key_bytes(key) for key in keys[first : first + _MOST_AT_ONCE]]
        sql = f"SELECT key, body FROM tiergate_documents WHERE key IN ({marks(len(some))})"  # noqa: S608 - question marks
        for key, body in session.execute(sql, some):
            if isinstance(key, bytes) and isinstance(body, bytes):
                seen[key_text(key)] = body
    return seen


def _write(session: SqlSession, writes: Writes) -> None:
    kept = [(key_bytes(key), body) for key, body in writes.items() if body is not None]
    gone = [(key_bytes(key),) for key, body in writes.items() if body is None]
    if kept:
        session.execute_many(
            "INSERT INTO tiergate_documents (key, body) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET body = excluded.body",
            kept,
        )
    if gone:
        session.execute_many("DELETE FROM tiergate_documents WHERE key = ?", gone)


def _scan(session: SqlSession, prefix: str) -> list[tuple[str, bytes]]:
    low = key_bytes(prefix)
    high = after_prefix(low)
    values, where = ((), "") if high is None else ((low, high), "WHERE key >= ? AND key < ?")
    sql = f"SELECT key, body FROM tiergate_documents {where} ORDER BY key"  # noqa: S608 - constants
    return [
        (key_text(key), body)
        for key, body in session.execute(sql, values)
        if isinstance(key, bytes) and isinstance(body, bytes)
    ]
