"""Marks of a budget: each is passed once, none too early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.alerts import thresholds_crossed


def names(before, after, limit=None, soft=None) -> list[str]:
    return [mark.name for mark in thresholds_crossed(before, after, limit, soft)]


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [
        (0, 49, []),
        (0, 50, ["50"]),
        (49, 50, ["50"]),
        (50, 79, []),
        (0, 100, ["50", "80", "100"]),
        (79, 250, ["80", "100"]),
        (100, 130, []),
    ],
)
def test_a_mark_is_passed_by_the_payment_that_reaches_it(before, after, passed):
    assert names(before, after, limit=100) == passed


def test_a_part_that_is_no_whole_number_is_passed_when_it_is_really_reached():
    assert names(0, 1, limit=3) == []
    assert names(0, 2, limit=3) == ["50"]


def test_a_soft_limit_stands_in_order_among_the_parts():
    assert names(0, 90, limit=100, soft=60) == ["50", "soft", "80"]
    assert names(0, 90, soft=60) == ["soft"]


def test_without_limits_and_with_a_limit_of_nothing_there_are_no_marks():
    assert names(0, 10) == []
    assert names(0, 0, limit=0, soft=0) == []


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(1, 300), st.integers(1, 300))
def test_payments_one_by_one_pass_the_same_marks_as_their_sum(payments, limit, soft):
    one_by_one, before = [], 0
    for payment in payments:
        one_by_one += thresholds_crossed(before, before + payment, limit, soft)
        before += payment
    assert sorted(m.name for m in one_by_one) == sorted(names(0, sum(payments), limit, soft))
