"""One battery for all stores of vectors, over real ones: the nearest of one's own, or nothing.

Redis has no search module here, so `SearchedVectors` shows what it does without one; what it
sends to one is in tests/unit/stores/test_meanings_redisearch.py.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.chroma import ChromaServer
from support.servers import RedisServer
from tiergate.base.values import Secret
from tiergate.core.caching import digest
from tiergate.core.meaning import unit
from tiergate.ports import Meanings, Remembered
from tiergate.stores.chroma_home import ChromaHome
from tiergate.stores.meanings_chroma import ChromaVectors
from tiergate.stores.meanings_embedded import EmbeddedVectors
from tiergate.stores.meanings_guarded import GuardedMeanings, Vectors
from tiergate.stores.meanings_qdrant import QdrantVectors
from tiergate.stores.meanings_redis import RedisVectors
from tiergate.stores.meanings_redisearch import SearchedVectors
from tiergate.stores.qdrant_home import MEMORY, QdrantHome
from tiergate.stores.redis_client import connect_redis
from tiergate.stores.redis_place import RedisPlace

KINDS = (
    "memory",
    "file",
    "qdrant-memory",
    "qdrant-folder",
    "chroma",
    "redis",
    "cluster",
    "search",
)
WAIT = 10.0


@dataclass
class Shop:
    """Opens a store as often as wanted, each time as another worker."""

    kind: str
    make: Callable[[], Vectors]
    now: float

    def open(self) -> Meanings:
        return GuardedMeanings(self.make(), WAIT, time.monotonic, lambda: self.now)

    @property
    def shared(self) -> bool:
        return self.kind not in ("memory", "qdrant-memory", "qdrant-folder")


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    kind: str = request.param
    return Shop(kind, _make(kind, request, tmp_path), time.time())


def _make(kind: str, request: pytest.FixtureRequest, folder: Path) -> Callable[[], Vectors]:
    match kind:
        case "memory":
            return lambda: EmbeddedVectors(None, 1000)
        case "file":
            return lambda: EmbeddedVectors(folder, 1000)
        case "qdrant-memory":
            return lambda: QdrantVectors(QdrantHome(MEMORY), "meanings")
        case "qdrant-folder":
            return lambda: QdrantVectors(QdrantHome(str(folder / "qdrant")), "meanings")
        case "chroma":
            chroma: ChromaServer = request.getfixturevalue("chroma")
            name = f"meanings-{uuid.uuid4().hex}"
            return lambda: ChromaVectors(ChromaHome(chroma.url), name)
        case "cluster":
            server: RedisServer = request.getfixturevalue("redis_cluster")
            server.flush()
            cluster = RedisPlace(startup_nodes=(("127.0.0.1", server.port),))
            return lambda: RedisVectors("a cluster", connect_redis(cluster, WAIT))
        case _:
            redis: RedisServer = request.getfixturevalue("redis")
            redis.flush()
            password = Secret(redis.password) if redis.password is not None else None
            place = RedisPlace(host="127.0.0.1", port=redis.port, password=password)
            if kind == "redis":
                return lambda: RedisVectors("a Redis", connect_redis(place, WAIT))
            return lambda: SearchedVectors("a Redis", connect_redis(place, WAIT), "x", "battery")


def partition(word: str, space: str = "battery") -> str:
    return f"{space}:{digest(word.encode())}"


def question(key: str, where: str, seconds: float = 60.0, space: str = "battery") -> Remembered:
    return Remembered(
        key=f"{space}:{digest(key.encode())}",
        space=space,
        partition=partition(where, space),
        sides=("most-a", "order-b"),
        expires=time.time() + seconds,
    )


def vector(*values: float) -> tuple[float, ...]:
    found = unit((*values, *(0.0,) * (4 - len(values))))
    assert found is not None
    return found


async def nearest(store: Meanings, where: str, of: tuple[float, ...], most: int = 8):
    found = await store.nearest(partition(where), of, most)
    assert found is not None, store.fault
    return found


async def test_the_nearest_of_a_partition_come_with_similarity_and_sides(shop):
    store = shop.open()
    asked = {"a": vector(1, 0), "b": vector(1, 0.5), "c": vector(0, 1)}
    for name, each in asked.items():
        await store.add(question(name, "here"), each)
    assert store.fault is None
    first, second, third = sorted(
        await nearest(store, "here", vector(1, 0.1)), key=lambda near: -near.similarity
    )
    assert [first.key, second.key, third.key] == [question(k, "").key for k in "abc"]
    assert first.similarity == pytest.approx(0.99504, abs=1e-4)
    assert third.similarity == pytest.approx(0.0995, abs=1e-4)
    assert first.sides == ("most-a", "order-b")
    await store.aclose()


async def test_another_partition_is_never_looked_into(shop):
    store = shop.open()
    await store.add(question("a", "one"), vector(1))
    await store.add(question("b", "two"), vector(1))
    assert [near.key for near in await nearest(store, "one", vector(1))] == [question("a", "").key]
    assert await nearest(store, "three", vector(1)) == []
    await store.aclose()


async def test_an_empty_store_has_nothing_near(shop):
    store = shop.open()
    assert await nearest(store, "here", vector(1)) == []
    assert store.fault is None
    await store.aclose()


async def test_no_more_come_than_were_asked_for(shop):
    store = shop.open()
    for number in range(6):
        await store.add(question(str(number), "here"), vector(1, number / 10))
    found = await nearest(store, "here", vector(1), most=2)
    assert {near.key for near in found} == {question("0", "").key, question("1", "").key}
    await store.aclose()


async def test_what_has_expired_is_not_found(shop):
    store = shop.open()
    await store.add(question("a", "here", seconds=50), vector(1))
    await store.add(question("b", "here", seconds=500), vector(1))
    shop.now += 100
    assert [near.key for near in await nearest(store, "here", vector(1))] == [
        question("b", "").key
    ]
    await store.add(question("c", "here", seconds=50), vector(1))
    assert len(await nearest(store, "here", vector(1))) == 1
    await store.aclose()


async def test_a_question_is_kept_once(shop):
    store = shop.open()
    await store.add(question("a", "here"), vector(1))
    await store.add(question("a", "here"), vector(0, 1))
    (found,) = await nearest(store, "here", vector(0, 1))
    assert found.similarity == pytest.approx(1.0, abs=1e-5)
    await store.aclose()


async def test_clearing_a_namespace_leaves_others_alone(shop):
    store = shop.open()
    await store.add(question("a", "here"), vector(1))
    await store.add(question("b", "here", space="other"), vector(1))
    await store.clear("battery")
    assert await nearest(store, "here", vector(1)) == []
    assert len(await store.nearest(partition("here", "other"), vector(1), 8) or []) == 1
    await store.aclose()


async def test_another_worker_sees_what_one_has_kept(shop):
    one, other = shop.open(), shop.open()
    if shop.kind == "qdrant-folder":
        await one.add(question("a", "here"), vector(1))
        assert await other.nearest(partition("here"), vector(1), 8) is None
        assert "already accessed" in (other.fault or "")
        await one.aclose()
        other = shop.open()
        assert len(await nearest(other, "here", vector(1))) == 1
    else:
        await one.add(question("a", "here"), vector(1))
        assert len(await nearest(other, "here", vector(1))) == int(shop.shared)
        await one.aclose()
    await other.aclose()


async def test_vectors_of_another_size_are_never_compared(shop):
    store = shop.open()
    await store.add(question("a", "here"), vector(1))
    longer = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    found = await store.nearest(partition("here"), longer, 8)
    assert not found
    await store.aclose()


async def test_many_at_once_are_all_kept(shop):
    store = shop.open()
    await asyncio.gather(
        *(store.add(question(str(n), "here"), vector(1, n / 10)) for n in range(20))
    )
    assert len(await nearest(store, "here", vector(1), most=50)) == 20
    await store.aclose()
