"""How a built-in pattern becomes a rule."""

from __future__ import annotations

import pytest

from support.guarded import found_in
from tiergate.core.guard_options import Reaction
from tiergate.guards.known import KnownPattern


def test_a_pattern_becomes_a_rule_with_the_given_words():
    known = KnownPattern(r"id (\d{2})", group=1, measure=len, needs=("id",))
    rule = known.rule("number", Reaction.BLOCK, "[X]")
    assert (rule.name, rule.reaction, rule.instead) == ("number", Reaction.BLOCK, "[X]")
    assert (rule.reach, rule.trusted, rule.needs) == (5, True, ("id",))
    assert found_in([rule], "my id 42") == [("number", "42")]


def test_a_pattern_without_a_longest_match_may_not_be_built_in():
    with pytest.raises(ValueError, match="the built-in pattern it has no longest match"):
        KnownPattern("a+").rule("it", Reaction.MASK)
