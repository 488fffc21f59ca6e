"""Every store of documents behind one face, so that the same tests go through all of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from support.servers import PostgresServer, RedisServer
from tiergate.base.values import Secret
from tiergate.ports import Documents
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.stores.postgres import PostgresDocuments
from tiergate.stores.redis_documents import RedisDocuments
from tiergate.stores.redis_place import RedisPlace
from tiergate.stores.sqlite import SqliteDocuments


@dataclass
class Shop:
    """Opens a store as often as wanted: each opening is as a worker of its own.

    `server` is None where there is none.
    """

    kind: str
    make: Callable[[float], Documents]
    clear: Callable[[], None]
    server: PostgresServer | RedisServer | None
    opened: list[Documents] = field(default_factory=list)

    def open(self, seconds: float = 10.0) -> Documents:
        store = self.make(seconds)
        self.opened.append(store)
        return store


def _postgres_shop(request: pytest.FixtureRequest) -> Shop:
    server: PostgresServer = request.getfixturevalue("postgres")
    url = Secret(server.url)

    def clear() -> None:
        server.sql("DELETE FROM tiergate_documents")

    def make(seconds: float) -> Documents:
        return PostgresDocuments.open(url, seconds=seconds)

    return Shop("postgres", make, clear, server)


def _redis_shop(request: pytest.FixtureRequest, kind: str) -> Shop:
    name = "redis_cluster" if kind == "cluster" else "redis"
    server: RedisServer = request.getfixturevalue(name)
    node = ("127.0.0.1", server.port)
    password = Secret(server.password) if server.password is not None else None
    if kind == "cluster":
        place = RedisPlace(startup_nodes=(node,))
    elif kind == "sentinel":
        sentinel: RedisServer = request.getfixturevalue("redis_sentinel")
        place = RedisPlace(
            sentinel_nodes=(("127.0.0.1", sentinel.port),),
            service_name=RedisServer.SERVICE,
            password=password,
        )
    else:
        place = RedisPlace(host=node[0], port=node[1], password=password)
    dice = random.Random(1)

    def make(seconds: float) -> Documents:
        return RedisDocuments(place, dice.random, seconds=seconds)

    return Shop(kind, make, server.flush, server)


@pytest.fixture
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    kind: str = request.param
    if kind == "memory":
        memory = MemoryDocuments()
        made = Shop(kind, lambda _: memory, lambda: None, None)
    elif kind == "sqlite":
        path = request.getfixturevalue("tmp_path") / "state.db"
        made = Shop(kind, lambda s: SqliteDocuments.open(path, seconds=s), lambda: None, None)
    elif kind == "postgres":
        made = _postgres_shop(request)
    else:
        made = _redis_shop(request, kind)
    if made.server is not None:
        made.open()
        made.clear()
    yield made
    for store in made.opened:
        await store.aclose()
