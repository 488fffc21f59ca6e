"""The lines of a cost add up to what was charged, or it is said that they do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.ledger import entry
from tiergate.base.values import NanoUsd, Usage
from tiergate.core.cost import Price, Rates, Tier, cost
from tiergate.ui.cost_lines import CostLine, cost_sheet

MILLION = 1_000_000
RATES = Rates.of(3_000_000_000, 15_000_000_000, cache_read=300_000_000, reasoning=9_000_000_000)
PRICE = Price(RATES)


def test_each_kind_has_a_line():
    sheet = cost_sheet(
        entry(input=MILLION, cache_read=MILLION, output=MILLION, cost=18_300_000_000), PRICE
    )
    assert sheet.lines == (
        CostLine("input", MILLION, 3_000_000_000, 3_000_000_000),
        CostLine("read from the provider's cache", MILLION, 300_000_000, 300_000_000),
        CostLine("output", MILLION, 15_000_000_000, 15_000_000_000),
    )
    assert sheet.agrees


def test_a_price_that_has_changed_is_seen():
    assert not cost_sheet(entry(input=MILLION, output=0, cost=1), PRICE).agrees


def test_a_long_prompt_has_the_rates_of_its_tier():
    price = Price(RATES, tiers=(Tier(200_000, Rates.of(6_000_000_000, 1)),))
    assert cost_sheet(entry(input=200_000), price).lines[0].rate == 3_000_000_000
    assert cost_sheet(entry(input=200_000, cache_read=1), price).lines[0].rate == 6_000_000_000


def test_a_price_for_each_call_is_shown():
    price = Price(Rates.of(0, 0), per_request=NanoUsd(7))
    sheet = cost_sheet(entry(input=0, output=0, cost=7), price)
    assert (sheet.lines, sheet.request, sheet.agrees) == ((), 7, True)


tokens = st.integers(0, 300_000)


@given(tokens, tokens, tokens, tokens, tokens, tokens, tokens, tokens)
def test_the_lines_are_the_arithmetic_of_the_books(a, b, c, d, e, f, g, h):
    usage = Usage(
        input=a, output=b, cache_read=c, cache_write_5m=d, cache_write_1h=e, reasoning=f,
        audio_input=g, audio_output=h,
    )  # fmt: skip
    price = Price(RATES, tiers=(Tier(200_000, Rates.of(6_000_000_000, 22_500_000_000)),))
    record = entry(
        input=a, output=b, cache_read=c, cache_write_5m=d, cache_write_1h=e, reasoning=f,
        audio_input=g, audio_output=h, cost=cost(usage, price),
    )  # fmt: skip
    assert cost_sheet(record, price).agrees
