"""The price list that ships with the program: its form, and how a model is found in it.

The figures are those of the `genai-prices` data (Pydantic, MIT), collected by `collect`. The file
is read when the first price is asked for, and only the providers asked for are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

from tiergate.base.values import NanoUsd, ServiceTier
from tiergate.core.cost import Price, Rates, Tier, Variant

SHIPPED: Final = "genai_prices.json"

HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "anthropic": "anthropic",
        "baseten": "baseten",
        "cerebras": "cerebras",
        "codestral": "mistral",
        "deepseek": "deepseek",
        "fireworks_ai": "fireworks",
        "groq": "groq",
        "meta_llama": "meta",
        "minimax": "minimax",
        "mistral": "mistral",
        "moonshot": "moonshotai",
        "novita": "novita",
        "openai": "openai",
        "openrouter": "openrouter",
        "perplexity": "perplexity",
        "together_ai": "together",
        "xai": "x-ai",
        "zai": "zai",
    }
)
"""The data's provider for a host of ours. Other hosts have no list prices: people run them
themselves, or the data does not know them."""

_COMPACT_DATE: Final = re.compile(r"(.+)-(\d{4})(\d{2})(\d{2})")


class Clause(msgspec.Struct, frozen=True, omit_defaults=True):
    """One condition on a model's name; exactly one member is set. Only `regex` minds case."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    either: tuple[Clause, ...] = ()
    every: tuple[Clause, ...] = ()

    def fits(self, name: str) -> bool:
        """Tell whether a lower-case name meets the condition."""
        if self.equals is not None:
            return name == self.equals
        if self.starts_with is not None:
            return name.startswith(self.starts_with)
        if self.ends_with is not None:
            return name.endswith(self.ends_with)
        if self.contains is not None:
            return self.contains in name
        if self.regex is not None:
            return re.search(self.regex, name) is not None
        if self.either:
            return any(clause.fits(name) for clause in self.either)
        return all(clause.fits(name) for clause in self.every)


class ListedRates(msgspec.Struct, frozen=True, omit_defaults=True):
    """nano-USD per million tokens; None where the list has no price for that kind."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None

    def filled(self) -> Rates:
        """Return rates for every kind."""
        return Rates.of(
            self.input or 0,
            self.output or 0,
            cache_read=self.cache_read,
            cache_write_5m=self.cache_write_5m,
            cache_write_1h=self.cache_write_1h,
            reasoning=self.reasoning,
            audio_input=self.audio_input,
            audio_output=self.audio_output,
        )


class ListedTier(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rates of prompts longer than `above` tokens."""

    above: int
    rates: ListedRates


class ListedVariant(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rates of a service tier, and the day from which they are known (None: always)."""

    tier: ServiceTier
    rates: ListedRates
    since: date | None = None
    tiers: tuple[ListedTier, ...] = ()


class ListedPrice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A price and the day from which it holds (None: always)."""

    rates: ListedRates
    since: date | None = None
    tiers: tuple[ListedTier, ...] = ()
    per_request: int = 0
    variants: tuple[ListedVariant, ...] = ()
    per_search: int | None = None

    def price(self, day: date) -> Price:
        """Return the price as a value of core, with the service tiers known on a day."""
        return Price(
            rates=self.rates.filled(),
            tiers=_steps(self.tiers),
            per_request=NanoUsd(self.per_request),
            variants=tuple(
                Variant(each.tier, each.rates.filled(), _steps(each.tiers))
                for each in self.variants
                if each.since is None or each.since <= day
            ),
            per_search=None if self.per_search is None else NanoUsd(self.per_search),
        )


class ListedModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """One model. `prices` is ordered by `since`; it is empty for models not priced by tokens."""

    id: str
    match: Clause
    prices: tuple[ListedPrice, ...] = ()

    def held_on(self, day: date) -> ListedPrice | None:
        """Return the price that holds on a day, as the list has it."""
        held = [each for each in self.prices if each.since is None or each.since <= day]
        return held[-1] if held else None

    def price_on(self, day: date) -> Price | None:
        """Return what the model costs on a day."""
        held = self.held_on(day)
        return held.price(day) if held is not None else None


def _steps(tiers: tuple[ListedTier, ...]) -> tuple[Tier, ...]:
    return tuple(Tier(tier.above, tier.rates.filled()) for tier in tiers)


class ListFile(msgspec.Struct, frozen=True):
    """The file: where its figures come from, and the models by the data's provider."""

    source: str
    collected: date
    providers: dict[str, msgspec.Raw]


class Listing:
    """A price list.

    Args:
        text: The file's bytes; None reads the list that ships with the program, when needed.
    """

    def __init__(self, text: bytes | None = None) -> None:
        self._text = text
        self._models: dict[str, tuple[ListedModel, ...]] = {}

    @cached_property
    def _file(self) -> ListFile:
        text = self._text
        if text is None:
            text = files("tiergate.pricing").joinpath(SHIPPED).read_bytes()
        return msgspec.json.decode(text, type=ListFile)

    @property
    def source(self) -> str:
        """Where the figures come from: `genai-prices 0.2.3, collected 2026-11-25`."""
        return f"{self._file.source}, collected {self._file.collected}"

    def models(self, host: str) -> tuple[ListedModel, ...]:
        """Return the models of a host by its canonical name; none if the list has no such host."""
        provider = HOSTS.get(host)
        if provider is None:
            return ()
        known = self._models.get(provider)
        if known is None:
            raw = self._file.providers.get(provider)
            known = () if raw is None else msgspec.json.decode(raw, type=tuple[ListedModel, ...])
            self._models[provider] = known
        return known

    def find(self, host: str, model: str) -> ListedModel | None:
        """Return the entry of a model, or None.

        A name that ends in a date of eight digits is tried with dashes in it as well, as the data
        knows OpenAI's dated names.
        """
        name = model.lower()
        models = self.models(host)
        found = next((each for each in models if each.match.fits(name)), None)
        if found is None and (dated := _COMPACT_DATE.fullmatch(name)):
            name = "-".join(dated.groups())
            found = next((each for each in models if each.match.fits(name)), None)
        return found
