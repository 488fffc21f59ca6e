"""Makes the price list that ships with the program: `python -m tiergate.pricing.collect FILE`.

It needs `genai-prices`, which nothing else does: importing that package takes most of a second
and some 90 MB, and a gateway needs a few dozen of its figures. See docs/decisions/0010.

Left out, because a `Usage` does not tell them apart: prices by hour, character, page and image,
and those of a route or a kind of search that the answer does not name. A price that depends on
the time of day becomes its dearest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias, assert_never

import msgspec
from genai_prices.data import providers as known_providers
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from tiergate.base.values import ServiceTier
from tiergate.pricing.listing import (
    HOSTS,
    Clause,
    ListedModel,
    ListedPrice,
    ListedRates,
    ListedTier,
    ListedVariant,
    ListFile,
)

_NANO: Final = 1_000_000_000
_KINDS: Final = (
    ("input", "input_mtok"),
    ("output", "output_mtok"),
    ("cache_read", "cache_read_mtok"),
    ("cache_write_5m", "cache_write_mtok"),
    ("cache_write_5m", "cache_write_5m_mtok"),
    ("cache_write_1h", "cache_write_1h_mtok"),
    ("reasoning", "output_reasoning_mtok"),
    ("audio_input", "input_audio_mtok"),
    ("audio_output", "output_audio_mtok"),
)
"""Our kinds and the data's keys; where two keys have one kind, the later counts."""

_KEYS: Final = tuple(key for _, key in _KINDS)
_TIERS: Final[Mapping[tuple[tuple[str, str], ...], ServiceTier]] = {
    (("service_tier", "flex"),): ServiceTier.FLEX,
    (("service_tier", "priority"),): ServiceTier.PRIORITY,
    (("service_tier", "fast"),): ServiceTier.FAST,
    (("speed", "fast"),): ServiceTier.FAST,
    (("processing", "batch"),): ServiceTier.BATCH,
}
"""The conditions under which the data has other prices, and what answers call them."""

Figure: TypeAlias = Decimal | TieredPrices | None
"""A price in the data."""


def collect(providers: Iterable[Provider], today: date, source: str) -> ListFile:
    """Return the price list of the providers that some host of ours belongs to.

    Args:
        providers: The data of genai-prices.
        today: Prices that were replaced before this day are left out.
        source: Name and version of where the data comes from.
    """
    wanted = set(HOSTS.values())
    return ListFile(
        source,
        today,
        {
            provider.id: msgspec.Raw(_lines([_model(m, today) for m in provider.models]))
            for provider in sorted(providers, key=lambda each: each.id)
            if provider.id in wanted
        },
    )


def _lines(models: Sequence[ListedModel]) -> bytes:
    """Write one model a line, so that a new list shows its changes line by line."""
    return b"[\n" + b",\n".join(msgspec.json.encode(each) for each in models) + b"\n]"


def _model(model: ModelInfo, today: date) -> ListedModel:
    given = model.prices
    prices = given if isinstance(given, list) else [ConditionalPrice(prices=given)]
    variants = _known_variants(model.price_variants or ())
    return ListedModel(model.id, _clause(model.match), _prices(prices, variants, today))


def _prices(
    given: Sequence[ConditionalPrice], variants: Sequence[_Special], today: date
) -> tuple[ListedPrice, ...]:
    found: list[ListedPrice] = []
    for each in given:
        price = _price(each.prices, variants, today)
        if price is None:
            continue
        match each.constraint:
            case TimeOfDateConstraint():
                found = [_dearer(before, price) for before in found] or [price]
            case StartDateConstraint(start_date=start) if start > today:
                found.append(msgspec.structs.replace(price, since=start))
            case StartDateConstraint():
                found = [price]
            case _:
                found.append(price)
    return tuple(found)


def _price(given: ModelPrice, variants: Sequence[_Special], today: date) -> ListedPrice | None:
    plain = {key: getattr(given, key) for key in _KEYS}
    rates, tiers = _rates(plain)
    if rates.input is None and rates.output is None:
        return None
    return ListedPrice(
        rates,
        None,
        tiers,
        _each(given.requests_kcount) or 0,
        tuple(
            ListedVariant(each.tier, *_on_top(plain, each.prices, today, each.since))
            for each in variants
        ),
        _each(given.web_searches_kcount),
    )


