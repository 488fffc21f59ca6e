"""`tiergate cache` over real files: what it shows, and what it forgets."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from click.testing import CliRunner

from support.books import BooksOnDisk
from support.cached import stored
from support.ledger import entry
from tiergate.cli.main import main
from tiergate.core.caching import digest
from tiergate.core.meaning import Near
from tiergate.ports import Remembered
from tiergate.stores.answers_disk import DiskAnswers
from tiergate.stores.answers_guarded import GuardedAnswers
from tiergate.stores.meanings_embedded import EmbeddedVectors

RECORDS = (
    entry(1, asked="cheap", cost=5 * 10**9),
    entry(2, asked="cheap", cost=0, saving=5 * 10**9, cache="response"),
    entry(3, asked="cheap", cost=0, saving=25 * 10**8, cache="response"),
    entry(4, asked="frontier", cost=0, saving=10**9, cache="response"),
)
KEYS = [f"ns:{digest(bytes([n]))}" for n in range(3)]


class Bench:
    """A configuration with a cache, its books, and the command."""

    def __init__(self, folder, params: str, *, on: bool = True) -> None:
        self.books = BooksOnDisk.make(folder)
        config = folder / "cached.yaml"
        config.write_text(
            "model_list:\n"
            "  - {model_name: cheap, litellm_params: {model: anthropic/m, api_key: sk-key}}\n"
            f"general_settings: {{state_dir: {self.books.state}}}\n"
            f"litellm_settings: {{cache: {str(on).lower()}, cache_params: {{{params}}}}}\n"
        )
        self.config = config

    def run(self, *args: str):
        return CliRunner().invoke(main, ["cache", *args, "-c", str(self.config)])


@pytest.fixture
def disk(tmp_path):
    bench = Bench(tmp_path, f"type: disk, disk_cache_dir: {tmp_path / 'kept'}, namespace: ns")
    bench.books.record(RECORDS)
    return bench


async def keep(folder, keys) -> None:
    store = GuardedAnswers(DiskAnswers(folder, 1_000_000, time.time), 5.0, time.time)
    now = time.time()
    for key in keys:
        await store.put(key, stored(created=now, expires=now + 60))
    assert store.fault is None
    await store.aclose()


async def test_stats_show_the_store_and_the_savings(disk, tmp_path):
    await keep(tmp_path / "kept", KEYS)
    result = run_apart(disk, "stats")
    assert result.exit_code == 0, result.output
    assert "type       disk" in result.output
    assert f"place      {tmp_path / 'kept'}" in result.output
    assert "entries    3" in result.output
    rows = [line.split() for line in result.output.splitlines() if line.startswith("response")]
    assert rows == [["response", "cheap", "2", "7.5"], ["response", "frontier", "1", "1"]]


def run_apart(bench: Bench, *args: str):
    """Run the command, which has an event loop of its own, beside this one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(bench.run, *args).result()


def test_stats_as_json(disk):
    result = disk.run("stats", "--json")
    told = json.loads(result.output)
    assert (told["type"], told["namespace"], told["entries"]) == ("disk", "ns", 0)
    assert told["saved"][0] == {
        "layer": "response",
        "alias": "cheap",
        "answers": 2,
        "saving_usd": "7.5",
    }


def test_what_a_gateway_has_in_memory_is_not_seen_from_outside(tmp_path):
    bench = Bench(tmp_path, "type: local")
    result = bench.run("stats")
    assert result.exit_code == 0, result.output
    assert "GET /cache/stats" in result.output
    assert "no answer from the cache" in result.output
    assert json.loads(bench.run("stats", "--json").output)["place"] is None
    assert "POST /cache/flushall" in bench.run("clear").output


async def test_clear_forgets_the_namespace(disk, tmp_path):
    await keep(tmp_path / "kept", [*KEYS, f"other:{digest(b'x')}"])
    result = run_apart(disk, "clear")
    assert (result.exit_code, result.output) == (0, "Deleted 3 answers of ns.\n")
    assert "entries    1" in run_apart(disk, "stats").output


def test_a_store_that_does_not_answer_is_said(tmp_path):
    bench = Bench(tmp_path, "type: redis, host: 127.0.0.1, port: 1")
    stats, clear = bench.run("stats"), bench.run("clear")
    assert stats.exit_code == 1
    assert "cannot be connected to" in stats.output
    assert clear.exit_code == 1
    assert "nothing was deleted" in clear.output


def test_a_configuration_without_a_cache_is_said(tmp_path):
    result = Bench(tmp_path, "type: local", on=False).run("stats")
    assert result.exit_code == 1
    assert "no response cache" in result.output


def test_a_configuration_with_a_mistake_says_which(tmp_path):
    result = Bench(tmp_path, "type: chromadb").run("stats")
    assert result.exit_code == 1
    assert "chromadb" in result.output


def test_clearing_forgets_the_vectors_of_a_semantic_cache_too(tmp_path):
    folder = tmp_path / "kept"
    model = "semantic_cache_embedding_model: local, semantic_cache_model_dir: /models"
    bench = Bench(
        tmp_path, f"type: embedded-semantic, disk_cache_dir: {folder}, namespace: ns, {model}"
    )
    asyncio.run(keep(folder, KEYS))

    async def vectors(*add: str) -> list[Near]:
        store = EmbeddedVectors(folder, 10)
        now = time.time()
        for key in add:
            asked = Remembered(key=key, space="ns", partition="ns:p", sides=(), expires=now + 60)
            await store.add(asked, (1.0,), now)
        found = await store.nearest("ns:p", (1.0,), 10, now)
        await store.aclose()
        return found

    assert len(asyncio.run(vectors(*KEYS))) == 3
    result = bench.run("clear")
    assert result.output == "Deleted 3 answers of ns.\n"
    assert asyncio.run(vectors()) == []
