"""A dead worker's journal taken over: its records, its leases, once and for good."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC

import pytest

from support.ledger import MemoryLedger, entry
from support.money import Accounts, drive
from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Hold
from tiergate.core.catalog import NO_LIMIT, BudgetRule, ScopeKind
from tiergate.core.ledger import Entry
from tiergate.core.slices import Slice, Slices
from tiergate.core.window import Span, read_period
from tiergate.pipeline import recovery as module
from tiergate.pipeline.journal_lines import (
    BEGUN,
    begin_line,
    entry_line,
    first_line,
    lease_line,
    settle_line,
)
from tiergate.pipeline.leasing import Leasing
from tiergate.pipeline.recovery import Recovered, recover
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

START = 1_795_000_000.0


def budget(name: str, limit: int = 1000) -> Budget:
    rule = BudgetRule(
        scope=ScopeKind.ALIAS,
        name=name,
        limit=NanoUsd(limit),
        window="none",
        period="none",
        source=Position("c.yaml", 1),
    )
    return Budget(rule, read_period("none", UTC))


CHEAP, OTHER = budget("cheap"), budget("other")


class World:
    """A worker that keeps a journal until it dies, and whoever comes after it."""

    def __init__(self) -> None:
        self.now = START
        self.documents = MemoryDocuments()
        self.ledger = MemoryLedger()
        self.accounts = self.worker("dead")
        self.lines = [first_line("dead", "ledger", START)]
        self.number = 0

    def worker(self, name: str) -> Accounts:
        made = Accounts(lambda *_: 1, lambda: self.now, documents=self.documents, worker=name)
        made.leasing.configure([CHEAP, OTHER])
        return made

    def hold(self, amount: int, *budgets: Budget) -> Hold:
        names = [b.id for b in budgets or (CHEAP,)]
        leasing = self.accounts.leasing
        short = leasing.try_hold(names, amount, self.now, self.now + 1e5)
        found = (
            short if isinstance(short, Hold) else drive(leasing.hold(names, short, self.now, 1e5))  # type: ignore[arg-type]
        )
        assert isinstance(found, Hold), found
        return found

    def begin(self, amount: int, *budgets: Budget) -> tuple[int, Hold, Entry]:
        """Hold, and note it as a call does."""
        hold = self.hold(amount, *budgets)
        self.number += 1
        record = entry(self.number, wall=self.now, served="cheap", cost=0)
        pages = [page for page in hold.pages if isinstance(page, Slice)]
        self.lines += [lease_line(p.lease, p.budget.id, p.span) for p in pages]
        values = tuple(getattr(record, name) for name in BEGUN)
        self.lines.append(begin_line(self.number, amount, [p.lease for p in pages], values))
        return self.number, hold, record

    def call(self, amount: int, cost: int, *budgets: Budget) -> None:
        """A call from its hold to its record."""
        number, hold, record = self.begin(amount, *budgets)
        self.accounts.leasing.settle(hold, cost)
        self.lines += [settle_line(number, cost), entry_line(record._replace(cost=cost))]

    def tell(self) -> None:
        drive(self.accounts.leasing.exchange())

    def recover(self, ledger=None, documents=None) -> Recovered | None:
        return drive(
            recover(
                self.lines,
                documents or self.documents,
                ledger or self.ledger,
                lambda: self.now,
            )
        )

    def spent(self, of: Budget = CHEAP) -> int:
        ((_, sheet),) = drive(self.worker("asks").leasing.sheets([of]))
        return 0 if sheet is None else sheet.pages[-1].spent(self.now)

    def committed(self, of: Budget = CHEAP) -> int:
        ((_, sheet),) = drive(self.worker("asks").leasing.sheets([of]))
        return 0 if sheet is None else sheet.pages[-1].committed()


def test_a_journal_in_which_nothing_stands_is_taken_over_by_dropping_it():
    world = World()
    world.lines = []
    assert world.recover() is None


def test_records_go_to_the_ledger_and_the_budget_says_what_they_cost():
    world = World()
    world.call(100, 30)
    world.call(100, 50)
    world.tell()
    assert world.recover() == Recovered(records=2, lost=0, charged=0, leases=1)
    assert sorted(r.cost for r in world.ledger.records) == [30, 50]
    assert (world.spent(), world.committed()) == (80, 80)


def test_what_the_worker_never_told_is_told_for_it():
    """It died between a settlement and the exchange: the journal knows more than the store."""
    world = World()
    world.begin(100)
    world.call(200, 150)
    assert world.spent() == 0
    world.recover()
    assert world.spent() == 250
    assert sum(r.cost for r in world.ledger.records) == 250


def test_calls_that_never_ended_are_charged_with_what_was_held(caplog):
    world = World()
    world.begin(100, CHEAP, OTHER)
    world.call(50, 20)
    world.tell()
    with caplog.at_level(logging.WARNING, "tiergate.ledger"):
        found = world.recover()
    assert found == Recovered(records=1, lost=1, charged=100, leases=2)
    lost = [r for r in world.ledger.records if r.status == "lost"]
    assert [(r.cost, r.estimated) for r in lost] == [(100, True)]
    assert (world.spent(), world.spent(OTHER)) == (120, 100)
    (told,) = caplog.records
    assert told.message == "recovered a dead worker's journal"
    assert (told.lost_calls, told.charged_nano_usd) == (1, 100)


def test_what_was_leased_and_never_used_is_free_again():
    """The journal does not speak of it, since no call was made with it."""
    world = World()
    world.call(100, 10)
    hold = world.hold(500, OTHER)
    world.accounts.leasing.release(hold)
    drive(world.accounts.leasing.exchange())
    world.hold(500, OTHER)  # leased again, and told; the worker dies before it notes the call
    assert world.committed(OTHER) == 500
    world.recover()
    assert (world.committed(OTHER), world.spent(OTHER)) == (0, 0)


@pytest.mark.parametrize("seconds", [0.0, 31.0, 3600.0, 90_000.0])
def test_the_truth_takes_the_place_of_the_charge_however_late(seconds):
    world = World()
    world.call(600, 40)
    world.tell()
    world.begin(300)
    world.tell()
    world.now += seconds
    world.recover()
    assert (world.spent(), world.committed()) == (340, 340)


def test_it_may_be_done_twice():
    world = World()
    world.call(100, 30)
    world.begin(50)
    world.tell()
    first = world.recover()
    assert world.recover() == first
    assert world.spent() == 80
    assert len(world.ledger.records) == 2


def test_records_that_were_in_the_ledger_stay_as_they_are():
    world = World()
    world.call(100, 30)
    drive(world.ledger.append([entry(1, wall=START, cost=30)]))
    world.recover()
    assert [r.cost for r in world.ledger.records] == [30]


def test_other_workers_keep_what_they_have():
    world = World()
    world.begin(100)
    mine, world.accounts = world.accounts, world.worker("alive")
    hold = world.hold(200)
    world.accounts = mine
    world.recover()
    assert (world.spent(), world.committed()) == (100, 300)
    assert hold.amount == 200


def test_a_worker_whose_name_begins_alike_is_another():
    world = World()
    world.begin(100)
    mine, world.accounts = world.accounts, world.worker("dead2")
    world.hold(200, OTHER)
    world.accounts = mine
    world.recover()
    assert world.committed(OTHER) == 200


def test_much_is_taken_over_piece_by_piece(monkeypatch):
    monkeypatch.setattr(module, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(module, "MOST_DOCUMENTS", 1)
    world = World()
    for _ in range(5):
        world.call(20, 10, CHEAP, OTHER)
    world.tell()
    world.recover()
    assert len(world.ledger.records) == 5
    assert (world.spent(), world.spent(OTHER)) == (50, 50)


# ------------------------------------------------------------------ the store has lost its data


WHOLE = Budget(
    replace(CHEAP.rule, scope=ScopeKind.PROVIDER, name="anthropic", limit=NO_LIMIT), CHEAP.period
)
DAILY = Budget(replace(CHEAP.rule, period="calendar:day"), read_period("calendar:day", UTC))


def after_the_loss(world: World, *budgets: Budget) -> Accounts:
    """The machine starts again: an empty store, a ledger with records from before, a journal."""
    drive(world.ledger.append([entry(100, wall=START, served="cheap", cost=900)]))
    for name, _ in drive(world.documents.scan("")):
        drive(world.documents.update([name], lambda _, name=name: ({name: None}, None)))
    world.recover()
    made = Accounts(lambda *_: 1, lambda: world.now, documents=world.documents, worker="next")
    made.leasing = Leasing(
        Slices("next", "ledger"), world.documents, world.ledger.total, lambda: world.now
    )
    made.leasing.configure(budgets)
    return made


@pytest.mark.parametrize("of", [CHEAP, DAILY])
def test_a_journal_read_into_an_empty_store_hides_nothing_that_was_spent_before(of):
    """What the ledger knows counts, although the journal speaks of a few calls only."""
    world = World()
    world.accounts.leasing.configure([of])
    world.call(100, 60, of)
    made = after_the_loss(world, of)
    short = made.leasing.try_hold([of.id], 41, world.now, world.now + 1e4)
    assert not isinstance(drive(made.leasing.hold([of.id], short, world.now, 1e4)), Hold)
    short = made.leasing.try_hold([of.id], 40, world.now, world.now + 1e4)
    assert isinstance(drive(made.leasing.hold([of.id], short, world.now, 1e4)), Hold)


def test_what_only_counts_is_filled_from_the_ledger_at_once():
    """Nobody need use the provider before its sum is right again."""
    world = World()
    world.accounts.leasing.configure([WHOLE])
    world.call(100, 60, WHOLE)
    made = after_the_loss(world, WHOLE)
    ((_, sheet),) = drive(made.leasing.sheets([WHOLE]))
    assert sheet is not None
    assert sheet.pages[-1].spent(world.now) == 960
    assert sheet.pages[-1].of_source("ledger") == 960


# ------------------------------------------------------------------ when it cannot be done yet


class Away(MemoryDocuments):
    """Documents that do not answer."""

    async def update(self, keys, change):
        raise StoreDownError("no route to it")


def test_while_the_ledger_is_away_the_charge_stays():
    world = World()
    world.begin(100)
    world.tell()
    with pytest.raises(StoreDownError, match="asleep"):
        world.recover(ledger=MemoryLedger(down="asleep"))
    world.now += 31
    assert world.spent() >= 100, "everything that was leased to it counts as spent"
    world.recover()
    assert world.spent() == 100


def test_while_the_documents_are_away_it_must_be_tried_again():
    world = World()
    world.call(100, 30)
    world.tell()
    with pytest.raises(StoreDownError):
        world.recover(documents=Away())
    world.recover()
    assert (world.spent(), len(world.ledger.records)) == (30, 1)


def test_a_journal_of_another_version_changes_nothing():
    world = World()
    world.lines = [b'["w","dead","ledger",99,1.0]', entry_line(entry(1))]
    with pytest.raises(ValueError, match="version 99"):
        world.recover()
    assert world.ledger.records == []


def test_a_damaged_budget_page_keeps_the_journal():
    world = World()
    world.call(100, 30)
    name = "budget:alias:cheap"
    drive(world.documents.update([name], lambda _: ({name: b"?"}, None)))
    with pytest.raises(StoreDownError, match=name):
        world.recover()


def test_a_window_that_is_over_takes_no_place_of_the_present_one():
    world = World()
    world.lines += [
        lease_line("dead.9", CHEAP.id, Span(5, 10)),
        begin_line(1, 70, ["dead.9"], tuple(getattr(entry(1), name) for name in BEGUN)),
    ]
    world.call(100, 30)
    world.tell()
    world.recover()
    assert world.spent() == 30
