"""What a call costs: prices by kind of token, and the arithmetic from tokens to nano-USD.

Exact: prices are integers, and what is finer than a nano-USD is rounded up once per call. Where a
price comes from is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tiergate.base.values import NanoUsd, ServiceTier, Usage

PER_TOKENS = 1_000_000
"""Prices are for this many tokens."""

UNKNOWN_SEARCH = NanoUsd(25_000_000)
"""A search whose price is not known: 25 USD for a thousand, the dearest that is listed for models
that answer chat calls (OpenAI, "Pricing": web search preview)."""

_DEARER = 2
"""How many times the standard price a tier costs whose price is not known: OpenAI's and
Anthropic's priority and fast tiers cost 1.67 to 2 times as much (once 2.5) in the list."""


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
    dearest_input: int = field(init=False, repr=False, compare=False)
    """The most that a token of a prompt can cost."""
    dearest_output: int = field(init=False, repr=False, compare=False)
    """The most that a token of an answer can cost."""

    def __post_init__(self) -> None:
        """Find the dearest kinds once: every hold asks for them."""
        prompt = max(
            self.input, self.cache_read, self.cache_write_5m, self.cache_write_1h, self.audio_input
        )
        object.__setattr__(self, "dearest_input", prompt)
        answer = max(self.output, self.reasoning, self.audio_output)
        object.__setattr__(self, "dearest_output", answer)

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
class Variant:
    """The rates of a service tier, and its own rates for long prompts."""

    tier: ServiceTier
    rates: Rates
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs.

    Attributes:
        rates: Per token.
        tiers: Rates for long prompts, by rising `above`.
        per_request: nano-USD for each call, whatever its length.
        variants: Rates of service tiers, each tier once.
        per_search: nano-USD for each search that the provider runs; None where not known.
        own: The operator has written the rates, so they count whatever the provider says.
    """

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    per_request: NanoUsd = NOTHING
    variants: tuple[Variant, ...] = ()
    per_search: NanoUsd | None = None
    own: bool = False

    @property
    def free(self) -> bool:
        """Whether no call can cost anything; searches of a provider have to have a price of 0."""
        everything = (
            self.rates,
            *(tier.rates for tier in self.tiers),
            *(variant.rates for variant in self.variants),
        )
        return not (self.per_request or self.per_search) and not any(
            rates.dearest_input or rates.dearest_output for rates in everything
        )

    def variant(self, tier: ServiceTier) -> Variant | None:
        """Return the rates of a service tier, or None."""
        return next((each for each in self.variants if each.tier is tier), None)


FREE = Price(Rates.of(0, 0), per_search=NOTHING, own=True)
"""The price of a model that costs nothing."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a request asks for that changes its price beside its length.

    Attributes:
        tier: The service tier that it asks for.
        searches: The most searches that the provider may run for it.
        surcharge: Percent on the price of every token.
        tokens: What the results of the searches add to the prompt, at most.
    """

    tier: ServiceTier = ServiceTier.STANDARD
    searches: int = 0
    surcharge: int = 0
    tokens: int = 0


PLAIN = Order()
"""What nearly every request orders: nothing special."""


def cost(usage: Usage, price: Price) -> NanoUsd:
    """Return what a call cost.

    What the provider says that it charges counts before the list, and not before the operator's
    own price; a 0 is not believed, since hosts write one that know no price. Reasoning and audio
    tokens are parts of the output or input that they are counted in; a provider's part that is
    larger than the whole is taken as the whole.
    """
    if usage.billed and not price.own:
        return usage.billed
    if usage.tier is ServiceTier.STANDARD:
        total = _tokens(usage, price.rates, price.tiers)
        amount = _rounded(total, usage.surcharge)
    else:
        amount = _of_tier(usage, price)
    if usage.searches:
        amount += usage.searches * _search(price)
    return NanoUsd(amount + price.per_request)


def cost_if_known(usage: Usage, price: Price | None) -> NanoUsd | None:
    """Return what a call cost; None where neither a price nor the provider tells."""
    return (usage.billed or None) if price is None else cost(usage, price)


def is_certain(usage: Usage, price: Price) -> bool:
    """Tell whether `cost` has a known price for everything that was used, and true counts.

    Where it has none it takes a bound, and the record should say that it is an estimate.
    """
    if usage.billed and not price.own:
        return True
    known = usage.tier is ServiceTier.STANDARD or price.variant(usage.tier) is not None
    return known and not usage.estimated and not (usage.searches and price.per_search is None)


def ceiling(
    prompt_tokens: int, max_output_tokens: int, price: Price, order: Order = PLAIN
) -> NanoUsd:
    """Return the most that a call can cost.

    Every prompt token may turn out to be of the dearest kind (a cache write, as a rule), a tier
    that the prompt may reach may be the dearer one, and the provider may answer in another
    service tier than the one asked for.

    Args:
        prompt_tokens: The most tokens that the prompt can have.
        max_output_tokens: The most that the answer can have, all choices together.
        price: What the model costs.
        order: What else the request asks for.
    """
    if order is PLAIN:
        rates = price.rates
        if price.tiers:
            most = _most(prompt_tokens, max_output_tokens, rates, price.tiers)
        else:
            most = prompt_tokens * rates.dearest_input + max_output_tokens * rates.dearest_output
        return NanoUsd(_rounded(most, 0) + price.per_request)
    prompt_tokens += order.tokens
    most = _most(prompt_tokens, max_output_tokens, price.rates, price.tiers)
    if order.tier is not ServiceTier.STANDARD:
        variant = price.variant(order.tier)
        if variant is not None:
            other = _most(prompt_tokens, max_output_tokens, variant.rates, variant.tiers)
            most = max(most, other)
        elif order.tier not in _CHEAPER:
            dearest = [
                _most(prompt_tokens, max_output_tokens, each.rates, each.tiers)
                for each in price.variants
            ]
            most = max(_DEARER * most, *dearest, 0)
    searches = order.searches * _search(price)
    return NanoUsd(_rounded(most, order.surcharge) + searches + price.per_request)


_CHEAPER = frozenset({ServiceTier.FLEX, ServiceTier.BATCH})
"""Tiers that no provider sells above its standard price."""


def _of_tier(usage: Usage, price: Price) -> int:
    """Return the cost of the tokens of a call in a special tier.

    Where the tier has no known price: half the standard for a batch (what OpenAI, Anthropic,
    Mistral and Groq take), the standard for flex, and for any other the dearest that is known.
    """
    variant = price.variant(usage.tier)
    if variant is not None:
        return _rounded(_tokens(usage, variant.rates, variant.tiers), usage.surcharge)
    total = _tokens(usage, price.rates, price.tiers)
    match usage.tier:
        case ServiceTier.BATCH:
            return _rounded(total, usage.surcharge, halves=1)
        case ServiceTier.FLEX:
            pass
        case _:
            others = [_tokens(usage, each.rates, each.tiers) for each in price.variants]
            total = max(_DEARER * total, *others, 0)
    return _rounded(total, usage.surcharge)


def _tokens(usage: Usage, rates: Rates, tiers: tuple[Tier, ...]) -> int:
    """Return the cost of a call's tokens in millionths of a nano-USD."""
    if tiers:
        prompt = usage.prompt_total
        for tier in tiers:
            if prompt > tier.above:
                rates = tier.rates
    total = usage.input * rates.input + usage.output * rates.output
    if usage.cache_read:
        total += usage.cache_read * rates.cache_read
    if usage.cache_write_5m:
        total += usage.cache_write_5m * rates.cache_write_5m
    if usage.cache_write_1h:
        total += usage.cache_write_1h * rates.cache_write_1h
    # Parts of what is counted already: they cost the difference.
    if usage.audio_input:
        heard = min(usage.audio_input, usage.input)
        total += heard * (rates.audio_input - rates.input)
    said = min(usage.audio_output, usage.output) if usage.audio_output else 0
    if said:
        total += said * (rates.audio_output - rates.output)
    if usage.reasoning:
        reasoned = min(usage.reasoning, usage.output - said)
        total += reasoned * (rates.reasoning - rates.output)
    return total


def _most(
    prompt_tokens: int, max_output_tokens: int, rates: Rates, tiers: tuple[Tier, ...]
) -> int:
    most = prompt_tokens * rates.dearest_input + max_output_tokens * rates.dearest_output
    for tier in tiers:
        if prompt_tokens > tier.above:
            dear = tier.rates
            total = prompt_tokens * dear.dearest_input + max_output_tokens * dear.dearest_output
            most = max(most, total)
    return most


def _rounded(total: int, surcharge: int, *, halves: int = 2) -> int:
    """Return nano-USD for millionths of them, percent added and halved if asked.

    The only place where an amount is rounded, and it is rounded up.
    """
    return -(-total * (100 + surcharge) * halves // (200 * PER_TOKENS))


def _search(price: Price) -> int:
    return UNKNOWN_SEARCH if price.per_search is None else price.per_search
