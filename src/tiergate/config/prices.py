"""Reads prices written in the file. USD per token become nano-USD per million tokens, exactly.

Whether a model without own prices can be priced is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from tiergate.base.money import nano_from_usd
from tiergate.base.values import NanoUsd, ServiceTier
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.core.catalog import PriceOverride, PricePlace, SpecialRates

_KINDS: Final[Mapping[str, str]] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "input_cost_per_token_cache_hit": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
}
_TIERS: Final[Mapping[str, ServiceTier]] = {
    "batches": ServiceTier.BATCH,
    "flex": ServiceTier.FLEX,
    "priority": ServiceTier.PRIORITY,
}
_SPECIAL: Final = """
    input_cost_per_token_above_100k_tokens input_cost_per_token_above_128k_tokens
    input_cost_per_token_above_200k_tokens input_cost_per_token_above_272k_tokens
    input_cost_per_token_above_512k_tokens output_cost_per_token_above_100k_tokens
    output_cost_per_token_above_128k_tokens output_cost_per_token_above_200k_tokens
    output_cost_per_token_above_272k_tokens output_cost_per_token_above_512k_tokens
    cache_read_input_token_cost_above_100k_tokens cache_read_input_token_cost_above_200k_tokens
    cache_read_input_token_cost_above_272k_tokens cache_read_input_token_cost_above_512k_tokens
    cache_creation_input_token_cost_above_100k_tokens
    cache_creation_input_token_cost_above_200k_tokens
    cache_creation_input_token_cost_above_272k_tokens
    cache_creation_input_token_cost_above_1hr_above_100k_tokens
    cache_creation_input_token_cost_above_1hr_above_200k_tokens
    input_cost_per_audio_token_above_200k_tokens
    input_cost_per_token_flex input_cost_per_token_priority input_cost_per_token_batches
    output_cost_per_token_flex output_cost_per_token_priority output_cost_per_token_batches
    output_cost_per_reasoning_token_flex output_cost_per_reasoning_token_priority
    cache_read_input_token_cost_flex cache_read_input_token_cost_priority
    cache_read_input_token_cost_batches cache_creation_input_token_cost_flex
    cache_creation_input_token_cost_priority cache_creation_input_token_cost_batches
    input_cost_per_audio_token_flex input_cost_per_audio_token_priority
    input_cost_per_audio_token_batches
    input_cost_per_token_above_200k_tokens_flex input_cost_per_token_above_200k_tokens_priority
    input_cost_per_token_above_272k_tokens_flex input_cost_per_token_above_272k_tokens_priority
    output_cost_per_token_above_200k_tokens_flex output_cost_per_token_above_200k_tokens_priority
    output_cost_per_token_above_272k_tokens_flex output_cost_per_token_above_272k_tokens_priority
    cache_read_input_token_cost_above_200k_tokens_priority
    cache_read_input_token_cost_above_272k_tokens_flex
    cache_read_input_token_cost_above_272k_tokens_priority
    cache_creation_input_token_cost_above_272k_tokens_flex
    cache_creation_input_token_cost_above_272k_tokens_priority
    input_cost_per_audio_token_above_200k_tokens_flex
    input_cost_per_audio_token_above_200k_tokens_priority
    input_cost_per_audio_token_above_200k_tokens_batches
    input_cost_per_token_above_100k_tokens_batches input_cost_per_token_above_200k_tokens_batches
    input_cost_per_token_above_272k_tokens_batches output_cost_per_token_above_100k_tokens_batches
    output_cost_per_token_above_200k_tokens_batches output_cost_per_token_above_272k_tokens_batches
    cache_read_input_token_cost_above_100k_tokens_batches
    cache_read_input_token_cost_above_200k_tokens_batches
    cache_read_input_token_cost_above_272k_tokens_batches
    cache_creation_input_token_cost_above_100k_tokens_batches
    cache_creation_input_token_cost_above_200k_tokens_batches
    cache_creation_input_token_cost_above_272k_tokens_batches
"""
"""LiteLLM's keys for service tiers and long prompts: a kind of `_KINDS`, a step, a tier."""

