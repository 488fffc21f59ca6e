"""One form of an answer becomes the other, and says the same."""

from __future__ import annotations

import json

import pytest

from support import anthropic_wire, openai_wire
from tiergate.base.values import AliasName, Dialect, Operation, Usage
from tiergate.ports import Inbound
from tiergate.providers.forms import AnswerForms
from tiergate.wire.members import Members

FORMS = AnswerForms(lambda: 7.0)
USAGE = Usage(input=11, output=7)
CHAT = openai_wire.completion("hello")
MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "cheap",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 7},
}


def asked(dialect: Dialect, *, usage: bool = False, operation=Operation.CHAT) -> Inbound:
    return Inbound(
        call_id="c",
        received=0.0,
        wall=0.0,
        dialect=dialect,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=True,
        include_usage=usage,
        members=Members.read(b'{"model":"cheap"}'),
    )


def there_and_back(dialect: Dialect, body) -> dict[str, object]:
    stream = FORMS.as_stream(asked(dialect), json.dumps(body).encode())
    assert stream is not None
    back = FORMS.as_plain(asked(dialect), stream, USAGE)
    assert back is not None
    return json.loads(back)


def test_a_message_survives_the_way_there_and_back():
    again = there_and_back(Dialect.ANTHROPIC, MESSAGE)
    for name in ("id", "role", "model", "content", "stop_reason"):
        assert again[name] == MESSAGE[name], name
    assert again["usage"]["input_tokens"] == 11
    assert again["usage"]["output_tokens"] == 7


def test_a_completion_survives_the_way_there_and_back():
    again = there_and_back(Dialect.OPENAI, CHAT)
    choice, first = again["choices"][0], CHAT["choices"][0]
    assert choice["message"]["content"] == first["message"]["content"]
    assert choice["finish_reason"] == first["finish_reason"]
    assert (again["id"], again["created"]) == (CHAT["id"], CHAT["created"])
    assert again["usage"]["completion_tokens"] == 7


@pytest.mark.parametrize("usage", [False, True])
def test_the_usage_chunk_is_there_if_asked_for(usage):
    stream = FORMS.as_stream(asked(Dialect.OPENAI, usage=usage), json.dumps(CHAT).encode())
    assert stream is not None
    assert (b'"usage":{' in stream) is usage
    assert stream.endswith(b"data: [DONE]\n\n")


def test_text_completions_and_vectors_have_one_form():
    for operation in (Operation.COMPLETION, Operation.EMBEDDING):
        one = asked(Dialect.OPENAI, operation=operation)
        assert FORMS.as_stream(one, b"{}") is None
        assert FORMS.as_plain(one, b"data: [DONE]\n\n", None) is None


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("body", [b"", b"no json", b"{}", b"[]", b'{"choices":[]}'])
def test_what_is_no_answer_becomes_no_stream(dialect, body):
    assert FORMS.as_stream(asked(dialect), body) is None


@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_is_no_whole_stream_becomes_no_answer(dialect):
    wire = anthropic_wire if dialect is Dialect.ANTHROPIC else openai_wire
    events = list(wire.text_events("hello"))
    assert FORMS.as_plain(asked(dialect), b"".join(events), USAGE) is not None
    assert FORMS.as_plain(asked(dialect), b"".join(events[:3]), USAGE) is None
    assert FORMS.as_plain(asked(dialect), b"", USAGE) is None
    error = b'event: error\ndata: {"type":"error","error":{"message":"down"}}\n\n'
    assert FORMS.as_plain(asked(dialect), b"".join(events[:3]) + error, USAGE) is None


def test_an_event_that_never_ends_becomes_no_answer(monkeypatch):
    monkeypatch.setattr("tiergate.providers.sse.MAX_EVENT_BYTES", 10)
    assert FORMS.as_plain(asked(Dialect.OPENAI), b"data: " + b"x" * 99, None) is None
