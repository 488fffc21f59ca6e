"""The shipped price list is read, and models are found in it."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from tiergate.base.values import ServiceTier
from tiergate.core.cost import Price, Rates, Tier
from tiergate.pricing.listing import (
    HOSTS,
    Clause,
    ListedModel,
    ListedPrice,
    ListedRates,
    ListedTier,
    ListedVariant,
    Listing,
)
from tiergate.providers import hosts

DAY = date(2026, 11, 25)


def listing(*models, provider="anthropic"):
    raw = msgspec.Raw(msgspec.json.encode(models))
    return Listing(
        msgspec.json.encode(
            {"source": "data 1.0", "collected": "2026-11-01", "providers": {provider: raw}}
        )
    )


@pytest.mark.parametrize(
    ("clause", "fits", "fails"),
    [
        (Clause(equals="a-1"), "a-1", "a-12"),
        (Clause(starts_with="a-"), "a-12", "ba-1"),
        (Clause(ends_with="-1"), "a-1", "a-12"),
        (Clause(contains="-"), "a-1", "a1"),
        (Clause(regex=r"^a-\d+$"), "a-12", "a-x"),
        (Clause(either=(Clause(equals="a"), Clause(equals="b"))), "b", "c"),
        (Clause(every=(Clause(starts_with="a"), Clause(ends_with="b"))), "ab", "ac"),
    ],
)
def test_a_condition_fits_its_names_only(clause, fits, fails):
    assert clause.fits(fits)
    assert not clause.fits(fails)


def test_the_first_entry_that_fits_counts_whatever_the_case():
    found = listing(
        ListedModel("one", Clause(equals="m")), ListedModel("two", Clause(starts_with="m"))
    )

    assert found.find("anthropic", "M").id == "one"
    assert found.find("anthropic", "m-x").id == "two"
    assert found.find("anthropic", "x") is None


def test_a_date_of_eight_digits_is_tried_with_dashes():
    found = listing(ListedModel("one", Clause(equals="m-2024-08-06")))

    assert found.find("anthropic", "m-20240806").id == "one"


def test_a_host_that_the_list_does_not_know_has_no_models():
    assert listing().models("ollama") == ()
    assert listing().models("groq") == ()


def test_a_price_holds_from_its_day_on():
    old, new = ListedRates(input=2, output=2), ListedRates(input=1, output=1)
    model = ListedModel(
        "m", Clause(equals="m"), (ListedPrice(old), ListedPrice(new, since=date(2026, 12, 1)))
    )

    assert model.price_on(date(2026, 11, 30)).rates.input == 2
    assert model.price_on(date(2026, 12, 1)).rates.input == 1
    assert ListedModel("m", Clause(equals="m")).price_on(DAY) is None


def test_the_list_s_own_words_of_a_day_can_be_asked_for():
    old, new = ListedPrice(ListedRates(input=2)), ListedPrice(ListedRates(), date(2026, 12, 1))
    model = ListedModel("m", Clause(equals="m"), (old, new))

    assert model.held_on(DAY) is old
    assert model.held_on(date(2026, 12, 1)) is new
    assert ListedModel("m", Clause(equals="m")).held_on(DAY) is None


def test_service_tiers_begin_on_their_day():
    listed = ListedPrice(
        ListedRates(input=2, output=4),
        variants=(
            ListedVariant(ServiceTier.FLEX, ListedRates(input=1, output=2)),
            ListedVariant(ServiceTier.FAST, ListedRates(input=3), since=date(2026, 12, 1)),
        ),
    )

    assert [each.tier for each in listed.price(DAY).variants] == [ServiceTier.FLEX]
    assert listed.price(date(2026, 12, 1)).variant(ServiceTier.FAST).rates.input == 3


def test_a_price_becomes_core_s():
    listed = ListedPrice(
        ListedRates(input=3, output=15, cache_read=1),
        tiers=(ListedTier(200_000, ListedRates(input=6, output=22)),),
        per_request=5,
    )

    assert listed.price(DAY) == Price(
        Rates.of(3, 15, cache_read=1), (Tier(200_000, Rates.of(6, 22)),), 5
    )


def test_the_source_says_name_version_and_day():
    assert listing().source == "data 1.0, collected 2026-11-01"


def test_every_host_with_list_prices_is_a_host_of_ours():
    assert [name for name in HOSTS if hosts.find_host(name) is None] == []


@pytest.mark.parametrize(
    ("host", "model", "usd"),
    [
        ("anthropic", "claude-haiku-4-5", (1, 5)),
        ("anthropic", "claude-opus-4-1-20250805", (15, 75)),
        ("openai", "gpt-4o-2024-08-06", (2.5, 10)),
        ("openai", "gpt-4o-mini", (0.15, 0.6)),
    ],
)
def test_the_shipped_list_has_the_prices_people_know(host, model, usd):
    price = Listing().find(host, model).price_on(DAY)

    assert (price.rates.input / 1e9, price.rates.output / 1e9) == usd


def test_claude_s_cache_prices_are_on_the_shipped_list():
    rates = Listing().find("anthropic", "claude-sonnet-4-5").price_on(DAY).rates

    assert rates.cache_read * 10 == rates.input
    assert rates.cache_write_5m * 4 == rates.input * 5
    assert rates.cache_write_1h == rates.input * 2


def test_a_model_that_a_provider_does_not_have_is_not_on_the_shipped_list():
    assert Listing().find("anthropic", "gpt-4o") is None
    assert Listing().find("openai", "my-own-model") is None
