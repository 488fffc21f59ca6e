"""Names of documents keep their order as bytes, whatever they are made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.stores.keys import after_prefix, key_bytes, key_text

TEXT = st.text(st.characters(), max_size=6)


@given(TEXT)
def test_a_name_comes_back(name):
    assert key_text(key_bytes(name)) == name


def test_half_a_surrogate_pair_is_a_name_too():
    assert key_text(key_bytes("ticket:\ud800")) == "ticket:\ud800"


@given(TEXT, TEXT)
def test_the_order_of_the_bytes_is_that_of_the_characters(one, other):
    assert (one < other) == (key_bytes(one) < key_bytes(other))


@given(TEXT, TEXT)
def test_a_range_holds_exactly_the_names_with_the_prefix(prefix, name):
    low, high = key_bytes(prefix), after_prefix(key_bytes(prefix))

    within = low <= key_bytes(name) and (high is None or key_bytes(name) < high)

    assert within == name.startswith(prefix)
