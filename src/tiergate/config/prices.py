"""Reads prices written in the file. USD per token become nano-USD per million tokens, exactly.

Whether a model without own prices can be priced is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final

from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.core.catalog import PriceOverride

_PER_TOKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "input": ("input_cost_per_token",),
    "output": ("output_cost_per_token",),
    "cache_read": ("cache_read_input_token_cost", "input_cost_per_token_cache_hit"),
    "cache_write_5m": ("cache_creation_input_token_cost",),
    "cache_write_1h": ("cache_creation_input_token_cost_above_1hr",),
    "reasoning": ("output_cost_per_reasoning_token",),
    "audio_input": ("input_cost_per_audio_token",),
    "audio_output": ("output_cost_per_audio_token",),
    "input_above_200k": ("input_cost_per_token_above_200k_tokens",),
    "output_above_200k": ("output_cost_per_token_above_200k_tokens",),
    "cache_read_above_200k": ("cache_read_input_token_cost_above_200k_tokens",),
    "cache_write_above_200k": ("cache_creation_input_token_cost_above_200k_tokens",),
}
PRICE_KEYS: Final = frozenset(key for keys in _PER_TOKEN.values() for key in keys)

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
    prices: dict[str, int | None] = {}
    given: Spot | None = None
    for name, keys in _PER_TOKEN.items():
        spots = [reader.pick(key, params, info) for key in keys]
        spot = next((each for each in spots if each is not None), None)
        prices[name] = _per_million(spot, reader)
        given = given or spot
    free = reader.pick("pricing", params, info)
    is_free = reader.typed.choice(free, ("free",)) is not None
    if is_free and given is not None and any(prices.values()):
        reader.findings.error(
            "conflicting-values",
            given.at,
            "is a price, and the same deployment says `pricing: free`",
            "Keep one of the two.",
        )
    return PriceOverride(
        input=prices["input"],
        output=prices["output"],
        cache_read=prices["cache_read"],
        cache_write_5m=prices["cache_write_5m"],
        cache_write_1h=prices["cache_write_1h"],
        reasoning=prices["reasoning"],
        audio_input=prices["audio_input"],
        audio_output=prices["audio_output"],
        input_above_200k=prices["input_above_200k"],
        output_above_200k=prices["output_above_200k"],
        cache_read_above_200k=prices["cache_read_above_200k"],
        cache_write_above_200k=prices["cache_write_above_200k"],
        free=is_free,
    )


def complete(price: PriceOverride) -> bool:
    """Return whether the file alone prices every call: both directions given, or free."""
    return price.free or (price.input is not None and price.output is not None)


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
