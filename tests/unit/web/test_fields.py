"""Known fields have known types; what is not known is not looked at."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.errors import Refused
from tiergate.base.values import Dialect, Operation
from tiergate.web.fields import read_fields
from tiergate.wire.members import BodyError, Members

CHAT = {"model": "cheap", "messages": [{"role": "user", "content": "hi"}]}


def read(body, dialect=Dialect.OPENAI, operation=Operation.CHAT):
    return read_fields(Members.read(json.dumps(body).encode()), dialect, operation)


def refusal(body, dialect=Dialect.OPENAI, operation=Operation.CHAT) -> Refused:
    with pytest.raises(Refused) as caught:
        read(body, dialect, operation)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("temperature", "hot", "`temperature` must be a number, not a string."),
        ("max_tokens", "10", "`max_tokens` must be a whole number, not a string."),
        ("max_tokens", 1.5, "`max_tokens` must be a whole number, not a number."),
        ("max_tokens", True, "`max_tokens` must be a whole number, not true or false."),
        ("stream", "yes", "`stream` must be true or false, not a string."),
        ("stream", 1, "`stream` must be true or false, not a whole number."),
        ("model", 5, "`model` must be a string, not a whole number."),
        ("tools", {}, "`tools` must be a list."),
        ("metadata", [], "`metadata` must be an object, not a list."),
        ("stop", 5, "`stop` must be a string or a list, not a whole number."),
        ("tool_choice", 5, "`tool_choice` must be a string or an object, not a whole number."),
        ("stream_options", [], "`stream_options` must be an object, not a list."),
    ],
)
def test_a_wrong_type_is_named_with_what_it_must_be(field, value, told):
    refused = refusal({**CHAT, field: value})

    assert (refused.message, refused.param, refused.code) == (told, field, "invalid_type")


def test_the_place_inside_a_field_is_named():
    refused = refusal({**CHAT, "stream_options": {"include_usage": "yes"}})

    assert "`stream_options.include_usage` must be true or false" in refused.message
    assert refused.param == "stream_options"


@pytest.mark.parametrize("field", ["temperature", "max_tokens", "stream", "tools", "metadata"])
@pytest.mark.parametrize("dialect", Dialect)
def test_null_is_as_good_as_absent(field, dialect):
    read({**CHAT, field: None}, dialect)


def test_a_field_of_the_other_dialect_is_not_looked_at():
    read({**CHAT, "top_k": "many"}, Dialect.OPENAI)
    read({**CHAT, "n": "many"}, Dialect.ANTHROPIC)
    assert refusal({**CHAT, "top_k": "many"}, Dialect.ANTHROPIC).param == "top_k"
    assert refusal({**CHAT, "system": 5}, Dialect.ANTHROPIC).param == "system"


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("messages", ["hi", [], ["hi"], {}, [[{}]], 5])
def test_messages_must_be_a_list_of_objects(messages, dialect):
    assert refusal({**CHAT, "messages": messages}, dialect).param == "messages"


@pytest.mark.parametrize("body", [{"model": "cheap"}, {"model": "cheap", "messages": None}])
def test_messages_are_required(body):
    for operation in (Operation.CHAT, Operation.COUNT_TOKENS):
        assert refusal(body, Dialect.ANTHROPIC, operation).message == "`messages` is required."


def test_space_before_the_first_message_is_allowed():
    body = b'{"model":"cheap","messages":[ \n {"role":"user","content":"x"}]}'
    read_fields(Members.read(body), Dialect.OPENAI, Operation.CHAT)


@pytest.mark.parametrize(
    ("operation", "field"), [(Operation.COMPLETION, "prompt"), (Operation.EMBEDDING, "input")]
)
def test_each_operation_has_its_own_required_field(operation, field):
    assert refusal({"model": "m"}, operation=operation).message == f"`{field}` is required."
    assert refusal({"model": "m", field: 5}, operation=operation).param == field
    for value in ("x", ["x", "y"], [1, 2]):
        read({"model": "m", field: value}, operation=operation)


def test_usage_is_wanted_when_the_options_say_so():
    def wants(**more) -> bool:
        return read({**CHAT, **more}).includes_usage

    assert wants(stream_options={"include_usage": True})
    assert not wants(stream_options={"include_usage": False})
    assert not wants(stream_options={"include_usage": None})
    assert not wants(stream_options=None)
    assert not wants()
    assert not read(CHAT, Dialect.ANTHROPIC).includes_usage


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = [
    "model", "messages", "stream", "temperature", "max_tokens", "tools", "metadata", "stop",
    "stream_options", "system", "prompt", "input", "n", "tool_choice", "thinking", "logprobs",
]  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(NAMES), JSON),
    st.sampled_from(list(Dialect)),
    st.sampled_from(list(Operation)),
)
def test_any_object_is_read_or_refused_with_a_400(body, dialect, operation):
    told: Refused | BodyError | None = None
    try:
        read(body, dialect, operation)
    except (Refused, BodyError) as error:
        told = error
    assert told is None or str(told).endswith(".")
    assert not isinstance(told, Refused) or told.status == 400


def test_deep_nesting_is_refused():
    deep = b'{"metadata":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
    with pytest.raises(BodyError, match="nested too deeply"):
        read_fields(Members.read(deep), Dialect.OPENAI, Operation.CHAT)
