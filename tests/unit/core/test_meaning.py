"""Which requests are asked by meaning, and which neighbour is near enough."""

from __future__ import annotations

import math

import pytest

from tiergate.core.meaning import (
    MeaningPolicy,
    Near,
    Shape,
    Unasked,
    near_enough,
    show_similarity,
    unasked,
    unit,
)

ONE = Shape("How?", 1, tools=False)


@pytest.mark.parametrize(
    ("shape", "policy", "why"),
    [
        (ONE, MeaningPolicy(), None),
        (Shape("How?", 1, tools=True), MeaningPolicy(), Unasked.TOOLS),
        (Shape("How?", 1, tools=True), MeaningPolicy(with_tools=True), None),
        (Shape("How?", 2, tools=False), MeaningPolicy(), Unasked.TURNS),
        (Shape("How?", 2, tools=False), MeaningPolicy(many_turns=True), None),
        (Shape("How?", 2, tools=True), MeaningPolicy(many_turns=True), Unasked.TOOLS),
        (Shape(" \n", 1, tools=False), MeaningPolicy(), Unasked.NO_TEXT),
        (Shape("x" * 41, 1, tools=False), MeaningPolicy(input_tokens=10), Unasked.LONG),
        (Shape("x" * 40, 1, tools=False), MeaningPolicy(input_tokens=10), None),
        (Shape("\u00e9" * 21, 1, tools=False), MeaningPolicy(input_tokens=10), Unasked.LONG),
        (Shape("\ud83d", 1, tools=False), MeaningPolicy(), None),
    ],
)
def test_which_requests_are_asked(shape, policy, why):
    assert unasked(policy, shape) is why


def test_the_nearest_comes_first_and_the_threshold_belongs_to_it():
    found = [Near("far", 0.79, ()), Near("at", 0.8, ()), Near("near", 0.95, ())]
    near = near_enough(MeaningPolicy(threshold=0.8), (), found)
    assert [each.key for each in near] == ["near", "at"]


def test_a_neighbour_that_contradicts_is_passed_over():
    found = [Near("off", 0.99, ("on-b",)), Near("on", 0.9, ("on-a",))]
    near = near_enough(MeaningPolicy(threshold=0.8), ("on-a",), found)
    assert [each.key for each in near] == ["on"]


def test_a_vector_is_scaled_to_length_one():
    found = unit([3.0, 4.0])
    assert found == pytest.approx((0.6, 0.8))


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_what_has_no_direction_is_no_vector(values):
    assert unit(values) is None


@pytest.mark.parametrize(
    ("similarity", "shown"),
    [(0.93, "0.93"), (0.9349999, "0.934"), (1.0, "1"), (1.0000001, "1"), (0.9999, "0.999")],
)
def test_a_similarity_is_never_shown_nearer_than_it_is(similarity, shown):
    assert show_similarity(similarity) == shown
