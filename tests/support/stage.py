"""A gateway process between two scripted providers, one of each dialect.

It knows the usual configuration and nothing of what a test wants to see.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from support.gateway import KEY, Gateway
from support.upstream import Upstream
from tiergate.base.jsontypes import JsonObject

ANTHROPIC_ALIAS = "cheap"
"""Served by the provider that speaks Anthropic's protocol."""
OPENAI_ALIAS = "balanced"
"""Served by the provider that speaks OpenAI's protocol."""
EMBEDDING_ALIAS = "vectors"
"""An embedding model of the provider that speaks OpenAI's protocol."""
ALIASES = (ANTHROPIC_ALIAS, OPENAI_ALIAS)

ANTHROPIC_MODEL = "claude-sonnet-4-5"
OPENAI_MODEL = "gpt-4o"
PROVIDER_KEY = "sk-provider-5tGb7YhN2mKq8WsXz4Rf"

Configure: TypeAlias = Callable[["Providers"], JsonObject]
"""Makes a gateway's configuration from the addresses of the providers."""


class Providers:
    """The two scripted providers: `async with Providers() as providers:`."""

    def __init__(self) -> None:
        self.anthropic = Upstream("anthropic")
        self.openai = Upstream("openai")

    async def __aenter__(self) -> Providers:
        await self.anthropic.__aenter__()
        await self.openai.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.openai.__aexit__()
        await self.anthropic.__aexit__()

    @property
    def calls(self) -> int:
        """Requests that reached a provider."""
        return len(self.anthropic.requests) + len(self.openai.requests)

    def reset(self) -> None:
        """Forget scripts and requests."""
        self.anthropic.reset()
        self.openai.reset()

    def of(self, alias: str) -> Upstream:
        """The provider that serves an alias."""
        return self.anthropic if alias == ANTHROPIC_ALIAS else self.openai

    def at_anthropic(self, name: str, model: str = ANTHROPIC_MODEL, **more: object) -> JsonObject:
        """A `model_list` entry at the Anthropic-dialect provider; more `litellm_params`."""
        return entry(name, f"anthropic/{model}", self.anthropic.url, **more)

    def at_openai(self, name: str, model: str = OPENAI_MODEL, **more: object) -> JsonObject:
        """A `model_list` entry at the OpenAI-dialect provider; more `litellm_params`."""
        return entry(name, f"openai/{model}", f"{self.openai.url}/v1", **more)


class Stage:
    """A running gateway and its providers.

    Attributes:
        gateway: the process.
        providers: what it calls.
    """

    def __init__(self, gateway: Gateway, providers: Providers) -> None:
        self.gateway = gateway
        self.providers = providers

    @property
    def url(self) -> str:
        """Address of the gateway, without a path."""
        return self.gateway.url

    @property
    def calls(self) -> int:
        """Requests that reached a provider."""
        return self.providers.calls

    def of(self, alias: str) -> Upstream:
        """The provider that serves an alias."""
        return self.providers.of(alias)


def entry(name: str, model: str, api_base: str, **more: object) -> JsonObject:
    """One deployment of an alias; `more` are further `litellm_params`."""
    params: JsonObject = {"model": model, "api_base": api_base, "api_key": PROVIDER_KEY}
    params.update(more)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return {"model_name": name, "litellm_params": params}


def usual(providers: Providers) -> JsonObject:
    """One alias per dialect and one for embeddings; no retries, no cooldowns, a master key."""
    return {
        "model_list": [
            providers.at_anthropic(ANTHROPIC_ALIAS),
            providers.at_openai(OPENAI_ALIAS),
            providers.at_openai(EMBEDDING_ALIAS, "text-embedding-3-small"),
        ],
        "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }


def with_settings(config: JsonObject, **sections: JsonObject) -> JsonObject:
    """A copy of a configuration with members of its sections replaced or added."""
    out = copy.deepcopy(config)
    for section, values in sections.items():
        there = out.get(section)
        out[section] = {**there, **values} if isinstance(there, dict) else values
    return out


def gateway_of(
    config: JsonObject,
    folder: Path,
    *,
    arguments: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Gateway:
    """A gateway that is not running yet, in a folder that is made for it."""
    folder.mkdir(parents=True, exist_ok=True)
    return Gateway(config, folder, arguments=arguments, env=env)


__all__ = [
    "ALIASES",
    "ANTHROPIC_ALIAS",
    "ANTHROPIC_MODEL",
    "EMBEDDING_ALIAS",
    "KEY",
    "OPENAI_ALIAS",
    "OPENAI_MODEL",
    "PROVIDER_KEY",
    "Configure",
    "Providers",
    "Stage",
    "entry",
    "gateway_of",
    "usual",
    "with_settings",
]