_FORM: Final = re.compile(
    rf"(?P<kind>{'|'.join(sorted(_KINDS, key=len, reverse=True))})"
    rf"(?:_above_(?P<step>\d+)k_tokens)?(?:_(?P<tier>{'|'.join(_TIERS)}))?"
)
_SEARCH: Final = "search_context_cost_per_query"


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a key prices: a kind of token, in a service tier, in prompts above so many tokens."""

    kind: str
    tier: ServiceTier
    above: int

    @staticmethod
    def of(key: str) -> _Meaning:
        found = _FORM.fullmatch(key)
        if found is None:
            raise ValueError(f"{key} is no key of a price")
        tier = found["tier"]
        return _Meaning(
            _KINDS[found["kind"]],
            ServiceTier.STANDARD if tier is None else _TIERS[tier],
            int(found["step"] or 0) * 1000,
        )


_MEANINGS: Final = {key: _Meaning.of(key) for key in (*_KINDS, *_SPECIAL.split())}

PRICE_KEYS: Final = frozenset({*_MEANINGS, _SEARCH})
"""Every key that is read as a price."""

_NANO_PER_MILLION_TOKENS: Final = Decimal(10) ** 15
_DEAR: Final = Decimal("0.01")
"""USD per token above which a price is most likely meant per million tokens."""


def read_price(params: Section, info: Section, reader: Reader) -> PriceOverride:
    """Return the prices in `litellm_params` or `model_info`; each may stand in either.

    Args:
        params: The deployment's `litellm_params`.
        info: Its `model_info`.
        reader: Where findings go.
    """
    plain: dict[str, int] = {}
    special: dict[tuple[ServiceTier, int], dict[str, int]] = {}
    places: list[PricePlace] = []
    given: Spot | None = None
    for key, meaning in _MEANINGS.items():
        spot = reader.pick(key, params, info)
        amount = _per_million(spot, reader)
        if amount is None or spot is None:
            continue
        given = given or (spot if amount else None)
        place = (meaning.tier, meaning.above)
        rates = plain if place == _PLAIN else special.setdefault(place, {})
        if meaning.kind not in rates:
            rates[meaning.kind] = amount
            places.append(PricePlace(meaning.kind, spot.position, *place))
    searches = reader.pick(_SEARCH, params, info)
    free = reader.pick("pricing", params, info)
    is_free = reader.typed.choice(free, ("free",)) is not None
    if is_free and given is not None:
        reader.findings.error(
            "conflicting-values",
            given.at,
            "is a price, and the same deployment says `pricing: free`",
            "Keep one of the two.",
        )
    return PriceOverride(
        input=plain.get("input"),
        output=plain.get("output"),
        cache_read=plain.get("cache_read"),
        cache_write_5m=plain.get("cache_write_5m"),
        cache_write_1h=plain.get("cache_write_1h"),
        reasoning=plain.get("reasoning"),
        audio_input=plain.get("audio_input"),
        audio_output=plain.get("audio_output"),
        special=tuple(
            SpecialRates(tier=tier, above=above, **rates)
            for (tier, above), rates in sorted(special.items(), key=_by_place)
        ),
        per_search=_dearest_search(searches, reader),
        free=is_free,
        places=(*places, *_placed("per_search", searches), *_placed("free", free)),
    )


_PLAIN: Final = (ServiceTier.STANDARD, 0)


def _placed(kind: str, spot: Spot | None) -> tuple[PricePlace, ...]:
    return () if spot is None else (PricePlace(kind, spot.position),)


def complete(price: PriceOverride) -> bool:
    """Return whether the file alone prices every call: both directions given, or free."""
    return price.free or (price.input is not None and price.output is not None)


def _by_place(item: tuple[tuple[ServiceTier, int], dict[str, int]]) -> tuple[str, int]:
    (tier, above), _ = item
    return tier.value, above


def _per_million(spot: Spot | None, reader: Reader) -> int | None:
    amount = reader.typed.decimal(spot, "a price in USD per token")
    if amount is None or spot is None:
        return None
    if amount > _DEAR:
        reader.findings.warning(
            "dear-price",
            spot.at,
            f"{amount} USD per token is {amount * 1_000_000:,} USD per million tokens",
            f"If {amount} is the price of a million tokens, write {amount / 1_000_000:f}.",
        )
    return int((amount * _NANO_PER_MILLION_TOKENS).to_integral_value(ROUND_CEILING))


def _dearest_search(spot: Spot | None, reader: Reader) -> NanoUsd | None:
    """Return the price of a search, from a mapping by size of its context: the dearest of them.

    Answers do not tell the size that was used.
    """
    if spot is None or spot.unresolved:
        return None
    found: list[NanoUsd] = []
    for amount in reader.typed.mapping(spot).values():
        if isinstance(amount, bool) or not isinstance(amount, int | float) or amount < 0:
            reader.findings.mistake("wrong-type", spot.at, "expected prices in USD for a search")
            return None
        found.append(nano_from_usd(amount))
    return max(found, default=None)
