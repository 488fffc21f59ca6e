"""Read and write token counts of the chat dialect.

OpenAI's `prompt_tokens` includes cached tokens, ours do not (see `base.values.Usage`). A count
that is absent stays absent, and a 0 stays a 0.
"""

from __future__ import annotations

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Usage

_PLAIN = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


def usage_from(raw: JsonObject) -> Usage:
    """Return the counts of a `usage` object. Never raises: what is no count is not said."""
    if _PLAIN.issuperset(raw):
        # OpenAI-compatible hosts without caching or reasoning: the three sums and nothing else.
        return Usage(_count(raw, "prompt_tokens") or 0, _count(raw, "completion_tokens") or 0)
    prompt = _count(raw, "prompt_tokens") or 0
    output = _count(raw, "completion_tokens") or 0
    inside = _details(raw, "prompt_tokens_details")
    outside = _details(raw, "completion_tokens_details")
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
    )


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
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def _details(raw: JsonObject, key: str) -> JsonObject:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _first(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _put(raw: JsonObject, key: str, count: Json) -> None:
    if count is not None:
        raw[key] = count
