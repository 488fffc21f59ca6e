"""What a call costs: prices by kind of token, and the arithmetic from tokens to nano-USD.

Exact: prices are integers, and what is finer than a nano-USD is rounded up once per call. Where a
price comes from is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.values import NanoUsd, Usage

PER_TOKENS = 1_000_000
"""Prices are for this many tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Prices by kind of token, each in nano-USD per million tokens."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    reasoning: int
    audio_input: int
    audio_output: int

    @staticmethod
    def of(
        input: int,  # noqa: A002 - the kind's own name
        output: int,
        *,
        cache_read: int | None = None,
        cache_write_5m: int | None = None,
        cache_write_1h: int | None = None,
        reasoning: int | None = None,
        audio_input: int | None = None,
        audio_output: int | None = None,
    ) -> Rates:
        """Fill in kinds that have no price of their own.

        Cached input costs what input costs, a one-hour write what a five-minute write costs,
        reasoning what output costs, and audio what text costs.
        """
        shorter = input if cache_write_5m is None else cache_write_5m
        return Rates(
            input=input,
            output=output,
            cache_read=input if cache_read is None else cache_read,
            cache_write_5m=shorter,
            cache_write_1h=shorter if cache_write_1h is None else cache_write_1h,
            reasoning=output if reasoning is None else reasoning,
            audio_input=input if audio_input is None else audio_input,
            audio_output=output if audio_output is None else audio_output,
        )

    @property
    def dearest_input(self) -> int:
        """The most that a token of a prompt can cost."""
        return max(
            self.input, self.cache_read, self.cache_write_5m, self.cache_write_1h, self.audio_input
        )

    @property
    def dearest_output(self) -> int:
        """The most that a token of an answer can cost."""
        return max(self.output, self.reasoning, self.audio_output)


NOTHING = NanoUsd(0)


@dataclass(frozen=True, slots=True)
class Tier:
    """Other rates for long prompts.

    They hold for every token of a call whose prompt, cached tokens included, is longer than
    `above` tokens: the providers' tiers are cliffs, not brackets.
    """

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs.

    Attributes:
        rates: Per token.
        tiers: Rates for long prompts, by rising `above`.
        per_request: nano-USD for each call, whatever its length.
    """

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    per_request: NanoUsd = NOTHING

    @property
    def free(self) -> bool:
        """Whether no call can cost anything."""
        everything = (self.rates, *(tier.rates for tier in self.tiers))
        return not self.per_request and not any(
            rates.dearest_input or rates.dearest_output for rates in everything
        )


FREE = Price(Rates.of(0, 0))
"""The price of a model that costs nothing."""


def cost(usage: Usage, price: Price) -> NanoUsd:
    """Return what a call cost.

    Reasoning and audio tokens are parts of the output or input that they are counted in; a
    provider's part that is larger than the whole is taken as the whole.
    """
    rates = price.rates
    if price.tiers:
        prompt = usage.prompt_total
        for tier in price.tiers:
            if prompt > tier.above:
                rates = tier.rates
    heard = min(usage.audio_input or 0, usage.input)
    said = min(usage.audio_output or 0, usage.output)
    reasoned = min(usage.reasoning or 0, usage.output - said)
    total = (
        (usage.input - heard) * rates.input
        + heard * rates.audio_input
        + (usage.cache_read or 0) * rates.cache_read
        + (usage.cache_write_5m or 0) * rates.cache_write_5m
        + (usage.cache_write_1h or 0) * rates.cache_write_1h
        + (usage.output - said - reasoned) * rates.output
        + said * rates.audio_output
        + reasoned * rates.reasoning
    )
    return NanoUsd(-(-total // PER_TOKENS) + price.per_request)


def ceiling(prompt_tokens: int, max_output_tokens: int, price: Price) -> NanoUsd:
    """Return the most that a call can cost.

    Every prompt token may turn out to be of the dearest kind (a cache write, as a rule), and a
    tier that the prompt may reach may be the dearer one.

    Args:
        prompt_tokens: The most tokens that the prompt can have.
        max_output_tokens: The most that the answer can have, all choices together.
        price: What the model costs.
    """
    most = _most(prompt_tokens, max_output_tokens, price.rates)
    for tier in price.tiers:
        if prompt_tokens > tier.above:
            most = max(most, _most(prompt_tokens, max_output_tokens, tier.rates))
    return NanoUsd(most + price.per_request)


def _most(prompt_tokens: int, max_output_tokens: int, rates: Rates) -> int:
    total = prompt_tokens * rates.dearest_input + max_output_tokens * rates.dearest_output
    return -(-total // PER_TOKENS)
