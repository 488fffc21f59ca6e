"""The shipped list is what the collector makes of the installed genai-prices data."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from importlib.metadata import version
from importlib.resources import files

import msgspec
import pytest
from genai_prices.data import providers
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from tiergate.pricing.collect import collect, main
from tiergate.pricing.listing import SHIPPED, Clause, ListedModel, ListFile, Listing

DAY = date(2026, 11, 25)
USD = 1_000_000_000


def collected(prices, match=None):
    provider = Provider(
        id="anthropic",
        name="Anthropic",
        api_pattern="x",
        models=[ModelInfo(id="m", match=match or ClauseEquals("m"), prices=prices)],
    )
    made = collect([provider], DAY, "data 1")
    (model,) = msgspec.json.decode(made.providers["anthropic"], type=list[ListedModel])
    return model


def test_the_shipped_list_is_that_of_the_installed_data():
    shipped = msgspec.json.decode(
        files("tiergate.pricing").joinpath(SHIPPED).read_bytes(), type=ListFile
    )

    made = collect(providers, shipped.collected, f"genai-prices {version('genai-prices')}")

    assert shipped.source == made.source
    assert {name: bytes(raw) for name, raw in shipped.providers.items()} == {
        name: bytes(raw) for name, raw in made.providers.items()
    }, "run: python -m tiergate.pricing.collect src/tiergate/pricing/genai_prices.json"


def test_kinds_of_token_are_taken_over_in_nano_usd():
    model = collected(
        ModelPrice(
            input_mtok=Decimal("0.8"),
            output_mtok=Decimal(4),
            cache_read_mtok=Decimal("0.08"),
            cache_write_mtok=Decimal(1),
            cache_write_1h_mtok=Decimal("1.6"),
            output_reasoning_mtok=Decimal(3),
            input_audio_mtok=Decimal(9),
            output_audio_mtok=Decimal(12),
            requests_kcount=Decimal(5),
        )
    )
    price = model.price_on(DAY)

    assert (price.rates.input, price.rates.output) == (800_000_000, 4 * USD)
    assert (price.rates.cache_read, price.rates.reasoning) == (80_000_000, 3 * USD)
    assert (price.rates.cache_write_5m, price.rates.cache_write_1h) == (USD, 1_600_000_000)
    assert (price.rates.audio_input, price.rates.audio_output) == (9 * USD, 12 * USD)
    assert price.per_request == 5_000_000


def test_tiers_are_taken_over_and_kinds_without_one_keep_their_price():
    tiered = TieredPrices(base=Decimal(1), tiers=[Tier(1000, Decimal(2)), Tier(5000, Decimal(3))])
    price = collected(ModelPrice(input_mtok=tiered, output_mtok=Decimal(7))).price_on(DAY)

    assert [(t.above, t.rates.input, t.rates.output) for t in price.tiers] == [
        (1000, 2 * USD, 7 * USD),
        (5000, 3 * USD, 7 * USD),
    ]


def test_prices_that_were_replaced_are_left_out_and_later_ones_wait_for_their_day():
    model = collected(
        [
            ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(1))),
            ConditionalPrice(
                StartDateConstraint(date(2026, 3, 1)), prices=ModelPrice(input_mtok=Decimal(2))
            ),
            ConditionalPrice(
                StartDateConstraint(date(2027, 1, 1)), prices=ModelPrice(input_mtok=Decimal(3))
            ),
        ]
    )

    assert len(model.prices) == 2
    assert model.price_on(DAY).rates.input == 2 * USD
    assert model.price_on(date(2027, 1, 1)).rates.input == 3 * USD


def test_a_price_by_the_time_of_day_becomes_its_dearest():
    model = collected(
        [
            ConditionalPrice(
                prices=ModelPrice(
                    input_mtok=Decimal(1), output_mtok=Decimal(9), cache_read_mtok=Decimal(0)
                )
            ),
            ConditionalPrice(
                TimeOfDateConstraint(time(0, 30), time(16, 30)),
                prices=ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(4)),
            ),
        ]
    )
    rates = model.price_on(DAY).rates

    assert (rates.input, rates.output, rates.cache_read) == (2 * USD, 9 * USD, 0)


def test_a_model_that_is_not_priced_by_tokens_is_known_and_has_no_price():
    model = collected(ModelPrice(audio_hours=Decimal(1)))

    assert (model.id, model.prices) == ("m", ())


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (ClauseEquals("M"), Clause(equals="m")),
        (ClauseStartsWith("M"), Clause(starts_with="m")),
        (ClauseEndsWith("M"), Clause(ends_with="m")),
        (ClauseContains("M"), Clause(contains="m")),
        (ClauseRegex("^M$"), Clause(regex="^M$")),
        (ClauseOr([ClauseEquals("a")]), Clause(either=(Clause(equals="a"),))),
        (ClauseAnd([ClauseEquals("a")]), Clause(every=(Clause(equals="a"),))),
    ],
)
def test_conditions_are_taken_over(given, made):
    assert collected(ModelPrice(input_mtok=Decimal(1)), given).match == made


def test_only_providers_of_our_hosts_are_collected():
    names = set(collect(providers, DAY, "x").providers)

    assert {"anthropic", "openai", "groq", "openrouter"} <= names
    assert "huggingface_together" not in names


def test_the_command_writes_a_list_that_can_be_read(tmp_path):
    file = tmp_path / "prices.json"

    assert main([str(file)]) == 0
    assert Listing(file.read_bytes()).find("anthropic", "claude-haiku-4-5") is not None
