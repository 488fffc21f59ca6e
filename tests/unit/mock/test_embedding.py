"""Embedding vectors are deterministic, of length 1, and near where texts share words."""

from __future__ import annotations

import base64
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.base.jsontypes import Json
from tiergate.mock.embedding import inputs_of, packed, vector_of


def likeness(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(vector_of(one, 256), vector_of(other, 256), strict=True))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.integers(min_value=1, max_value=32))
def test_every_text_has_a_unit_vector(text: str, size: int) -> None:
    vector = vector_of(text, size)
    assert len(vector) == size
    assert math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-9)
    assert vector == vector_of(text, size)


def test_texts_that_share_words_are_near() -> None:
    near = likeness("What is the capital of France?", "what is the capital of france")
    akin = likeness("What is the capital of France?", "Tell me the capital of France")
    far = likeness("What is the capital of France?", "Sort a list in Python")
    assert near > 0.99
    assert 0.4 < akin < near
    assert far < 0.3


@pytest.mark.parametrize(("asked", "size"), [(0, 1), (-5, 1), (10_000, 4_096)])
def test_the_length_is_kept_within_bounds(asked: int, size: int) -> None:
    assert len(vector_of("a", asked)) == size


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], ["[1,2]"]),
        ([[1], [2, 3]], ["[1]", "[2,3]"]),
        ([], []),
        (5, ["5"]),
    ],
)
def test_every_form_of_input_is_read(value: Json, texts: list[str]) -> None:
    assert inputs_of(value) == texts


def test_the_packed_form_holds_the_same_numbers() -> None:
    vector = [0.5, -0.25]
    assert struct.unpack("<2f", base64.b64decode(packed(vector))) == (0.5, -0.25)
