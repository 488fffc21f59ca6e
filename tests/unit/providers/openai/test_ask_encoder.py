"""The ask as a chat completions request."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from tiergate.base.chat import (
    Ask,
    CacheMark,
    ProviderTool,
    Reasoning,
    ResponseFormat,
    Role,
    Text,
    Tool,
    ToolChoice,
    ToolMode,
    ToolUse,
    Turn,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.facts import ModelFacts, facts_for
from tiergate.providers.openai import encode_ask
from tiergate.providers.quirks import Quirk
from tiergate.providers.target import EncodeTarget

GPT_4O = EncodeTarget("gpt-4o", facts_for("openai", "gpt-4o"))
GPT_5 = EncodeTarget("gpt-5", facts_for("openai", "gpt-5"))
GPT_51 = EncodeTarget("gpt-5.1", facts_for("openai", "gpt-5.1"))
OTHER = EncodeTarget("llama", facts_for("together_ai", "llama"))
ASK = Ask(dialect=Dialect.ANTHROPIC, model="cheap", turns=(Turn(Role.USER, (Text("hi"),)),))
SCHEMA: JsonObject = {"type": "object", "properties": {"z": {}, "a": {}}}
TOOL = Tool("f", "d", SCHEMA)
SEARCH = ProviderTool(Dialect.ANTHROPIC, "web_search_20250305", "web_search", {})


def _sent(ask: Ask, target: EncodeTarget = GPT_4O) -> tuple[JsonObject, tuple[str, ...]]:
    encoded = encode_ask(ask, target)
    body: Json = msgspec.json.decode(encoded.body)
    assert isinstance(body, dict)
    return body, encoded.losses


def test_the_smallest_ask_sends_model_and_messages_only() -> None:
    assert encode_ask(ASK, GPT_4O).body == (
        b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'
    )


def test_a_stream_asks_for_usage_unless_the_host_refuses_that() -> None:
    body, _ = _sent(ASK, replace(GPT_4O, stream=True))
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    quirks = frozenset({Quirk.NO_STREAM_OPTIONS})
    body, _ = _sent(ASK, replace(GPT_4O, stream=True, quirks=quirks))
    assert body["stream"] is True
    assert "stream_options" not in body


@pytest.mark.parametrize(
    ("target", "asked", "field", "sent", "lost"),
    [
        (GPT_4O, 77, "max_completion_tokens", 77, ()),
        (GPT_4O, 64_000, "max_completion_tokens", 16_384, ("max_tokens",)),
        (OTHER, 77, "max_tokens", 77, ()),
        (OTHER, 64_000, "max_tokens", 64_000, ()),
        (replace(OTHER, default_max_tokens=9), None, "max_tokens", 9, ()),
    ],
)
def test_the_limit_goes_by_the_name_the_model_knows(
    target: EncodeTarget, asked: int | None, field: str, sent: int, lost: tuple[str, ...]
) -> None:
    body, losses = _sent(replace(ASK, max_tokens=asked), target)
    assert {k: v for k, v in body.items() if k.startswith("max_")} == {field: sent}
    assert losses == lost


def test_a_limit_of_zero_is_refused() -> None:
    ask = replace(ASK, max_tokens=0)
    with pytest.raises(Untranslatable, match="max_tokens 0"):
        encode_ask(ask, GPT_4O)
    assert _sent(ask, replace(GPT_4O, drop_params=True))[0]["max_completion_tokens"] == 1


def test_sampling_is_sent_where_the_model_takes_it() -> None:
    ask = replace(ASK, temperature=0.5, top_p=0.9, top_k=5, stop=("a",), seed=3)
    body, lost = _sent(ask)
    assert body["temperature"] == 0.5
    assert (body["top_p"], body["stop"], body["seed"]) == (0.9, ["a"], 3)
    assert lost == ("top_k",)
    body, lost = _sent(ask, replace(OTHER, quirks=frozenset({Quirk.TOP_K, Quirk.RANDOM_SEED})))
    assert (body["top_k"], body["random_seed"], lost) == (5, 3, ())


def test_reasoning_models_get_no_sampling() -> None:
    assert _sent(replace(ASK, temperature=1, top_p=1), GPT_5)[1] == ()
    body, lost = _sent(replace(ASK, temperature=0.2), GPT_5)
    assert "temperature" not in body
    assert lost == ("temperature",)
    assert _sent(replace(ASK, temperature=0.2), GPT_51)[0]["temperature"] == 0.2
    body, lost = _sent(replace(ASK, temperature=0.2, reasoning=Reasoning("high")), GPT_51)
    assert (body["reasoning_effort"], lost) == ("high", ("temperature",))


def test_stop_sequences_of_a_reasoning_model_are_refused() -> None:
    ask = replace(ASK, stop=("a",))
    with pytest.raises(Untranslatable, match="stop sequences"):
        encode_ask(ask, GPT_5)
    body, lost = _sent(ask, replace(GPT_5, drop_params=True))
    assert "stop" not in body
    assert lost == ("stop_sequences",)


def test_tools_keep_their_schema_and_order() -> None:
    strict = replace(TOOL, name="g", description=None, strict=True)
    body, _ = _sent(replace(ASK, tools=(strict, TOOL)))
    assert body["tools"] == [
        {"type": "function", "function": {"name": "g", "parameters": SCHEMA, "strict": True}},
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}},
    ]
    assert b'"properties":{"z":{},"a":{}}' in encode_ask(replace(ASK, tools=(TOOL,)), GPT_4O).body


@pytest.mark.parametrize(
    ("choice", "fields"),
    [
        (None, {}),
        (ToolChoice(ToolMode.AUTO), {"tool_choice": "auto"}),
        (ToolChoice(ToolMode.NONE), {"tool_choice": "none"}),
        (ToolChoice(ToolMode.ANY), {"tool_choice": "required"}),
        (
            ToolChoice(ToolMode.NAMED, "f", parallel=False),
            {
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "parallel_tool_calls": False,
            },
        ),
        (
            ToolChoice(ToolMode.AUTO, parallel=False),
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
    ],
)
def test_a_choice_keeps_its_meaning(choice: ToolChoice | None, fields: JsonObject) -> None:
    body, lost = _sent(replace(ASK, tools=(TOOL,), tool_choice=choice))
    found = {k: v for k, v in body.items() if k in ("tool_choice", "parallel_tool_calls")}
    assert (found, lost) == (fields, ())


def test_no_choice_is_sent_without_tools() -> None:
    for mode, lost in ((ToolMode.AUTO, ()), (ToolMode.ANY, ("tool_choice",))):
        body, losses = _sent(replace(ASK, tool_choice=ToolChoice(mode, parallel=False)))
        assert not {"tool_choice", "parallel_tool_calls", "tools"} & body.keys()
        assert losses == lost


def test_a_tool_of_another_provider_is_refused_by_name() -> None:
    ask = replace(ASK, tools=(SEARCH,), tool_choice=ToolChoice(ToolMode.AUTO, parallel=False))
    with pytest.raises(Untranslatable, match="web_search"):
        encode_ask(ask, GPT_4O)
    body, lost = _sent(ask, replace(GPT_4O, drop_params=True))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()
    assert lost == ("tools.web_search",)


def test_a_host_without_the_parallel_flag_does_not_get_it() -> None:
    target = replace(OTHER, quirks=frozenset({Quirk.NO_PARALLEL_TOOL_CALLS}))
    for parallel, lost in ((False, ("parallel_tool_calls",)), (True, ())):
        choice = ToolChoice(ToolMode.AUTO, parallel=parallel)
        body, losses = _sent(replace(ASK, tools=(TOOL,), tool_choice=choice), target)
        assert "parallel_tool_calls" not in body
        assert losses == lost


def test_a_model_that_cannot_be_made_to_call_is_not_asked_to() -> None:
    ask = replace(ASK, tools=(TOOL,), tool_choice=ToolChoice(ToolMode.ANY))
    target = EncodeTarget("m", ModelFacts(forced_tool_choice=False))
    with pytest.raises(Untranslatable, match="cannot be made"):
        encode_ask(ask, target)
    body, lost = _sent(ask, replace(target, drop_params=True))
    assert (body["tool_choice"], lost) == ("auto", ("tool_choice",))


def test_a_host_that_reads_no_choice_gets_what_means_the_same() -> None:
    target = replace(OTHER, quirks=frozenset({Quirk.NO_TOOL_CHOICE}))
    ask = replace(ASK, tools=(TOOL,), tool_choice=ToolChoice(ToolMode.AUTO))
    body, lost = _sent(ask, target)
    assert ("tools" in body, "tool_choice" in body, lost) == (True, False, ())
    body, lost = _sent(replace(ask, tool_choice=ToolChoice(ToolMode.NONE)), target)
    assert ("tools" in body, "tool_choice" in body, lost) == (False, False, ())
    with pytest.raises(Untranslatable, match="cannot be made"):
        encode_ask(replace(ask, tool_choice=ToolChoice(ToolMode.ANY)), target)


def test_a_shortened_tool_name_is_the_same_everywhere_and_told() -> None:
    name = "mcp__" + "x" * 90
    ask = replace(
        ASK,
        turns=(*ASK.turns, Turn(Role.ASSISTANT, (ToolUse("a", name, "{}"),)), *ASK.turns),
        tools=(replace(TOOL, name=name),),
        tool_choice=ToolChoice(ToolMode.NAMED, name),
    )
    encoded = encode_ask(ask, GPT_4O)
    (sent,) = encoded.renames
    assert encoded.renames[sent] == name
    assert encoded.body.count(sent.encode()) == 3
    assert name.encode() not in encoded.body


def test_a_schema_for_the_answer_is_strict_where_it_can_be() -> None:
    closed: JsonObject = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    body, lost = _sent(replace(ASK, response_format=ResponseFormat(json=True, schema=closed)))
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": closed, "strict": True},
    }
    assert lost == ()
    _, lost = _sent(replace(ASK, response_format=ResponseFormat(json=True, schema=SCHEMA)))
    assert lost == ("response_format.strict",)


def test_plain_json_and_models_without_schemas() -> None:
    assert _sent(replace(ASK, response_format=ResponseFormat(json=True)))[0][
        "response_format"
    ] == {"type": "json_object"}
    assert (
        "response_format" not in _sent(replace(ASK, response_format=ResponseFormat(json=False)))[0]
    )
    ask = replace(ASK, response_format=ResponseFormat(json=True, schema=SCHEMA))
    target = EncodeTarget("m", ModelFacts(structured_output=False))
    with pytest.raises(Untranslatable, match="JSON schema"):
        encode_ask(ask, target)
    body, lost = _sent(ask, replace(target, drop_params=True))
    assert body["response_format"] == {"type": "json_object"}
    assert lost == ("response_format",)


def test_who_asks_and_at_which_tier_is_kept() -> None:
    body, lost = _sent(replace(ASK, user="u", service_tier="standard_only"))
    assert (body["user"], body["service_tier"], lost) == ("u", "default", ())
    ask = replace(ASK, user="u", service_tier="priority", cache=CacheMark({}))
    assert _sent(ask)[1] == ("service_tier", "cache_control")
    strict = replace(OTHER, quirks=frozenset({Quirk.KNOWN_FIELDS_ONLY}))
    assert _sent(replace(ASK, user="u", service_tier="auto"), strict)[1] == (
        "user",
        "service_tier",
    )
    passing = replace(OTHER, quirks=frozenset({Quirk.CACHE_CONTROL}))
    marked = replace(TOOL, cache=CacheMark({"type": "ephemeral"}))
    body, lost = _sent(replace(ask, service_tier=None, tools=(marked,)), passing)
    assert (body["cache_control"], lost) == ({}, ())
    assert isinstance(tools := body["tools"], list)
    assert isinstance(first := tools[0], dict)
    assert first["cache_control"] == {"type": "ephemeral"}
    assert _sent(replace(ASK, tools=(marked,)))[1] == ("cache_control",)


def test_fields_of_the_other_dialect_are_losses_or_refused() -> None:
    extras: JsonObject = {"context_management": {"edits": []}, "betas": [], "bad\r\nname": 1}
    assert _sent(replace(ASK, extras=extras))[1] == ("context_management", "unknown_field")
    with pytest.raises(Untranslatable, match="mcp_servers"):
        encode_ask(replace(ASK, extras={"mcp_servers": [{"url": "u"}]}), GPT_4O)


def test_fields_of_the_own_dialect_go_on_unchanged() -> None:
    ask = replace(ASK, dialect=Dialect.OPENAI, extras={"n": 2, "logit_bias": {"1": 2}})
    body, lost = _sent(ask)
    assert (body["n"], body["logit_bias"], lost) == (2, {"1": 2}, ())


def test_a_prefill_is_refused_unless_the_model_continues_it() -> None:
    ask = replace(ASK, turns=(*ASK.turns, Turn(Role.ASSISTANT, (Text("{"),))))
    with pytest.raises(Untranslatable, match="continued"):
        encode_ask(ask, GPT_4O)
    assert _sent(ask, replace(GPT_4O, drop_params=True))[1] == ("prefill",)
    body, lost = _sent(ask, replace(OTHER, quirks=frozenset({Quirk.PREFIX_FLAG})))
    assert isinstance(messages := body["messages"], list)
    assert messages[-1] == {"role": "assistant", "content": "{", "prefix": True}
    assert lost == ()


def test_the_same_ask_always_gives_the_same_bytes() -> None:
    ask = replace(ASK, tools=(TOOL,), user="u", reasoning=Reasoning("high"), max_tokens=5)
    assert len({encode_ask(ask, GPT_5).body for _ in range(3)}) == 1
