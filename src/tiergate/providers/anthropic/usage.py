"""Read and write token counts of the Messages API. Absent stays absent, and 0 stays 0."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import ServiceTier, Usage
from tiergate.providers.service_tiers import tier_named

_REGIONAL: Final = 10
"""Percent on every token where the answer says `inference_geo: us` ("Pricing", data residency)."""


def usage_from(raw: JsonObject) -> Usage:
    """Return the counts of a `usage` object. Never raises: what is no count is not said.

    `input_tokens` excludes cached tokens here, as in `Usage`. Cache writes whose lifetime is not
    told have the default one, five minutes ("Prompt caching"). Compactions that the provider made
    on the way stand in `iterations` and are not in the totals, but are billed ("Compaction").
    """
    shorter, longer = _written(raw)
    details = raw.get("output_tokens_details")
    tools = raw.get("server_tool_use")
    usage = Usage(
        input=_count(raw, "input_tokens") or 0,
        output=_count(raw, "output_tokens") or 0,
        cache_read=_count(raw, "cache_read_input_tokens"),
        cache_write_5m=shorter,
        cache_write_1h=longer,
        reasoning=_count(details, "thinking_tokens") if isinstance(details, dict) else None,
        tier=_tier(raw),
        searches=_count(tools, "web_search_requests") or 0 if isinstance(tools, dict) else 0,
        surcharge=_REGIONAL if raw.get("inference_geo") == "us" else 0,
    )
    iterations = raw.get("iterations")
    return _with_compactions(usage, iterations) if isinstance(iterations, list) else usage


def _tier(raw: JsonObject) -> ServiceTier:
    if raw.get("speed") == "fast":
        return ServiceTier.FAST
    return tier_named(raw.get("service_tier"))


def _written(raw: JsonObject) -> tuple[int | None, int | None]:
    """Return tokens written to the cache for five minutes and for an hour."""
    written = _count(raw, "cache_creation_input_tokens")
    split = raw.get("cache_creation")
    shorter = longer = None
    if isinstance(split, dict):
        shorter = _count(split, "ephemeral_5m_input_tokens")
        longer = _count(split, "ephemeral_1h_input_tokens")
    if shorter is None and written is not None:
        shorter = max(0, written - (longer or 0))
    return shorter, longer


def _with_compactions(usage: Usage, iterations: list[Json]) -> Usage:
    for each in iterations:
        if not isinstance(each, dict) or each.get("type") != "compaction":
            continue
        shorter, longer = _written(each)
        usage = replace(
            usage,
            input=usage.input + (_count(each, "input_tokens") or 0),
            output=usage.output + (_count(each, "output_tokens") or 0),
            cache_read=_sum(usage.cache_read, _count(each, "cache_read_input_tokens")),
            cache_write_5m=_sum(usage.cache_write_5m, shorter),
            cache_write_1h=_sum(usage.cache_write_1h, longer),
        )
    return usage


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)


def usage_to(usage: Usage) -> JsonObject:
    """Return a `usage` object."""
    raw: JsonObject = {"input_tokens": usage.input}
    if usage.cache_write_5m is not None or usage.cache_write_1h is not None:
        shorter, longer = usage.cache_write_5m or 0, usage.cache_write_1h or 0
        raw["cache_creation_input_tokens"] = shorter + longer
        if usage.cache_write_1h is not None:
            raw["cache_creation"] = {
                "ephemeral_5m_input_tokens": shorter,
                "ephemeral_1h_input_tokens": longer,
            }
    if usage.cache_read is not None:
        raw["cache_read_input_tokens"] = usage.cache_read
    raw["output_tokens"] = usage.output
    if usage.reasoning is not None:
        raw["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return raw


def merged(earlier: JsonObject, later: JsonObject) -> JsonObject:
    """Return counts of a stream so far: totals that a later event names replace earlier ones.

    Totals never fall, so a later 0 is a count that the host does not make twice.
    """
    return earlier | {
        key: value for key, value in later.items() if value or earlier.get(key) is None
    }


def _count(raw: JsonObject, key: str) -> int | None:
    value: Json = raw.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None
