"""Money is read and shown exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.money import NANO, format_usd, nano_from_usd


@pytest.mark.parametrize(
    ("value", "nano"),
    [
        (300, 300 * NANO),
        ("0.001536", 1_536_000),
        (0.1, NANO // 10),
        (Decimal("0.0000000011"), 2),
        (0.0015, 1_500_000),
        (5e-7, 500),
        (-1, -NANO),
    ],
)
def test_usd_becomes_nano_usd_and_what_is_finer_is_rounded_up(value, nano):
    assert nano_from_usd(value) == nano


@pytest.mark.parametrize("value", ["", "ten", "nan", float("inf"), "1,5"])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(ValueError, match="not an amount"):
        nano_from_usd(value)


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0"),
        (300 * NANO, "300"),
        (1_536_000, "0.001536"),
        (1, "0.000000001"),
        (-5, "-0.000000005"),
    ],
)
def test_amounts_are_shown_plainly(nano, text):
    assert format_usd(nano) == text


@given(st.integers(min_value=-(10**24), max_value=10**24))
def test_what_is_shown_is_read_back(nano):
    assert nano_from_usd(format_usd(nano)) == nano
