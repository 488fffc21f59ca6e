"""Savings and costs of a provider's prompt cache, as differences of the bill."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import NanoUsd, ServiceTier, Usage
from tiergate.core.cost import Price, Rates, Tier, Variant, cost
from tiergate.core.prompt_savings import NO_MONEY, CacheMoney, cache_money

HAIKU = Rates.of(
    1_000_000_000,
    5_000_000_000,
    cache_read=100_000_000,
    cache_write_5m=1_250_000_000,
    cache_write_1h=2_000_000_000,
)
PRICE = Price(HAIKU)
counts = st.integers(0, 500_000)


def test_a_read_saves_nine_tenths_of_the_input_price() -> None:
    assert cache_money(Usage(input=20, cache_read=5000), PRICE) == CacheMoney(saved=4_500_000)


def test_a_write_costs_a_quarter_more_and_one_for_an_hour_twice_the_price() -> None:
    assert cache_money(Usage(cache_write_5m=1000), PRICE).writes == 250_000
    assert cache_money(Usage(cache_write_1h=1000), PRICE).writes == 1_000_000


def test_nothing_is_saved_without_a_price_or_without_a_cache() -> None:
    assert cache_money(Usage(cache_read=5000), None) is NO_MONEY
    assert cache_money(Usage(input=5000), PRICE) is NO_MONEY
    assert cache_money(Usage(input=5000, cache_read=0), PRICE) is NO_MONEY


def test_long_prompts_and_tiers_save_at_their_own_rates() -> None:
    double = Rates.of(2_000_000_000, 10_000_000_000, cache_read=200_000_000)
    long = Price(HAIKU, tiers=(Tier(200_000, double),))
    assert cache_money(Usage(cache_read=250_000), long).saved == 250_000 * 1800
    fast = Price(HAIKU, variants=(Variant(ServiceTier.FAST, double),))
    assert cache_money(Usage(cache_read=1000, tier=ServiceTier.FAST), fast).saved == 1_800_000


def test_what_a_provider_says_that_it_bills_does_not_hide_the_saving() -> None:
    usage = Usage(input=1, cache_read=5000, billed=NanoUsd(7))
    assert cache_money(usage, PRICE).saved == 4_500_000


@given(fresh=counts, read=counts, short=counts, long=counts, output=counts)
def test_saving_and_cost_are_what_the_bill_would_be_without_a_cache(
    fresh: int, read: int, short: int, long: int, output: int
) -> None:
    usage = Usage(fresh, output, read, short, long)
    money = cache_money(usage, PRICE)
    plain = cost(Usage(usage.prompt_total, output), PRICE)
    assert cost(usage, PRICE) + money.saved - money.writes == plain
