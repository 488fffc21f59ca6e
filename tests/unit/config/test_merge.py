from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import Position
from tiergate.config.findings import Findings
from tiergate.config.merge import Merger
from tiergate.config.tree import Entry, ListNode, MapNode, Node, ScalarNode, to_json


def at(line: int) -> Position:
    return Position("f.yaml", line)


def tree(value: object, line: int = 1) -> Node:
    if isinstance(value, dict):
        entries = tuple(Entry(k, at(line), tree(v, line)) for k, v in value.items())
        return MapNode(entries, at(line))
    if isinstance(value, list):
        return ListNode(tuple(tree(each, line) for each in value), at(line))
    assert isinstance(value, str | int | float | bool | None)
    return ScalarNode(value, str(value), at(line))


def merge(one: object, two: object, *, announce: bool = False) -> tuple[object, list[str]]:
    findings = Findings()
    merger = Merger(findings, announce)
    entry = merger.entry(Entry("k", at(1), tree(one, 1)), Entry("k", at(2), tree(two, 2)), ("k",))
    return to_json(entry.node), [each.code for each in findings.result()]


def test_mappings_merge_deeply() -> None:
    value, codes = merge({"a": {"x": 1}, "b": 2}, {"a": {"y": 3}, "c": 4})

    assert value == {"a": {"x": 1, "y": 3}, "b": 2, "c": 4}
    assert codes == []


def test_lists_are_put_one_after_the_other() -> None:
    assert merge([1, 2], [2, 3]) == ([1, 2, 2, 3], [])


def test_a_value_wins_over_nothing() -> None:
    assert merge(None, {"a": 1}) == ({"a": 1}, [])
    assert merge([1], None) == ([1], [])


def test_an_equal_scalar_is_a_notice_and_a_different_one_an_error() -> None:
    assert merge(3, 3) == (3, ["repeated-value"])
    assert merge(3, 4)[1] == ["conflicting-values"]
    assert merge(True, 1)[1] == ["conflicting-values"]


def test_different_kinds_are_an_error() -> None:
    assert merge({"a": 1}, [1])[1] == ["conflicting-kinds"]
    assert merge("x", {"a": 1})[1] == ["conflicting-kinds"]


def test_the_error_names_both_lines() -> None:
    findings = Findings()
    merger = Merger(findings, announce=True)
    merger.entry(Entry("k", at(7), tree(1)), Entry("k", at(9), tree(2)), ("k",))

    text = str(findings.result()[0])

    assert text.startswith("f.yaml:9: error: k:")
    assert "f.yaml:7" in text


def test_only_the_key_that_is_repeated_is_announced_not_those_inside() -> None:
    _, codes = merge({"a": {"x": 1}}, {"a": {"y": 1}}, announce=True)

    assert codes == ["merged"]


KEYS = st.text("abc", min_size=1, max_size=2)
VALUES = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(KEYS, inner) | st.lists(inner), max_leaves=8
)


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_no_key_is_lost(one: dict[str, object], two: dict[str, object]) -> None:
    value, _ = merge(one, two)

    assert isinstance(value, dict)
    assert set(value) == set(one) | set(two)


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_merging_is_silent_only_when_every_scalar_survives(
    one: dict[str, object], two: dict[str, object]
) -> None:
    value, codes = merge(one, two)

    if not codes:
        assert leaves(value) == sorted(leaves(one) + leaves(two))


def leaves(value: object) -> list[int]:
    if isinstance(value, dict):
        return sorted(leaf for each in value.values() for leaf in leaves(each))
    if isinstance(value, list):
        return sorted(leaf for each in value for leaf in leaves(each))
    assert isinstance(value, int)
    return [value]
