"""The cache's administrative routes: what they tell and forget, and what they never touch."""

from __future__ import annotations

import pytest

from support.asking import answer, told
from support.cached import stored
from support.engine import WALL
from support.money import drive
from tiergate.base.errors import Refused
from tiergate.core.caching import digest
from tiergate.core.caller import Caller
from tiergate.ports import StoreFigures
from tiergate.stores.answers_memory import MemoryAnswers
from tiergate.stores.meanings_embedded import EmbeddedVectors
from tiergate.stores.meanings_guarded import GuardedMeanings
from tiergate.web.cache_routes import MOST_KEYS, CacheRoutes, OpenCache

KEYS = [f"ns:{digest(bytes([n]))}" for n in range(3)]
OTHER = f"other:{digest(b'x')}"


def full() -> MemoryAnswers:
    store = MemoryAnswers(100_000, lambda: WALL)
    for key in (*KEYS, OTHER):
        drive(store.put(key, stored()))
    return store


def ask(store, path: str, **more):
    cache = None if store is None else OpenCache(store, "ns", 60.0)
    return told(CacheRoutes(lambda: cache).routes(), path, **more)


class Gone(MemoryAnswers):
    """A store that is down."""

    fault = "no route to host"

    async def ping(self) -> str | None:
        return self.fault

    async def delete(self, keys) -> int | None:
        return None

    async def clear(self, namespace: str) -> int | None:
        return None

    async def figures(self) -> StoreFigures:
        return StoreFigures(kind="redis", place="Redis at h:1", fault=self.fault, errors=2)


GONE = Gone(1, lambda: WALL)


def test_ping_asks_the_store():
    good = ask(full(), "/cache/ping")
    assert good.status == 200
    assert answer(good) == {
        "status": "healthy",
        "cache_type": "local",
        "ping_response": True,
        "place": "memory of this process",
        "namespace": "ns",
    }
    bad = ask(GONE, "/cache/ping")
    assert bad.status == 503
    assert answer(bad)["status"] == "unhealthy"
    assert answer(bad)["error"] == "no route to host"


def test_stats_tell_what_is_known():
    stats = answer(ask(full(), "/cache/stats"))
    assert (stats["entries"], stats["max_bytes"], stats["ttl_seconds"]) == (4, 100_000, 60.0)
    assert 0 < stats["bytes"] < stats["max_bytes"]
    gone = answer(ask(GONE, "/cache/stats"))
    assert (gone["fault"], gone["errors"], gone["entries"]) == ("no route to host", 2, None)


def test_flushall_clears_the_namespace_and_no_other():
    store = full()
    assert answer(ask(store, "/cache/flushall", method="POST"))["deleted"] == 3
    assert drive(store.get(OTHER)) is not None


def test_flushall_forgets_the_vectors_of_a_semantic_cache_too():
    cleared: list[str] = []

    class Vectors(GuardedMeanings):
        async def clear(self, space: str) -> None:
            cleared.append(space)

    vectors = Vectors(EmbeddedVectors(None, 1), 1.0, lambda: 0.0, lambda: 0.0)
    cache = OpenCache(full(), "ns", 60.0, vectors)
    routes = CacheRoutes(lambda: cache).routes()
    assert answer(told(routes, "/cache/flushall", method="POST"))["deleted"] == 3
    assert cleared == ["ns"]


def test_flushall_takes_no_fields():
    with pytest.raises(Refused) as caught:
        ask(full(), "/cache/flushall", method="POST", body={"namespace": "other"})
    assert caught.value.status == 400


def test_answers_are_deleted_by_key():
    store = full()
    body = {"keys": [KEYS[0], f"ns:{digest(b'never')}"]}
    assert answer(ask(store, "/cache/delete", method="POST", body=body))["deleted"] == 1
    assert drive(store.get(KEYS[0])) is None
    assert drive(store.get(KEYS[1])) is not None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"keys": []},
        {"keys": KEYS[0]},
        {"keys": [KEYS[0]], "all": True},
        {"keys": [OTHER]},
        {"keys": ["ns:budgets"]},
        {"keys": [5]},
        {"keys": KEYS * MOST_KEYS},
    ],
)
def test_only_keys_of_the_namespace_are_taken(body):
    store = full()
    with pytest.raises(Refused) as caught:
        ask(store, "/cache/delete", method="POST", body=body)
    assert (caught.value.status, caught.value.param) == (400, "keys")
    assert drive(store.figures()).entries == 4


@pytest.mark.parametrize(
    ("path", "body"), [("/cache/flushall", {}), ("/cache/delete", {"keys": KEYS})]
)
def test_a_store_that_is_down_deletes_nothing_and_says_so(path, body):
    with pytest.raises(Refused) as caught:
        ask(GONE, path, method="POST", body=body)
    assert (caught.value.status, caught.value.code) == (503, "cache_down")
    assert "no route to host" in caught.value.message


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/cache/ping", "GET"),
        ("/cache/stats", "GET"),
        ("/cache/delete", "POST"),
        ("/cache/flushall", "POST"),
    ],
)
def test_without_a_cache_that_is_said(path, method):
    with pytest.raises(Refused) as caught:
        ask(None, path, method=method)
    assert (caught.value.status, caught.value.code) == (400, "no_cache")


def test_a_virtual_key_may_ask_none_of_them():
    routes = CacheRoutes(lambda: None).routes()
    assert not any(route.keys for route in routes)
    with pytest.raises(AssertionError):
        told(routes, "/cache/ping", caller=Caller(name="k", key="1"))
