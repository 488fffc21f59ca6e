"""A change is applied once, to what was read, and writes no more than it must."""

from __future__ import annotations

import pytest

from tiergate.stores.change import apply_change


def test_what_differs_is_written_in_the_order_of_the_keys():
    seen = {"c": b"1", "a": b"1", "b": None}

    writes, answer = apply_change(lambda _: ({"c": b"2", "b": b"0", "a": None}, "done"), seen)

    assert list(writes.items()) == [("a", None), ("b", b"0"), ("c", b"2")]
    assert answer == "done"


def test_what_stays_the_same_is_not_written():
    writes, _ = apply_change(lambda seen: (seen, None), {"a": b"1", "b": None})

    assert writes == {}


def test_a_document_that_was_not_shown_cannot_be_written():
    with pytest.raises(ValueError, match=r"not \['z'\]"):
        apply_change(lambda _: ({"z": b""}, None), {"a": None})


def test_a_change_cannot_alter_what_it_is_shown():
    def change(seen):
        seen["a"] = b"mine"
        return seen, None

    with pytest.raises(TypeError):
        apply_change(change, {"a": None})
