"""How budgets stand, for those who ask: what the store has, else what this worker knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from support.money import Accounts, drive
from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Hold
from tiergate.core.catalog import NO_LIMIT, BudgetRule, ScopeKind
from tiergate.core.window import read_period
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0


def budget(
    scope: ScopeKind = ScopeKind.ALIAS,
    name: str = "cheap",
    limit: int = 1000,
    period: str = "calendar:day",
) -> Budget:
    rule = BudgetRule(
        scope=scope,
        name=name,
        limit=NanoUsd(limit),
        window="daily",
        period=period,
        source=Position("c.yaml", 1),
    )
    return Budget(rule, read_period(period, UTC))


def whole(provider: str) -> Budget:
    return budget(ScopeKind.PROVIDER, provider, NO_LIMIT, "none")


class Shaky(MemoryDocuments):
    """Documents that can be away."""

    away = False

    async def update(self, keys, change):
        if self.away:
            raise StoreDownError("no route to it")
        return await super().update(keys, change)

    async def read(self, keys):
        if self.away:
            raise StoreDownError("no route to it")
        return await super().read(keys)

    async def scan(self, prefix):
        if self.away:
            raise StoreDownError("no route to it")
        return await super().scan(prefix)


class World:
    """Workers over one store, and a clock."""

    def __init__(self, *budgets: Budget) -> None:
        self.now = NOON
        self.budgets = budgets
        self.documents = Shaky()
        self.accounts = self.worker("w")
        self.standings = self.accounts.standings

    def worker(self, name: str) -> Accounts:
        made = Accounts(lambda *_: 1, lambda: self.now, documents=self.documents, worker=name)
        made.leasing.configure(self.budgets)
        return made

    def hold(self, amount: int, *budgets: Budget, by: Accounts | None = None) -> Hold:
        leasing = (by or self.accounts).leasing
        names = [b.id for b in budgets or self.budgets]
        short = leasing.try_hold(names, amount, self.now, self.now + 1e4)
        found = (
            short if isinstance(short, Hold) else drive(leasing.hold(names, short, self.now, 1e4))
        )
        assert isinstance(found, Hold), found
        return found

    def spend(self, amount: int, *budgets: Budget, by: Accounts | None = None) -> None:
        (by or self.accounts).leasing.settle(self.hold(amount, *budgets, by=by), amount)

    def of(self, *budgets: Budget):
        return drive(self.standings.of(budgets or self.budgets))

    def rows(self, *budgets: Budget):
        return drive(self.standings.rows(budgets or self.budgets))


def test_nothing_is_asked_where_there_is_nothing_to_ask():
    world = World()
    world.documents.away = True
    assert world.of() == []


def test_what_is_spent_and_held_by_all_workers_is_one_sum():
    world = World(budget())
    other = world.worker("v")
    world.spend(100)
    world.spend(200, by=other)
    world.hold(30)
    world.hold(40, by=other)
    drive(other.leasing.exchange())
    (standing,) = world.of()
    assert (standing.settled, standing.held, standing.left) == (300, 70, 630)


def test_whoever_asks_has_told_everything_first():
    world = World(budget())
    world.spend(100)
    (row,) = drive(world.worker("v").standings.rows(world.budgets))
    assert row.spent == 0, "the other has heard nothing yet"
    assert world.rows()[0].spent == 100
    (row,) = drive(world.worker("u").standings.rows(world.budgets))
    assert row.spent == 100


def test_a_row_says_all_that_is_shown_of_a_budget():
    world = World(budget())
    world.spend(250)
    (row,) = world.rows()
    assert (row.scope, row.name, row.limit) == ("alias", "cheap", 1000)
    assert (row.spent, row.held, row.window) == (250, 0, "daily")
    assert row.resets_at == "2026-11-25T00:00:00Z"
    assert row.forecast == 500, "half of the day is over"
    assert row.on_store_failure == "allow_leased"


def test_what_only_counts_is_no_row():
    assert World(budget(), whole("openai")).rows()[0].name == "cheap"
    assert len(World(budget(), whole("openai")).rows()) == 1


def test_a_new_window_has_nothing_spent_before_anybody_uses_it():
    world = World(budget())
    world.spend(250)
    world.now += DAY
    (row,) = world.rows()
    assert (row.spent, row.held, row.resets_at) == (0, 0, "2026-11-26T00:00:00Z")


def test_asking_begins_no_window():
    rolling = budget(period="rolling:3600")
    world = World(rolling)
    (row,) = world.rows()
    assert (row.spent, row.resets_at, row.forecast) == (0, None, None)
    assert drive(world.documents.scan("")) == []
    world.spend(10)
    assert world.rows()[0].resets_at == "2026-11-24T13:00:00Z"


def test_a_total_never_resets():
    (row,) = World(budget(period="none")).rows()
    assert (row.resets_at, row.forecast) == (None, None)


def test_a_worker_that_is_not_heard_of_is_shown_as_having_spent_what_it_had():
    world = World(budget())
    other = world.worker("v")
    world.hold(300, by=other)
    assert world.rows()[0].held == 300
    world.now += 31
    (row,) = world.rows()
    assert (row.spent, row.held) == (300, 0)


def test_while_the_store_is_away_what_this_worker_knows_is_shown():
    world = World(budget(), whole("openai"))
    other = world.worker("v")
    world.spend(200, by=other)
    drive(other.leasing.exchange())
    world.spend(100)
    world.rows()
    world.documents.away = True
    world.spend(0)
    (row,) = world.rows()
    assert row.spent == 300
    assert row.held > 0, "what is leased may be spent meanwhile"
    assert drive(world.standings.totals(world.budgets)).providers == {"openai": 300}


def test_a_budget_nobody_used_stands_at_nothing_while_the_store_is_away():
    world = World(budget())
    world.documents.away = True
    (row,) = world.rows()
    assert (row.spent, row.held, row.resets_at) == (0, 0, "2026-11-25T00:00:00Z")


# ------------------------------------------------------------------ the whole


def test_the_whole_is_the_sum_over_all_providers():
    one, two = whole("anthropic"), whole("openai")
    world = World(budget(), budget(ScopeKind.PROVIDER, "openai"), one, two)
    world.spend(100, world.budgets[0], one)
    world.spend(200, world.budgets[1], two)
    totals = drive(world.standings.totals(world.budgets))
    assert totals.gateway == 300
    assert totals.providers == {"anthropic": 100, "openai": 200}


def test_users_without_a_limit_are_no_part_of_the_whole():
    """Their spending is a provider's too; it would count twice."""
    user, provider = budget(ScopeKind.USER, "anna", NO_LIMIT, "none"), whole("openai")
    world = World(user, provider)
    world.spend(100)
    assert drive(world.standings.totals(world.budgets)).gateway == 100


