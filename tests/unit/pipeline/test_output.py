"""The longest answer of a request: by what is really sent, and upwards where that is unclear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.attempts import deployment
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.pipeline.output import output_limit
from tiergate.ports import Inbound
from tiergate.wire.members import Members

AT = deployment("cheap", "a")
USUAL = 900


def inbound(body: str, operation: Operation, dialect: Dialect = Dialect.OPENAI) -> Inbound:
    return Inbound(
        call_id="id",
        received=0.0,
        wall=0.0,
        dialect=dialect,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(body.encode()),
    )


def limit(body: str, operation: Operation = Operation.CHAT, at=AT) -> int:
    return output_limit(inbound(body, operation), at, USUAL)


def test_an_embedding_writes_nothing():
    assert limit('{"max_tokens": 50, "n": 3}', Operation.EMBEDDING) == 0


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_callers_limit_counts(name):
    assert limit(f'{{"{name}": 50}}') == 50


def test_of_two_limits_the_larger_counts():
    assert limit('{"max_tokens": 50, "max_completion_tokens": 70}') == 70
    assert limit('{"max_tokens": 70, "max_completion_tokens": 50}') == 70


@pytest.mark.parametrize("value", ["null", '"70"', "{}", "[]", "-1"])
def test_a_limit_that_is_none_leaves_the_usual_one(value):
    assert limit(f'{{"max_tokens": {value}}}') == USUAL


@pytest.mark.parametrize(("value", "tokens"), [("0", 0), ("1e3", 1000), ("10.2", 11)])
def test_numbers_are_rounded_up(value, tokens):
    assert limit(f'{{"max_tokens": {value}}}') == tokens


def test_a_limit_that_does_not_reach_the_provider_binds_nobody():
    dropping = deployment("cheap", "a", additional_drop_params=frozenset({"max_tokens", "n"}))
    assert limit('{"max_tokens": 5, "n": 4}', at=dropping) == USUAL
    assert limit('{"max_tokens": 5, "max_completion_tokens": 6}', at=dropping) == 6


@given(st.integers(1, 200), st.integers(1, 200))
def test_every_choice_is_paid_for(choices, best):
    body = f'{{"max_tokens": 10, "n": {choices}, "best_of": {best}}}'
    assert limit(body) == 10 * max(choices, best)


@pytest.mark.parametrize("value", ["0", "-3", "null", '"7"', "true"])
def test_there_is_at_least_one_choice(value):
    assert limit(f'{{"max_tokens": 10, "n": {value}}}') == 10


@pytest.mark.parametrize(
    ("prompt", "answers"),
    [
        ('"one"', 1),
        ('["one"]', 1),
        ('["one", "two", "three"]', 3),
        ("[1, 2, 3]", 1),
        ("[[1, 2], [3]]", 2),
        ("[]", 1),
        ("null", 1),
    ],
)
def test_a_completion_answers_each_of_its_prompts(prompt, answers):
    body = f'{{"prompt": {prompt}, "max_tokens": 10, "n": 2}}'
    assert limit(body, Operation.COMPLETION) == 20 * answers
    assert limit(f'{{"prompt": {prompt}}}', Operation.COMPLETION) == USUAL * answers


def test_a_prompt_is_no_part_of_a_chat():
    assert limit('{"prompt": ["one", "two"], "max_tokens": 10}') == 10


def test_what_cannot_be_read_multiplies_nothing():
    assert limit('{"prompt": [1e400], "max_tokens": 10}', Operation.COMPLETION) == 10
