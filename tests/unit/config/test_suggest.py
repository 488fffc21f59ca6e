from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.config.suggest import did_you_mean, is_typo_of, nearest


def test_the_nearest_name_comes_first() -> None:
    known = ["num_retries", "retry_after", "num_workers"]

    assert nearest("num_retris", known) == ["num_retries"]
    assert nearest("nothing-like-it", known) == []


def test_advice_names_what_was_meant() -> None:
    assert did_you_mean("cheep", ["cheap", "balanced"]) == "Did you mean `cheap`?"
    assert did_you_mean("zzz", ["cheap"]) == ""


def test_a_slip_of_the_pen_is_a_typo_and_another_word_is_not() -> None:
    assert is_typo_of("supported_enviroments", "supported_environments")
    assert not is_typo_of("team", "mode")


@given(st.text(max_size=500))
def test_any_word_may_be_asked_for(word: str) -> None:
    did_you_mean(word, ["cheap", "balanced"])
    assert is_typo_of(word, "cheap") in (True, False)


def test_a_mile_long_word_costs_no_time() -> None:
    assert nearest("x" * 1_000_000, ["x"]) == []
    assert not is_typo_of("x" * 1_000_000, "x")
