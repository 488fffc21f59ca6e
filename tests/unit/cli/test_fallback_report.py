"""What a gateway tells of its fallback routes, for people."""

from __future__ import annotations

from tiergate.cli.fallback_report import change_lines, effect, route_lines

ROUTE = {
    "model": "cheap", "fallback_models": ["balanced", "frontier"], "fallback_type": "general",
    "origin": "file", "file_models": ["balanced", "frontier"], "author": None,
    "expires_at": None, "note": None,
}  # fmt: skip


def test_nothing_is_said_in_a_sentence():
    assert route_lines({}) == ["There are no fallback routes."]
    assert change_lines({}) == ["No fallback route has been changed."]


def test_columns_without_anything_are_left_out():
    lines = route_lines({"fallbacks": [ROUTE]})
    assert lines == [
        "type     alias  targets             from",
        "----------------------------------------",
        "general  cheap  balanced, frontier  file",
    ]


def test_what_covers_the_file_says_what_it_covers():
    found = {
        "fallbacks": [{**ROUTE, "origin": "runtime", "author": "ada"}],
        "switched_off": [{"model": "local", "fallback_type": "general", "file_models": ["cheap"]}],
        "inactive": [{"model": "gone", "fallback_type": "budget", "set_models": ["cheap"]}],
    }
    lines = [" ".join(line.split()) for line in route_lines(found)[2:]]
    assert lines == [
        "general cheap balanced, frontier runtime (file: balanced, frontier) ada",
        "general local - switched off (file: cheap)",
        "budget gone cheap no effect",
    ]


def test_conflicts_and_faults_stand_below():
    found = {
        "fallbacks": [ROUTE],
        "conflicts": [{"message": "the file differs"}],
        "store_fault": "the store does not answer",
    }
    assert route_lines(found)[3:] == [
        "",
        "conflict: the file differs",
        "",
        "warning: the store does not answer",
    ]


def test_a_change_says_from_what_to_what():
    change = {
        "at": "2026-12-01T10:00:00.000Z", "fallback_type": "general", "model": "cheap",
        "action": "switched_off", "before": {"models": ["local"], "origin": "runtime"},
        "after": None, "expires_at": None, "author": "ada", "note": "a\x1b[2Jnote",
    }  # fmt: skip
    line = change_lines({"changes": [change]})[2]
    assert "switched off" in line
    assert "local (runtime)  -" in line
    assert "\x1b" not in line


def test_the_effect_is_told_or_else_the_message():
    assert effect({"effect": "It is.", "message": "done"}) == "It is."
    assert effect({"message": "done"}) == "done"


def test_an_answer_of_another_shape_is_borne():
    assert route_lines({"fallbacks": "x", "conflicts": [5]}) == ["There are no fallback routes."]
    assert "nothing" in change_lines({"changes": [{"before": {"models": 5}}]})[2]
