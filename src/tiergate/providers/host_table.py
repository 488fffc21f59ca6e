"""The hosts that are served, a row each: names, address, key variables, differences.

Data only; `hosts` looks things up. Names, addresses and variables are those of LiteLLM's
provider list, so that its files work unchanged. A quirk has its evidence beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tiergate.base.values import Dialect
from tiergate.providers.quirks import Quirk


@dataclass(frozen=True, slots=True)
class Host:
    """Who answers under a prefix such as `groq/`.

    Attributes:
        name: The canonical name.
        default_base: The public address; None where there is none and `api_base` must be given.
        key_variables: Environment variables that may hold the key, in order. Empty where the host
            takes calls without a key; one may still be given.
        base_variables: Environment variables that may hold the address, in order.
        aliases: Other prefixes that mean this host.
        dialect: What it speaks.
        auth: How the key is sent.
        headers: Further headers of every call.
        quirks: What it does differently from its dialect.
        version_path: What follows an address that names a server only (`http://box:11434`).
        key_optional: The host also works without a key.
    """

    name: str
    default_base: str | None
    key_variables: tuple[str, ...] = ()
    base_variables: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    dialect: Dialect = Dialect.OPENAI
    auth: Literal["bearer", "x-api-key"] = "bearer"
    headers: tuple[tuple[str, str], ...] = ()
    quirks: frozenset[Quirk] = frozenset()
    version_path: str = ""
    key_optional: bool = False


def _quirks(*quirks: Quirk) -> frozenset[Quirk]:
    return frozenset(quirks)


# Many hosts render messages by a model's own template, which knows no developer role.
_OPEN_MODELS: Final = _quirks(Quirk.NO_DEVELOPER_ROLE)
_OPEN_MODELS_TOP_K: Final = _OPEN_MODELS | _quirks(Quirk.TOP_K)

_MISTRAL: Final = _quirks(
    Quirk.NO_DEVELOPER_ROLE,
    # 422 extra_forbidden for stream_options.include_usage (openai-agents-python issue 442,
    # seen 2025-04); usage comes in the last chunk unasked.
    Quirk.NO_STREAM_OPTIONS,
    # 422 extra_forbidden for fields it does not list (mistralai/platform-docs-public issue 7).
    Quirk.KNOWN_FIELDS_ONLY,
    Quirk.RANDOM_SEED,
    # "Tool call id has to be defined, ... a-z, A-Z, 0-9, with a length of 9" (API error).
    Quirk.SHORT_TOOL_IDS,
    # "Unexpected role 'user' after role 'tool'" (zed issue 37021, avante.nvim issue 2562).
    Quirk.ASSISTANT_AFTER_TOOL,
    # "Expected last role User or Tool (or Assistant with prefix True)" (rig PR 1130).
    Quirk.PREFIX_FLAG,
)

HOSTS: Final[tuple[Host, ...]] = (
    Host(
        "openai",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        aliases=("custom_openai", "aiohttp_openai"),
    ),
    Host(
        "anthropic",
        "https://api.anthropic.com",
        ("ANTHROPIC_API_KEY",),
        ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
        dialect=Dialect.ANTHROPIC,
        auth="x-api-key",
    ),
    # ---------------------------------------------------------------- servers of one's own
    Host(
        "openai_like",
        None,
        ("OPENAI_LIKE_API_KEY",),
        ("OPENAI_LIKE_API_BASE",),
        quirks=_OPEN_MODELS,
        key_optional=True,
    ),
    Host(
        # Its OpenAI endpoint; LiteLLM speaks Ollama's own at the same address. Its page "OpenAI
        # compatibility" lists tool_choice as not supported, and no parallel_tool_calls.
        "ollama",
        "http://localhost:11434/v1",
        ("OLLAMA_API_KEY",),
        ("OLLAMA_API_BASE",),
        aliases=("ollama_chat",),
        quirks=_OPEN_MODELS | _quirks(Quirk.NO_TOOL_CHOICE, Quirk.NO_PARALLEL_TOOL_CALLS),
        version_path="/v1",
        key_optional=True,
    ),
    Host(
        # docs.vllm.ai, "OpenAI-compatible server": top_k among the extra parameters.
        "vllm",
        None,
        ("HOSTED_VLLM_API_KEY",),
        ("HOSTED_VLLM_API_BASE",),
        aliases=("hosted_vllm",),
        quirks=_OPEN_MODELS_TOP_K,
        version_path="/v1",
        key_optional=True,
    ),
    Host(
        "lm_studio",
        "http://localhost:1234/v1",
        ("LM_STUDIO_API_KEY",),
        ("LM_STUDIO_API_BASE",),
        quirks=_OPEN_MODELS_TOP_K,
        version_path="/v1",
        key_optional=True,
    ),
    Host(
        # llama.cpp's server inside; its README lists top_k.
        "llamafile",
        "http://127.0.0.1:8080/v1",
        ("LLAMAFILE_API_KEY",),
        ("LLAMAFILE_API_BASE",),
        quirks=_OPEN_MODELS_TOP_K,
        version_path="/v1",
        key_optional=True,
    ),
    Host(
        "docker_model_runner",
        "http://localhost:22088/engines/llama.cpp/v1",
        ("DOCKER_MODEL_RUNNER_API_KEY",),
        ("DOCKER_MODEL_RUNNER_API_BASE",),
        quirks=_OPEN_MODELS,
        key_optional=True,
    ),
    Host(
        "lemonade",
        "http://localhost:8000/api/v1",
        ("LEMONADE_API_KEY",),
        ("LEMONADE_API_BASE",),
        quirks=_OPEN_MODELS,
        key_optional=True,
    ),
    Host(
        "xinference",
        None,
        ("XINFERENCE_API_KEY",),
        ("XINFERENCE_API_BASE",),
        quirks=_OPEN_MODELS,
        version_path="/v1",
        key_optional=True,
    ),
    Host(
        # Another gateway in LiteLLM's manner; it translates cache_control itself.
        "litellm_proxy",
        None,
        ("LITELLM_PROXY_API_KEY",),
        ("LITELLM_PROXY_API_BASE",),
        quirks=_quirks(Quirk.CACHE_CONTROL),
        key_optional=True,
    ),
    # ---------------------------------------------------------------- public hosts
    Host(
        "groq",
        "https://api.groq.com/openai/v1",
        ("GROQ_API_KEY",),
        ("GROQ_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
    Host(
        # /beta as in LiteLLM: chat prefix completion exists there only (api-docs.deepseek.com).
        # "The reasoning_content in the thinking mode must be passed back to the API."
        "deepseek",
        "https://api.deepseek.com/beta",
        ("DEEPSEEK_API_KEY",),
        ("DEEPSEEK_API_BASE",),
        quirks=_quirks(
            Quirk.NO_DEVELOPER_ROLE,
            Quirk.STRING_CONTENT_ONLY,
            Quirk.REASONING_BACK,
            Quirk.PREFIX_FLAG,
        ),
    ),
    Host(
        "mistral",
        "https://api.mistral.ai/v1",
        ("MISTRAL_API_KEY",),
        ("MISTRAL_API_BASE", "MISTRAL_AZURE_API_BASE"),
        quirks=_MISTRAL,
        version_path="/v1",
    ),
    Host(
        "codestral",
        "https://codestral.mistral.ai/v1",
        ("CODESTRAL_API_KEY",),
        ("CODESTRAL_API_BASE",),
        quirks=_MISTRAL,
        version_path="/v1",
    ),
    Host(
        # openrouter.ai/docs: "Prompt caching" (cache_control on text parts), "PDF inputs" (a URL
        # as file_data), "Parameters" (top_k).
        "openrouter",
        "https://openrouter.ai/api/v1",
        ("OPENROUTER_API_KEY", "OR_API_KEY"),
        ("OPENROUTER_API_BASE",),
        quirks=_quirks(Quirk.CACHE_CONTROL, Quirk.FILE_URLS, Quirk.TOP_K),
    ),
    Host("xai", "https://api.x.ai/v1", ("XAI_API_KEY",), ("XAI_API_BASE",), quirks=_OPEN_MODELS),
    Host(
        # docs.together.ai, "Chat completions": top_k.
        "together_ai",
        "https://api.together.ai/v1",
        ("TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"),
        ("TOGETHER_AI_API_BASE",),
        aliases=("together",),
        quirks=_OPEN_MODELS_TOP_K,
    ),
    Host(
        # docs.fireworks.ai, "Create chat completion": top_k.
        "fireworks_ai",
        "https://api.fireworks.ai/inference/v1",
        (
            "FIREWORKS_API_KEY",
            "FIREWORKS_AI_API_KEY",
            "FIREWORKSAI_API_KEY",
            "FIREWORKS_AI_TOKEN",
        ),
        ("FIREWORKS_API_BASE",),
        aliases=("fireworks",),
        quirks=_OPEN_MODELS_TOP_K,
    ),
    Host(
        # The API says "user and assistant roles should be alternating" after the optional system
        # message (perplexityai/api-discussion issue 265, 2025-04). Usage is in every chunk.
        "perplexity",
        "https://api.perplexity.ai",
        ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
        ("PERPLEXITY_API_BASE",),
        quirks=_quirks(
            Quirk.NO_DEVELOPER_ROLE,
            Quirk.NO_STREAM_OPTIONS,
            Quirk.SYSTEM_FIRST_ONLY,
            Quirk.ALTERNATING_ROLES,
            Quirk.TOP_K,
        ),
    ),
    Host(
        "cerebras",
        "https://api.cerebras.ai/v1",
        ("CEREBRAS_API_KEY",),
        ("CEREBRAS_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
    Host(
        # docs.sambanova.ai, "Chat completion": top_k.
        "sambanova",
        "https://api.sambanova.ai/v1",
        ("SAMBANOVA_API_KEY",),
        ("SAMBANOVA_API_BASE",),
        quirks=_OPEN_MODELS_TOP_K,
    ),
    Host(
        # platform.moonshot.ai, "Using thinking models": keep reasoning_content in the history.
        "moonshot",
        "https://api.moonshot.ai/v1",
        ("MOONSHOT_API_KEY",),
        ("MOONSHOT_API_BASE",),
        quirks=_OPEN_MODELS | _quirks(Quirk.REASONING_BACK),
    ),
    Host(
        "nvidia_nim",
        "https://integrate.api.nvidia.com/v1",
        ("NVIDIA_NIM_API_KEY",),
        ("NVIDIA_NIM_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
    Host(
        "deepinfra",
        "https://api.deepinfra.com/v1/openai",
        ("DEEPINFRA_API_KEY",),
        ("DEEPINFRA_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
    Host(
        "novita",
        "https://api.novita.ai/v3/openai",
        ("NOVITA_API_KEY",),
        ("NOVITA_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
    Host(
        "nebius",
        "https://api.studio.nebius.ai/v1",
        ("NEBIUS_API_KEY",),
        ("NEBIUS_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
    Host(
        "hyperbolic",
        "https://api.hyperbolic.xyz/v1",
        ("HYPERBOLIC_API_KEY",),
        ("HYPERBOLIC_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
    Host(
        "friendliai",
        "https://api.friendli.ai/serverless/v1",
        ("FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"),
        ("FRIENDLI_API_BASE",),
        quirks=_OPEN_MODELS,
    ),
)
