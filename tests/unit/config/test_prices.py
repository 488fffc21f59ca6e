from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, Loaded, said
from tiergate.base.values import ServiceTier
from tiergate.config.prices import PRICE_KEYS, complete
from tiergate.core.catalog import PriceOverride

SEARCH = "search_context_cost_per_query"


def price(folder: Path, params: str = "", info: str = "") -> tuple[PriceOverride, Loaded]:
    text = (
        "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o%s}, "
        "model_info: {%s}}]\n"
    )
    loaded = Bench(folder).load(text % (f", {params}" if params else "", info) + KEY)
    assert loaded.draft is not None
    return loaded.draft.deployments[0].price, loaded


def test_usd_per_token_becomes_nano_usd_per_million_tokens(tmp_path: Path) -> None:
    found, _ = price(tmp_path, "input_cost_per_token: 0.000003, output_cost_per_token: 1.5e-5")

    assert found == PriceOverride(input=3_000_000_000, output=15_000_000_000)


@pytest.mark.parametrize("key", sorted(PRICE_KEYS))
def test_every_price_may_stand_at_either_place(tmp_path: Path, key: str) -> None:
    amount = "{search_context_size_low: 0.01}" if key == SEARCH else "0.000001"
    one, _ = price(tmp_path, f"{key}: {amount}")
    two, _ = price(tmp_path, "", f"{key}: {amount}")

    assert one == two != PriceOverride()


def test_every_price_knows_where_it_stands(tmp_path: Path) -> None:
    found, _ = price(
        tmp_path,
        "input_cost_per_token: 1e-6, input_cost_per_token_above_200k_tokens_priority: 2e-6",
        "search_context_cost_per_query: {a: 0.1}",
    )

    assert {(each.kind, each.tier, each.above) for each in found.places} == {
        ("input", ServiceTier.STANDARD, 0),
        ("input", ServiceTier.PRIORITY, 200_000),
        ("per_search", ServiceTier.STANDARD, 0),
    }
    assert {each.position.line for each in found.places} == {1}
    assert price(tmp_path, "pricing: free")[0].places[0].kind == "free"
    assert price(tmp_path)[0].places == ()


def test_two_names_of_one_price_count_as_the_first(tmp_path: Path) -> None:
    found, _ = price(
        tmp_path, "cache_read_input_token_cost: 1e-6, input_cost_per_token_cache_hit: 2e-6"
    )

    assert found.cache_read == 1_000_000_000
    assert len(found.places) == 1


def test_a_price_of_nothing_is_a_price(tmp_path: Path) -> None:
    found, _ = price(tmp_path, "input_cost_per_token: 0, output_cost_per_token: 0")

    assert complete(found)
    assert (found.input, found.output) == (0, 0)


def test_a_price_is_never_rounded_down(tmp_path: Path) -> None:
    assert price(tmp_path, "input_cost_per_token: 1e-16")[0].input == 1


def test_free_is_said_in_one_word(tmp_path: Path) -> None:
    assert price(tmp_path, "pricing: free")[0] == PriceOverride(free=True)
    assert price(tmp_path, "", "pricing: free")[0].free
    assert price(tmp_path, "pricing: cheap")[1].settings is None


def test_free_and_a_price_contradict_each_other(tmp_path: Path) -> None:
    _, loaded = price(tmp_path, "pricing: free, input_cost_per_token: 0.000001")

    assert len(said(loaded, "conflicting-values")) == 1
    assert price(tmp_path, "pricing: free, input_cost_per_token: 0")[1].settings is not None


def test_a_price_per_million_in_the_place_of_one_per_token_is_noticed(tmp_path: Path) -> None:
    _, loaded = price(tmp_path, "input_cost_per_token: 3")

    (finding,) = [each for each in loaded.findings if each.code == "dear-price"]
    assert "3,000,000 USD per million" in finding.message
    assert "0.000003" in finding.advice


@pytest.mark.parametrize("value", ["-1", "much", "[]", ".inf", "true"])
def test_what_is_no_price_is_an_error(tmp_path: Path, value: str) -> None:
    found, loaded = price(tmp_path, f"input_cost_per_token: {value}")

    assert found == PriceOverride()
    assert loaded.settings is None


def test_two_prices_at_two_places_are_an_error(tmp_path: Path) -> None:
    _, loaded = price(tmp_path, "input_cost_per_token: 0.1", "input_cost_per_token: 0.2")

    assert len(said(loaded, "conflicting-values")) == 1


def test_half_a_price_is_not_complete() -> None:
    assert not complete(PriceOverride(input=1))
    assert not complete(PriceOverride())
