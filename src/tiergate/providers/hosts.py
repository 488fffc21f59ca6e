"""Find the host that a model name means, and the address of each of its endpoints.

The table itself is data in `host_table`. Nothing is called, and no variable is read here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tiergate.base.values import Dialect, Operation
from tiergate.providers.host_table import HOSTS, Host
from tiergate.providers.host_table_more import MORE_HOSTS
from tiergate.providers.quirks import Quirk

__all__ = [
    "ALL_HOSTS",
    "Host",
    "Quirk",
    "endpoint_url",
    "find_host",
    "nearest_hosts",
    "planned_host",
    "split_model",
]

ALL_HOSTS: Final[tuple[Host, ...]] = (*HOSTS, *MORE_HOSTS)
"""Every host that is served, the common ones first."""

_BY_NAME: Final[Mapping[str, Host]] = MappingProxyType(
    {name: host for host in ALL_HOSTS for name in (host.name, *host.aliases)}
)

_PLANNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "azure": "Azure OpenAI",
        "azure_ai": "Azure AI Foundry",
        "azure_text": "Azure OpenAI text completions",
        "bedrock": "Amazon Bedrock",
        "bedrock_converse": "Amazon Bedrock",
        "bedrock_mantle": "Amazon Bedrock",
        "sagemaker": "Amazon SageMaker",
        "sagemaker_chat": "Amazon SageMaker",
        "gemini": "Google Gemini",
        "vertex_ai": "Google Vertex AI",
        "vertex_ai_beta": "Google Vertex AI",
        "cohere": "Cohere",
        "cohere_chat": "Cohere",
        "huggingface": "Hugging Face",
        "replicate": "Replicate",
        "watsonx": "IBM watsonx.ai",
        "databricks": "Databricks",
        "snowflake": "Snowflake Cortex",
        "cloudflare": "Cloudflare Workers AI",
        "oci": "Oracle Cloud Infrastructure",
        "github_copilot": "GitHub Copilot",
        "anthropic_text": "Anthropic text completions",
        "text-completion-openai": "OpenAI text completions",
    }
)
"""Names of LiteLLM that are known and not served."""

# LiteLLM takes a bare name that its model list knows; these are the families in it.
_BARE_OPENAI: Final = re.compile(
    r"gpt-|chatgpt-|o\d(-|$)|ft:(gpt-|o\d)|text-embedding-|davinci|babbage|codex-|\*$"
)
_BARE_ANTHROPIC: Final = re.compile(r"claude-")
# LiteLLM, fireworks_ai: a short name stands for the public model of that name.
_FIREWORKS_PATH: Final = "accounts/fireworks/models/"

_OPENAI_PATHS: Final[Mapping[Operation, str]] = MappingProxyType(
    {
        Operation.CHAT: "/chat/completions",
        Operation.COMPLETION: "/completions",
        Operation.EMBEDDING: "/embeddings",
    }
)
_ANTHROPIC_PATHS: Final[Mapping[Operation, str]] = MappingProxyType(
    {
        Operation.CHAT: "/messages",
        Operation.COUNT_TOKENS: "/messages/count_tokens",
    }
)


def find_host(name: str) -> Host | None:
    """Return the host of a prefix, its own name or another; None when it is not served."""
    return _BY_NAME.get(name)


def planned_host(name: str) -> str | None:
    """Return the full name of a host that LiteLLM serves and Tiergate does not yet, or None."""
    return _PLANNED.get(name)


def nearest_hosts(name: str) -> tuple[str, ...]:
    """Return up to three prefixes like `name`, best first, for an error message."""
    return tuple(difflib.get_close_matches(name.lower(), _BY_NAME, n=3, cutoff=0.5))


def split_model(text: str) -> tuple[Host, str] | None:
    """Return host and upstream model name of `provider/model`, or None for an unknown prefix.

    LiteLLM's rules: only the first `/` divides (`groq/openai/gpt-oss-20b`), and the bare names
    of OpenAI's and Anthropic's models need no prefix.
    """
    prefix, slash, model = text.partition("/")
    if not slash:
        if _BARE_ANTHROPIC.match(text):
            return _BY_NAME["anthropic"], text
        return (_BY_NAME["openai"], text) if _BARE_OPENAI.match(text) else None
    host = _BY_NAME.get(prefix)
    if host is None or not model:
        return None
    return host, _upstream_name(host, model)


def _upstream_name(host: Host, model: str) -> str:
    if host.name == "fireworks_ai" and "/" not in model and "#" not in model:
        return _FIREWORKS_PATH + model
    if host.name == "openrouter" and "/" not in model:
        # All its names have two parts; its own are `openrouter/auto` and the like.
        return f"openrouter/{model}"
    return model


def endpoint_url(
    base: str, dialect: Dialect, operation: Operation, host: Host | None = None
) -> str:
    """Return the address of an endpoint.

    Args:
        base: The address as configured: with or without `/v1`, with or without a slash at the
            end, or the whole address of the chat endpoint. A query is kept.
        dialect: What the host speaks.
        operation: What is wanted there.
        host: The host, if it is in the table; it knows what follows a bare server address.

    Raises:
        ValueError: The dialect has no such endpoint.
    """
    paths = _ANTHROPIC_PATHS if dialect is Dialect.ANTHROPIC else _OPENAI_PATHS
    if operation not in paths:
        raise ValueError(f"the {dialect.value} dialect has no {operation.value} endpoint")
    url = urlsplit(base)
    path = url.path.rstrip("/")
    for known in sorted(paths.values(), key=len, reverse=True):
        if path.endswith(known):
            path = path.removesuffix(known)
            break
    else:
        if not path and host is not None:
            path = host.version_path
    if dialect is Dialect.ANTHROPIC and not path.endswith("/v1"):
        path += "/v1"
    return urlunsplit((url.scheme, url.netloc, path + paths[operation], url.query, ""))
