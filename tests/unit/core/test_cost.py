"""Costs are exact, and no call costs more than its ceiling."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import NanoUsd, Usage
from tiergate.core.cost import FREE, Price, Rates, Tier, ceiling, cost

USD = 1_000_000_000
CLAUDE = Price(
    Rates.of(
        3 * USD,
        15 * USD,
        cache_read=3 * USD // 10,
        cache_write_5m=375 * USD // 100,
        cache_write_1h=6 * USD,
    )
)


@pytest.mark.parametrize(
    ("usage", "nano"),
    [
        (Usage(input=12, output=40, cache_read=3000, cache_write_5m=0), 1_536_000),
        (Usage(input=5, output=100, cache_read=0, cache_write_5m=8000), 31_515_000),
        (Usage(input=200, output=50, cache_read=800), 1_590_000),
        (Usage(input=0, output=0, cache_write_1h=1_000_000), 6 * USD),
        (Usage(), 0),
    ],
)
def test_each_kind_of_token_has_its_price(usage, nano):
    assert cost(usage, CLAUDE) == nano


def test_kinds_without_a_price_cost_what_input_and_output_cost():
    price = Price(Rates.of(2 * USD, 8 * USD))
    usage = Usage(
        input=10,
        output=10,
        cache_read=10,
        cache_write_5m=10,
        cache_write_1h=10,
        reasoning=4,
        audio_input=5,
        audio_output=5,
    )

    assert cost(usage, price) == (40 * 2 + 10 * 8) * 1000


def test_reasoning_and_audio_are_parts_of_the_whole_they_are_counted_in():
    price = Price(
        Rates.of(1 * USD, 2 * USD, reasoning=5 * USD, audio_input=10 * USD, audio_output=20 * USD)
    )
    usage = Usage(input=100, output=100, reasoning=10, audio_input=30, audio_output=40)

    assert cost(usage, price) == (70 * 1 + 30 * 10 + 50 * 2 + 10 * 5 + 40 * 20) * 1000


def test_a_part_that_is_larger_than_the_whole_is_taken_as_the_whole():
    price = Price(Rates.of(1 * USD, 2 * USD, reasoning=5 * USD, audio_input=10 * USD))

    assert cost(Usage(input=10, output=10, reasoning=99, audio_input=99), price) == 150_000


def test_a_fraction_of_a_nano_usd_is_rounded_up_once_per_call():
    price = Price(Rates.of(1, 1))

    assert cost(Usage(input=1, output=1), price) == 1
    assert cost(Usage(input=500_000, output=500_001), price) == 2


def test_a_tier_holds_for_every_token_of_a_prompt_beyond_its_border():
    price = Price(
        Rates.of(3 * USD, 15 * USD),
        (Tier(200_000, Rates.of(6 * USD, 22 * USD)), Tier(400_000, Rates.of(9 * USD, 30 * USD))),
    )

    assert cost(Usage(input=200_000, output=1000), price) == 615_000_000
    assert cost(Usage(input=1, output=1000, cache_read=200_000), price) == 1_222_006_000
    assert cost(Usage(input=500_000, output=0), price) == 4_500_000_000


def test_a_price_per_call_is_added_once():
    price = Price(Rates.of(0, 0), per_request=NanoUsd(7))

    assert cost(Usage(input=9, output=9), price) == 7
    assert ceiling(9, 9, price) == 7
    assert not price.free


def test_only_a_price_of_nothing_at_all_is_free():
    assert FREE.free
    assert not Price(Rates.of(0, 1)).free
    assert not Price(Rates.of(0, 0, cache_read=1)).free
    assert not Price(Rates.of(0, 0), (Tier(1, Rates.of(1, 0)),)).free


def test_the_suite_s_budget_call_may_cost_three_tokens():
    price = Price(Rates.of(0, 500 * USD))

    assert ceiling(1000, 3, price) == 1_500_000
    assert cost(Usage(input=10, output=4), price) == 2_000_000


RATE = st.integers(0, 100 * USD)
RATES = st.builds(Rates, **dict.fromkeys(Rates.__slots__, RATE))
PRICES = st.builds(
    Price,
    RATES,
    st.lists(st.builds(Tier, st.integers(0, 3000), RATES), max_size=3).map(
        lambda tiers: tuple(sorted(tiers, key=lambda tier: tier.above))
    ),
    st.integers(0, USD).map(NanoUsd),
)
COUNT = st.integers(0, 2000)
USAGES = st.builds(
    Usage,
    input=COUNT,
    output=COUNT,
    cache_read=COUNT | st.none(),
    cache_write_5m=COUNT | st.none(),
    cache_write_1h=COUNT | st.none(),
    reasoning=COUNT | st.none(),
    audio_input=COUNT | st.none(),
    audio_output=COUNT | st.none(),
)


@given(USAGES, PRICES, st.integers(0, 500), st.integers(0, 500))
def test_no_call_costs_more_than_its_ceiling(usage, price, more_prompt, more_output):
    most = ceiling(usage.prompt_total + more_prompt, usage.output + more_output, price)

    assert 0 <= cost(usage, price) <= most


@given(USAGES, PRICES)
def test_a_cost_is_the_exact_sum_rounded_up(usage, price):
    rates = next(
        (t.rates for t in reversed(price.tiers) if usage.prompt_total > t.above), price.rates
    )
    heard = min(usage.audio_input or 0, usage.input)
    said = min(usage.audio_output or 0, usage.output)
    thought = min(usage.reasoning or 0, usage.output - said)
    parts = [
        (usage.input - heard, rates.input),
        (heard, rates.audio_input),
        (usage.cache_read or 0, rates.cache_read),
        (usage.cache_write_5m or 0, rates.cache_write_5m),
        (usage.cache_write_1h or 0, rates.cache_write_1h),
        (usage.output - said - thought, rates.output),
        (said, rates.audio_output),
        (thought, rates.reasoning),
    ]
    exact = sum(Fraction(count * rate, 1_000_000) for count, rate in parts)

    assert 0 <= cost(usage, price) - price.per_request - exact < 1
