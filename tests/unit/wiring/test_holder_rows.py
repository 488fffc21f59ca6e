"""The budgets of keys, teams and users, read for the metrics page."""

from __future__ import annotations

from dataclasses import replace

from support.keys import NOW, key_rules
from tiergate.base.values import NanoUsd
from tiergate.core.budget import budget_id
from tiergate.core.keys import Holder as StoredHolder
from tiergate.core.keys import HolderKind, KeyRecord, Terms
from tiergate.core.rules import ScopeKind
from tiergate.pipeline.keybook import KeyBook
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.telemetry.budget_families import Holder, HolderRow
from tiergate.wiring import holder_rows
from tiergate.wiring.holder_rows import HolderBudgets

TEN = Terms(max_budget=NanoUsd(10 * 10**9), window="monthly", period="calendar:month")
KEY = KeyRecord(hash="ab" * 32, alias="bot", terms=TEN)
TEAM = StoredHolder(kind=HolderKind.TEAM, id="t1", alias="core", terms=TEN)
USER = StoredHolder(kind=HolderKind.USER, id="u1", terms=TEN)


class Counting(MemoryDocuments):
    """Documents that count how often all keys are read, and that can be down."""

    def __init__(self) -> None:
        super().__init__()
        self.scans = 0
        self.down = False

    async def scan(self, prefix):
        self.scans += 1
        return await super().scan(prefix)

    async def read(self, keys):
        if self.down:
            raise StoreDownError("no route to it")
        return await super().read(keys)


def unheard(_names) -> None:
    """Nobody keeps anything here."""


async def amounts(budgets):
    return {budget.id: (4 * 10**9, 0, int(NOW) + 7200) for budget in budgets}


async def filled() -> Counting:
    documents = Counting()
    book = KeyBook(documents, unheard)
    await book.create_key(KEY)
    await book.create_holder(TEAM)
    await book.create_holder(USER)
    documents.scans = 0
    return documents


def reader(documents, rules=None) -> HolderBudgets:
    known = rules or key_rules()
    return HolderBudgets(documents, amounts, lambda: known, lambda: NOW)


async def test_each_budget_has_its_limit_what_is_spent_and_the_hours_to_its_reset():
    assert await reader(await filled()).rows() == (
        HolderRow(Holder.KEY, ("ab" * 32, "bot"), 10.0, 4.0, 2.0),
        HolderRow(Holder.TEAM, ("t1", "core"), 10.0, 4.0, 2.0),
        HolderRow(Holder.USER, ("u1",), 10.0, 4.0, 2.0),
    )


async def test_whoever_has_no_budget_is_not_shown():
    documents = Counting()
    await KeyBook(documents, unheard).create_key(replace(KEY, terms=Terms()))
    assert await reader(documents).rows() == ()


async def test_keys_are_read_again_only_when_one_has_changed():
    documents = await filled()
    budgets = reader(documents)
    await budgets.rows()
    first = documents.scans
    await budgets.rows()
    assert documents.scans == first
    await KeyBook(documents, unheard).change_key(KEY.hash, lambda key: replace(key, alias="new"))
    documents.scans = 0
    rows = await budgets.rows()
    assert documents.scans == first
    assert rows[0].values == ("ab" * 32, "new")


async def test_there_are_never_more_than_a_scrape_can_bear(monkeypatch):
    monkeypatch.setattr(holder_rows, "MOST_HOLDERS", 2)
    documents = Counting()
    book = KeyBook(documents, unheard)
    for number in range(5):
        key = replace(KEY, hash=f"{number:064d}", alias="", created=float(number))
        await book.create_key(key)
    rows = await reader(documents).rows()
    assert [row.values[0][-1] for row in rows] == ["0", "1"]


async def test_while_the_store_is_down_there_is_a_gap_and_no_old_number():
    documents = await filled()
    budgets = reader(documents)
    assert await budgets.rows()
    documents.down = True
    assert await budgets.rows() == ()


async def test_before_the_first_configuration_there_is_nothing():
    budgets = HolderBudgets(await filled(), amounts, lambda: None, lambda: NOW)
    assert await budgets.rows() == ()


def test_the_ids_are_those_of_the_budgets():
    assert budget_id(ScopeKind.KEY, KEY.hash) == f"key:{KEY.hash}"
