"""Patterns that run away are seen before they meet a text."""

from __future__ import annotations

import pytest

from tiergate.guards.known_patterns import KNOWN
from tiergate.guards.probing import runaway


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(\w+\s?)*$", r"(x+x+)+y", r"^(([a-z])+.)+[A-Z]$"]
)
def test_a_pattern_that_runs_away_is_seen(pattern):
    assert runaway(pattern).startswith("4000 characters of ")


@pytest.mark.parametrize("pattern", [r"SECRET-\d{6}", r"\b\w+@\w+\b", "a+b*c?", "(?:ab|cd)+", "["])
def test_a_usual_pattern_is_not(pattern):
    assert runaway(pattern) == ""


def test_no_built_in_pattern_runs_away():
    assert {name: said for name, known in KNOWN.items() if (said := runaway(known.pattern))} == {}
