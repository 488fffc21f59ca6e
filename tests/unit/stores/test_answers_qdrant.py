"""Answers in Qdrant: what is swept, and what is damaged. The rest is in the battery."""

from __future__ import annotations

from tiergate.stores.answers_qdrant import QdrantAnswers
from tiergate.stores.qdrant_home import MEMORY, QdrantHome


async def test_what_has_expired_is_swept():
    home, now = QdrantHome(MEMORY), [0.0]
    store = QdrantAnswers(home, "c", lambda: now[0])
    await store.write("n:old", b"x", 1.0)
    now[0] = 2.0
    for number in range(63):
        await store.write(f"n:{number}", b"x", 100.0)
    assert (await store.figures()).entries == 63
    await store.aclose()


async def test_what_is_no_answer_of_ours_is_none():
    home = QdrantHome(MEMORY)
    store = QdrantAnswers(home, "c", lambda: 0.0)
    await home.upsert("c", "n:a", (1.0,), {"key": "n:a", "data": "not base64!"})
    await home.upsert("c", "n:b", (1.0,), {"key": "n:b"})
    assert [await store.read(key) for key in ("n:a", "n:b", "n:c")] == [None, None, None]
    await store.aclose()
