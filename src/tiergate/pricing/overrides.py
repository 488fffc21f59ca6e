"""Puts the prices written in the configuration over those of the list.

Kinds of token that the configuration does not name keep their ratio to the input or output price:
who pays half of the list's input price pays half of its cache prices too, and a server of one's
own at price 0 is free altogether. Service tiers and steps for long prompts keep their ratio to
the plain price in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from tiergate.base.values import ServiceTier
from tiergate.core.catalog import PriceOverride, SpecialRates, WrittenRates
from tiergate.core.cost import FREE, NOTHING, Price, Rates, Tier, Variant

_KINDS = tuple(each.name for each in fields(WrittenRates))


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
    if listed is None:
        rates = _alone(written, embeds=embeds)
        if rates is None:
            return None
        base = Price(rates)
    else:
        base = _moved(listed, written)
    per_search = base.per_search if written.per_search is None else written.per_search
    if per_search is None and not (base.rates.dearest_input or base.rates.dearest_output):
        per_search = NOTHING
    plain = [each for each in written.special if each.tier is ServiceTier.STANDARD]
    return Price(
        rates=base.rates,
        tiers=_stepped(base.rates, base.tiers, plain),
        per_request=base.per_request if written.per_request is None else written.per_request,
        variants=_variants(base, written.special),
        per_search=per_search,
        own=any(getattr(written, kind) is not None for kind in _KINDS),
    )


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


def _moved(listed: Price, written: WrittenRates) -> Price:
    """Return the list's price with the written plain rates, and all else in its ratio to these."""
    old, new = listed.rates, _over(listed.rates, written)
    return Price(
        rates=new,
        tiers=_along_all(listed.tiers, old, new),
        per_request=listed.per_request,
        variants=tuple(
            Variant(each.tier, _along(each.rates, old, new), _along_all(each.tiers, old, new))
            for each in listed.variants
        ),
        per_search=listed.per_search,
    )


def _over(base: Rates, written: WrittenRates) -> Rates:
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


def _along(rates: Rates, old: Rates, new: Rates) -> Rates:
    """Return other rates moved as the base rates have moved, kind by kind."""
    return Rates(
        input=_scaled(rates.input, old.input, new.input),
        output=_scaled(rates.output, old.output, new.output),
        cache_read=_scaled(rates.cache_read, old.cache_read, new.cache_read),
        cache_write_5m=_scaled(rates.cache_write_5m, old.cache_write_5m, new.cache_write_5m),
        cache_write_1h=_scaled(rates.cache_write_1h, old.cache_write_1h, new.cache_write_1h),
        reasoning=_scaled(rates.reasoning, old.reasoning, new.reasoning),
        audio_input=_scaled(rates.audio_input, old.audio_input, new.audio_input),
        audio_output=_scaled(rates.audio_output, old.audio_output, new.audio_output),
    )


def _along_all(tiers: Iterable[Tier], old: Rates, new: Rates) -> tuple[Tier, ...]:
    return tuple(Tier(tier.above, _along(tier.rates, old, new)) for tier in tiers)


def _stepped(
    rates: Rates, tiers: tuple[Tier, ...], written: Iterable[SpecialRates]
) -> tuple[Tier, ...]:
    """Return steps for long prompts with the written ones among them.

    A written step stands over the step that held there before, kind by kind.
    """
    for special in sorted(written, key=lambda each: each.above):
        if not special.above:
            continue
        below = tuple(tier for tier in tiers if tier.above < special.above)
        held = [tier.rates for tier in tiers if tier.above <= special.above]
        beyond = tuple(tier for tier in tiers if tier.above > special.above)
        step = Tier(special.above, _over(held[-1] if held else rates, special))
        tiers = (*below, step, *beyond)
    return tiers


def _variants(base: Price, written: Sequence[SpecialRates]) -> tuple[Variant, ...]:
    """Return the service tiers with the written ones among them.

    A tier that the list does not have begins with the plain price.
    """
    found = {each.tier: each for each in base.variants}
    for tier in {each.tier: None for each in written}:
        if tier is ServiceTier.STANDARD:
            continue
        before = found.get(tier, Variant(tier, base.rates, base.tiers))
        own = [each for each in written if each.tier is tier]
        rates, tiers = before.rates, before.tiers
        for special in own:
            if not special.above:
                new = _over(rates, special)
                tiers = _along_all(tiers, rates, new)
                rates = new
        found[tier] = Variant(tier, rates, _stepped(rates, tiers, own))
    return tuple(found.values())


def _scaled(figure: int, old: int, new: int) -> int:
    """Return a figure in its ratio to a price that has changed, rounded up."""
    if old == new:
        return figure
    return -(-figure * new // old) if old else new


def _first(written: int | None, otherwise: int) -> int:
    return otherwise if written is None else written
