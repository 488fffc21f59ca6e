"""Prices of the file over those of the list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import ServiceTier
from tiergate.core.catalog import PriceOverride, SpecialRates
from tiergate.core.cost import FREE, Price, Rates, Tier, Variant
from tiergate.pricing.overrides import combined

LISTED = Price(
    Rates.of(
        3000,
        15000,
        cache_read=300,
        cache_write_5m=3750,
        cache_write_1h=6000,
        audio_input=9000,
        audio_output=30000,
    ),
    (Tier(200_000, Rates.of(6000, 22500, cache_read=600)),),
    per_request=7,
)


def test_without_words_of_the_file_the_list_counts():
    assert combined(PriceOverride(), LISTED) == LISTED
    assert combined(PriceOverride(), None) is None


def test_free_is_free_whatever_the_list_says():
    assert combined(PriceOverride(free=True), LISTED) == FREE


def test_the_file_alone_needs_both_directions():
    assert combined(PriceOverride(input=3), None) is None
    assert combined(PriceOverride(output=3), None) is None
    assert combined(PriceOverride(input=3, output=4), None) == Price(Rates.of(3, 4), own=True)


def test_an_embedding_model_needs_no_output_price():
    assert combined(PriceOverride(input=3), None, embeds=True) == Price(Rates.of(3, 0), own=True)


def test_the_file_s_kinds_count_and_others_keep_their_ratio():
    rates = combined(PriceOverride(input=1500, cache_read=1), LISTED).rates

    assert (rates.input, rates.output) == (1500, 15000)
    assert (rates.cache_read, rates.cache_write_5m, rates.cache_write_1h) == (1, 1875, 3000)
    assert (rates.audio_input, rates.audio_output) == (4500, 30000)


def test_a_price_of_nothing_makes_everything_free():
    price = combined(PriceOverride(input=0, output=0, per_request=0), LISTED)

    assert price.free


def test_tiers_move_with_the_prices_they_belong_to():
    (tier,) = combined(PriceOverride(input=1500), LISTED).tiers

    assert (tier.above, tier.rates.input, tier.rates.output) == (200_000, 3000, 22500)
    assert tier.rates.cache_read == 300


def test_written_prices_of_long_prompts_are_a_tier():
    price = combined(
        PriceOverride(
            input=10,
            output=20,
            cache_read=1,
            special=(SpecialRates(above=200_000, input=40, output=50, cache_write_5m=60),),
        ),
        None,
    )

    assert price.tiers == (
        Tier(
            200_000,
            Rates.of(40, 50, cache_read=4, cache_write_5m=60, cache_write_1h=60, audio_input=40),
        ),
    )


def test_written_prices_of_long_prompts_replace_the_list_s_tier():
    listed = Price(
        LISTED.rates, (Tier(1000, LISTED.rates), *LISTED.tiers, Tier(300_000, LISTED.rates))
    )

    price = combined(PriceOverride(special=(SpecialRates(above=200_000, input=12_000),)), listed)

    assert [tier.above for tier in price.tiers] == [1000, 200_000, 300_000]
    assert price.tiers[1].rates.input == 12_000
    assert price.tiers[1].rates.cache_read == 1200
    assert price.tiers[1].rates.output == 22_500


TIERED = Price(
    LISTED.rates,
    LISTED.tiers,
    variants=(Variant(ServiceTier.PRIORITY, Rates.of(6000, 30_000)),),
)


def test_a_service_tier_moves_with_the_prices_it_belongs_to():
    (variant,) = combined(PriceOverride(input=1500), TIERED).variants

    assert (variant.tier, variant.rates.input) == (ServiceTier.PRIORITY, 3000)
    assert variant.rates.output == 30_000


def test_a_written_service_tier_stands_over_the_list_s():
    special = (SpecialRates(tier=ServiceTier.PRIORITY, input=9000),)
    (variant,) = combined(PriceOverride(special=special), TIERED).variants

    assert (variant.rates.input, variant.rates.output) == (9000, 30_000)
    assert variant.rates.cache_read == 9000


def test_a_service_tier_that_the_list_does_not_have_begins_with_the_plain_price():
    special = (
        SpecialRates(tier=ServiceTier.BATCH, input=1500),
        SpecialRates(tier=ServiceTier.BATCH, above=200_000, output=9000),
    )
    priority, batch = combined(PriceOverride(special=special), TIERED).variants

    assert priority == TIERED.variants[0]
    assert (batch.tier, batch.rates.input, batch.rates.output) == (ServiceTier.BATCH, 1500, 15_000)
    assert batch.rates.cache_read == 150
    (step,) = batch.tiers
    assert (step.above, step.rates.input, step.rates.output) == (200_000, 3000, 9000)


@pytest.mark.parametrize(
    ("price", "own"), [({}, False), ({"input": 1}, True), ({"per_search": 5}, False)]
)
def test_written_rates_count_before_what_a_provider_charges(price, own):
    assert combined(PriceOverride(**price), LISTED).own is own


def test_a_search_costs_what_is_written_and_nothing_where_all_is_free():
    assert combined(PriceOverride(per_search=5), LISTED).per_search == 5
    assert combined(PriceOverride(), LISTED).per_search is None
    assert combined(PriceOverride(input=0, output=0), None).per_search == 0


@pytest.mark.parametrize(("written", "result"), [(None, 7), (0, 0), (9, 9)])
def test_a_price_per_call_is_the_file_s_or_the_list_s(written, result):
    assert combined(PriceOverride(per_request=written), LISTED).per_request == result


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_scaled_prices_are_never_below_their_ratio(new_input, new_output):
    rates = combined(PriceOverride(input=new_input, output=new_output), LISTED).rates

    assert rates.cache_read * 3000 >= 300 * new_input
    assert rates.cache_write_1h * 3000 >= 6000 * new_input
    assert rates.audio_output * 15000 >= 30000 * new_output
    assert rates.cache_read <= new_input
