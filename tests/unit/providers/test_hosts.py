"""Which host a model name means, and where its endpoints are."""

from __future__ import annotations

import pytest

from tiergate.base.values import Dialect, Operation
from tiergate.providers.hosts import (
    ALL_HOSTS,
    endpoint_url,
    find_host,
    nearest_hosts,
    planned_host,
    split_model,
)

CHAT, COUNT = Operation.CHAT, Operation.COUNT_TOKENS
OPENAI, ANTHROPIC = Dialect.OPENAI, Dialect.ANTHROPIC


@pytest.mark.parametrize(
    ("text", "host", "model"),
    [
        ("anthropic/claude-haiku-4-5", "anthropic", "claude-haiku-4-5"),
        ("openai/my-model", "openai", "my-model"),
        ("groq/openai/gpt-oss-20b", "groq", "openai/gpt-oss-20b"),
        ("hosted_vllm/meta-llama/Llama-3", "vllm", "meta-llama/Llama-3"),
        ("vllm/x", "vllm", "x"),
        ("ollama_chat/llama3.2:1b", "ollama", "llama3.2:1b"),
        ("together/x", "together_ai", "x"),
        ("together_ai/x", "together_ai", "x"),
        ("fireworks/llama-v3", "fireworks_ai", "accounts/fireworks/models/llama-v3"),
        ("fireworks_ai/accounts/me/models/x", "fireworks_ai", "accounts/me/models/x"),
        ("openrouter/anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5"),
        ("openrouter/auto", "openrouter", "openrouter/auto"),
        ("gpt-4o", "openai", "gpt-4o"),
        ("gpt-5.1-mini", "openai", "gpt-5.1-mini"),
        ("o3", "openai", "o3"),
        ("o4-mini", "openai", "o4-mini"),
        ("chatgpt-4o-latest", "openai", "chatgpt-4o-latest"),
        ("ft:gpt-4o-mini:org::id", "openai", "ft:gpt-4o-mini:org::id"),
        ("text-embedding-3-small", "openai", "text-embedding-3-small"),
        ("claude-opus-4-6", "anthropic", "claude-opus-4-6"),
    ],
)
def test_a_model_name_means_a_host_and_a_model(text: str, host: str, model: str) -> None:
    found = split_model(text)
    assert found is not None
    assert (found[0].name, found[1]) == (host, model)


@pytest.mark.parametrize(
    "text",
    ["", "llama3", "anthropc/claude", "meta-llama/Llama-3", "openai/", "/x", "azure/gpt-4o", "ox"],
)
def test_an_unknown_name_means_nothing(text: str) -> None:
    assert split_model(text) is None


def test_planned_hosts_are_known_by_name_and_not_served() -> None:
    assert planned_host("azure") == "Azure OpenAI"
    assert planned_host("bedrock") == "Amazon Bedrock"
    assert planned_host("vertex_ai") == "Google Vertex AI"
    assert planned_host("gemini") == "Google Gemini"
    assert planned_host("groq") is None
    assert all(
        planned_host(name) is None for host in ALL_HOSTS for name in (host.name, *host.aliases)
    )


def test_a_misspelt_host_has_its_neighbours_named() -> None:
    assert nearest_hosts("anthropc")[0] == "anthropic"
    assert nearest_hosts("OpenRouter")[0] == "openrouter"
    assert nearest_hosts("zzzzzzzz") == ()


@pytest.mark.parametrize(
    ("base", "dialect", "operation", "url"),
    [
        ("https://api.openai.com/v1", OPENAI, CHAT, "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", OPENAI, CHAT, "https://api.openai.com/v1/chat/completions"),
        ("http://box:8000", OPENAI, CHAT, "http://box:8000/chat/completions"),
        ("http://box/v1/chat/completions", OPENAI, CHAT, "http://box/v1/chat/completions"),
        (
            "http://box/v1/chat/completions",
            OPENAI,
            Operation.EMBEDDING,
            "http://box/v1/embeddings",
        ),
        ("http://box/v1", OPENAI, Operation.COMPLETION, "http://box/v1/completions"),
        ("http://box/v1?x=1", OPENAI, CHAT, "http://box/v1/chat/completions?x=1"),
        ("https://api.anthropic.com", ANTHROPIC, CHAT, "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/", ANTHROPIC, CHAT, "https://api.anthropic.com/v1/messages"),
        ("http://box/anthropic/v1", ANTHROPIC, CHAT, "http://box/anthropic/v1/messages"),
        ("http://box/v1/messages", ANTHROPIC, CHAT, "http://box/v1/messages"),
        ("http://box/v1/messages/", ANTHROPIC, COUNT, "http://box/v1/messages/count_tokens"),
        ("http://box", ANTHROPIC, COUNT, "http://box/v1/messages/count_tokens"),
    ],
)
def test_an_address_is_understood_in_every_usual_form(
    base: str, dialect: Dialect, operation: Operation, url: str
) -> None:
    assert endpoint_url(base, dialect, operation) == url


def test_a_server_address_gets_the_path_its_host_has() -> None:
    ollama, groq = find_host("ollama"), find_host("groq")
    want = "http://box:11434/v1/chat/completions"
    assert endpoint_url("http://box:11434", OPENAI, CHAT, ollama) == want
    assert endpoint_url("http://box:11434/v1/", OPENAI, CHAT, ollama) == want
    assert endpoint_url("http://box", OPENAI, CHAT, groq) == "http://box/chat/completions"


@pytest.mark.parametrize(
    ("dialect", "operation"), [(OPENAI, COUNT), (ANTHROPIC, Operation.EMBEDDING)]
)
def test_an_endpoint_that_a_dialect_has_not_is_an_error(
    dialect: Dialect, operation: Operation
) -> None:
    with pytest.raises(ValueError, match="has no"):
        endpoint_url("http://box", dialect, operation)
