"""Documents in memory; what all stores have in common is in tests/battery/stores."""

from __future__ import annotations

from tiergate.ports import Documents
from tiergate.stores.documents_memory import MemoryDocuments


async def test_it_fits_the_port_and_calls_a_change_once():
    store: Documents = MemoryDocuments()
    calls: list[int] = []

    def change(seen):
        calls.append(1)
        return {"a": (seen["a"] or b"") + b"x"}, len(calls)

    assert await store.update(["a"], change) == 1
    assert await store.update(["a"], change) == 2
    assert await store.read(["a", "b"]) == {"a": b"xx", "b": None}


async def test_closing_it_forgets_everything():
    store = MemoryDocuments()
    await store.update(["a"], lambda _: ({"a": b"1"}, None))

    await store.aclose()

    assert await store.scan("") == []
