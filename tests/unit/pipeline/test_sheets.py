"""Budget pages as documents: they come back as they were, and one exchange carries many asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, BudgetId
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.lease import Ask, Grant, Unseeded
from tiergate.core.pages import Lease, SharedPage, Sheet
from tiergate.core.window import read_period
from tiergate.pipeline.sheets import (
    document_of,
    exchanging,
    read_sheet,
    sheet_of,
    write_sheet,
)
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

NOW = 1_795_000_000.0


def budget(name: str, limit: int = 1000) -> Budget:
    rule = BudgetRule(
        scope=ScopeKind.ALIAS,
        name=name,
        limit=NanoUsd(limit),
        window="1d",
        period="calendar:day",
        source=Position("c.yaml", 1),
    )
    return Budget(rule, read_period("calendar:day", UTC))


def ask(name: str, *, lease: str = "w.1", seed: int | None = 0, waits: tuple[int, ...] = (100,)):
    return Ask(budget=budget(name), lease=lease, source="ledger", waits=waits, seed=seed)


AMOUNT = st.integers(0, 1 << 62)
NAME = st.text(max_size=5)
LEASE = st.builds(Lease, AMOUNT, AMOUNT, AMOUNT, st.floats(0, 1e12, allow_nan=False), NAME)
PAGE = st.builds(
    SharedPage,
    st.integers(0, 1 << 40),
    st.none() | st.integers(0, 1 << 40),
    st.dictionaries(NAME, AMOUNT, max_size=3),
    st.dictionaries(NAME, LEASE, max_size=3),
    st.floats(0, 1e12),
    st.lists(NAME, max_size=3),
)


@given(st.builds(Sheet, st.lists(PAGE, max_size=3)))
def test_a_sheet_comes_back_as_it_was_written(sheet):
    assert read_sheet(write_sheet(sheet)) == sheet


def test_no_document_is_no_sheet():
    assert read_sheet(None) is None
    assert sheet_of("budget:x", None) is None


@pytest.mark.parametrize("document", [b"", b"x", b"[]", b'{"pages":[{}]}', b'{"pages":3}'])
def test_a_damaged_document_is_named_and_counts_as_a_store_that_does_not_answer(document):
    with pytest.raises(ValueError, match=r".+"):
        read_sheet(document)
    with pytest.raises(StoreDownError, match="budget:alias:x is no budget page"):
        sheet_of("budget:alias:x", document)


def test_documents_are_named_after_budgets():
    assert document_of(BudgetId("alias:cheap")) == "budget:alias:cheap"


async def test_asks_for_several_budgets_are_answered_in_their_order():
    store = MemoryDocuments()
    asks = [ask("a", waits=(10,)), ask("b", waits=(20,)), ask("a", lease="v.1", waits=(30,))]
    names = ("budget:alias:a", "budget:alias:b")

    answers = await store.update(names, exchanging(asks, lambda: NOW))

    assert [reply.granted for reply in answers.replies if isinstance(reply, Grant)] == [10, 20, 30]
    written = await store.read(names)
    first = read_sheet(written[names[0]])
    assert first is not None
    assert {name: lease.granted for name, lease in first.pages[0].leases.items()} == {
        "w.1": 10,
        "v.1": 30,
    }


async def test_what_the_store_does_not_know_is_asked_for_and_not_written():
    store = MemoryDocuments()
    asks = [ask("a", seed=None), ask("b")]

    answers = await store.update(
        ("budget:alias:a", "budget:alias:b"), exchanging(asks, lambda: NOW)
    )

    assert isinstance(answers.replies[0], Unseeded)
    assert isinstance(answers.replies[1], Grant)
    assert [name for name, _ in await store.scan("")] == ["budget:alias:b"]


def test_a_change_made_twice_with_the_same_documents_says_the_same():
    """A store may call it again when somebody was faster."""
    change = exchanging([ask("a", waits=(10,))], lambda: NOW)
    seen = {"budget:alias:a": None}
    assert change(seen) == change(seen)
    written, answers = change(seen)
    again, repeated = change(written)
    assert again == written
    assert answers.replies[0] == replace(repeated.replies[0])
