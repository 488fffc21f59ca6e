"""All stores of documents keep the same promises: each goes through these tests."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.documents import counting, moving, writing
from tiergate.ports import Documents, StoreDownError
from tiergate.stores.sqlite import SqliteDocuments

STORES = ("memory", "sqlite", "postgres", "redis", "cluster", "sentinel")
SERVED = STORES[2:]

each_store = pytest.mark.parametrize("shop", STORES, indirect=True)
each_server = pytest.mark.parametrize("shop", SERVED, indirect=True)

ODD = ("", "a", "a\x00", "ticket:\ud800", "ticket:é", "ticket:𝄞", "ticket:\U0010ffff", "z" * 300)


# ------------------------------------------------------------------ reading and writing


@each_store
async def test_what_is_written_is_there_for_all(shop):
    one, other = shop.open(), shop.open()

    await one.update(["a", "b"], writing({"a": b"\x00\xff", "b": b""}))

    assert await other.read(["b", "a", "c"]) == {"a": b"\x00\xff", "b": b"", "c": None}


@each_store
async def test_a_change_sees_what_is_there_and_its_answer_comes_back(shop):
    store = shop.open()
    await store.update(["a"], writing({"a": b"1"}))

    seen = await store.update(["b", "a"], lambda seen: ({}, dict(seen)))

    assert seen == {"a": b"1", "b": None}
    assert await store.update([], lambda seen: (seen, dict(seen))) == {}
    assert await store.read([]) == {}


@each_store
async def test_none_deletes(shop):
    store = shop.open()
    await store.update(["a", "b"], writing({"a": b"1", "b": b"2"}))

    await store.update(["a", "never"], writing({"a": None, "never": None}))

    assert await store.read(["a"]) == {"a": None}
    assert await store.scan("") == [("b", b"2")]
    await store.update(["a"], writing({"a": b"again"}))
    assert await store.scan("") == [("a", b"again"), ("b", b"2")]


@each_store
async def test_a_scan_finds_all_with_the_prefix_in_their_order(shop):
    store = shop.open()
    await store.update(ODD, writing({key: key.encode("utf-8", "replace") for key in ODD}))

    for prefix in ("", "a", "ticket:", "ticket:\U0010ffff", "b", "z"):
        found = [key for key, _ in await store.scan(prefix)]
        assert found == sorted(key for key in ODD if key.startswith(prefix))


@each_store
async def test_a_scan_finds_more_than_fit_in_one_step(shop):
    store = shop.open()
    keys = [f"key:{number:05}" for number in range(1203)]
    await store.update(keys, writing(dict.fromkeys(keys, b"body")))

    assert await store.scan("key:") == [(key, b"body") for key in keys]
    assert len(await store.read(keys)) == 1203


@each_store
async def test_a_large_document_comes_back(shop):
    store = shop.open()
    body = bytes(range(256)) * 4096

    await store.update(["large"], writing({"large": body}))

    assert await store.read(["large"]) == {"large": body}


@each_store
async def test_a_change_that_fails_writes_nothing(shop):
    store = shop.open()
    await store.update(["a"], writing({"a": b"1"}))

    with pytest.raises(ZeroDivisionError):
        await store.update(["a"], lambda seen: ({"a": b"2"}, 1 // 0))
    with pytest.raises(ValueError, match="may only write"):
        await store.update(["a"], writing({"a": b"2", "b": b"2"}))

    assert await store.scan("") == [("a", b"1")]


# ------------------------------------------------------------------ several at once


@each_store
async def test_no_change_of_many_at_once_is_lost(shop):
    stores = [shop.open() for _ in range(4)]

    async def count(store: Documents) -> list[int]:
        return [await store.update(["n"], counting("n")) for _ in range(25)]

    answers = await asyncio.gather(*(count(store) for store in stores for _ in range(2)))

    assert await stores[0].read(["n"]) == {"n": b"200"}
    assert sorted(n for some in answers for n in some) == list(range(1, 201))


@each_store
async def test_new_documents_are_made_once(shop):
    """A row that is not there yet cannot be locked; the store must find another way."""
    stores = [shop.open() for _ in range(3)]
    for number in range(15):
        keys = (f"{number}:a", f"{number}:b")
        await asyncio.gather(*(store.update(keys, counting(*keys)) for store in stores))

    assert await stores[0].scan("") == sorted(
        (f"{number}:{part}", b"3") for number in range(15) for part in "ab"
    )


@each_store
async def test_documents_change_together_or_not_at_all(shop):
    stores = [shop.open() for _ in range(3)]
    await stores[0].update(["a", "b"], writing({"a": b"100", "b": b"100"}))
    sums: set[int] = set()

    async def move(store: Documents, giver: str, taker: str) -> None:
        for _ in range(20):
            await store.update([giver, taker], moving(giver, taker))

    async def watch(store: Documents) -> None:
        for _ in range(30):
            seen = await store.read(["a", "b"])
            sums.add(sum(int(body or b"0") for body in seen.values()))

    await asyncio.gather(
        move(stores[0], "a", "b"), move(stores[1], "b", "a"), move(stores[1], "a", "b"),
        watch(stores[2]),
    )  # fmt: skip

    assert sums == {200}
    assert await stores[0].read(["a", "b"]) == {"a": b"80", "b": b"120"}


@each_store
async def test_making_and_deleting_at_once_loses_nothing(shop):
    """Each takes the token where there is one, and puts one where there is none."""
    stores = [shop.open() for _ in range(3)]

    def toggle(seen):
        here = seen["token"] is not None
        count = b"%d" % (int(seen["count"] or b"0") + (0 if here else 1))
        return {"token": None if here else b"!", "count": count}, here

    answers = await asyncio.gather(
        *(store.update(["token", "count"], toggle) for store in stores for _ in range(20))
    )

    assert sorted(answers) == [False] * 30 + [True] * 30
    assert await stores[0].read(["token", "count"]) == {"token": None, "count": b"30"}


class _Racing:
    """A client that lets somebody else be faster, once, before it writes."""

    def __init__(self, client, faster) -> None:
        self._client = client
        self._faster = faster

    async def execute_command(self, *args):
        faster, self._faster = self._faster, None if args[0] == "EVALSHA" else self._faster
        if faster is not None and args[0] == "EVALSHA":
            await faster()
        return await self._client.execute_command(*args)

    async def aclose(self) -> None:
        await self._client.aclose()


@pytest.mark.parametrize("shop", ["redis", "cluster", "sentinel"], indirect=True)
async def test_a_change_is_made_again_when_somebody_was_faster(shop):
    slow, fast = shop.open(), shop.open()
    slow._client = _Racing(slow._client, lambda: fast.update(["a"], counting("a")))
    seen_by_slow: list[bytes | None] = []

    def change(seen):
        seen_by_slow.append(seen["a"])
        return counting("a")(seen)

    assert await slow.update(["a"], change) == 2
    assert seen_by_slow == [None, b"1"]


def test_four_processes_share_a_file(tmp_path):
    path = tmp_path / "state.db"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "support.documents", str(path), "50"]
    # They also make the file and its tables at the same time.
    workers = [subprocess.Popen(command, env=environ) for _ in range(4)]
    assert [worker.wait(40) for worker in workers] == [0, 0, 0, 0]

    async def read() -> object:
        store = SqliteDocuments.open(path)
        seen = await store.read(["one", "two"])
        await store.aclose()
        return seen

    assert asyncio.run(read()) == {"one": b"200", "two": b"200"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["state.db"]


# ------------------------------------------------------------------ against a dict

KEYS = st.sampled_from(["", "a", "a\x00b", "aa", "b", "bé", "b\U0010ffff", "\ud800"])
BODIES = st.none() | st.binary(max_size=4)
COMMANDS = st.one_of(
    st.tuples(st.just("update"), st.dictionaries(KEYS, BODIES, max_size=4)),
    st.tuples(st.just("append"), st.lists(KEYS, unique=True, max_size=4)),
    st.tuples(st.just("read"), st.lists(KEYS, unique=True, max_size=4)),
    st.tuples(st.just("scan"), KEYS),
)


@each_store
def test_any_commands_have_the_effect_they_have_on_a_dict(shop):
    """Two openings take turns, so that nothing is kept where the other does not see it."""

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(COMMANDS, max_size=20))
    def played(commands):
        runner.run(_play(stores, commands))

    with asyncio.Runner() as runner:
        stores = [shop.make(10.0), shop.make(10.0)]
        played()
        for store in stores:
            runner.run(store.aclose())


async def _play(stores, commands) -> None:
    model: dict[str, bytes] = {}
    existing = [key for key, _ in await stores[0].scan("")]
    await stores[0].update(existing, writing(dict.fromkeys(existing)))
    for number, (what, given_) in enumerate(commands):
        store = stores[number % 2]
        if what == "update":
            await store.update(list(given_), writing(given_))
            model.update({k: v for k, v in given_.items() if v is not None})
            for key in [k for k, v in given_.items() if v is None]:
                model.pop(key, None)
        elif what == "append":
            await store.update(
                given_, lambda seen: ({k: (v or b"") + b"." for k, v in seen.items()}, 0)
            )
            model.update({key: model.get(key, b"") + b"." for key in given_})
        elif what == "read":
            assert await store.read(given_) == {key: model.get(key) for key in given_}
        else:
            assert await store.scan(given_) == sorted(
                (k, v) for k, v in model.items() if k.startswith(given_)
            )
    assert await stores[0].scan("") == sorted(model.items())


# ------------------------------------------------------------------ when the server is away

QUICK = 0.6
"""Seconds; long enough for a busy machine to answer, short enough to wait for."""


async def all_fail(store: Documents) -> None:
    """Every question is refused, and none takes longer than its time."""
    for ask in (
        lambda: store.update(["a"], counting("a")),
        lambda: store.read(["a"]),
        lambda: store.scan(""),
    ):
        start = time.monotonic()
        with pytest.raises(StoreDownError) as caught:
            await ask()
        assert time.monotonic() - start < QUICK + 0.5
        assert "s3cret" not in str(caught.value)
        assert "of-the-battery" not in str(caught.value)


async def back(store: Documents, patience: float = 10.0) -> int:
    """Count up in `a` as soon as the store answers again."""
    end = time.monotonic() + patience
    while True:
        try:
            return await store.update(["a"], counting("a"))
        except StoreDownError:
            assert time.monotonic() < end
            await asyncio.sleep(0.02)


@each_server
async def test_a_server_that_is_stopped_is_said_to_be_down_and_found_again(shop):
    store = shop.open(QUICK)
    assert await store.update(["a"], counting("a")) == 1

    shop.server.stop()
    await all_fail(store)
    shop.server.start()

    assert await back(store) >= 1
    assert await store.read(["b"]) == {"b": None}


@each_server
async def test_a_server_that_stands_still_stops_nobody(shop):
    store = shop.open(QUICK)
    assert await store.update(["a"], counting("a")) == 1

    shop.server.freeze()
    try:
        ticks = asyncio.create_task(_ticks())
        await all_fail(store)
        assert await _stopped(ticks) < 0.3, "the event loop was held up"
    finally:
        shop.server.thaw()

    before = int((await _eventually(store))["a"] or b"0")
    assert await back(store) == before + 1


@each_server
async def test_a_connection_that_died_unseen_is_made_anew(shop):
    store = shop.open()
    assert await store.update(["a"], writing({"a": b"5"})) is None

    shop.server.stop()
    shop.server.start()

    kept = {"a": b"5"} if shop.kind == "postgres" else {"a": None}
    assert await _first_answer(store, shop) == kept


async def _first_answer(store: Documents, shop) -> object:
    """A cluster and sentinels need a moment to find the server again; the others do not."""
    if shop.kind in ("postgres", "redis"):
        return await store.read(["a"])
    return await _eventually(store)


async def _eventually(store: Documents) -> dict[str, bytes | None]:
    end = time.monotonic() + 10
    while True:
        try:
            return dict(await store.read(["a"]))
        except StoreDownError:
            assert time.monotonic() < end
            await asyncio.sleep(0.02)


async def _ticks() -> float:
    """Until cancelled: the longest time that the event loop stood still."""
    longest, last = 0.0, time.monotonic()
    try:
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
    except asyncio.CancelledError:
        return longest


async def _stopped(ticks: asyncio.Task[float]) -> float:
    ticks.cancel()
    return await ticks


async def test_a_file_that_another_process_holds_is_said_to_be_down(tmp_path):
    store = SqliteDocuments.open(tmp_path / "state.db", seconds=QUICK)
    await store.update(["a"], counting("a"))
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    start = time.monotonic()
    with pytest.raises(StoreDownError, match="locked"):
        await store.update(["a"], counting("a"))
    assert time.monotonic() - start < QUICK + 0.5
    assert await store.read(["a"]) == {"a": b"1"}, "reading goes on"

    other.execute("ROLLBACK")
    other.close()
    assert await back(store) == 2
    await store.aclose()
