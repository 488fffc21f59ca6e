"""A trail in sentences: each record of the trail is said, and nothing is invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.errors import FailureClass
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core.catalog import ChainKind
from tiergate.core.routing import Exclusion, Why
from tiergate.core.trail import (
    LONGEST_TEXT,
    Drilled,
    Ended,
    Left,
    Lost,
    Noted,
    Skipped,
    Tried,
    Waited,
    Withheld,
    compact,
)
from tiergate.core.trail_words import Mood, Step, in_words

CHEAP, BALANCED = AliasName("cheap"), AliasName("balanced")
A, B = DeploymentId("dep-a"), DeploymentId("dep-b")
NAMES = {"dep-a": "anthropic/haiku"}


def tried(alias=CHEAP, deployment=A, failure=None, status=200, excluded=()):
    return Tried(alias, deployment, 1, 0, failure, status, 0.1, excluded)


def words(*trail, names=NAMES):
    return in_words(compact(trail), names)


def test_an_outage_that_led_to_another_alias_is_told_in_order():
    told = words(
        tried(failure=FailureClass.UPSTREAM, status=503),
        Waited(0.3, told=False),
        Left(CHEAP, ChainKind.GENERAL),
        tried(BALANCED, B),
    )
    assert told == (
        Step(
            Mood.FAILED,
            "anthropic/haiku (dep-a) was asked for cheap and failed with 503: a fault of the "
            "provider.",
        ),
        Step(Mood.WENT_ON, "The gateway waited 0.3 s before the next attempt."),
        Step(Mood.WENT_ON, "The fallback chain for failures begins."),
        Step(Mood.ANSWERED, "dep-b answered for balanced."),
    )


def test_who_was_passed_over_comes_before_who_answered():
    excluded = (Exclusion(B, Why.COOLING, "cooling"), Exclusion(A, Why.TAGS, "tags"))
    assert [(step.mood, step.text) for step in words(tried(excluded=excluded))] == [
        (Mood.PASSED_OVER, "dep-b was passed over: it is cooling down after failures."),
        (
            Mood.PASSED_OVER,
            "anthropic/haiku (dep-a) was passed over: it does not have the request's tags.",
        ),
        (Mood.ANSWERED, "anthropic/haiku (dep-a) answered for cheap."),
    ]


@pytest.mark.parametrize(
    ("record", "mood", "says"),
    [
        (Waited(2.5, told=True), Mood.WENT_ON, "waited 2.5 s, as the provider had asked"),
        (Left(CHEAP, None), Mood.FAILED, "no fallback chain"),
        (Left(CHEAP, ChainKind.CONTEXT_WINDOW), Mood.WENT_ON, "prompts that are too long"),
        (Skipped(BALANCED, ()), Mood.PASSED_OVER, "there is no such alias"),
        (Withheld(BALANCED), Mood.PASSED_OVER, "the key may not use it"),
        (Drilled(CHEAP, ChainKind.GENERAL), Mood.FAILED, "by a drill (general)"),
        (Ended("gave up"), Mood.FAILED, "the request was given up"),
        (Noted("auto: phase draft -> cheap"), Mood.WENT_ON, "Auto: phase draft -> cheap."),
        (Lost(A, 41200, 47_400_000), Mood.WENT_ON, "41,200 tokens were warm"),
        (Lost(A, 9, 0), Mood.WENT_ON, "read anew elsewhere."),
    ],
)
def test_each_record_has_its_sentence(record, mood, says):
    (step,) = words(record)
    assert step.mood is mood
    assert says in step.text


def test_a_skipped_alias_names_each_deployment_and_its_reason():
    excluded = (Exclusion(A, Why.BUDGET, "x"), Exclusion(B, Why.LIMIT, "y"))
    texts = [step.text for step in words(Skipped(BALANCED, excluded))]
    assert texts == [
        "balanced was skipped: nobody could serve there.",
        "anthropic/haiku (dep-a) was passed over: it has no budget left.",
        "dep-b was passed over: it is at its rate limit in this minute.",
    ]


@pytest.mark.parametrize("kind", list(FailureClass))
def test_every_class_of_failure_has_words(kind):
    (step,) = words(tried(failure=kind, status=500))
    assert not step.text.endswith(f": {kind.value}.")


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_for_passing_over_has_words(why):
    first, *_ = words(tried(excluded=(Exclusion(B, why, ""),)))
    assert first.text.startswith("dep-b was passed over: it ")
    assert not first.text.endswith(f"it {why.value}.")


@pytest.mark.parametrize("layer", ["response cache", "semantic cache"])
def test_an_answer_of_a_cache_says_that_nobody_was_called(layer):
    (step,) = in_words(layer)
    assert step.mood is Mood.ANSWERED
    assert "no provider was called" in step.text


def test_nothing_is_said_of_nothing():
    assert in_words("") == ()


def test_a_trail_that_was_cut_says_so():
    trail = [tried(failure=FailureClass.TIMEOUT, status=408) for _ in range(200)]
    text = compact(trail)
    assert len(text) == LONGEST_TEXT
    assert in_words(text)[-1].text == "The rest was too long to be kept."


@given(st.text(max_size=300))
def test_any_text_is_told_and_none_is_lost_silently(text):
    assert bool(in_words(text)) == bool(text)
