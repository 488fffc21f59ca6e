"""What each deployment costs, and where that is known from."""

from __future__ import annotations

from datetime import date

import msgspec

from support.attempts import deployment
from tiergate.config.pricebook import PriceBook
from tiergate.core.catalog import PriceOverride
from tiergate.core.cost import FREE, Price, Rates
from tiergate.pricing import PriceList
from tiergate.pricing.figures import Origin
from tiergate.pricing.listing import Clause, ListedModel, ListedPrice, ListedRates, Listing

MODELS = (
    ListedModel(
        "known-1", Clause(starts_with="known-1"), (ListedPrice(ListedRates(input=3, output=15)),)
    ),
    ListedModel("hours-1", Clause(equals="hours-1")),
)
LISTING = Listing(
    msgspec.json.encode(
        {"source": "data 1.0", "collected": "2026-11-01", "providers": {"anthropic": MODELS}}
    )
)
PRICES = PriceList(LISTING, today=lambda: date(2026, 11, 25))


def of(**fields):
    made = deployment("cheap", "cheap-1", **fields)
    return PRICES.of([made])[made.id]


def row(**fields):
    (found,) = PRICES.rows([deployment("cheap", "cheap-1", **fields)])
    return found


def test_it_answers_what_the_configuration_asks():
    book: PriceBook = PRICES

    assert book.has_price("anthropic", "known-1-20260101")
    assert not book.has_price("anthropic", "hours-1")
    assert not book.has_price("anthropic", "other")
    assert not book.has_price("openai", "known-1")
    assert book.known_models("anthropic") == {"known-1", "hours-1"}
    assert book.known_models("ollama") == frozenset()


def test_a_listed_model_has_the_list_s_price():
    assert of(model="known-1") == Price(Rates.of(3, 15))


def test_a_base_model_says_under_which_name_to_look():
    assert of(model="my-name", priced_as="known-1") == Price(Rates.of(3, 15))


def test_the_file_s_price_stands_over_the_list_s():
    assert of(model="known-1", price=PriceOverride(input=1)) == Price(Rates.of(1, 15), own=True)


def test_a_model_that_nobody_prices_has_none():
    assert of(model="other") is None
    assert of(model="hours-1") is None


def test_an_embedding_model_is_priced_by_its_input():
    price = of(model="other", price=PriceOverride(input=2), info={"mode": "embedding"})

    assert price == Price(Rates.of(2, 0), own=True)


def test_the_row_says_where_the_price_comes_from():
    assert row(model="known-1").source == "data 1.0, collected 2026-11-01"
    assert row(model="other", price=PriceOverride(input=1, output=2)).source == "configuration"
    assert row(model="other").source == "none"
    assert (
        row(model="known-1", price=PriceOverride(input=1)).source
        == "configuration over data 1.0, collected 2026-11-01"
    )


def test_figures_are_told_with_their_origin():
    made = deployment("cheap", "c", model="known-1", price=PriceOverride(input=6))
    found = {figure.kind: (figure.nano, figure.origin) for figure in PRICES.figures(made)}

    assert found["output"] == (15, Origin.LISTED)
    assert found["input"][0] == 6
    assert PRICES.figures(deployment("cheap", "c", model="other")) == ()
    assert PRICES.source == "data 1.0, collected 2026-11-01"


def test_a_base_model_says_whose_figures_are_told():
    made = deployment("cheap", "c", model="my-name", priced_as="known-1")

    assert PRICES.figures(made)[0].origin is Origin.LISTED


def test_a_free_model_has_figures_of_nothing():
    found = PRICES.figures(
        deployment("cheap", "c", model="known-1", price=PriceOverride(free=True))
    )

    assert {figure.nano for figure in found} == {0}
    assert {figure.origin for figure in found} == {Origin.FREE}


def test_a_model_that_searches_always_has_a_figure_for_it():
    made = deployment(
        "cheap",
        "c",
        provider="openai",
        model="gpt-search-1",
        price=PriceOverride(input=1, output=2),
    )

    assert PRICES.figures(made)[-1].origin is Origin.BOUND


def test_a_free_model_is_free_by_the_configuration():
    found = row(model="known-1", price=PriceOverride(free=True))

    assert (found.price, found.source) == (FREE, "configuration")
    assert (found.alias, found.deployment, found.provider) == ("cheap", "cheap-1", "anthropic")
