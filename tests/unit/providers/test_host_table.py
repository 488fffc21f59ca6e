"""The rows of hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.base.values import Dialect
from tiergate.providers.hosts import ALL_HOSTS, find_host
from tiergate.providers.quirks import Quirk

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "providers.md"
ANTHROPIC = Dialect.ANTHROPIC


def test_no_prefix_means_two_hosts() -> None:
    names = [name for host in ALL_HOSTS for name in (host.name, *host.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name",
    [
        "openai", "anthropic", "ollama", "vllm", "hosted_vllm", "groq", "deepseek", "mistral",
        "openrouter", "xai", "together_ai", "together", "fireworks_ai", "fireworks", "perplexity",
        "cerebras", "lm_studio", "nvidia_nim", "sambanova", "deepinfra", "novita", "moonshot",
        "nebius", "hyperbolic", "friendliai", "llamafile", "openai_like", "litellm_proxy",
        "github",
    ],
)  # fmt: skip
def test_the_promised_hosts_are_served(name: str) -> None:
    host = find_host(name)
    assert host is not None
    assert name in (host.name, *host.aliases)


def test_every_address_is_one() -> None:
    for host in ALL_HOSTS:
        if host.default_base is None:
            assert host.base_variables
        else:
            assert host.default_base.startswith(("https://", "http://localhost:", "http://127."))
            assert not host.default_base.endswith("/")
        assert host.key_variables
        assert all(name.isupper() for name in (*host.key_variables, *host.base_variables))


def test_only_anthropic_speaks_its_dialect_and_takes_its_key_header() -> None:
    assert [host.name for host in ALL_HOSTS if host.dialect is ANTHROPIC] == ["anthropic"]
    assert [host.name for host in ALL_HOSTS if host.auth == "x-api-key"] == ["anthropic"]


def test_mistral_and_perplexity_have_the_quirks_their_apis_show() -> None:
    mistral, perplexity = find_host("mistral"), find_host("perplexity")
    assert mistral is not None
    assert perplexity is not None
    assert {Quirk.NO_STREAM_OPTIONS, Quirk.SHORT_TOOL_IDS} <= mistral.quirks
    assert {Quirk.SYSTEM_FIRST_ONLY, Quirk.ALTERNATING_ROLES} <= perplexity.quirks


def test_the_page_names_every_host_with_its_key_variable() -> None:
    page = PAGE.read_text("utf-8")
    for host in ALL_HOSTS:
        row = next((line for line in page.splitlines() if line.startswith(f"| `{host.name}`")), "")
        assert row, host.name
        for word in (*host.aliases, host.key_variables[0], host.default_base or "api_base"):
            assert word in row, (host.name, word)
    for quirk in Quirk:
        assert f"`{quirk.value}`" in page
