"""One battery for all stores of answers, over real servers: what goes in comes out, or nothing."""

from __future__ import annotations

import asyncio
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.cached import stored
from support.chroma import ChromaServer
from support.s3 import S3Server
from support.servers import RedisServer
from tiergate.base.values import Secret
from tiergate.core.caching import digest
from tiergate.ports import AnswerStore, StoredAnswer
from tiergate.stores.answer_seal import AnswerSeal
from tiergate.stores.answers_chroma import ChromaAnswers
from tiergate.stores.answers_disk import DiskAnswers
from tiergate.stores.answers_guarded import GuardedAnswers
from tiergate.stores.answers_memory import MemoryAnswers
from tiergate.stores.answers_qdrant import QdrantAnswers
from tiergate.stores.answers_redis import RedisAnswers
from tiergate.stores.answers_s3 import BucketAnswers
from tiergate.stores.chroma_home import ChromaHome
from tiergate.stores.qdrant_home import MEMORY, QdrantHome
from tiergate.stores.redis_place import RedisPlace

KINDS = (
    "local",
    "disk",
    "redis",
    "redis-url",
    "cluster",
    "sentinel",
    "s3",
    "sealed",
    "qdrant",
    "chromadb",
)
WAIT = 5.0
"""A test's machine may be busy; how long requests wait is another test's matter."""


@dataclass
class Shop:
    """Opens a store as often as wanted, each time as another worker."""

    kind: str
    make: Callable[[], AnswerStore]

    @property
    def shared(self) -> bool:
        """Whether two workers see the same answers."""
        return self.kind != "local"


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    kind: str = request.param

    def guarded(store, seal=None) -> AnswerStore:
        return GuardedAnswers(store, WAIT, time.time, seal)

    if kind == "local":
        return Shop(kind, lambda: MemoryAnswers(1_000_000, time.time))
    if kind in ("disk", "sealed"):
        seal = AnswerSeal(Secret("of the battery")) if kind == "sealed" else None
        return Shop(kind, lambda: guarded(DiskAnswers(tmp_path / "a", 1_000_000, time.time), seal))
    if kind == "s3":
        s3: S3Server = request.getfixturevalue("s3")
        s3.flush()
        return Shop(kind, lambda: guarded(BucketAnswers(s3.plan("some/path"))))
    if kind == "qdrant":
        home = QdrantHome(MEMORY)
        return Shop(kind, lambda: guarded(QdrantAnswers(home, "answers", time.time)))
    if kind == "chromadb":
        chroma: ChromaServer = request.getfixturevalue("chroma")
        name = f"answers-{uuid.uuid4().hex}"
        return Shop(kind, lambda: guarded(ChromaAnswers(ChromaHome(chroma.url), name, time.time)))
    server: RedisServer = request.getfixturevalue(
        "redis_cluster" if kind == "cluster" else "redis"
    )
    server.flush()
    place = place_of(kind, server, request)
    return Shop(kind, lambda: guarded(RedisAnswers(place)))


def place_of(kind: str, server: RedisServer, request: pytest.FixtureRequest) -> RedisPlace:
    node = ("127.0.0.1", server.port)
    password = Secret(server.password) if server.password is not None else None
    if kind == "cluster":
        return RedisPlace(startup_nodes=(node,))
    if kind == "sentinel":
        watcher: RedisServer = request.getfixturevalue("redis_sentinel")
        return RedisPlace(
            sentinel_nodes=(("127.0.0.1", watcher.port),),
            service_name=RedisServer.SERVICE,
            password=password,
        )
    if kind == "redis-url":
        return RedisPlace(url=Secret(f"redis://:{server.password}@127.0.0.1:{server.port}/3"))
    return RedisPlace(host="127.0.0.1", port=server.port, password=password)


def key(word: str, namespace: str = "battery") -> str:
    return f"{namespace}:{digest(word.encode())}"


def fresh(body: bytes = b"{}", seconds: float = 60.0) -> StoredAnswer:
    now = time.time()
    return stored(body, created=now, expires=now + seconds)


async def test_what_was_kept_is_found_whole(shop):
    store = shop.make()
    answers = {key(str(n)): fresh(b"x" * n * 1000) for n in (0, 1, 3, 300)}
    for name, answer in answers.items():
        await store.put(name, answer)
    for name, answer in answers.items():
        assert await store.get(name) == answer
    assert await store.get(key("another")) is None
    assert (store.fault, await store.ping()) == (None, None)
    await store.aclose()


