"""How the cost of a recorded call comes about: tokens by kind, times the prices in force now.

What the record says is what was charged. Where today's prices give another sum, that is said; the
lines are an explanation and change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.core.cost import PER_TOKENS, Price, Rates
from tiergate.core.ledger import Entry
from tiergate.core.ledger_lines import input_tokens


@dataclass(frozen=True, slots=True)
class CostLine:
    """One kind of token.

    Attributes:
        kind: In words.
        tokens: How many.
        rate: nano-USD for a million.
        cost: nano-USD, rounded up.
    """

    kind: str
    tokens: int
    rate: int
    cost: int


@dataclass(frozen=True, slots=True)
class CostSheet:
    """All kinds.

    Attributes:
        lines: Kinds of which there were tokens.
        request: nano-USD for the call itself, whatever its length.
        agrees: The lines give what was charged, but for rounding.
    """

    lines: tuple[CostLine, ...]
    request: int
    agrees: bool


def cost_sheet(entry: Entry, price: Price) -> CostSheet:
    """Explain the cost of a record by a price."""
    rates = _rates(entry, price)
    heard = min(entry.audio_input, entry.input)
    said = min(entry.audio_output, entry.output)
    thought = min(entry.reasoning, entry.output - said)
    kinds = (
        ("input", entry.input - heard, rates.input),
        ("audio input", heard, rates.audio_input),
        ("read from the provider's cache", entry.cache_read, rates.cache_read),
        ("written to it for 5 minutes", entry.cache_write_5m, rates.cache_write_5m),
        ("written to it for an hour", entry.cache_write_1h, rates.cache_write_1h),
        ("output", entry.output - said - thought, rates.output),
        ("reasoning", thought, rates.reasoning),
        ("audio output", said, rates.audio_output),
    )
    lines = tuple(
        CostLine(kind, tokens, rate, -(-tokens * rate // PER_TOKENS))
        for kind, tokens, rate in kinds
        if tokens
    )
    total = sum(line.cost for line in lines) + price.per_request
    return CostSheet(lines, price.per_request, abs(total - entry.cost) <= len(lines))


def _rates(entry: Entry, price: Price) -> Rates:
    """Return the rates for a prompt of this length: a tier holds for every token."""
    rates, prompt = price.rates, input_tokens(entry)
    for tier in price.tiers:
        if prompt > tier.above:
            rates = tier.rates
    return rates
