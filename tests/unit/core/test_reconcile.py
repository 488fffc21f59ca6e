"""A bill against the ledger: what agrees, which side is larger, and the likely reason."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.provider_bill import Bill, BillLine
from tiergate.core.reconcile import Kind, OurLine, reconcile

DAY = date(2026, 11, 24)
HALF = Decimal("0.5")


def ours(model="claude-opus-4-6", day=DAY, **given) -> OurLine:
    values = {
        "calls": 3, "input": 1000, "cache_read": 0, "cache_write": 0, "output": 500,
        "cost": 10_000_000, "estimated": 0, **given,
    }  # fmt: skip
    return OurLine(day=day, model=model, **values)


def theirs(model="Claude Opus 4.6", day=DAY, **given) -> BillLine:
    return BillLine(day=day, model=model, **{"input": 1000, "output": 500, **given})


def compare(bill_lines, our_lines, tolerance=HALF):
    return reconcile(Bill("anthropic", "test", tuple(bill_lines)), our_lines, tolerance)


def test_the_same_figures_agree_under_two_names_of_a_model():
    found = compare([theirs()], [ours()])
    assert found.agrees
    assert len(found.rows) == 1


def test_lines_of_one_day_and_model_are_added():
    assert compare([theirs(input=400, output=500), theirs(input=600, output=0)], [ours()]).agrees


def test_only_what_the_bill_has_is_compared():
    kinds = [d.kind for d in compare([theirs()], [ours()]).total.differences]
    assert kinds == [Kind.INPUT, Kind.OUTPUT]


@pytest.mark.parametrize(
    ("tokens", "agrees"), [(1000, True), (995, True), (1005, True), (994, False), (1006, False)]
)
def test_the_tolerance_is_in_per_cent_of_the_bill(tokens, agrees):
    assert compare([theirs()], [ours(input=tokens)]).agrees is agrees


def test_the_bills_own_rounding_is_no_difference():
    line = theirs(input=None, output=None, cost=0, slack=5_000_000)
    assert compare([line, line], [ours(cost=10_000_000)], Decimal(0)).agrees
    assert not compare([line, line], [ours(cost=10_000_001)], Decimal(0)).agrees


def test_calls_are_shown_and_not_judged():
    found = compare([theirs(calls=9)], [ours()])
    assert found.agrees
    assert found.total.differences[0].amount == -6


def test_a_bill_without_models_is_compared_by_day():
    found = compare([BillLine(day=DAY, cost=30_000_000)], [ours(), ours("gpt-5", cost=20_000_000)])
    assert found.agrees
    assert len(found.rows) == 1


def reasons(bill_lines, our_lines) -> str:
    return " ".join(r for row in compare(bill_lines, our_lines).rows for r in row.reasons)


def test_a_model_that_only_the_bill_knows_was_used_outside():
    assert "another key" in reasons([theirs()], [])


def test_a_model_that_only_the_ledger_knows_is_of_another_account():
    said = reasons([theirs()], [ours(), ours("claude-haiku-4-5")])
    assert "another account or project" in said


def test_more_tokens_in_the_bill_were_used_outside():
    assert "used outside the gateway" in reasons([theirs(input=2000)], [ours()])


def test_equal_tokens_and_unequal_cost_are_a_matter_of_prices():
    said = reasons([theirs(cost=20_000_000)], [ours()])
    assert "price list of another date" in said
    assert "outside the gateway" not in said


def test_estimates_are_named_with_their_amount():
    assert "0.004 USD" in reasons([theirs(input=900)], [ours(estimated=4_000_000)])


def test_the_files_last_day_may_be_incomplete_and_no_other():
    before = DAY - timedelta(days=1)
    bill = [theirs(input=900), theirs(day=before, input=900)]
    first, last = compare(bill, [ours(), ours(day=before)]).rows
    assert not any("last day" in reason for reason in first.reasons)
    assert any("last day" in reason for reason in last.reasons)


@given(
    st.lists(
        st.builds(
            ours,
            model=st.sampled_from(["a", "b"]),
            day=st.sampled_from([DAY, DAY + timedelta(days=1)]),
            input=st.integers(0, 10**9),
            output=st.integers(0, 10**9),
            cost=st.integers(0, 10**12),
        ),
        max_size=8,
    )
)
def test_a_bill_made_from_the_ledger_always_agrees(lines):
    bill = [
        BillLine(day=x.day, model=x.model, input=x.input, output=x.output, cost=x.cost)
        for x in lines
    ]
    assert compare(bill, lines, Decimal(0)).agrees


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_the_percentage_has_the_sign_of_the_larger_side(own, bill):
    (found,) = compare(
        [theirs(input=bill, output=None)], [ours(input=own, output=0)]
    ).total.differences
    assert (found.percent > 0) == (own > bill)
    assert (found.percent == 0) == (own == bill)