async def test_the_last_one_counts(shop):
    store = shop.make()
    await store.put(key("a"), fresh(b"one"))
    await store.put(key("a"), fresh(b"two"))
    assert (await store.get(key("a"))).body == b"two"
    await store.aclose()


async def test_another_worker_sees_it_too(shop):
    first, second = shop.make(), shop.make()
    await first.put(key("a"), fresh(b"one"))
    found = await second.get(key("a"))
    assert (found is not None) is shop.shared
    await first.aclose()
    await second.aclose()


async def test_an_answer_serves_nobody_after_its_end(shop):
    store = shop.make()
    await store.put(key("a"), fresh(seconds=0.3))
    end = time.time() + 0.35
    while time.time() < end:
        found = await store.get(key("a"))
        # A store that does not forget by itself still says when it is over.
        assert found is None or found.expires <= end
        await asyncio.sleep(0.02)
    found = await store.get(key("a"))
    assert found is None or found.expires <= time.time()
    await store.aclose()


async def test_one_that_is_over_is_not_kept(shop):
    store = shop.make()
    await store.put(key("a"), fresh(seconds=-1))
    found = await store.get(key("a"))
    assert found is None
    await store.aclose()


async def test_answers_are_forgotten_by_name(shop):
    store = shop.make()
    for word in ("a", "b", "c"):
        await store.put(key(word), fresh())
    assert await store.delete([key("a"), key("b")]) == 2
    assert await store.get(key("a")) is None
    assert await store.get(key("c")) is not None
    await store.aclose()


async def test_a_namespace_is_cleared_and_nothing_else(shop):
    store = shop.make()
    ours = [key(str(n)) for n in range(30)] + [key("x", "battery:team")]
    others = [key("a", "battery2"), key("a", "other")]
    for name in (*ours, *others):
        await store.put(name, fresh())
    assert await store.clear("battery") == len(ours)
    assert [await store.get(name) for name in ours] == [None] * len(ours)
    assert None not in [await store.get(name) for name in others]
    await store.aclose()


async def test_many_at_once_do_not_get_each_other_s_answers(shop):
    store = shop.make()
    words = [str(n) for n in range(60)]
    await asyncio.gather(*(store.put(key(w), fresh(w.encode() * 50)) for w in words))
    found = await asyncio.gather(*(store.get(key(w)) for w in words))
    assert [answer.body for answer in found] == [w.encode() * 50 for w in words]
    await store.aclose()


async def test_it_says_what_and_where_it_is_without_a_login(shop):
    store = shop.make()
    await store.put(key("a"), fresh())
    figures = await store.figures()
    assert figures.kind in ("local", "disk", "redis", "s3", "qdrant", "chromadb")
    assert figures.fault is None
    assert "of-the-battery" not in str(figures) and "secret" not in str(figures)
    if figures.size is not None:
        assert figures.entries == 1
        assert 0 < figures.size < figures.most
    await store.aclose()


async def test_nobody_reads_a_sealed_answer_in_the_store(tmp_path):
    seal = AnswerSeal(Secret("one"))
    store = GuardedAnswers(DiskAnswers(tmp_path, 10_000_000, time.time), WAIT, time.time, seal)
    await store.put(key("a"), fresh(b"a private sentence"))
    await store.aclose()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"private" not in written

    other = AnswerSeal(Secret("two"))
    thief = GuardedAnswers(DiskAnswers(tmp_path, 10_000_000, time.time), WAIT, time.time, other)
    assert await thief.get(key("a")) is None
    await thief.aclose()


async def test_redis_forgets_by_itself_and_keeps_what_is_not_ours(redis):
    redis.flush()
    place = place_of("redis", redis, None)
    raw = RedisAnswers(place)
    store = GuardedAnswers(raw, WAIT, time.time)
    await store.put(key("a"), fresh(seconds=100))
    left = await raw._client.execute_command("PTTL", key("a"))
    assert 90_000 < left <= 100_000
    await raw._client.execute_command("SET", "battery:budgets", "x")
    assert await store.clear("battery") == 1
    assert await raw._client.execute_command("GET", "battery:budgets") == b"x"
    await store.aclose()


async def test_a_bucket_s_other_objects_stay(s3):
    s3.flush()
    raw = BucketAnswers(s3.plan("some/path"))
    await raw.write("battery:report.txt", b"x", 60)
    store = GuardedAnswers(raw, WAIT, time.time)
    await store.put(key("a"), fresh())
    assert await store.clear("battery") == 1
    assert await raw.read("battery:report.txt") == b"x"
    await store.aclose()