def _on_top(
    plain: Mapping[str, Figure], special: ModelPrice, today: date, since: date | None
) -> tuple[ListedRates, date | None, tuple[ListedTier, ...]]:
    """Return a tier's rates: a key that the data does not give for it keeps its plain price."""
    own = {key: getattr(special, key) for key in _KEYS}
    rates, tiers = _rates({**plain, **{key: own[key] for key in _KEYS if own[key] is not None}})
    return rates, since if since is not None and since > today else None, tiers


def _rates(given: Mapping[str, Figure]) -> tuple[ListedRates, tuple[ListedTier, ...]]:
    base: dict[str, int] = {}
    above: dict[int, dict[str, int]] = {}
    for kind, key in _KINDS:
        value = given[key]
        if isinstance(value, TieredPrices):
            base[kind] = _nano(value.base)
            for tier in value.tiers:
                above.setdefault(tier.start, {})[kind] = _nano(tier.price)
        elif value is not None:
            base[kind] = _nano(value)
    tiers: list[ListedTier] = []
    rates = base
    for start in sorted(above):
        rates = {**rates, **above[start]}
        tiers.append(ListedTier(start, ListedRates(**rates)))
    return ListedRates(**base), tuple(tiers)


def _each(thousand: Figure) -> int | None:
    """Return nano-USD for one, from a price in USD for a thousand."""
    return _nano(thousand / 1000) if isinstance(thousand, Decimal) else None


@dataclass(frozen=True, slots=True)
class _Special:
    """Prices of a service tier, as the data has them."""

    tier: ServiceTier
    prices: ModelPrice
    since: date | None


def _known_variants(given: Sequence[PriceVariant]) -> list[_Special]:
    """Return the variants that are of a tier of ours; `default` is the plain price."""
    found: list[_Special] = []
    for each in given:
        tier = _TIERS.get(tuple(sorted(each.when.items())))
        if tier is None:
            continue
        constraint = each.constraint
        since = constraint.start_date if isinstance(constraint, StartDateConstraint) else None
        found.append(_Special(tier, each.prices, since))
    return found


def _dearer(one: ListedPrice, other: ListedPrice) -> ListedPrice:
    """Return the dearer figure of each kind; prices by the time of day have no tiers."""
    first, second = one.rates, other.rates
    rates = ListedRates(
        input=_larger(first.input, second.input),
        output=_larger(first.output, second.output),
        cache_read=_larger(first.cache_read, second.cache_read),
        cache_write_5m=_larger(first.cache_write_5m, second.cache_write_5m),
        cache_write_1h=_larger(first.cache_write_1h, second.cache_write_1h),
        reasoning=_larger(first.reasoning, second.reasoning),
        audio_input=_larger(first.audio_input, second.audio_input),
        audio_output=_larger(first.audio_output, second.audio_output),
    )
    return msgspec.structs.replace(one, rates=rates)


def _larger(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _nano(usd: Decimal) -> int:
    return int((usd * _NANO).to_integral_value(ROUND_CEILING))


def _clause(given: MatchLogic) -> Clause:
    match given:
        case ClauseEquals(equals=text):
            return Clause(equals=text.lower())
        case ClauseStartsWith(starts_with=text):
            return Clause(starts_with=text.lower())
        case ClauseEndsWith(ends_with=text):
            return Clause(ends_with=text.lower())
        case ClauseContains(contains=text):
            return Clause(contains=text.lower())
        case ClauseRegex(regex=text):
            return Clause(regex=text)
        case ClauseOr(or_=parts):
            return Clause(either=tuple(_clause(part) for part in parts))
        case ClauseAnd(and_=parts):
            return Clause(every=tuple(_clause(part) for part in parts))
        case _:
            assert_never(given)


def main(arguments: Sequence[str]) -> int:
    """Write the list to the file named by the only argument."""
    source = f"genai-prices {version('genai-prices')}"
    made = collect(known_providers, datetime.now(UTC).date(), source)
    Path(arguments[0]).write_bytes(msgspec.json.encode(made) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
