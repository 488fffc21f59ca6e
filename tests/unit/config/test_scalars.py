from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.config.scalars import number_of, plain_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("yes", True),
        ("off", False),
        ("12", 12),
        ("-3", -3),
        ("1_000", 1000),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("3e-6", 3e-6),
        ("1.5E+3", 1500.0),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("cheap", "cheap"),
        ("anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("2024-10-01", "2024-10-01"),
    ],
)
def test_words_mean_what_yaml_says(text: str, value: object) -> None:
    assert plain_value(text) == value


@pytest.mark.parametrize("text", ["010", "1:30", "12:30:45", "0x", "0x_", "1e", "e5", "+", "--1"])
def test_what_yaml_readers_disagree_about_stays_text(text: str) -> None:
    """YAML 1.1 reads 010 as 8 and 1:30 as 90; a timeout of 8 seconds is not what was meant."""
    assert plain_value(text) == text


def test_nan_is_a_number_and_a_mile_of_digits_is_text() -> None:
    assert isinstance(number_of(".nan"), float)
    assert plain_value("9" * 5000) == "9" * 5000


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    value = plain_value(text)
    assert value is None or isinstance(value, bool | int | float | str)


@given(st.integers(-(10**30), 10**30))
def test_integers_read_as_themselves(number: int) -> None:
    assert number_of(str(number)) == number
