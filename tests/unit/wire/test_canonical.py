"""Values that differ in the order of their members only have one text."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.wire.canonical import LARGE, canonical, canonical_without

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def shuffled(value: object, dice: random.Random) -> object:
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {name: shuffled(value[name], dice) for name in names}
    return [shuffled(each, dice) for each in value] if isinstance(value, list) else value


def is_readable(text: str) -> bool:
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


@given(VALUES, st.integers())
def test_neither_order_nor_space_counts(value, seed):
    mixed = shuffled(value, random.Random(seed))
    one = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    other = json.dumps(mixed, ensure_ascii=False, indent=1)
    if is_readable(one) and isinstance(value, dict | list):
        assert canonical(one.encode()) == canonical(other.encode())


def test_the_order_of_a_list_counts():
    assert canonical(b"[1,2]") != canonical(b"[2,1]")


@pytest.mark.parametrize("text", [b"1.0", b'"a b"', b"null", b"true", b""])
def test_a_value_without_members_stays_as_it_is(text):
    assert canonical(text) == text


def test_a_large_value_stays_as_it_is():
    text = json.dumps({"b": "x" * LARGE, "a": 1}).encode()
    assert canonical(text) == text


def test_what_cannot_be_decoded_stays_as_it_is():
    text = b'{"b": "\\ud800", "a": 1}'
    assert canonical(text) == text


@given(
    st.dictionaries(st.text(max_size=4), VALUES, max_size=4),
    st.integers(),
    st.sets(st.text(max_size=4)),
)
def test_neither_order_nor_space_nor_what_is_left_out_counts(value, seed, names):
    left = {name: part for name, part in value.items() if name not in names}
    mixed = shuffled(value, random.Random(seed))
    one = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    other = json.dumps(mixed, ensure_ascii=False, indent=1)
    if is_readable(one):
        found = canonical_without(one.encode(), frozenset(names))
        assert found == canonical_without(other.encode(), frozenset(names))
        assert found == canonical(json.dumps(left, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "text", [b'{"a": "' + b"x" * LARGE + b'"}', b'{"a": "\\ud800"}', b'{"a": 1e999}', b"[1]"]
)
def test_of_what_is_large_or_cannot_be_decoded_there_is_no_such_text(text):
    assert canonical_without(text, frozenset()) is None


def test_large_numbers_stay_apart():
    one, other = (
        b'{"seed":123456789012345678901234567890}',
        b'{"seed":123456789012345678901234567891}',
    )

    assert canonical_without(one, frozenset()) != canonical_without(other, frozenset())
