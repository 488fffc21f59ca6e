"""Requests of both dialects are read for route, question, tools and schema."""

from __future__ import annotations

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.call import (
    Call,
    Dialect,
    MalformedError,
    Tool,
    dialect_of,
    read_body,
    route_of,
    tokens_of,
)
from tiergate.mock.rules import Endpoint


def call(
    body: JsonObject,
    endpoint: Endpoint = Endpoint.CHAT,
    dialect: Dialect = Dialect.OPENAI,
) -> Call:
    return Call(1, 0, endpoint, dialect, "m", body)


def said(*contents: Json, role: str = "user") -> JsonObject:
    return {"messages": [{"role": role, "content": content} for content in contents]}


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(
    ("path", "endpoint", "method", "model"),
    [
        ("/messages", Endpoint.MESSAGES, "POST", ""),
        ("/messages/count_tokens", Endpoint.COUNT_TOKENS, "POST", ""),
        ("/chat/completions", Endpoint.CHAT, "POST", ""),
        ("/completions/", Endpoint.COMPLETIONS, "POST", ""),
        ("/embeddings", Endpoint.EMBEDDINGS, "POST", ""),
        ("/models", Endpoint.MODELS, "GET", ""),
        ("/models/org/m-1", Endpoint.MODELS, "GET", "org/m-1"),
    ],
)
def test_each_route_is_found_with_and_without_its_version(
    prefix: str, path: str, endpoint: Endpoint, method: str, model: str
) -> None:
    route = route_of(prefix + path)
    assert route is not None
    assert (route.endpoint, route.method, route.model) == (endpoint, method, model)


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/messages", "/chat", "/v1/responses"])
def test_other_paths_lead_nowhere(path: str) -> None:
    assert route_of(path) is None


def test_the_models_route_tells_the_dialect_by_its_headers() -> None:
    assert dialect_of("/v1/models", {"anthropic-version": "2023-06-01"}) is Dialect.ANTHROPIC
    assert dialect_of("/v1/models", {}) is Dialect.OPENAI
    assert dialect_of("/v1/messages/count_tokens", {}) is Dialect.ANTHROPIC


@pytest.mark.parametrize(
    ("endpoint", "body", "told"),
    [
        (Endpoint.CHAT, b'{"model": "m"', "not valid JSON"),
        (Endpoint.CHAT, b"\xff", "not valid JSON"),
        (Endpoint.CHAT, b"[" * 100_000, "nested too deeply|not valid JSON"),
        (Endpoint.CHAT, b"[]", "must be a JSON object"),
        (Endpoint.CHAT, b'{"messages": [{}]}', "model: Field required"),
        (Endpoint.CHAT, b'{"model": "m"}', "messages: Field required"),
        (Endpoint.CHAT, b'{"model": 5, "messages": [{}]}', "model: Input should be"),
        (Endpoint.MESSAGES, b'{"model": "m", "messages": [{}]}', "max_tokens: Field required"),
        (Endpoint.COMPLETIONS, b'{"model": "m"}', "prompt: Field required"),
        (Endpoint.EMBEDDINGS, b'{"model": "m"}', "input: Field required"),
    ],
)
def test_a_malformed_body_is_refused(endpoint: Endpoint, body: bytes, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        read_body(endpoint, body)


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("hi", "hi"),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "b"),
        ([{"type": "image"}, "odd", {"type": "input_text", "text": "c"}], "c"),
        ([{"type": "image"}], ""),
        (None, ""),
    ],
)
def test_the_question_is_the_last_text_of_the_user(content: Json, question: str) -> None:
    assert call(said(content)).question == question


def test_a_tool_result_does_not_hide_the_question() -> None:
    result: Json = [{"type": "tool_result", "content": "42"}]
    body = said("what is it?", result)
    assert call(body).question == "what is it?"
    assert call(body).brings_tool_result
    assert call(said("42", role="tool")).brings_tool_result
    assert not call(said("what is it?")).brings_tool_result
    assert not call({}).brings_tool_result


def test_the_question_of_other_routes_is_their_input() -> None:
    assert call({"prompt": ["a", "b"]}, Endpoint.COMPLETIONS).question == "b"
    assert call({"input": "c"}, Endpoint.EMBEDDINGS).question == "c"
    assert call({"input": [1, 2]}, Endpoint.EMBEDDINGS).question == ""


def test_tools_of_both_dialects_are_read() -> None:
    schema: JsonObject = {"type": "object"}
    tools: list[Json] = [
        {"type": "function", "function": {"name": "a", "parameters": schema}},
        {"name": "b", "input_schema": schema},
        {"name": "c"},
        {"type": "odd"},
        5,
    ]
    assert call({"tools": tools}).tools == (Tool("a", schema), Tool("b", schema), Tool("c", {}))


def test_the_limit_of_the_answer_is_read_under_both_names() -> None:
    assert call({"max_tokens": 5}).max_tokens == 5
    assert call({"max_completion_tokens": 6, "max_tokens": 5}).max_tokens == 6
    assert call({"max_tokens": True}).max_tokens is None
    assert call({}).max_tokens is None


def test_a_schema_for_the_answer_is_read_in_both_dialects() -> None:
    schema: JsonObject = {"type": "object"}
    openai: JsonObject = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert call({"response_format": openai}).answer_schema == schema
    assert call({"response_format": {"type": "json_object"}}).answer_schema == {}
    assert call({"response_format": {"type": "text"}}).answer_schema is None
    wanted: JsonObject = {"format": {"type": "json_schema", "schema": schema}}
    body: JsonObject = {"output_config": wanted}
    assert call(body, Endpoint.MESSAGES, Dialect.ANTHROPIC).answer_schema == schema
    assert call({}, Endpoint.MESSAGES, Dialect.ANTHROPIC).answer_schema is None


def test_a_prompt_has_a_quarter_of_its_characters_in_tokens() -> None:
    messages = '[{"role":"user","content":"hi"}]'
    assert call(said("hi")).input_tokens == tokens_of(messages) == 8
    assert tokens_of("") == 1


def test_only_true_asks_for_a_stream() -> None:
    assert call({"stream": True}).stream
    assert not call({"stream": 1}).stream
    assert not call({}).stream
