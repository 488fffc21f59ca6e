"""The books of calls: noted before, recorded after; nothing is lost, and nothing counts twice."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from support.attempts import deployment
from support.jumping import play
from support.ledger import MemoryLedger
from support.records import SERVED
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation, Position
from tiergate.core.budget import Budget, Hold
from tiergate.core.caller import Caller
from tiergate.core.catalog import NO_LIMIT, BudgetRule, ScopeKind
from tiergate.core.purpose import Purpose
from tiergate.core.slices import Slices
from tiergate.core.window import read_period
from tiergate.pipeline import books as module
from tiergate.pipeline.books import Books
from tiergate.pipeline.journal_lines import Tale, read_tale
from tiergate.ports import Inbound
from tiergate.stores.journal import abandoned, open_journal
from tiergate.wire.members import Members

START = 1_795_000_000.0
AT = deployment("cheap", "dep-a", provider="anthropic")
RULE = BudgetRule(
    scope=ScopeKind.PROVIDER,
    name="anthropic",
    limit=NO_LIMIT,
    window="none",
    period="none",
    source=Position("", 0),
)
WHOLE = Budget(RULE, read_period("none", UTC))


def inbound(call_id: str) -> Inbound:
    return Inbound(
        call_id=call_id,
        received=0.0,
        wall=START,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(b"{}"),
        tags=("nightly",),
        user="anna",
        caller=Caller(name="build", key="ab" * 32, team="red"),
        purpose=Purpose(ticket="T-1", session="S", phase="P", workflow="W", reason="R"),
    )


class Disk:
    """A real journal whose disk can be full."""

    def __init__(self, folder: Path) -> None:
        self.journal = open_journal(folder, "w")
        self.full = False
        self.restarts = 0

    def write(self, line: bytes) -> None:
        self._room()
        self.journal.write(line)

    def lines(self) -> list[bytes]:
        return self.journal.lines()

    def restart(self, first: bytes) -> None:
        self._room()
        self.restarts += 1
        self.journal.restart(first)

    def close(self, *, drop: bool) -> None:
        self.journal.close(drop=drop)

    def _room(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class World:
    """Books over a real journal and a ledger in memory, on the clock of the running loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = Disk(folder)
        self.ledger = MemoryLedger()
        self.slices = Slices("w", "ledger-in-memory")
        self.slices.configure([WHOLE])
        self.books = Books(self.disk, self.ledger, "w", self.now)
        self.count = 0

    @staticmethod
    def now() -> float:
        return START + asyncio.get_running_loop().time()

    def begin(self, amount: int) -> tuple[int, Hold, str]:
        now = self.now()
        hold = self.slices.try_hold([WHOLE.id], amount, now, now + 7200)
        assert isinstance(hold, Hold)
        self.count += 1
        call_id = f"call-{self.count}"
        return self.books.begin(inbound(call_id), AT, hold, now), hold, call_id

    def call(self, amount: int, cost: int) -> None:
        number, hold, call_id = self.begin(amount)
        self.slices.settle(hold, cost)
        self.books.settled(number, cost)
        self.books.ended(record(call_id, cost))

    async def die(self) -> Tale | None:
        """End the process; return what its journal tells."""
        if self.books._task is not None:
            self.books._task.cancel()
            await asyncio.gather(self.books._task, return_exceptions=True)
        self.disk.journal.close(drop=False)
        found = abandoned(self.folder, "other")
        if not found:
            return None
        try:
            return read_tale(found[0].lines())
        finally:
            found[0].release()


def record(call_id: str, cost: int):
    return replace(SERVED, call_id=call_id, wall=START, cost=NanoUsd(cost), deployment=AT)


def costs(tale: Tale | None) -> list[int]:
    assert tale is not None
    return [entry.cost for entry in (*tale.entries, *tale.lost)]


# ------------------------------------------------------------------ the journal


def test_a_call_is_noted_before_it_is_made(tmp_path):
    async def go():
        world = World(tmp_path)
        world.begin(70)
        tale = await world.die()
        assert tale is not None
        (lost,) = tale.lost
        assert (lost.call_id, lost.cost, lost.status) == ("call-1", 70, "lost")
        assert (lost.served, lost.deployment, lost.provider) == ("cheap", "dep-a", "anthropic")
        assert (lost.key, lost.key_name, lost.team) == ("ab" * 32, "build", "red")
        assert (lost.end_user, lost.tags, lost.ticket) == ("anna", ("nightly",), "T-1")
        assert (lost.session, lost.phase, lost.workflow, lost.reason) == ("S", "P", "W", "R")
        assert [(x.budget, x.settled) for x in tale.leases.values()] == [(WHOLE.id, 70)]

    play(go())


def test_a_call_that_is_over_is_found_with_what_it_cost(tmp_path):
    async def go():
        world = World(tmp_path)
        world.call(70, 30)
        world.begin(5)
        tale = await world.die()
        assert costs(tale) == [30, 5]
        assert tale is not None
        assert [lease.settled for lease in tale.leases.values()] == [35]

    play(go())