def test_what_was_spent_at_a_provider_that_is_gone_from_the_file_stays_spent():
    """The ledger still has it, and both must agree."""
    gone, here = whole("anthropic"), whole("openai")
    world = World(gone, here)
    world.spend(100, gone)
    world.spend(20, here)
    world.accounts.leasing.configure([here])
    totals = drive(world.standings.totals([here]))
    assert totals.providers == {"anthropic": 100, "openai": 20}
    assert totals.gateway == 120


def test_amounts_come_with_the_instant_of_the_reset():
    day, ever = budget(), budget(ScopeKind.KEY, "k", period="none")
    world = World(day, ever)
    world.spend(100)
    world.hold(5, ever)
    found = drive(world.standings.amounts(world.budgets))
    assert found[day.id] == (100, 0, int(NOON + DAY / 2))
    assert found[ever.id] == (100, 5, None)


def test_a_damaged_page_is_shown_as_what_this_worker_knows():
    world = World(budget())
    world.spend(100)
    world.rows()
    drive(
        world.documents.update(
            ["budget:alias:cheap"], lambda _: ({"budget:alias:cheap": b"?"}, None)
        )
    )
    assert world.rows()[0].spent == 100


@pytest.mark.parametrize("back", [60.0, DAY])
def test_a_clock_that_went_back_shows_no_window_twice(back):
    world = World(budget())
    world.spend(100)
    world.rows()
    world.now -= back
    (standing,) = world.of()
    assert standing.settled == 100
    assert replace(standing.budget, rule=world.budgets[0].rule) == standing.budget
