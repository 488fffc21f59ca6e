from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import Position
from tiergate.config.tree import (
    Entry,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    kind_of,
    same,
    show_path,
    size_of,
    to_json,
)

P = Position("f.yaml", 1)


def scalar(value: str | int | float | bool | None) -> ScalarNode:
    return ScalarNode(value, str(value), P)


def tree(value: object) -> Node:
    """A tree of a JSON-like value."""
    if isinstance(value, dict):
        return MapNode(tuple(Entry(k, P, tree(v)) for k, v in value.items()), P)
    if isinstance(value, list):
        return ListNode(tuple(tree(each) for each in value), P)
    assert isinstance(value, str | int | float | bool | None)
    return scalar(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_a_tree_holds_what_was_put_in(value: object) -> None:
    assert to_json(tree(value)) == value


@given(JSON, JSON)
def test_two_trees_are_the_same_exactly_when_their_values_are(one: object, two: object) -> None:
    assert same(tree(one), tree(one))
    if same(tree(one), tree(two)):
        assert one == two


def test_true_is_not_the_number_one() -> None:
    assert not same(scalar(True), scalar(1))
    assert same(scalar(60), scalar(60.0))


def test_the_order_of_keys_does_not_make_mappings_different() -> None:
    assert same(tree({"a": 1, "b": 2}), tree({"b": 2, "a": 1}))
    assert not same(tree({"a": 1}), tree({"b": 1}))


def test_paths_are_written_as_people_write_them() -> None:
    path = ("model_list", 0, "litellm_params", "model")

    assert show_path(path) == "model_list[0].litellm_params.model"
    assert show_path(("model_max_budget", "gpt-4.1")) == 'model_max_budget."gpt-4.1"'
    assert len(show_path(("x" * 500,))) < 100


def test_kinds_are_named_for_sentences() -> None:
    values: list[object] = [{}, [], None, True, 3, 0.5, "x"]

    assert [kind_of(tree(value)) for value in values] == [
        "a mapping",
        "a list",
        "nothing",
        "true or false",
        "a number",
        "a number",
        "text",
    ]


def test_the_size_of_a_scalar_is_one() -> None:
    assert size_of(scalar(1)) == 1
    assert size_of(ListNode((scalar(1),), P, 7)) == 7