def test_an_attempt_that_cost_nothing_is_not_charged_once_the_next_is_noted(tmp_path):
    async def go():
        world = World(tmp_path)
        number, hold, _ = world.begin(70)
        world.slices.settle(hold, 0)
        world.books.settled(number, 0)
        world.begin(5)
        assert costs(await world.die()) == [5]

    play(go())


def test_what_ended_twice_is_noted_once(tmp_path):
    async def go():
        world = World(tmp_path)
        number, hold, call_id = world.begin(70)
        world.slices.settle(hold, 30)
        for cost in (30, 50):
            world.books.settled(number, cost)
        world.books.settled(99, 7)
        world.books.ended(record(call_id, 30))
        tale = await world.die()
        assert tale is not None
        assert [lease.settled for lease in tale.leases.values()] == [30]

    play(go())


def test_attempts_that_were_paid_and_did_not_serve_have_records_of_their_own(tmp_path):
    async def go():
        world = World(tmp_path)
        world.books.declined(replace(record("call-1", 9), part=1))
        world.books.ended(record("call-1", 30))
        await world.books.flush()
        assert [(e.part, e.cost, e.status) for e in world.ledger.records] == [
            (1, 9, "declined"),
            (0, 30, "success"),
        ]
        await world.books.aclose()

    play(go())


# ------------------------------------------------------------------ the ledger behind


def test_records_reach_the_ledger_within_a_moment(tmp_path):
    async def go():
        world = World(tmp_path)
        world.books.start()
        world.books.start()
        for cost in range(5):
            world.call(70, cost)
        assert world.books.waiting == 5
        first = world.books.oldest
        assert first > 0
        await asyncio.sleep(module.FLUSH_SECONDS * 2)
        assert world.books.oldest == 0.0
        assert [e.cost for e in world.ledger.records] == [0, 1, 2, 3, 4]
        assert world.books.waiting == 0
        await world.books.aclose()

    play(go())


def test_many_records_go_in_pieces_and_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_AT_ONCE", 3)

    async def go():
        world = World(tmp_path)
        for cost in range(10):
            world.call(70, cost)
        assert await world.books.flush()
        assert [e.cost for e in world.ledger.records] == list(range(10))
        await world.books.aclose()

    play(go())


def test_a_busy_worker_appends_what_was_over_and_leaves_what_comes_for_the_next_time(tmp_path):
    """Else it would append for ever, a few records at a time."""

    async def go():
        world = World(tmp_path)
        real, sizes = world.ledger.append, []

        async def append(entries):
            sizes.append(len(entries))
            world.call(70, 100 + len(sizes))
            await real(entries)

        world.ledger.append = append
        for cost in range(10):
            world.call(70, cost)
        assert await world.books.flush()
        assert (sizes, world.books.waiting) == ([10], 1)
        world.ledger.append = real
        await world.books.aclose()
        assert len(world.ledger.records) == 11

    play(go())


def test_what_ends_while_the_books_are_closed_is_in_the_ledger_too(tmp_path):
    async def go():
        world = World(tmp_path)
        real, late = world.ledger.append, [1, 2, 3]

        async def append(entries):
            if late:
                world.call(70, late.pop())
            await real(entries)

        world.ledger.append = append
        world.call(70, 4)
        await world.books.aclose()
        assert [entry.cost for entry in world.ledger.records] == [4, 3, 2, 1]
        assert abandoned(tmp_path, "other") == []

    play(go())


def test_at_a_clean_end_no_journal_is_left(tmp_path):
    async def go():
        world = World(tmp_path)
        world.books.start()
        world.call(70, 30)
        await world.books.aclose()
        assert [e.cost for e in world.ledger.records] == [30]
        assert list(tmp_path.iterdir()) == []

    play(go())


@pytest.mark.parametrize("trouble", ["ledger", "call"])
def test_what_is_not_over_keeps_the_journal(tmp_path, trouble):
    async def go():
        world = World(tmp_path)
        world.call(70, 30)
        if trouble == "ledger":
            world.ledger.down = "asleep"
        else:
            world.begin(8)
        await world.books.aclose()
        tale = await world.die()
        assert sorted(costs(tale)) == ([30] if trouble == "ledger" else [8, 30])

    play(go())


def test_a_ledger_that_is_away_is_said_once_and_misses_nothing(tmp_path, caplog):
    async def go():
        world = World(tmp_path)
        world.books.start()
        world.ledger.down = "asleep"
        for cost in range(3):
            world.call(70, cost)
            await asyncio.sleep(2)
        assert world.books.waiting == 3
        assert world.books.fault == "the ledger does not answer: asleep"
        world.ledger.down = ""
        await asyncio.sleep(2)
        assert world.books.fault is None
        assert [e.cost for e in world.ledger.records] == [0, 1, 2]
        await world.books.aclose()

    with caplog.at_level(logging.INFO, "tiergate.ledger"):
        play(go())
    assert [r.message for r in caplog.records] == [
        "ledger does not answer; its records wait",
        "ledger answers again",
    ]


