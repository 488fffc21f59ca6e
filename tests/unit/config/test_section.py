from __future__ import annotations

from tiergate.config.findings import Findings
from tiergate.config.section import Section, as_section
from tiergate.config.tree import MapNode
from tiergate.config.yamltext import parse


def section(text: str) -> Section:
    node = parse(text, "f.yaml", Findings())
    assert isinstance(node, MapNode)
    return Section((), node.position, node)


def test_what_nobody_took_is_left() -> None:
    top = section("a: 1\nb: 2\nc: 3\n")
    top.take("b")

    assert [spot.key for spot in top.left()] == ["a", "c"]


def test_looking_is_not_taking() -> None:
    top = section("a: 1\n")

    assert top.look("a") is not None
    assert [spot.key for spot in top.left()] == ["a"]


def test_a_value_of_nothing_is_taken_and_remembered_as_empty() -> None:
    top = section("a:\nb:\n")

    assert top.take("a") is None
    settled = top.settle("b")

    assert settled is not None
    assert settled.empty
    assert [spot.key for spot in top.empty()] == ["a"]
    assert top.left() == ()


def test_of_several_names_the_first_given_counts_and_all_are_taken() -> None:
    top = section("max_budget: 2\nbudget_limit: 1\n")

    spot = top.take_first("budget_limit", "max_budget")

    assert spot is not None
    assert spot.key == "budget_limit"
    assert top.left() == ()


def test_a_place_knows_its_path_and_line() -> None:
    spot = section("a: 1\nb: {c: 2}\n").section("b", Findings()).take("c")

    assert spot is not None
    assert (spot.at.path, str(spot.position)) == ("b.c", "f.yaml:2")


def test_a_section_of_a_wrong_shape_is_a_finding_and_empty() -> None:
    findings = Findings()
    top = section("a: [1]\nb:\n")

    assert top.section("a", findings).left() == ()
    assert top.section("b", findings).left() == ()
    assert top.section("c", findings).left() == ()
    assert [each.code for each in findings.result()] == ["wrong-type", "empty-value"]


def test_all_values_of_a_mapping_with_free_names_are_taken() -> None:
    top = section("x: 1\ny: 2\n")

    assert [spot.key for spot in top.all()] == ["x", "y"]
    assert top.left() == ()


def test_nothing_is_no_section() -> None:
    assert as_section(None, Findings()) is None
