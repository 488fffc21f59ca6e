"""Costs are exact, and no call costs more than its ceiling."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import NanoUsd, ServiceTier, Usage
from tiergate.core.cost import (
    FREE,
    PLAIN,
    UNKNOWN_SEARCH,
    Order,
    Price,
    Rates,
    Tier,
    Variant,
    ceiling,
    cost,
    cost_if_known,
    is_certain,
)

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


# ------------------------------------------------------------------ service tiers, searches, bills

STANDARD = Price(Rates.of(2 * USD, 8 * USD))
TIERED = Price(
    Rates.of(2 * USD, 8 * USD),
    (Tier(1000, Rates.of(4 * USD, 12 * USD)),),
    variants=(
        Variant(ServiceTier.FLEX, Rates.of(1 * USD, 4 * USD)),
        Variant(
            ServiceTier.PRIORITY,
            Rates.of(5 * USD, 20 * USD),
            (Tier(1000, Rates.of(9 * USD, 30 * USD)),),
        ),
    ),
)


@pytest.mark.parametrize(
    ("tier", "nano"),
    [
        (ServiceTier.STANDARD, 100 * 2000 + 10 * 8000),
        (ServiceTier.FLEX, 100 * 1000 + 10 * 4000),
        (ServiceTier.PRIORITY, 100 * 5000 + 10 * 20_000),
    ],
)
def test_a_service_tier_has_its_own_rates(tier, nano):
    assert cost(Usage(100, 10, tier=tier), TIERED) == nano


def test_a_service_tier_has_its_own_rates_for_long_prompts():
    usage = Usage(2000, 10, tier=ServiceTier.PRIORITY)

    assert cost(usage, TIERED) == 2000 * 9000 + 10 * 30_000


@pytest.mark.parametrize(
    ("tier", "halves"),
    [
        (ServiceTier.BATCH, 1),
        (ServiceTier.FLEX, 2),
        (ServiceTier.PRIORITY, 4),
        (ServiceTier.FAST, 4),
        (ServiceTier.OTHER, 4),
    ],
)
def test_a_tier_without_a_price_costs_a_bound_and_a_batch_half(tier, halves):
    usage = Usage(100, 10, tier=tier)

    assert cost(usage, STANDARD) == halves * (100 * 1000 + 10 * 4000)
    assert not is_certain(usage, STANDARD)


def test_half_a_nano_usd_of_a_batch_is_rounded_up():
    assert cost(Usage(1, 0, tier=ServiceTier.BATCH), Price(Rates.of(1_000_000, 0))) == 1


def test_a_tier_without_a_price_costs_no_less_than_the_dearest_that_has_one():
    usage = Usage(100, 10, tier=ServiceTier.OTHER)

    assert cost(usage, TIERED) == 100 * 5000 + 10 * 20_000


def test_searches_cost_their_price_or_the_dearest_known():
    usage = Usage(searches=3)

    assert cost(usage, Price(Rates.of(0, 0), per_search=NanoUsd(7))) == 21
    assert cost(usage, STANDARD) == 3 * UNKNOWN_SEARCH
    assert cost(usage, FREE) == 0


def test_a_surcharge_is_on_the_tokens_alone():
    price = Price(Rates.of(USD, 0), per_request=NanoUsd(5), per_search=NanoUsd(7))

    assert cost(Usage(100, 0, searches=1, surcharge=10), price) == 110_000 + 5 + 7


def test_what_the_provider_charges_counts_before_the_list_and_not_before_the_operator():
    usage = Usage(100, 10, billed=NanoUsd(123))

    assert cost(usage, STANDARD) == 123
    assert cost(usage, Price(STANDARD.rates, own=True)) == 280_000
    assert cost(Usage(100, 10, billed=NanoUsd(0)), STANDARD) == 280_000


def test_without_a_price_the_provider_s_word_is_the_cost():
    assert cost_if_known(Usage(100, 10, billed=NanoUsd(123)), None) == 123
    assert cost_if_known(Usage(100, 10, billed=NanoUsd(0)), None) is None
    assert cost_if_known(Usage(100, 10), None) is None
    assert cost_if_known(Usage(100, 10), STANDARD) == 280_000


def test_a_cost_is_certain_where_counts_and_prices_are_known():
    searched = Price(STANDARD.rates, per_search=NanoUsd(7))

    assert is_certain(Usage(100, 10), STANDARD)
    assert is_certain(Usage(100, 10, tier=ServiceTier.FLEX), TIERED)
    assert is_certain(Usage(searches=1), searched)
    assert is_certain(Usage(searches=1, billed=NanoUsd(9)), STANDARD)
    assert not is_certain(Usage(searches=1), STANDARD)
    assert not is_certain(Usage(100, 10, estimated=True), STANDARD)


def test_an_order_that_is_plain_asks_for_the_plain_ceiling():
    assert ceiling(10, 10, TIERED, Order()) == ceiling(10, 10, TIERED, PLAIN)


def test_results_of_searches_count_as_prompt_of_the_call():
    order = Order(searches=1, tokens=1000)

    assert ceiling(500, 0, TIERED, order) == 1500 * 4000 + UNKNOWN_SEARCH


RATE = st.integers(0, 100 * USD)
RATES = st.builds(Rates, **{each.name: RATE for each in fields(Rates) if each.init})
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


TIERS = st.sampled_from(ServiceTier)
WITH_TIERS = st.builds(
    Price,
    RATES,
    st.lists(st.builds(Tier, st.integers(0, 3000), RATES), max_size=2).map(
        lambda tiers: tuple(sorted(tiers, key=lambda tier: tier.above))
    ),
    st.integers(0, USD).map(NanoUsd),
    st.lists(st.builds(Variant, TIERS, RATES), max_size=3, unique_by=lambda v: v.tier).map(
        lambda variants: tuple(v for v in variants if v.tier is not ServiceTier.STANDARD)
    ),
    st.none() | st.integers(0, USD).map(NanoUsd),
)


@given(USAGES, WITH_TIERS, TIERS, st.booleans(), st.integers(0, 3), st.sampled_from([0, 10]))
def test_no_call_costs_more_than_the_ceiling_of_what_was_ordered(
    usage, price, tier, got_standard, searches, surcharge
):
    done = replace(
        usage,
        tier=ServiceTier.STANDARD if got_standard else tier,
        searches=searches,
        surcharge=surcharge,
    )
    order = Order(tier, searches, surcharge, searches * 100)

    assert 0 <= cost(done, price) <= ceiling(usage.prompt_total, usage.output, price, order)


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
