"""The books compared: what agrees, what does not, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from tiergate.core.catalog import ScopeKind
from tiergate.core.verify import (
    SPENT_METRIC,
    Check,
    Counter,
    compare_global,
    compare_ledger,
    compare_metrics,
    read_spent_metric,
)

USD = 10**9
COUNTER = Counter(
    scope=ScopeKind.ALIAS,
    name="frontier",
    window_start=100,
    window_end=200,
    spent=7 * USD,
    assumed=0,
    others=0,
)


def one(counter: Counter, total: int):
    (found,) = compare_ledger([(counter, total)])
    return found


def test_equal_figures_agree_without_a_word():
    found = one(COUNTER, 7 * USD)
    assert found.agrees
    assert found.note == ""


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15))
def test_what_other_ledgers_and_lost_workers_have_is_taken_off_first(own, assumed, others):
    counter = replace(COUNTER, spent=own + assumed + others, assumed=assumed, others=others)
    found = one(counter, own)
    assert found.agrees
    assert ("lost" in found.note or "not heard of" in found.note) == (assumed > 0)
    assert ("other ledgers" in found.note) == (others > 0)


@given(st.integers(-(10**12), 10**12).filter(bool))
def test_a_difference_of_one_nano_is_a_difference(off):
    found = one(COUNTER, 7 * USD + off)
    assert not found.agrees
    assert found.difference == -off
    assert f"The ledger has {'more' if off > 0 else 'less'}" in found.note


def test_metrics_are_compared_with_the_newest_window():
    older = replace(COUNTER, window_start=0, window_end=100, spent=3 * USD)
    for order in ([older, COUNTER], [COUNTER, older]):
        (found,) = compare_metrics(order, {("alias", "frontier"): 7 * USD})
        assert found.check is Check.METRIC
        assert found.agrees


def test_a_metric_without_a_counter_differs_unless_nothing_is_spent():
    (found,) = compare_metrics([], {("alias", "cheap"): 0})
    assert found.agrees
    (found,) = compare_metrics([COUNTER], {("alias", "cheap"): 5})
    assert not found.agrees
    assert "another store" in found.note


def test_a_budget_without_a_gauge_is_not_compared():
    assert compare_metrics([COUNTER], {}) == []


WHOLE = replace(
    COUNTER,
    scope=ScopeKind.PROVIDER,
    name="anthropic",
    window_start=0,
    window_end=None,
    spent=5 * USD,
    whole=True,
)


@pytest.mark.parametrize(("total", "agrees"), [(5 * USD, True), (5 * USD + 1, False), (1, False)])
def test_the_whole_is_compared_to_the_nano(total, agrees):
    found = compare_global([WHOLE], total, 5 * USD)
    assert found.check is Check.GLOBAL
    assert found.agrees is agrees
    assert bool(found.note) is not agrees


def test_what_is_no_matter_of_the_ledger_is_taken_off_the_whole():
    found = compare_global([replace(WHOLE, assumed=2 * USD, others=USD)], 7 * USD, 10 * USD)
    assert found.agrees
    assert "2 USD more, charged for workers" in found.note
    assert "1 USD more, whose records are in other ledgers" in found.note


def test_the_whole_is_that_of_all_providers():
    other = replace(WHOLE, name="openai", assumed=USD)
    found = compare_global([replace(WHOLE, assumed=2 * USD), other], 7 * USD, 10 * USD)
    assert found.agrees
    assert "3 USD more" in found.note


def test_budgets_with_limits_are_no_part_of_the_whole():
    """Also one of a provider without a window: its dead leases are charged what they had ahead."""
    limited = replace(WHOLE, whole=False, spent=9 * USD, assumed=4 * USD)
    monthly = replace(limited, window_end=99)
    alias = replace(WHOLE, scope=ScopeKind.ALIAS, assumed=3 * USD)
    assert compare_global([limited, WHOLE, monthly, alias], 5 * USD, 5 * USD).agrees


LABELS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)


@given(st.dictionaries(st.tuples(LABELS, LABELS), st.integers(0, 10**15), max_size=5))
def test_the_page_of_the_metrics_library_is_read_to_the_nano(spent):
    registry = CollectorRegistry()
    gauge = Gauge(SPENT_METRIC, "Spent.", ("scope", "name", "window"), registry=registry)
    other = Gauge("tiergate_budget_limit_usd", "Limit.", ("scope", "name"), registry=registry)
    for (scope, name), nano in spent.items():
        gauge.labels(scope, name, "monthly").set(nano / USD)
        other.labels(scope, name).set(1)

    assert read_spent_metric(generate_latest(registry).decode()) == spent
