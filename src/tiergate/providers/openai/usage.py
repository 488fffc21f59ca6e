"""Read and write token counts of the chat dialect.

OpenAI's `prompt_tokens` includes cached tokens, ours do not (see `base.values.Usage`). A count
that is absent stays absent, and a 0 stays a 0.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Final

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.money import NANO
from tiergate.base.values import NanoUsd, ServiceTier, Usage
from tiergate.providers.service_tiers import tier_named

_PLAIN = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})
_OPENAI = _PLAIN | {"prompt_tokens_details", "completion_tokens_details"}
_INSIDE = frozenset({"cached_tokens", "audio_tokens"})


_TICKS: Final = 10
"""xAI's ticks of 1e-10 USD in a nano-USD."""


def usage_from(raw: JsonObject, tier: Json = None) -> Usage:
    """Return the counts of a `usage` object. Never raises: what is no count is not said.

    Args:
        raw: The object.
        tier: The answer's own `service_tier`, which stands beside its `usage`.
    """
    if tier is None and _PLAIN.issuperset(raw):
        # OpenAI-compatible hosts without caching or reasoning: the three sums and nothing else.
        return Usage(_count(raw, "prompt_tokens") or 0, _count(raw, "completion_tokens") or 0)
    prompt = _count(raw, "prompt_tokens") or 0
    output = _count(raw, "completion_tokens") or 0
    inside = _details(raw, "prompt_tokens_details")
    outside = _details(raw, "completion_tokens_details")
    if _OPENAI.issuperset(raw) and _INSIDE.issuperset(inside):
        return _openai(raw, inside, outside, tier)  # nearly every answer; the rest is for others
    read = _first(
        _count(inside, "cached_tokens"),
        _count(raw, "prompt_cache_hit_tokens"),  # DeepSeek
        _count(raw, "cached_tokens"),  # Moonshot
        _count(raw, "cache_read_input_tokens"),  # LiteLLM
    )
    split = _details(inside, "cache_creation_token_details")  # LiteLLM
    longer = _count(split, "ephemeral_1h_input_tokens")
    written = _first(
        _count(inside, "cache_write_tokens"),
        _count(inside, "cache_creation_tokens"),  # LiteLLM
        _count(raw, "cache_creation_input_tokens"),  # LiteLLM
    )
    shorter = _count(split, "ephemeral_5m_input_tokens")
    if shorter is None and written is not None:
        shorter = max(0, written - (longer or 0))
    reasoning = _first(
        _count(outside, "reasoning_tokens"),
        _count(raw, "reasoning_tokens"),  # Perplexity
    )
    if reasoning and _count(raw, "total_tokens") == prompt + output + reasoning:
        # xAI counts reasoning beside completion_tokens, OpenAI within them.
        output += reasoning
    return Usage(
        input=max(0, prompt - (read or 0) - (shorter or 0) - (longer or 0)),
        output=output,
        cache_read=read,
        cache_write_5m=shorter,
        cache_write_1h=longer,
        reasoning=reasoning,
        audio_input=_count(inside, "audio_tokens"),
        audio_output=_count(outside, "audio_tokens"),
        tier=ServiceTier.STANDARD if tier is None else tier_named(tier),
        billed=_billed(raw),
    )


def _openai(raw: JsonObject, inside: JsonObject, outside: JsonObject, tier: Json) -> Usage:
    """Return the counts of a `usage` with OpenAI's own fields."""
    prompt = _count(raw, "prompt_tokens") or 0
    output = _count(raw, "completion_tokens") or 0
    read, reasoning = _count(inside, "cached_tokens"), _count(outside, "reasoning_tokens")
    if reasoning and _count(raw, "total_tokens") == prompt + output + reasoning:
        output += reasoning  # see `usage_from`
    return Usage(
        input=max(0, prompt - (read or 0)),
        output=output,
        cache_read=read,
        reasoning=reasoning,
        audio_input=_count(inside, "audio_tokens"),
        audio_output=_count(outside, "audio_tokens"),
        tier=ServiceTier.STANDARD if tier is None else tier_named(tier),
    )


def _billed(raw: JsonObject) -> NanoUsd | None:
    """Return what the host says that it charges, rounded up to nano-USD.

    xAI tells ticks; OpenRouter USD, without what the caller's own key at the model's provider
    pays ("Usage accounting"); Perplexity an object with a total.
    """
    ticks = _count(raw, "cost_in_usd_ticks")
    if ticks is not None:
        return NanoUsd(-(-ticks // _TICKS))
    cost = raw.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    total = _usd(cost)
    if total is not None and raw.get("is_byok") is True:
        total += _usd(_details(raw, "cost_details").get("upstream_inference_cost")) or Decimal(0)
    return None if total is None else NanoUsd(int((total * NANO).to_integral_value(ROUND_CEILING)))


def _usd(value: Json) -> Decimal | None:
    """Return an amount at its shortest decimal form, which is the one on the wire."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    amount = Decimal(repr(value))
    return amount if amount.is_finite() and amount >= 0 else None


def usage_to(usage: Usage) -> JsonObject:
    """Return a `usage` object.

    Beside OpenAI's fields it has LiteLLM's for cache writes, which OpenAI's own do not split by
    lifetime: `cache_creation_input_tokens` and `cache_read_input_tokens`.
    """
    prompt = usage.prompt_total
    raw: JsonObject = {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
    }
    inside: JsonObject = {}
    outside: JsonObject = {}
    _put(inside, "cached_tokens", usage.cache_read)
    written = _sum(usage.cache_write_5m, usage.cache_write_1h)
    _put(inside, "cache_write_tokens", written)
    if usage.cache_write_1h is not None:
        inside["cache_creation_token_details"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_5m or 0,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    _put(inside, "audio_tokens", usage.audio_input)
    _put(outside, "reasoning_tokens", usage.reasoning)
    _put(outside, "audio_tokens", usage.audio_output)
    if inside:
        raw["prompt_tokens_details"] = inside
    if outside:
        raw["completion_tokens_details"] = outside
    if written is not None:
        raw["cache_creation_input_tokens"] = written
        _put(raw, "cache_read_input_tokens", usage.cache_read)
    return raw


def _count(raw: JsonObject, key: str) -> int | None:
    value = raw.get(key)
    if type(value) is int:
        return value if value >= 0 else None
    if isinstance(value, float) and value.is_integer() and value >= 0:
        return int(value)
    return None


def _details(raw: JsonObject, key: str) -> JsonObject:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _first(*counts: int | None) -> int | None:
    for count in counts:
        if count is not None:
            return count
    return None


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _put(raw: JsonObject, key: str, count: Json) -> None:
    if count is not None:
        raw[key] = count