# ------------------------------------------------------------------ TLS


class TlsServer(RedisServer):
    """A Redis that speaks TLS and nothing else, with a certificate that vouches for itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.cert = folder / "cert.pem"

    def _settings(self) -> Iterator[str]:
        key = self.cert.with_name("key.pem")
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
                str(self.cert),
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        for line in super()._settings():
            yield line if not line.startswith("port ") else "port 0"
        yield f"tls-port {self.port}"
        yield f"tls-cert-file {self.cert}"
        yield f"tls-key-file {key}"
        yield f"tls-ca-cert-file {self.cert}"
        yield "tls-auth-clients no"

    def _client(self, *words: str) -> list[str]:
        program, *rest = super()._client(*words)
        return [program, "--tls", "--insecure", *rest]


async def test_redis_behind_tls_is_used_if_its_certificate_is_trusted(tmp_path):
    folder = tmp_path / "redis"
    folder.mkdir()
    server = TlsServer(folder)
    server.start()
    try:
        known = RedisPlace(host="127.0.0.1", port=server.port, ssl=True, ca_file=str(server.cert))
        blind = RedisPlace(url=Secret(f"rediss://127.0.0.1:{server.port}"), verify=False)
        unknown = RedisPlace(host="127.0.0.1", port=server.port, ssl=True)
        stores = [GuardedAnswers(RedisAnswers(p), WAIT, time.time) for p in (known, blind)]
        await stores[0].put(key("a"), fresh(b"x" * 100_000))
        for store in stores:
            assert len((await store.get(key("a"))).body) == 100_000
            await store.aclose()
        refused = GuardedAnswers(RedisAnswers(unknown), WAIT, time.time)
        assert await refused.get(key("a")) is None
        assert "certificate" in refused.fault
        await refused.aclose()
    finally:
        server.kill()


# ------------------------------------------------------------------ stores that go away


class Stopwatch:
    """How long each question of a series took, in seconds."""

    def __init__(self, store: AnswerStore) -> None:
        self._store = store
        self.took: list[float] = []

    async def ask(self, number: int) -> None:
        for n in range(number):
            begun = time.perf_counter()
            await self._store.get(key(str(n)))
            self.took.append(time.perf_counter() - begun)


async def back(store: AnswerStore, seconds: float) -> float:
    """Ask until the store is used again; returns how long that took."""
    begun = time.monotonic()
    while store.fault is not None:
        await store.get(key("a"))
        assert time.monotonic() - begun < seconds, store.fault
        await asyncio.sleep(0.01)
    return time.monotonic() - begun


@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_a_redis_that_goes_away_is_waited_for_once_and_used_again(tmp_path, how, caplog):
    server = RedisServer(tmp_path / "redis")
    server.start()
    place = RedisPlace(host="127.0.0.1", port=server.port)
    store = GuardedAnswers(RedisAnswers(place), 0.2, time.time)
    try:
        await store.put(key("a"), fresh())
        assert await store.get(key("a")) is not None
        if how == "frozen":
            server.freeze()
        else:
            server.kill()
        first = Stopwatch(store)
        await first.ask(1)
        assert first.took[0] < 0.4
        assert store.fault is not None and str(server.port) in store.fault
        then = Stopwatch(store)
        await then.ask(200)
        assert sorted(then.took)[197] < 0.005
        assert await store.ping() is not None
        if how == "frozen":
            server.thaw()
        else:
            server.start()
        assert await back(store, 10.0) < 5.0
        await store.put(key("b"), fresh())
        assert await store.get(key("b")) is not None
        figures = await store.figures()
        assert figures.errors >= 1 and figures.fault is None
    finally:
        await store.aclose()
        server.kill()


async def test_a_wrong_password_is_said(redis):
    place = RedisPlace(host="127.0.0.1", port=redis.port, password=Secret("wrong-one"))
    store = GuardedAnswers(RedisAnswers(place), WAIT, time.time)
    assert await store.get(key("a")) is None
    assert "WRONGPASS" in store.fault
    assert "wrong-one" not in store.fault
    await store.aclose()


async def test_a_bucket_that_is_not_there_is_said(s3):
    plan = s3.plan()
    object.__setattr__(plan, "name", "no-such-bucket")
    store = GuardedAnswers(BucketAnswers(plan), WAIT, time.time)
    await store.put(key("a"), fresh())
    assert "no-such-bucket" in store.fault
    assert "secret" not in store.fault
    await store.aclose()
