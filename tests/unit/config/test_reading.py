from __future__ import annotations

from tiergate.config.findings import Findings
from tiergate.config.reading import Reader, Resolved, Sections, origin_of, show_value
from tiergate.config.section import Section
from tiergate.config.tree import MapNode
from tiergate.config.typed import Typed
from tiergate.config.yamltext import parse


def reading(text: str) -> tuple[Sections, Reader]:
    findings = Findings()
    node = parse(text, "f.yaml", findings)
    assert isinstance(node, MapNode)
    top = Section((), node.position, node)
    return Sections.of(top, findings), Reader(findings, Typed(findings))


BOTH = "router_settings: {n: %s}\nlitellm_settings:\n  n: %s\n"


def test_a_setting_may_stand_at_either_place() -> None:
    for text in ("router_settings: {n: 1}\n", "litellm_settings: {n: 1}\n"):
        sections, reader = reading(text)

        spot = reader.pick("n", sections.router, sections.litellm)

        assert reader.typed.whole(spot) == 1
        assert reader.findings.result() == ()


def test_the_same_value_at_two_places_is_a_notice() -> None:
    sections, reader = reading(BOTH % (60, "60.0"))

    assert reader.pick("n", sections.router, sections.litellm) is not None
    (finding,) = reader.findings.result()
    assert str(finding) == (
        "f.yaml:3: notice: litellm_settings.n: is given twice with the same value, "
        "also as router_settings.n at f.yaml:1"
    )


def test_two_values_at_two_places_are_an_error_that_names_both_lines() -> None:
    sections, reader = reading(BOTH % (1, 2))

    reader.pick("n", sections.router, sections.litellm)

    (finding,) = reader.findings.result()
    assert finding.code == "conflicting-values"
    assert str(finding.position) == "f.yaml:3"
    assert "router_settings.n at f.yaml:1" in finding.message


def test_the_error_stands_at_the_later_line_whatever_place_is_asked_first() -> None:
    sections, reader = reading(BOTH % (1, 2))

    reader.pick("n", sections.litellm, sections.router)

    assert reader.findings.result()[0].position.line == 3


def test_all_places_count_as_read() -> None:
    sections, reader = reading(BOTH % (1, 1))

    reader.pick("n", sections.router, sections.litellm)

    assert sections.router.left() == sections.litellm.left() == ()


def test_a_row_of_the_report_says_where_a_value_came_from() -> None:
    sections, reader = reading("router_settings: {n: 1}\n")

    reader.show("router_settings.n", 1, sections.router.look("n"))
    reader.show("router_settings.m", None, None)

    assert reader.rows == [
        Resolved("router_settings.n", "1", "f.yaml:1"),
        Resolved("router_settings.m", "none", "default"),
    ]


def test_values_are_shown_for_people() -> None:
    shown = [show_value(x) for x in (None, True, False, 3, 3.0, 0.25, "x", ("a", "b"), ())]

    assert shown == ["none", "true", "false", "3", "3", "0.25", "x", "a, b", "none"]


def test_nothing_given_is_the_default() -> None:
    assert origin_of(None) == "default"
