"""Patterns in texts, within a time."""

from __future__ import annotations

import time

import pytest

from support.guarded import cut
from tiergate.core.guard_options import Reaction
from tiergate.guards.matching import (
    STREAM_WINDOW,
    BadPatternError,
    OverdueError,
    Rule,
    compiled,
    find_all,
    overdue,
    reach_of,
)

FOREVER = 60.0


def rule(pattern: str, name: str = "it", **more: object) -> Rule:
    return Rule(name=name, pattern=compiled(pattern), reaction=Reaction.MASK, reach=10, **more)


def find(rules, *texts, until=None):
    end = time.monotonic() + FOREVER if until is None else until
    return find_all(rules, texts, end, time.monotonic)


def test_everything_is_found_in_the_order_of_texts_and_places():
    texts = ("b1 a1", "", "a2 b2")
    found = find([rule(r"a\d", "a"), rule(r"b\d", "b")], *texts)
    assert cut(found, *texts) == [("b", "b1"), ("a", "a1"), ("a", "a2"), ("b", "b2")]
    assert [each.passage for each in found] == [0, 0, 2, 2]


def test_a_group_may_be_the_finding():
    (found,) = find([rule(r"id (\d+)", group=1)], "my id 42!")
    assert (found.start, found.end) == (6, 8)


def test_a_group_that_took_no_part_is_no_finding():
    assert find([rule(r"no|(yes)", group=1)], "no") == []


def test_a_measure_says_how_much_counts():
    found = find([rule(r"\w+", measure=lambda text: 2 if text[0] == "x" else 0)], "abc xyz")
    assert cut(found, "abc xyz") == [("it", "xy")]


def test_one_thing_found_twice_under_one_name_is_one_finding():
    assert len(find([rule("ab"), rule("a[b]")], "ab")) == 1


def test_a_text_without_the_needed_words_is_not_looked_at():
    needing = rule(".", needs=("straße", "road"))
    assert len(find([needing], "on the ROAD")) == 11
    assert find([needing], "on the way") == []
    assert find([needing], "") == []


def test_findings_say_what_is_to_be_done_and_written():
    (found,) = find([rule("x", instead="[X]")], "x")
    assert (found.reaction, found.instead) == (Reaction.MASK, "[X]")


@pytest.mark.parametrize("alone", [True, False])
def test_a_pattern_that_runs_away_is_given_up(alone):
    runaway = rule(r"(a+)+$", "bad")
    before = time.monotonic()
    with pytest.raises(OverdueError) as late:
        find_all(
            [runaway], ["a" * 4000 + "!"], time.monotonic() + 0.05, time.monotonic, alone=alone
        )
    assert late.value.rule == "bad"
    assert time.monotonic() - before < 5


def test_nothing_is_looked_for_when_the_time_is_over():
    with pytest.raises(OverdueError):
        find([rule("x", trusted=True)], "x", until=time.monotonic() - 1)


@pytest.mark.parametrize("pattern", ["[z", "(", "*", "(?P<x>a)(?P<x>b)(?P=y)"])
def test_a_text_that_is_no_pattern_is_refused_with_the_reason(pattern):
    with pytest.raises(BadPatternError, match="is no regular expression: "):
        compiled(pattern)


def test_a_pattern_means_what_it_means_in_python():
    """Letters of all scripts are letters, as in `re`, which LiteLLM's files are written for."""
    assert compiled(r"\bÄrger\b").search("der Ärger ist")
    assert compiled(r"(?<=a)b(?!c)").search("abd")
    assert compiled("straße", ignore_case=True).search("STRAßE")


def test_the_reach_of_a_pattern_without_an_end_is_the_window_of_streams():
    assert reach_of("abc") == 3
    assert reach_of("a+") == STREAM_WINDOW


def test_an_overdue_look_says_what_and_what_to_do():
    assert "looking for bad took longer than 1 s" in str(overdue("bad", 1.0))
    assert "`timeout`" in str(overdue("bad", 1.0))
