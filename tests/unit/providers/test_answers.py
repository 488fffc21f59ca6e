"""The short way for plain answers: the same as the long way, or none at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import anthropic_wire, openai_wire
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.ports import Inbound
from tiergate.providers.answers import read_same
from tiergate.wire.members import Members

ASKED = "the alias"


def inbound(operation: Operation = Operation.CHAT) -> Inbound:
    return Inbound(
        call_id="id",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=operation,
        asked=ASKED,
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(b"{}"),
    )


def read(body, dialect=Dialect.OPENAI, operation=Operation.CHAT):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_same(raw, inbound(operation), dialect)


@pytest.mark.parametrize(
    ("body", "dialect", "operation"),
    [
        (openai_wire.completion("hi"), Dialect.OPENAI, Operation.CHAT),
        (openai_wire.text_completion("hi"), Dialect.OPENAI, Operation.COMPLETION),
        (openai_wire.embeddings([[0.5]]), Dialect.OPENAI, Operation.EMBEDDING),
        (anthropic_wire.message("hi"), Dialect.ANTHROPIC, Operation.CHAT),
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_an_answer_keeps_every_byte_but_the_models_name(body, dialect, operation, separators):
    raw = json.dumps(body, separators=separators).encode()
    found = read(raw, dialect, operation)

    model = json.dumps(body["model"]).encode()
    assert found.body == raw.replace(model, json.dumps(ASKED).encode())
    assert not found.refused
    assert found.usage.prompt_total > 0


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (openai_wire.completion("no", finish_reason="content_filter"), Dialect.OPENAI),
        (anthropic_wire.message("no", stop_reason="refusal"), Dialect.ANTHROPIC),
    ],
)
def test_a_refusal_is_noted(body, dialect):
    assert read(body, dialect).refused


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"model": "m"},
        {"model": "m", "choices": 5},
        {"model": "m", "choices": [5]},
        {"model": "m", "choices": [], "usage": 5},
        {**openai_wire.completion("x"), "error": {"message": "down"}},
        {**openai_wire.completion("x"), "error": None},
        [],
        5,
        None,
        b'{"choices":[],"model" : "m"}',
        b'{"choices":[{"model":"m"}],"model":"m"}',
    ],
)
def test_what_is_unusual_is_left_to_the_long_way(body):
    assert read(body) is None


def test_text_that_looks_like_a_model_is_not_touched():
    body = openai_wire.completion('"model":"m", "model": "m"')
    body["model"] = "m"
    found = json.loads(read(body).body)
    assert found["choices"] == body["choices"]
    assert found["model"] == ASKED


@given(st.text())
def test_any_text_comes_through(text):
    body = anthropic_wire.message(text)
    found = json.loads(read(body, Dialect.ANTHROPIC).body)
    assert found == {**body, "model": ASKED}
