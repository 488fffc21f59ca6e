"""Amounts and times as people read them: short, and never another value."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.ui import words

USD = 1_000_000_000


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0"),
        (1234 * USD + USD // 2, "$1,234.50"),
        (1200 * USD, "$1,200.00"),
        (432_500_000, "$0.43"),
        (47_400_000, "$0.0474"),
        (18_000, "$0.000018"),
        (1, "$0.000000001"),
        (99_999_999, "$0.1000"),
        (-5 * USD, "-$5.00"),
    ],
)
def test_money_has_the_digits_that_say_something(nano, text):
    assert words.usd(nano) == text


@given(st.integers(-(10**15), 10**15))
def test_money_is_never_far_from_what_it_is(nano):
    shown = Decimal(words.usd(nano).replace("$", "").replace(",", ""))
    exact = Decimal(nano) / USD
    assert abs(shown - exact) <= max(
        Decimal("0.005") if abs(exact) >= Decimal("0.1") else 0, abs(exact) / 20
    )


def test_the_exact_amount_has_every_digit():
    assert words.exact_usd(1_234_567_891) == "1.234567891 USD"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (None, "–"),
        (0, "0 %"),
        (0.0005, "< 0.1 %"),
        (0.034, "3.4 %"),
        (0.7, "70 %"),
        (1.2, "120 %"),
    ],
)
def test_a_share_is_in_percent(part, text):
    assert words.share(part) == text


def test_points_have_a_sign():
    assert words.points(0.061) == "+6.1 points"
    assert words.points(-0.25) == "−25 points"


def test_numbers_are_cut_to_what_fits():
    assert [words.short_number(n) for n in (950, 12_400, 3_000_000, 2_100_000_000)] == [
        "950",
        "12.4k",
        "3M",
        "2.1G",
    ]
    assert words.number(1234567) == "1,234,567"


def test_sizes_have_units():
    assert [words.size(n) for n in (512, 3_200_000, 450_000, 7 * 10**12)] == [
        "512 B",
        "3.2 MB",
        "450 kB",
        "7.0 TB",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0071, "7 ms"), (2.41, "2.41 s"), (31.25, "31.2 s"), (185, "3 min 5 s")],
)
def test_what_something_took_has_its_unit(seconds, text):
    assert words.took(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (3 * 86400 + 4 * 3600 + 99, "3 d 4 h"),
        (86400 + 5, "1 d"),
        (7205, "2 h"),
        (-4, "0 s"),
    ],
)
def test_a_span_has_its_two_largest_units(seconds, text):
    assert words.span(seconds) == text


def test_an_instant_is_shown_from_here():
    assert words.relative(1000.0, 1190.0) == "3 min ago"
    assert words.relative(1180.0, 1000.0) == "in 3 min"
    assert words.relative(1000.2, 1000.0) == "now"


def test_an_instant_is_shown_with_its_zone():
    berlin = ZoneInfo("Europe/Berlin")
    assert words.instant(1_790_000_000, berlin) == "2026-09-21 16:13:20 CEST"
    assert words.instant(1_790_000_000, UTC) == "2026-09-21 14:13:20 UTC"
    assert words.machine_instant(1_790_000_000.25) == "2026-09-21T14:13:20.250+00:00"
    assert words.day(1_790_000_000, UTC) == "2026-09-21"


def test_a_chart_has_dollars():
    assert words.axis_usd(USD // 2) == 0.5
