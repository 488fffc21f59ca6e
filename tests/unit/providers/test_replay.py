"""A whole answer played as a stream is the same answer."""

from __future__ import annotations

import json

import pytest

from tiergate.base.errors import Failure
from tiergate.base.values import AliasName, DeploymentId, Dialect, Operation
from tiergate.core.catalog import Deployment
from tiergate.ports import Inbound
from tiergate.providers.codec import ProviderCodec
from tiergate.wire.members import Members

CHAT = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "hello",
                "tool_calls": [
                    {
                        "id": "t1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":1}'},
                    }
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def deployment(dialect: Dialect) -> Deployment:
    return Deployment(
        id=DeploymentId("d"),
        alias=AliasName("cheap"),
        provider=dialect.value,
        dialect=dialect,
        model="m",
        api_base="http://127.0.0.1:1",
    )


def inbound(dialect: Dialect, operation: Operation = Operation.CHAT) -> Inbound:
    return Inbound(
        call_id="id",
        received=0.0,
        wall=0.0,
        dialect=dialect,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=True,
        include_usage=True,
        members=Members.read(b'{"model":"cheap"}'),
    )


def play(caller: Dialect, host: Dialect, body: object):
    codec = ProviderCodec(lambda: 1.0, lambda start: f"{start}1")
    return codec.replay(inbound(caller), deployment(host), json.dumps(body).encode())


@pytest.mark.parametrize("host", list(Dialect))
def test_an_openai_caller_gets_chunks_and_an_end(host):
    reader, played = play(Dialect.OPENAI, host, CHAT if host is Dialect.OPENAI else MESSAGE)

    events = [e[6:] for e in played.split(b"\n\n") if e.startswith(b"data: ")]
    chunks = [json.loads(e) for e in events[:-1]]
    deltas = [c["choices"][0]["delta"] for c in chunks if c["choices"]]
    assert events[-1] == b"[DONE]"
    assert {c["model"] for c in chunks} == {"cheap"}
    assert "".join(d.get("content") or "" for d in deltas) == "hello"
    calls = [call for d in deltas for call in d.get("tool_calls") or []]
    assert calls[0]["id"] == "t1"
    assert json.loads("".join(c["function"].get("arguments") or "" for c in calls)) == {"a": 1}
    assert [c["choices"] for c in chunks if c.get("usage")] == [[]]
    assert reader.ended and reader.content and reader.usage.output == 2


@pytest.mark.parametrize("host", list(Dialect))
def test_an_anthropic_caller_gets_events_and_an_end(host):
    reader, played = play(Dialect.ANTHROPIC, host, CHAT if host is Dialect.OPENAI else MESSAGE)

    bodies = [json.loads(line[6:]) for line in played.split(b"\n") if line.startswith(b"data: ")]
    kinds = [b["type"] for b in bodies]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
    assert bodies[0]["message"]["model"] == "cheap"
    texts = [b["delta"].get("text", "") for b in bodies if b["type"] == "content_block_delta"]
    assert "".join(texts) == "hello"
    if host is Dialect.ANTHROPIC:
        signatures = [b["delta"].get("signature") for b in bodies if "delta" in b]
        assert "c2ln" in signatures
    assert reader.usage.input == 3


def test_an_error_inside_the_answer_stays_an_error():
    failure = play(Dialect.OPENAI, Dialect.OPENAI, {"error": {"message": "teapot"}})

    assert isinstance(failure, Failure)
    assert failure.message == "teapot"


def test_what_has_no_streamed_form_is_refused():
    codec = ProviderCodec(lambda: 1.0, lambda start: f"{start}1")
    asked = inbound(Dialect.OPENAI, Operation.COMPLETION)
    found = codec.replay(asked, deployment(Dialect.OPENAI), b"{}")

    assert isinstance(found, Failure)


def test_how_much_was_said_is_known_at_once():
    told, _ = play(Dialect.OPENAI, Dialect.OPENAI, CHAT)
    counted, _ = play(Dialect.OPENAI, Dialect.OPENAI, {**CHAT, "usage": None})

    assert (told.metered, counted.metered, counted.usage) == (True, False, None)
    assert (counted.said_pieces, counted.said_bytes) == (2, len("hello") + len('f{"a":1}'))
