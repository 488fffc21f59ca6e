"""What is known of models by their names: limits, and which form of a parameter they accept.

Facts only shape requests (a limit to send, a form of thinking to ask for) and warn early. They
never refuse a model: an unknown name gets safe defaults. Prices are not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

UNKNOWN_OUTPUT_LIMIT: Final = 8_192
"""Output limit (tokens) written for an Anthropic-dialect model that the table does not know.

Every model sold through that dialect since Claude 3.5 takes it, and it is long enough not to
cut ordinary answers."""

DEFAULT_OUTPUT_LIMIT: Final = 16_384
"""Output limit (tokens) written when the caller gives none; less where the model takes less."""


class ThinkingStyle(Enum):
    """How a model is told to reason."""

    NONE = "none"
    """Not known to reason on request; nothing is sent."""
    BUDGET = "budget"
    """Anthropic `thinking: {type: enabled, budget_tokens}`."""
    ADAPTIVE = "adaptive"
    """Anthropic `thinking: {type: adaptive}` with `output_config.effort`."""
    EFFORT = "effort"
    """OpenAI `reasoning_effort`."""


class SamplingRule(Enum):
    """When `temperature`, `top_p` and `top_k` may be sent."""

    ALWAYS = "always"
    WITHOUT_REASONING = "without_reasoning"
    """Only while reasoning is off."""
    NEVER = "never"
    """Any value but the default is an error."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What one model accepts. None and empty mean not known, or nothing to say.

    Attributes:
        max_output_tokens: The most that `max_tokens` may be.
        context_window: Tokens of prompt and answer together.
        min_cache_prefix_tokens: The shortest prefix that the provider caches.
        thinking: The form in which reasoning is asked for.
        thinking_budget: `budget_tokens` is accepted (also by some ADAPTIVE models).
        thinking_off: The `thinking.type` that switches reasoning off; None when it cannot be
            switched off. For ADAPTIVE and BUDGET only.
        thinking_default: Reasoning is on when the request does not speak of it.
        efforts: Effort words that are accepted, from least to most.
        structured_output: A JSON schema for the answer is accepted (Anthropic
            `output_config.format`, OpenAI `response_format: json_schema`).
        max_completion_tokens: The limit goes by OpenAI's newer name; else `max_tokens`.
        sampling: When `temperature` and its relatives may be sent.
        temperature_and_top_p: Both may be sent at once.
        prefill: The last message may be the assistant's, to be continued.
        forced_tool_choice: `tool_choice` may demand a call (`any`, a name).
    """

    max_output_tokens: int | None = None
    context_window: int | None = None
    min_cache_prefix_tokens: int | None = None
    thinking: ThinkingStyle = ThinkingStyle.NONE
    thinking_budget: bool = False
    thinking_off: str | None = "disabled"
    thinking_default: bool = False
    efforts: tuple[str, ...] = ()
    structured_output: bool = True
    max_completion_tokens: bool = False
    sampling: SamplingRule = SamplingRule.ALWAYS
    temperature_and_top_p: bool = True
    prefill: bool = True
    forced_tool_choice: bool = True

    @property
    def default_output_tokens(self) -> int:
        """The limit to send when the caller gives none and the dialect demands one."""
        if self.max_output_tokens is None:
            return UNKNOWN_OUTPUT_LIMIT
        return min(self.max_output_tokens, DEFAULT_OUTPUT_LIMIT)


# ----------------------------------------------------------------------------- Anthropic
#
# Sources: platform.claude.com, "Models overview" and the page of each model (context, output),
# "Prompt caching" (shortest prefix), "Effort" (words by model), "Adaptive thinking",
# "Structured outputs", and the migration guides of Opus 4.7, Sonnet 5, Opus 5.5, Sonnet 5.5 and
# Haiku 5.5 (what newer models reject).

_LOW_TO_HIGH: Final = ("low", "medium", "high")
_WITH_MAX: Final = (*_LOW_TO_HIGH, "max")
_WITH_XHIGH: Final = (*_LOW_TO_HIGH, "xhigh", "max")

_CLAUDE_3 = ModelFacts(
    max_output_tokens=4_096,
    context_window=200_000,
    min_cache_prefix_tokens=1_024,
    structured_output=False,
)
_CLAUDE_35 = replace(_CLAUDE_3, max_output_tokens=8_192)
_CLAUDE_4 = replace(
    _CLAUDE_3,
    max_output_tokens=64_000,
    thinking=ThinkingStyle.BUDGET,
    thinking_budget=True,
    # "Extended thinking": not compatible with temperature or top_k, nor with forced tool use.
    sampling=SamplingRule.WITHOUT_REASONING,
)
# "Migrating to Claude 4.5": temperature or top_p, not both (Opus 4.1 and later).
_CLAUDE_45 = replace(_CLAUDE_4, structured_output=True, temperature_and_top_p=False)
_CLAUDE_46 = replace(
    _CLAUDE_45,
    max_output_tokens=128_000,
    context_window=1_000_000,
    min_cache_prefix_tokens=4_096,
    thinking=ThinkingStyle.ADAPTIVE,
    efforts=_WITH_MAX,
    prefill=False,
)
_CLAUDE_47 = replace(
    _CLAUDE_46,
    min_cache_prefix_tokens=2_048,
    thinking_budget=False,
    efforts=_WITH_XHIGH,
    sampling=SamplingRule.NEVER,
)
_CLAUDE_5 = replace(_CLAUDE_47, min_cache_prefix_tokens=512, thinking_default=True)
_CLAUDE_55 = replace(_CLAUDE_5, thinking_off=None, forced_tool_choice=False)

# Families as `opus-4-7`; the longest entry that the name continues wins.
_CLAUDE: Final[tuple[tuple[str, ModelFacts], ...]] = (
    ("3-haiku", replace(_CLAUDE_3, min_cache_prefix_tokens=2_048)),
    ("3-sonnet", _CLAUDE_3),
    ("3-opus", _CLAUDE_3),
    ("3-5-haiku", replace(_CLAUDE_35, min_cache_prefix_tokens=2_048)),
    ("3-5-sonnet", _CLAUDE_35),
    ("3-7-sonnet", _CLAUDE_4),
    ("sonnet-4", _CLAUDE_4),
    ("opus-4", replace(_CLAUDE_4, max_output_tokens=32_000)),
    (
        "opus-4-1",
        replace(_CLAUDE_45, max_output_tokens=32_000),
    ),
    ("sonnet-4-5", _CLAUDE_45),
    ("haiku-4-5", replace(_CLAUDE_45, min_cache_prefix_tokens=4_096)),
    ("opus-4-5", replace(_CLAUDE_45, min_cache_prefix_tokens=4_096, efforts=_LOW_TO_HIGH)),
    # "Prompt caching" named 1,024 for Sonnet 4.6 at first and 2,048 later; calls with less than
    # 2,048 were seen not to be cached (anthropic-sdk-python, issue 1194).
    ("sonnet-4-6", replace(_CLAUDE_46, min_cache_prefix_tokens=2_048)),
    ("opus-4-6", _CLAUDE_46),
    ("opus-4-7", _CLAUDE_47),
    ("opus-4-8", replace(_CLAUDE_47, min_cache_prefix_tokens=1_024)),
    ("sonnet-5", replace(_CLAUDE_5, min_cache_prefix_tokens=1_024)),
    ("opus-5", _CLAUDE_5),
    # Always on; budget and `disabled` are refused (AWS, "Adaptive thinking").
    ("fable-5", replace(_CLAUDE_5, thinking_off=None)),
    ("mythos", replace(_CLAUDE_5, thinking_off=None)),
    ("fable-5-1", _CLAUDE_55),
    ("fable-5-2", _CLAUDE_55),
    ("mythos-5-1", _CLAUDE_55),
    ("opus-5-5", _CLAUDE_55),
    # Sonnet 5.5 has `between_tools` where others have `disabled`.
    ("sonnet-5-5", replace(_CLAUDE_55, thinking_off="between_tools")),
    ("haiku-5-5", _CLAUDE_5),
)
# A Claude that is newer than this table takes what all new ones take, and no more.
_NEWER_CLAUDE = replace(_CLAUDE_55, min_cache_prefix_tokens=1_024)
# Hosts that imitate the Messages API (DeepSeek, Moonshot, Z.ai ...) document
# `thinking: {type: enabled, budget_tokens}` and no `output_config`.
_ANTHROPIC_DIALECT = ModelFacts(
    thinking=ThinkingStyle.BUDGET,
    thinking_budget=True,
    sampling=SamplingRule.WITHOUT_REASONING,
)

# ----------------------------------------------------------------------------- OpenAI
#
# Sources: developers.openai.com, "Models" (limits), "Reasoning models" (efforts; no sampling
# parameters), "Using GPT-5.4" (sampling with effort `none`), "Prompt caching" (1,024 tokens).

_GPT = ModelFacts(max_completion_tokens=True, prefill=False)
_GPT_4O = replace(
    _GPT, max_output_tokens=16_384, context_window=128_000, min_cache_prefix_tokens=1_024
)
_O_SERIES = replace(
    _GPT,
    max_output_tokens=100_000,
    context_window=200_000,
    min_cache_prefix_tokens=1_024,
    thinking=ThinkingStyle.EFFORT,
    thinking_default=True,
    efforts=_LOW_TO_HIGH,
    sampling=SamplingRule.NEVER,
)
_GPT_5 = replace(
    _O_SERIES,
    max_output_tokens=128_000,
    context_window=400_000,
    efforts=("minimal", *_LOW_TO_HIGH),
)
_GPT_51 = replace(
    _GPT_5,
    efforts=("none", *_LOW_TO_HIGH),
    thinking_default=False,
    sampling=SamplingRule.WITHOUT_REASONING,
)
_GPT_52 = replace(_GPT_51, efforts=("none", *_LOW_TO_HIGH, "xhigh"))

# The first pattern that the name begins with wins: the special before the general.
_OPENAI: Final[tuple[tuple[re.Pattern[str], ModelFacts], ...]] = tuple(
    (re.compile(pattern), facts)
    for pattern, facts in (
        (r"gpt-5[\d.]*-chat", _GPT_4O),
        (r"gpt-5[\d.]*-pro", replace(_GPT_5, efforts=("high",))),
        (r"gpt-5(-|$)", _GPT_5),
        (r"gpt-5\.1", _GPT_51),
        (r"gpt-5\.[23]", _GPT_52),
        (r"gpt-([5-9]|\d\d)", replace(_GPT_52, context_window=1_050_000)),
        (r"o1-(mini|preview)", replace(_O_SERIES, context_window=128_000, efforts=())),
        (r"(o\d|codex-mini)", _O_SERIES),
        (r"gpt-4\.1", replace(_GPT_4O, max_output_tokens=32_768, context_window=1_047_576)),
        (r"(gpt-4o|chatgpt-4o)", _GPT_4O),
        (
            r"gpt-4-(turbo|1106|0125)",
            replace(_GPT, max_output_tokens=4_096, context_window=128_000),
        ),
        (r"gpt-4", replace(_GPT, context_window=8_192, structured_output=False)),
        (
            r"gpt-3\.5",
            replace(_GPT, max_output_tokens=4_096, context_window=16_385, structured_output=False),
        ),
    )
)
_GPT_OSS = ModelFacts(
    context_window=131_072,
    thinking=ThinkingStyle.EFFORT,
    thinking_default=True,
    efforts=_LOW_TO_HIGH,
)
_COMPATIBLE: Final[tuple[tuple[re.Pattern[str], ModelFacts], ...]] = tuple(
    (re.compile(pattern), facts)
    for pattern, facts in (
        # "gpt-oss" model card: three levels, any host.
        (r"gpt-oss", _GPT_OSS),
        # docs.x.ai, "Reasoning": only the mini takes an effort, and only these two words.
        (r"grok-3-mini", ModelFacts(thinking=ThinkingStyle.EFFORT, efforts=("low", "high"))),
        # ai.google.dev, "OpenAI compatibility": `reasoning_effort` sets the thinking budget.
        (
            r"gemini-(2\.5|[3-9])",
            ModelFacts(
                context_window=1_048_576,
                max_output_tokens=65_536,
                thinking=ThinkingStyle.EFFORT,
                efforts=("none", *_LOW_TO_HIGH),
            ),
        ),
    )
)
# api-docs.deepseek.com, "JSON Output": `json_object` only.
_NO_JSON_SCHEMA: Final = frozenset({"deepseek"})
# console.groq.com and inference-docs.cerebras.ai, "Chat completions": the newer name.
_NEWER_LIMIT_NAME: Final = frozenset({"openai", "azure", "groq", "cerebras"})


def facts_for(provider: str, model: str) -> ModelFacts:
    """Return what is known of `model` at `provider`; never fails.

    Args:
        provider: The provider's name in the configuration (`anthropic`, `openai`, `groq`).
        model: The provider's own model name. Prefixes and suffixes of hosts are understood
            (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `anthropic/claude-opus-4.6`,
            `claude-haiku-4-5@20251001`).
    """
    name = model.lower()
    if (at := name.find("claude-")) >= 0:
        facts = _claude(name[at + len("claude-") :])
        return facts if provider == "anthropic" else _elsewhere(provider, facts)
    if provider == "anthropic":
        return _ANTHROPIC_DIALECT
    name = name.rpartition("/")[2]
    for pattern, facts in (*_COMPATIBLE, *_OPENAI):
        if pattern.match(name):
            return replace(facts, max_completion_tokens=provider in _NEWER_LIMIT_NAME)
    return ModelFacts(
        structured_output=provider not in _NO_JSON_SCHEMA,
        # `openai` with an unknown name is most often a compatible server, which may know only
        # the older name.
        max_completion_tokens=provider in _NEWER_LIMIT_NAME - {"openai"},
    )


def _claude(rest: str) -> ModelFacts:
    """Return the facts of the longest family that `rest` (`opus-4-6-20260205`) continues."""
    rest = rest.replace(".", "-")
    best = ""
    found = _NEWER_CLAUDE
    for family, facts in _CLAUDE:
        if len(family) > len(best) and _continues(rest, family):
            best, found = family, facts
    if not best and re.match(r"(instant|v?[12])(-|$)", rest):
        return _CLAUDE_3
    return found


def _continues(name: str, family: str) -> bool:
    """Whether `name` is of `family`: `opus-4-20250514` is `opus-4`, and `opus-4-9` is not."""
    if not name.startswith(family):
        return False
    rest = name[len(family) :]
    return (
        not rest
        or re.match(r"[^\w.]?(\d{6,}|latest|preview|thinking|fast|v\d|0\b|$)|[@:]", rest)
        is not None
    )


def _elsewhere(provider: str, facts: ModelFacts) -> ModelFacts:
    """Return a Claude's facts behind a host that speaks OpenAI: same limits, other words."""
    effort = provider == "openrouter"
    return replace(
        facts,
        thinking=ThinkingStyle.EFFORT if effort else ThinkingStyle.NONE,
        thinking_budget=False,
        # openrouter.ai, "Reasoning tokens": one set of words for all models.
        efforts=("none", "minimal", *_LOW_TO_HIGH, "xhigh") if effort else (),
        sampling=SamplingRule.ALWAYS,
        temperature_and_top_p=True,
    )
