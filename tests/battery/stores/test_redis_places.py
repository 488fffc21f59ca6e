"""Redis as it is run in earnest: behind TLS, on several nodes, with a master that is replaced."""

from __future__ import annotations

import asyncio
import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.documents import counting, writing
from support.servers import RedisServer, free_port
from tiergate.ports import Documents, StoreDownError
from tiergate.stores.redis_documents import RedisDocuments
from tiergate.stores.redis_place import RedisPlace

SECONDS = 20.0
"""For a cluster or sentinels to agree on something."""


def opened(place: RedisPlace, seconds: float = 5.0) -> Documents:
    return RedisDocuments(place, random.Random(1).random, seconds=seconds)


# ------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key, and a certificate for 127.0.0.1 that vouches for itself."""
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


class TlsServer(RedisServer):
    """A server that speaks TLS and nothing else."""

    def __init__(self, folder: Path, key: Path, cert: Path) -> None:
        super().__init__(folder)
        self._key, self._cert = key, cert

    def _settings(self) -> Iterator[str]:
        for line in super()._settings():
            yield line if not line.startswith("port ") else "port 0"
        yield f"tls-port {self.port}"
        yield f"tls-key-file {self._key}"
        yield f"tls-cert-file {self._cert}"
        yield f"tls-ca-cert-file {self._cert}"
        yield "tls-auth-clients no"

    def _client(self, *words: str) -> list[str]:
        program, *rest = super()._client(*words)
        return [program, "--tls", "--cacert", str(self._cert), *rest]


@pytest.fixture
def tls(certificate: tuple[Path, Path], tmp_path: Path) -> Iterator[TlsServer]:
    server = TlsServer(tmp_path, *certificate)
    try:
        server.start()
        yield server
    finally:
        server.kill()


async def test_a_certificate_of_ones_own_authority_is_trusted(tls, certificate):
    place = RedisPlace(host="127.0.0.1", port=tls.port, ssl=True, ca_file=str(certificate[1]))
    store = opened(place)
    await store.update(["a"], writing({"a": b"1"}))
    assert await store.read(["a"]) == {"a": b"1"}
    await store.aclose()


async def test_a_certificate_nobody_vouches_for_is_refused(tls):
    store = opened(RedisPlace(host="127.0.0.1", port=tls.port, ssl=True))
    with pytest.raises(StoreDownError):
        await store.read(["a"])
    await store.aclose()


async def test_a_certificate_need_not_be_checked_where_that_is_said(tls):
    store = opened(RedisPlace(host="127.0.0.1", port=tls.port, ssl=True, verify=False))
    assert await store.read(["a"]) == {"a": None}
    await store.aclose()


async def test_without_tls_a_tls_server_is_down(tls):
    store = opened(RedisPlace(host="127.0.0.1", port=tls.port), seconds=2.0)
    with pytest.raises(StoreDownError):
        await store.read(["a"])
    await store.aclose()


# ------------------------------------------------------------------ a cluster of three


