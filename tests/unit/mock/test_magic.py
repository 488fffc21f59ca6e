"""Short words ask for steps, in model names, in texts and in scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.mock.magic import WORDS, step_asked_for, step_named
from tiergate.mock.rules import (
    Cut,
    Fail,
    Finish,
    Hang,
    Overflow,
    Refuse,
    Reply,
    Slow,
    Step,
    StreamFail,
)


@pytest.mark.parametrize(
    ("word", "step"),
    [
        ("ok", Reply()),
        ("429", Fail(429)),
        ("529", Fail(529)),
        ("overflow", Overflow()),
        ("refusal", Refuse()),
        ("filter", Reply(finish=Finish.CONTENT_FILTER)),
        ("hang", Hang(30.0)),
        ("hang=0.5", Hang(0.5)),
        ("cut", Cut()),
        ("stream-cut", Cut(6)),
        ("stream-cut=2", Cut(2)),
        ("stream-hang=1", Hang(30.0, 1)),
        ("stream-error", StreamFail(6)),
        ("stream-error=0", StreamFail(0)),
        ("slow", Slow(1.0, 0.1)),
        ("slow=3", Slow(3.0, 0.1)),
        ("tool", Reply(call_tool=True)),
        ("long=2", Reply(text="word1 word2")),
        ("CUT", Cut()),
    ],
)
def test_each_word_stands_for_its_step(word: str, step: Step) -> None:
    assert step_named(word) == step
    assert step_asked_for("any", f"please mock:{word} now") == step
    assert step_asked_for(f"openai/mock:{word}", "hello") == step


@pytest.mark.parametrize(
    "word", ["200", "399", "600", "nonsense", "cut-off", "", "hang=x", "429x"]
)
def test_other_words_stand_for_nothing(word: str) -> None:
    assert step_named(word) is None
    assert step_asked_for("any", f"mock:{word}") is None


def test_the_model_name_wins_over_the_text() -> None:
    assert step_asked_for("mock:500", "mock:cut") == Fail(500)


def test_a_word_that_is_none_is_passed_over() -> None:
    assert step_asked_for("m", "mock:whatever then mock:cut") == Cut()


def test_words_listed_for_help_are_words() -> None:
    assert all(step_named(word) for word in WORDS if " " not in word)


@given(st.text(), st.text())
def test_text_without_the_mark_asks_for_nothing(model: str, question: str) -> None:
    assert step_asked_for(model.replace(":", ""), question.replace(":", "")) is None
