"""Puts the prices written in the configuration over those of the list.

Kinds of token that the configuration does not name keep their ratio to the input or output price:
who pays half of the list's input price pays half of its cache prices too, and a server of one's
own at price 0 is free altogether.
"""

from __future__ import annotations

from tiergate.base.values import NanoUsd
from tiergate.core.catalog import PriceOverride
from tiergate.core.cost import FREE, Price, Rates, Tier

LONG_PROMPT = 200_000
"""LiteLLM's `..._above_200k_tokens` prices hold for prompts of more tokens than this."""


def combined(
    written: PriceOverride, listed: Price | None, *, embeds: bool = False
) -> Price | None:
    """Return what a deployment costs.

    Args:
        written: The configuration's figures.
        listed: The list's price of the model, if it has one.
        embeds: The model makes embeddings, so that an input price says everything.

    Returns:
        None where input or output has no price.
    """
    if written.free:
        return FREE
    if listed is not None:
        rates = _over(listed.rates, written)
        tiers = tuple(
            Tier(tier.above, _along(tier.rates, listed.rates, rates)) for tier in listed.tiers
        )
        per_request = listed.per_request
    else:
        alone = _alone(written, embeds=embeds)
        if alone is None:
            return None
        rates, tiers, per_request = alone, (), NanoUsd(0)
    if written.per_request is not None:
        per_request = written.per_request
    return Price(rates, _with_long_prompts(written, rates, tiers), per_request)


def _alone(written: PriceOverride, *, embeds: bool) -> Rates | None:
    """Return rates that the configuration alone gives, or None."""
    output = 0 if written.output is None and embeds else written.output
    if written.input is None or output is None:
        return None
    return Rates.of(
        written.input,
        output,
        cache_read=written.cache_read,
        cache_write_5m=written.cache_write_5m,
        cache_write_1h=written.cache_write_1h,
        reasoning=written.reasoning,
        audio_input=written.audio_input,
        audio_output=written.audio_output,
    )


def _over(base: Rates, written: PriceOverride) -> Rates:
    """Return rates with the written figures, and the others in their ratio to these."""
    new_input = _first(written.input, base.input)
    new_output = _first(written.output, base.output)
    shorter = _first(written.cache_write_5m, _scaled(base.cache_write_5m, base.input, new_input))
    return Rates(
        input=new_input,
        output=new_output,
        cache_read=_first(written.cache_read, _scaled(base.cache_read, base.input, new_input)),
        cache_write_5m=shorter,
        cache_write_1h=_first(
            written.cache_write_1h, _scaled(base.cache_write_1h, base.cache_write_5m, shorter)
        ),
        reasoning=_first(written.reasoning, _scaled(base.reasoning, base.output, new_output)),
        audio_input=_first(written.audio_input, _scaled(base.audio_input, base.input, new_input)),
        audio_output=_first(
            written.audio_output, _scaled(base.audio_output, base.output, new_output)
        ),
    )


def _along(tier: Rates, old: Rates, new: Rates) -> Rates:
    """Return a tier's rates moved as the base rates have moved, kind by kind."""
    return Rates(
        input=_scaled(tier.input, old.input, new.input),
        output=_scaled(tier.output, old.output, new.output),
        cache_read=_scaled(tier.cache_read, old.cache_read, new.cache_read),
        cache_write_5m=_scaled(tier.cache_write_5m, old.cache_write_5m, new.cache_write_5m),
        cache_write_1h=_scaled(tier.cache_write_1h, old.cache_write_1h, new.cache_write_1h),
        reasoning=_scaled(tier.reasoning, old.reasoning, new.reasoning),
        audio_input=_scaled(tier.audio_input, old.audio_input, new.audio_input),
        audio_output=_scaled(tier.audio_output, old.audio_output, new.audio_output),
    )


def _with_long_prompts(
    written: PriceOverride, rates: Rates, tiers: tuple[Tier, ...]
) -> tuple[Tier, ...]:
    """Return the tiers with the written one for long prompts among them."""
    above = PriceOverride(
        input=written.input_above_200k,
        output=written.output_above_200k,
        cache_read=written.cache_read_above_200k,
        cache_write_5m=written.cache_write_above_200k,
    )
    if above == PriceOverride():
        return tiers
    below = tuple(tier for tier in tiers if tier.above < LONG_PROMPT)
    at_border = [tier.rates for tier in tiers if tier.above <= LONG_PROMPT]
    base = at_border[-1] if at_border else rates
    beyond = tuple(tier for tier in tiers if tier.above > LONG_PROMPT)
    return (*below, Tier(LONG_PROMPT, _over(base, above)), *beyond)


def _scaled(figure: int, old: int, new: int) -> int:
    """Return a figure in its ratio to a price that has changed, rounded up."""
    if old == new:
        return figure
    return -(-figure * new // old) if old else new


def _first(written: int | None, otherwise: int) -> int:
    return otherwise if written is None else written