class Node(RedisServer):
    """A node of a cluster that others belong to as well; it begins without any slot."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.bus = free_port()

    def ask(self, *words: str) -> str:
        done = subprocess.run(self._client(*words), check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def ready(self, *words: str) -> None:
        """Wait until the cluster says so."""
        command = " ".join(self._client("cluster", "info"))
        for word in words:
            self._await(["sh", "-c", f"{command} | grep -q {word}"])

    def _settings(self) -> Iterator[str]:
        yield from super()._settings()
        yield "cluster-enabled yes"
        yield f"cluster-port {self.bus}"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    """Three nodes; the first has nothing but the slot that the documents are in."""
    made = [Node(tmp_path / f"node{number}") for number in range(3)]
    with ExitStack() as stack:
        for node in made:
            stack.callback(node.kill)
            node.start()
        first, second, third = made
        slot = int(first.ask("cluster", "keyslot", "{tiergate}"))
        first.ask("cluster", "addslots", str(slot))
        for node, start, end in ((second, 0, slot - 1), (third, slot + 1, 16383)):
            node.ask("cluster", "addslotsrange", str(start), str(end))
            first.ask("cluster", "meet", "127.0.0.1", str(node.port), str(node.bus))
        for node in made:
            node.ready("state:ok", "cluster_known_nodes:3")
        yield made


def in_cluster(nodes: list[Node]) -> RedisPlace:
    return RedisPlace(startup_nodes=tuple(("127.0.0.1", node.port) for node in nodes))


async def test_a_cluster_is_entered_at_any_node_of_it(nodes):
    counts = []
    for node in nodes:
        store = opened(in_cluster([node]))
        counts.append(await store.update(["a", "b"], counting("a", "b")))
        await store.aclose()
    assert counts == [1, 2, 3]


async def test_a_slot_that_moves_loses_no_change(nodes):
    """The documents go to another node while they are being changed."""
    store = opened(in_cluster(nodes), seconds=SECONDS)
    counts: list[int] = []
    moved = asyncio.Event()

    async def count() -> None:
        while not moved.is_set() or len(counts) < 50:
            counts.append(await store.update(["n"], counting("n")))

    counting_on = asyncio.create_task(count())
    while len(counts) < 20:
        await asyncio.sleep(0.01)
    first, second = nodes[0].ask("cluster", "myid"), nodes[1].ask("cluster", "myid")
    assert nodes[0].ask("dbsize") != "0", "the documents are in the slot that moves"
    reshard = [
        "redis-cli", "--cluster", "reshard", f"127.0.0.1:{nodes[0].port}",
        "--cluster-from", first, "--cluster-to", second, "--cluster-slots", "1", "--cluster-yes",
    ]  # fmt: skip
    await asyncio.to_thread(subprocess.run, reshard, check=True, capture_output=True)
    moved.set()
    async with asyncio.timeout(SECONDS):
        await counting_on
    assert counts == list(range(1, len(counts) + 1))
    assert nodes[0].ask("dbsize") == "0"
    await store.aclose()


# ------------------------------------------------------------------ sentinels


class Replica(RedisServer):
    """A server that copies another one."""

    def __init__(self, folder: Path, master: int) -> None:
        super().__init__(folder)
        self._master = master

    def _settings(self) -> Iterator[str]:
        yield from super()._settings()
        yield f"replicaof 127.0.0.1 {self._master}"

    def follows(self) -> None:
        """Wait until it has everything and hears of changes."""
        command = " ".join(self._client("info", "replication"))
        self._await(["sh", "-c", f"{command} | grep -q master_link_status:up"])


class Watcher(RedisServer):
    """A sentinel that is quick to replace a master."""

    def _settings(self) -> Iterator[str]:
        yield from super()._settings()
        yield f"sentinel down-after-milliseconds {self.SERVICE} 500"
        yield f"sentinel failover-timeout {self.SERVICE} 3000"

    def knows_a_replica(self) -> None:
        """Wait until it has heard of one."""
        command = " ".join(self._client("sentinel", "master", self.SERVICE))
        self._await(["sh", "-c", f"{command} | grep -A1 num-slaves | grep -q 1"])


async def test_a_replica_takes_the_place_of_a_master_that_died(tmp_path):
    with ExitStack() as stack:
        master = RedisServer(tmp_path / "master")
        stack.callback(master.kill)
        master.start()
        replica = Replica(tmp_path / "replica", master.port)
        stack.callback(replica.kill)
        replica.start()
        replica.follows()
        watcher = Watcher(tmp_path / "watcher", sentinel_of=master.port)
        stack.callback(watcher.kill)
        watcher.start()
        watcher.knows_a_replica()

        place = RedisPlace(
            sentinel_nodes=(("127.0.0.1", watcher.port),), service_name=RedisServer.SERVICE
        )
        store = opened(place, seconds=2.0)
        for _ in range(10):
            await store.update(["n"], counting("n"))
        subprocess.run(master._client("wait", "1", "5000"), check=True, capture_output=True)
        master.kill()

        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    count = await store.update(["n"], counting("n"))
                except StoreDownError:
                    await asyncio.sleep(0.1)
                else:
                    break
        assert count == 11
        other = opened(place)
        assert await other.read(["n"]) == {"n": b"11"}, "one that never knew the first master"
        for one in (store, other):
            await one.aclose()
