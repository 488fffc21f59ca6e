"""Money in JSON is an exact decimal; everything else is what any JSON reader expects."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.exact_json import Usd, encode

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_is_no_money_is_read_back_as_it_was(value):
    assert json.loads(encode(value)) == value


@given(st.integers(-(10**24), 10**24))
def test_money_is_read_back_to_the_nano(nano):
    found = json.loads(encode({"cost": Usd(nano)}), parse_float=Decimal, parse_int=Decimal)
    assert found["cost"] * 10**9 == nano


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "0"), (1, "0.000000001"), (-2_500_000_000, "-2.5"), (10**18, "1000000000")],
)
def test_money_has_no_exponent(nano, text):
    assert encode(Usd(nano)) == text


def test_it_is_one_line_and_keeps_the_order():
    assert encode({"b": "x\ny", "a": (1, Usd(5))}) == '{"b":"x\\ny","a":[1,0.000000005]}'


def test_no_text_can_break_a_terminal_or_an_encoding():
    assert encode("\x1b[2J\ud800é").isascii()
