"""Documents in SQL, as SQLite has them; what all stores have in common is in tests/battery."""

from __future__ import annotations

import threading

from support.documents import writing
from tiergate.ports import Documents
from tiergate.stores.sqlite import SqliteDocuments


async def test_what_is_written_outlives_the_store(tmp_path):
    store: Documents = SqliteDocuments.open(tmp_path / "state.db")
    await store.update(["b", "a"], writing({"a": b"1", "b": b"2"}))
    await store.aclose()

    again = SqliteDocuments.open(tmp_path / "state.db")
    assert await again.scan("") == [("a", b"1"), ("b", b"2")]
    await again.aclose()


async def test_a_change_runs_in_the_stores_thread_once(tmp_path):
    store = SqliteDocuments.open(tmp_path / "state.db")
    threads: list[str] = []

    def change(seen):
        threads.append(threading.current_thread().name)
        return {}, None

    await store.update(["a"], change)

    assert [name.startswith("tiergate-sql") for name in threads] == [True]
    await store.aclose()
