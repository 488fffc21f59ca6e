"""A canonical ask as the bytes of a Messages request."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversations import asks
from tiergate.base.chat import (
    Ask,
    Bytes64,
    CacheMark,
    Document,
    FileId,
    Image,
    Link,
    Role,
    Text,
    Turn,
)
from tiergate.base.errors import Refused, Untranslatable
from tiergate.base.values import Dialect
from tiergate.providers.anthropic import decode_ask, encode_ask, encode_count
from tiergate.providers.facts import facts_for
from tiergate.providers.openai import decode_ask as decode_chat
from tiergate.providers.target import EncodeTarget


def target(model="claude-sonnet-4-5", **more):
    return EncodeTarget(model=model, facts=facts_for("anthropic", model), **more)


def chat(*messages, **fields):
    """Encode a chat completions request; return body and losses."""
    settings = {
        key: fields.pop(key) for key in ("drop_params", "default_max_tokens") if key in fields
    }
    ask = decode_chat({"model": "cheap", "messages": list(messages), **fields})
    encoded = encode_ask(ask, target(**settings))
    return json.loads(encoded.body), encoded.losses


HI = {"role": "user", "content": "hi"}


def test_the_smallest_request_has_model_limit_and_message():
    body, losses = chat(HI)

    assert body == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 16_384,
        "messages": [{"role": "user", "content": "hi"}],
    }
    assert losses == ()


def test_a_stream_is_asked_for_when_the_target_says_so_and_not_the_caller():
    ask = decode_chat({"model": "x", "messages": [HI], "stream": True})

    assert "stream" not in json.loads(encode_ask(ask, target()).body)
    assert json.loads(encode_ask(ask, target(stream=True)).body)["stream"] is True


def test_everything_at_once_is_written_in_one_fixed_order():
    body, losses = chat(
        {"role": "system", "content": "Be brief."},
        HI,
        max_completion_tokens=500,
        temperature=0.5,
        top_k=3,
        stop=["END"],
        user="ann",
        service_tier="default",
        tools=[{"type": "function", "function": {"name": "look", "parameters": {}}}],
        tool_choice="required",
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}},
        },
        cache_control={"type": "ephemeral"},
    )

    assert list(body) == [
        "model",
        "max_tokens",
        "cache_control",
        "system",
        "tools",
        "tool_choice",
        "output_config",
        "temperature",
        "top_k",
        "stop_sequences",
        "metadata",
        "service_tier",
        "messages",
    ]
    assert body["metadata"] == {"user_id": "ann"}
    assert body["service_tier"] == "standard_only"
    assert losses == ()


def test_the_same_ask_gives_the_same_bytes():
    ask = decode_chat(
        {
            "model": "x",
            "messages": [
                {"role": "system", "content": "a"},
                HI,
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "id": "a.b",
                            "type": "function",
                            "function": {"name": "x.y", "arguments": '{"z": 1, "a": 2}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "a.b", "content": "ok"},
            ],
        }
    )

    assert len({encode_ask(ask, target()).body for _ in range(5)}) == 1
    assert b'{"z": 1, "a": 2}' in encode_ask(ask, target()).body


def test_an_uploaded_file_brings_its_beta_flag():
    ask = Ask(
        dialect=Dialect.ANTHROPIC,
        model="x",
        turns=(Turn(Role.USER, (Document(FileId("file_1", Dialect.ANTHROPIC)),)),),
    )

    encoded = encode_ask(ask, target())

    assert encoded.headers == (("anthropic-beta", "files-api-2025-04-14"),)


def test_renamed_tools_are_told_so_that_answers_can_be_named_back():
    ask = decode_chat(
        {
            "model": "x",
            "messages": [HI],
            "tools": [{"type": "function", "function": {"name": "a.b", "parameters": {}}}],
            "tool_choice": {"type": "function", "function": {"name": "a.b"}},
        }
    )

    encoded = encode_ask(ask, target())
    body = json.loads(encoded.body)
    sent = body["tools"][0]["name"]

    assert encoded.renames == {sent: "a.b"}
    assert body["tool_choice"] == {"type": "tool", "name": sent}


def test_a_count_has_only_the_members_that_a_count_takes():
    ask = decode_chat(
        {
            "model": "x",
            "messages": [{"role": "system", "content": "s"}, HI],
            "max_tokens": 5,
            "temperature": 0.1,
            "stop": "x",
            "user": "ann",
            "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
        }
    )

    assert list(json.loads(encode_count(ask, target(stream=True)))) == [
        "model",
        "system",
        "tools",
        "messages",
    ]


NATIVE = {
    "model": "claude-x",
    "max_tokens": 2000,
    "cache_control": {"type": "ephemeral"},
    "system": [
        {"type": "text", "text": "one"},
        {"type": "text", "text": "two", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "tools": [
        {"name": "a", "description": "d", "input_schema": {"type": "object"}, "strict": True},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
    "output_config": {
        "task_budget": {"type": "tokens", "total": 5},
        "effort": "low",
        "format": {"type": "json_schema", "schema": {"type": "object", "minProperties": 1}},
    },
    "temperature": 1,
    "top_p": 0.9,
    "top_k": 4,
    "stop_sequences": ["END", "\n"],
    "metadata": {"tags": ["x"], "user_id": "ann"},
    "service_tier": "auto",
    "context_management": {"edits": []},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "url", "url": "https://a.example/i.png"}},
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "t"},
                    "title": "T",
                    "context": "C",
                    "citations": {"enabled": True},
                },
                {"type": "search_result", "source": "s", "title": "t", "content": []},
                {"type": "text", "text": "go", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "xx"},
                {"type": "text", "text": "cited", "citations": [{"type": "char_location"}]},
                {"type": "tool_use", "id": "t1", "name": "a", "input": {"k": [1, 2.5, "é"]}},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [
                        {"type": "text", "text": "r", "cache_control": {"type": "ephemeral"}}
                    ],
                    "is_error": True,
                    "cache_control": {"type": "ephemeral"},
                }
            ],
        },
        {"role": "system", "content": "from now on be brief"},
        {"role": "assistant", "content": "Well"},
    ],
    "stream": True,
}  # fmt: skip


def test_an_anthropic_request_survives_both_ways():
    body = json.loads(encode_ask(decode_ask(NATIVE), target("claude-x", stream=True)).body)

    assert body == NATIVE


@given(asks, st.sampled_from(["claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-5-5", "house"]))
def test_an_anthropic_ask_means_the_same_after_a_round_trip(ask, model):
    """Blank texts, which the provider refuses, are the one thing that goes."""
    if ask.dialect is not Dialect.ANTHROPIC:
        return
    try:
        first = encode_ask(ask, target(model))
    except Untranslatable:
        return

    again = encode_ask(decode_ask(json.loads(first.body)), target(model))

    assert json.loads(again.body) == json.loads(first.body)


@given(
    asks,
    st.sampled_from(
        ["claude-3-5-haiku", "claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-5-5"]
    ),
    st.booleans(),
)
def test_any_ask_is_encoded_or_named_untranslatable(ask, model, lenient):
    refusal = None
    try:
        encoded = encode_ask(ask, target(model, drop_params=lenient))
    except Untranslatable as exc:
        refusal = exc.message
    if refusal is not None:
        assert refusal.endswith(".")
        return
    body = json.loads(encoded.body)

    assert body["max_tokens"] >= 1
    assert all(word.isascii() and " " not in word for word in encoded.losses)
    assert len(set(encoded.losses)) == len(encoded.losses)
    if ask.dialect is Dialect.OPENAI:
        check_valid(body)


def check_valid(body) -> None:
    """What the provider would refuse in any request."""
    roles = [message["role"] for message in body["messages"]]
    assert roles == [("user", "assistant")[i % 2] for i in range(len(roles))]
    for message in body["messages"]:
        content = message["content"]
        if isinstance(content, str):
            assert content.strip()
            continue
        assert content
        kinds = [block["type"] for block in content]
        assert (
            kinds == sorted(kinds, key=lambda kind: kind != "tool_result")
            or "tool_result" not in kinds
        )
        assert all(block["text"].strip() for block in content if block["type"] == "text")
    assert all(block["text"].strip() for block in body.get("system", ()))
    assert "tool_choice" not in body or body["tools"]
    for tool in body.get("tools", ()):
        assert "input_schema" not in tool or tool["input_schema"]["type"] == "object"
    thinking = body.get("thinking", {})
    if thinking.get("type") == "enabled":
        assert body.get("temperature", 1) == 1
        assert body.get("tool_choice", {}).get("type") not in ("any", "tool")


@pytest.mark.parametrize(
    ("part", "word"),
    [
        (Document(Bytes64("application/zip", "AAAA")), "application/zip"),
        (Image(FileId("file-9", Dialect.OPENAI)), "file-9"),
    ],
)
def test_what_cannot_be_sent_is_named(part, word):
    ask = Ask(dialect=Dialect.OPENAI, model="x", turns=(Turn(Role.USER, (part,)),))

    with pytest.raises(Untranslatable, match=word):
        encode_ask(ask, target())


def test_marks_stay_exactly_as_the_caller_wrote_them():
    mark = CacheMark({"type": "ephemeral", "ttl": "1h", "scope": "x"})
    ask = Ask(
        dialect=Dialect.OPENAI,
        model="x",
        turns=(
            Turn(Role.SYSTEM, (Text("s", cache=mark),)),
            Turn(Role.USER, (Image(Link("https://a.example/i"), cache=mark), Text("t"))),
        ),
    )

    body = json.loads(encode_ask(ask, target()).body)

    assert body["system"][0]["cache_control"] == dict(mark.raw)
    assert body["messages"][0]["content"][0]["cache_control"] == dict(mark.raw)
    assert json.dumps(body).count("cache_control") == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "role", "source", "id", "name", "input"]),
            inner
            | st.sampled_from(["text", "user", "tool_use", "tool_result", "image", "base64"]),
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(NATIVE)), json_values))
def test_any_json_is_read_or_refused(body):
    found: Ask | Refused
    try:
        found = decode_ask({"model": "m", **body})
    except Refused as exc:
        found = exc
    if isinstance(found, Refused):
        assert found.status == 400
        assert found.param
    else:
        assert found.model
