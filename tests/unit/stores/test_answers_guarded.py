"""A store that is slow or gone costs a request its short wait once, and nothing after that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from support.cached import stored
from support.engine import WALL
from support.jumping import play
from tiergate.ports import StoreDownError, StoreFigures
from tiergate.stores.answers_guarded import NUDGED_SECONDS, PROBE_SECONDS, GuardedAnswers

WAIT = 0.1


class Shelf:
    """Bytes in a dict, `slow` seconds away, or failing with `fault`."""

    kind = "shelf"
    place = "shelf at home"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.slow = 0.0
        self.fault: str | None = None
        self.asked = 0
        self.pings = 0
        self.posts = False
        self.begins = False

    async def _come(self) -> None:
        self.asked += 1
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.fault is not None:
            raise StoreDownError(self.fault)

    async def read(self, key: str) -> bytes | None:
        await self._come()
        return self.kept.get(key)

    async def write(self, key: str, data: bytes, seconds: float) -> None:
        await self._come()
        assert seconds > 0
        self.kept[key] = data

    def begin(self, key: str, seconds: float) -> asyncio.Future[object] | None:
        if not self.begins:
            return None
        self.asked += 1
        begun: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if self.fault is not None:
            begun.set_exception(StoreDownError(self.fault))
        else:
            assert seconds > 0
            begun.set_result(self.kept.get(key))
        return begun

    def post(
        self, key: str, data: bytes, seconds: float, done: Callable[[str | None], None]
    ) -> bool:
        if not self.posts:
            return False
        self.asked += 1
        if self.fault is None:
            assert seconds > 0
            self.kept[key] = data
        done(self.fault)
        return True

    async def remove(self, keys) -> int:
        await self._come()
        return sum(self.kept.pop(key, None) is not None for key in keys)

    async def clear(self, namespace: str) -> int:
        await self._come()
        gone = len(self.kept)
        self.kept.clear()
        return gone

    async def ping(self) -> None:
        self.pings += 1
        await self._come()

    async def figures(self) -> StoreFigures:
        await self._come()
        return StoreFigures(kind=self.kind, place=self.place, entries=len(self.kept))

    async def aclose(self) -> None:
        await self._come()


def run(work) -> None:
    async def whole() -> None:
        shelf = Shelf()
        store = GuardedAnswers(shelf, WAIT, lambda: WALL)
        try:
            await work(shelf, store)
        finally:
            shelf.slow, shelf.fault = 0.0, None
            await store.aclose()

    play(whole())


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_request_waits_a_short_time_once_and_then_not_at_all():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        await store.put("k", stored())
        shelf.slow = 1e6
        begun = now()
        assert await store.get("k") is None
        assert now() - begun == pytest.approx(WAIT)
        asked, begun = shelf.asked, now()
        for _ in range(100):
            assert await store.get("k") is None
        await store.put("k2", stored())
        assert (now() - begun, shelf.asked) == (0.0, asked)
        assert "did not answer within 0.1 seconds" in store.fault

    run(work)


def test_it_is_used_again_soon_after_it_is_back():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        await store.put("k", stored())
        shelf.fault = "gone"
        assert await store.get("k") is None
        shelf.fault = None
        assert await store.get("k") is None  # this one does not wait; it says that it is needed
        await asyncio.sleep(NUDGED_SECONDS + 0.01)
        assert store.fault is None
        assert await store.get("k") == stored()

    run(work)


def test_while_nobody_needs_it_it_is_asked_now_and_then():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        shelf.fault = "gone"
        await store.get("k")
        shelf.pings = 0
        await asyncio.sleep(10 * PROBE_SECONDS)
        assert shelf.pings in (9, 10)
        shelf.fault = None
        await asyncio.sleep(PROBE_SECONDS + 0.01)
        assert store.fault is None

    run(work)


def test_one_that_answers_too_slowly_for_requests_stays_alone():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        shelf.slow = 2 * WAIT
        await store.get("k")
        await asyncio.sleep(5 * PROBE_SECONDS)
        assert store.fault is not None
        shelf.slow = WAIT / 2
        await asyncio.sleep(PROBE_SECONDS + WAIT)
        assert store.fault is None

    run(work)


def test_going_and_coming_are_told_once(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("tiergate"), "propagate", True)

    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        shelf.fault = "gone"
        await asyncio.gather(*(store.get("k") for _ in range(50)))
        await asyncio.sleep(3 * PROBE_SECONDS)
        shelf.fault = None
        await asyncio.sleep(2 * PROBE_SECONDS)

    run(work)
    told = [(r.levelname, r.message) for r in caplog.records if r.name == "tiergate.cache"]
    assert told == [
        ("WARNING", "cache is down; calls go to providers meanwhile"),
        ("WARNING", "cache answers again"),
    ]
    assert caplog.records[0].why == "gone"


def test_writing_may_take_longer_than_reading():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        shelf.slow = 5 * WAIT
        await store.put("k", stored())
        assert store.fault is None
        shelf.slow = 0.0
        assert await store.get("k") == stored()

    run(work)


def test_what_is_damaged_is_no_answer_and_no_fault():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        shelf.kept["k"] = b"something else"
        assert await store.get("k") is None
        assert store.fault is None

    run(work)


def test_one_that_is_over_is_not_written():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        await store.put("k", stored(expires=WALL))
        assert shelf.kept == {}

    run(work)


def test_what_an_administrator_asks_is_answered_or_said_to_fail():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        await store.put("k", stored())
        assert (await store.figures()).entries == 1
        assert await store.ping() is None
        assert await store.delete(["k", "x"]) == 1
        await store.put("k", stored())
        assert await store.clear("ns") == 1
        shelf.fault = "gone"
        assert await store.ping() == "gone"
        assert await store.delete(["k"]) is None
        assert await store.clear("ns") is None
        figures = await store.figures()
        assert (figures.fault, figures.entries, figures.errors) == ("gone", None, 3)
        shelf.fault = None
        assert await store.ping() is None
        assert store.fault is None

    run(work)


def test_closing_one_that_is_down_raises_nothing():
    async def whole() -> None:
        shelf = Shelf()
        store = GuardedAnswers(shelf, WAIT, lambda: WALL)
        shelf.fault = "gone"
        await store.get("k")
        await store.aclose()

    play(whole())


def test_what_is_posted_is_told_once_and_a_fault_is_a_fault_of_the_store():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        told: list[str] = []
        assert not store.post("k", stored(), lambda: told.append("never"))
        shelf.posts = True
        assert store.post("k", stored(), lambda: told.append("kept"))
        assert (told, await store.get("k")) == (["kept"], stored())
        shelf.fault = "gone"
        assert store.post("l", stored(), lambda: told.append("not kept"))
        assert (told, store.fault) == (["kept", "not kept"], "gone")
        # Now nothing is asked of it at all.
        asked = shelf.asked
        assert store.post("m", stored(), lambda: told.append("down"))
        assert (told[-1], shelf.asked) == ("down", asked)

    run(work)


def test_what_has_expired_is_not_posted():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        shelf.posts = True
        told: list[str] = []
        assert store.post("k", stored(expires=WALL), lambda: told.append("over"))
        assert (told, shelf.kept) == (["over"], {})

    run(work)


def test_a_store_that_reads_without_a_task_is_asked_so():
    async def work(shelf: Shelf, store: GuardedAnswers) -> None:
        await store.put("k", stored())
        shelf.begins = True
        assert (await store.get("k"), await store.get("other")) == (stored(), None)
        shelf.fault = "gone"
        assert await store.get("k") is None
        assert store.fault == "shelf at home: gone"

    run(work)
