"""Vectors in Qdrant: what is swept, and what is not ours. The rest is in the battery."""

from __future__ import annotations

from tiergate.ports import Remembered
from tiergate.stores.meanings_qdrant import QdrantVectors
from tiergate.stores.qdrant_home import MEMORY, QdrantHome


def question(key: str, expires: float) -> Remembered:
    return Remembered(key=key, space="n", partition="n:p", sides=("on-a",), expires=expires)


async def test_what_has_expired_is_swept():
    home = QdrantHome(MEMORY)
    store = QdrantVectors(home, "c")
    await store.add(question("old", 1.0), (1.0, 0.0), 0.0)
    for number in range(63):
        await store.add(question(str(number), 100.0), (1.0, 0.0), 2.0)
    assert await home.count("c") == 63
    await store.aclose()


async def test_another_programs_points_are_passed_over():
    home = QdrantHome(MEMORY)
    store = QdrantVectors(home, "c")
    await home.upsert("c", "x", (1.0, 0.0), {"partition": "n:p", "expires": 100.0})
    await store.add(question("a", 100.0), (1.0, 0.0), 0.0)
    assert [near.key for near in await store.nearest("n:p", (1.0, 0.0), 8, 0.0)] == ["a"]
    assert store.place == "Qdrant in :memory:, collection c"
    await store.aclose()
