"""What waits for sinks is weighed, so that it can be bounded."""

from __future__ import annotations

from support.records import SERVED
from support.told import telling, told
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.telemetry.told import LARGE_BYTES, is_large, weight_of


def test_words_count_where_they_wait():
    record = told()
    assert record.telling is not None
    bare = weight_of(SERVED, words=True)
    assert weight_of(record, words=True) == bare + record.telling.weight
    assert weight_of(record, words=False) == bare


def test_large_words_are_told_apart():
    assert not is_large(told())
    assert is_large(told(telling({"input": "x" * LARGE_BYTES})))
    alert = BudgetAlert(ScopeKind.GATEWAY, "", "50", 1, 2, None, "1d", None)
    assert not is_large(alert)
