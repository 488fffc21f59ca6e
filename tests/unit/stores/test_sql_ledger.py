"""The ledger in SQL, as SQLite has it; sums and readings are in tests/battery/stores."""

from __future__ import annotations

import pytest

from support.ledger import entry
from tiergate.core.catalog import ScopeKind
from tiergate.core.ledger import Filter, Group, ScopeSum
from tiergate.ports import Ledger, StoreDownError
from tiergate.stores.sql_ledger import LedgerLimits
from tiergate.stores.sqlite import SqliteLedger


async def test_what_is_appended_outlives_the_ledger_and_its_name_stays(tmp_path):
    ledger: Ledger = SqliteLedger.open(tmp_path / "ledger.db")
    source = ledger.source
    await ledger.append([entry(1, tags=("t",)), entry(2)])
    await ledger.aclose()

    again = SqliteLedger.open(tmp_path / "ledger.db", LedgerLimits(report=5.0))
    assert again.source == source
    found, _ = await again.entries(Filter(), limit=9)
    assert found == [entry(1, tags=("t",)), entry(2)]
    assert await again.total(ScopeSum(ScopeKind.ALIAS, "frontier", 0, None)) == 3_000_000
    await again.aclose()


async def test_a_call_counts_under_each_of_its_tags_or_under_none(tmp_path):
    ledger = SqliteLedger.open(tmp_path / "ledger.db")
    await ledger.append([entry(1, tags=("a", "b")), entry(2, tags=("a",)), entry(3)])

    rows = await ledger.spend([Group.TAG], Filter())

    assert [(row.keys, row.calls) for row in rows] == [(("a",), 2), (("",), 1), (("b",), 1)]
    await ledger.aclose()


async def test_records_with_money_beyond_floats_are_exact(tmp_path):
    ledger = SqliteLedger.open(tmp_path / "ledger.db")
    await ledger.append([entry(1, cost=(1 << 53) + 1), entry(2, cost=1)])

    assert (await ledger.spend([], Filter()))[0].cost == (1 << 53) + 2
    await ledger.aclose()


async def test_nothing_can_be_asked_after_closing(tmp_path):
    ledger = SqliteLedger.open(tmp_path / "ledger.db")
    await ledger.aclose()
    await ledger.aclose()

    with pytest.raises(StoreDownError, match="is closed"):
        await ledger.append([entry(1)])