def test_what_does_not_fit_into_memory_stays_in_the_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 2)

    async def go():
        world = World(tmp_path)
        world.ledger.down = "asleep"
        for cost in range(5):
            world.call(70, cost)
        assert len(world.books._queue) == 2
        assert world.books.waiting == 5
        await world.books.aclose()
        assert costs(await world.die()) == [0, 1, 2, 3, 4]

    play(go())


def test_what_had_no_place_in_memory_is_appended_when_the_ledger_answers_again(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "MOST_WAITING", 2)

    async def go():
        world = World(tmp_path)
        world.call(70, 1)
        assert await world.books.flush()
        world.ledger.down = "asleep"
        for cost in range(2, 7):
            world.call(70, cost)
        assert not await world.books.flush()
        world.ledger.down = ""
        assert await world.books.flush()
        assert world.books.waiting == 0
        assert sorted(entry.cost for entry in world.ledger.records) == [1, 2, 3, 4, 5, 6]
        world.call(70, 7)
        assert await world.books.flush()
        await world.books.aclose()
        assert await world.die() is None, "nothing is left to be taken over"

    play(go())


def test_what_is_in_no_file_yet_is_appended_too(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 2)

    async def go():
        world = World(tmp_path)
        world.ledger.down = "asleep"
        world.disk.full = True
        for cost in range(3):
            world.call(70, cost)
        world.ledger.down = ""
        assert await world.books.flush()
        assert sorted(entry.cost for entry in world.ledger.records) == [0, 1, 2]

    play(go())


def test_on_a_full_disk_what_is_pending_is_bounded_and_can_still_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 5)

    async def go():
        world = World(tmp_path)
        world.disk.full = True
        for cost in range(40):
            world.call(70, cost)
        assert len(world.books._pending) <= 32
        world.disk.full = False
        await asyncio.sleep(module.RETRY_SECONDS)
        world.call(70, 40)
        tale = await world.die()
        assert tale is not None
        assert costs(tale)[-1] == 40
        assert len(tale.leases) == 1

    play(go())


def test_a_hold_that_has_expired_is_not_counted_twice_by_a_new_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGE_JOURNAL", 100)

    async def go():
        world = World(tmp_path)
        world.begin(50)
        await asyncio.sleep(8000)
        assert world.slices.expire(world.now()) == 1
        world.call(70, 3)
        assert await world.books.flush()
        assert world.disk.restarts == 1
        tale = await world.die()
        assert tale is not None
        assert [lease.settled for lease in tale.leases.values()] == [53]

    play(go())


# ------------------------------------------------------------------ large journals, full disks


def test_a_large_journal_is_begun_anew_with_what_still_matters(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGE_JOURNAL", 3000)

    async def go():
        world = World(tmp_path)
        world.begin(8)
        for cost in range(20):
            world.call(70, cost)
        assert await world.books.flush()
        assert world.disk.restarts == 1
        world.call(70, 30)
        world.begin(5)
        tale = await world.die()
        assert costs(tale) == [30, 8, 5]
        assert tale is not None
        assert [lease.settled for lease in tale.leases.values()] == [sum(range(20)) + 30 + 8 + 5]

    play(go())


def test_a_full_disk_stops_no_call_and_is_made_good(tmp_path, caplog):
    async def go():
        world = World(tmp_path)
        world.disk.full = True
        world.call(70, 30)
        world.call(70, 31)
        assert world.books.fault is not None
        assert "the journal cannot be written: No space left" in world.books.fault
        world.disk.full = False
        world.call(70, 32)
        assert world.books.fault is not None, "it is not tried again with every call"
        await asyncio.sleep(module.RETRY_SECONDS)
        world.call(70, 33)
        assert world.books.fault is None
        tale = await world.die()
        assert costs(tale) == [30, 31, 32, 33]
        assert tale is not None
        assert [lease.settled for lease in tale.leases.values()] == [126]

    with caplog.at_level(logging.INFO, "tiergate.ledger"):
        play(go())
    assert [r.message for r in caplog.records] == ["journal cannot be written"]


def test_a_full_disk_while_it_is_begun_anew_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGE_JOURNAL", 1)

    async def go():
        world = World(tmp_path)
        world.begin(8)
        world.call(70, 30)
        world.disk.full = True
        assert await world.books.flush()
        assert world.books.fault is not None
        world.disk.full = False
        world.call(70, 31)
        assert sorted(costs(await world.die())) == [8, 30, 31]

    play(go())


# ------------------------------------------------------------------ what is no matter of the books


def test_what_costs_nothing_is_not_noted(tmp_path):
    async def go():
        world = World(tmp_path)
        world.books.began()
        world.books.refused(Dialect.OPENAI, Operation.CHAT, 400, START)
        assert world.books.waiting == 0
        assert await world.die() is None
        await world.books.aclose()

    play(go())
