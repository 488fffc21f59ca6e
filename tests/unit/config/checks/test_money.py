from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, load_rest, said

CAPS = """
litellm_settings: {max_budget: %s, budget_duration: monthly}
model_max_budget: {cheap: 6, balanced: %s}
"""


def sums(folder: Path, rest: str) -> list[str]:
    return said(load_rest(folder, rest), "sums-above-cap")


def test_aliases_that_may_spend_more_than_the_gateway_are_warned_of(tmp_path: Path) -> None:
    (line,) = sums(tmp_path, CAPS % (10, 5))

    assert "6 + 5 = 11 USD" in line
    assert "10 USD of the gateway" in line


def test_equal_sums_are_fine(tmp_path: Path) -> None:
    assert sums(tmp_path, CAPS % (11, 5)) == []


def test_only_aliases_that_the_provider_alone_serves_count_for_it(tmp_path: Path) -> None:
    cap = "provider_budget_config: {%s: {budget_limit: 5, time_period: 1mo}}\n"

    (line,) = sums(tmp_path, CAPS % (100, 50) + cap % "anthropic")
    assert "cheap add up to 6 = 6 USD" in line
    (line,) = sums(tmp_path, CAPS % (100, 50) + cap % "openai")
    assert "balanced add up to 50" in line


def test_an_alias_with_another_way_out_is_not_bound(tmp_path: Path) -> None:
    rest = (
        CAPS % (100, 1)
        + "provider_budget_config: {anthropic: {budget_limit: 5, time_period: monthly}}\n"
        + "model_list: [{model_name: cheap, litellm_params: {model: openai/gpt-4o}}]\n"
    )

    assert sums(tmp_path, rest) == []


def test_windows_of_another_length_are_not_compared(tmp_path: Path) -> None:
    rest = (
        CAPS % (100, 1)
        + "provider_budget_config: {anthropic: {budget_limit: 5, time_period: 1d}}\n"
    )

    assert sums(tmp_path, rest) == []


def test_a_month_and_thirty_days_are_compared(tmp_path: Path) -> None:
    rest = (
        CAPS % (100, 1)
        + "provider_budget_config: {anthropic: {budget_limit: 5, time_period: 30d}}\n"
    )

    assert len(sums(tmp_path, rest)) == 1


def test_a_cap_of_a_provider_that_nobody_uses_is_mentioned(tmp_path: Path) -> None:
    loaded = load_rest(
        tmp_path, "provider_budget_config: {groq: {budget_limit: 5, time_period: 1d}}\n"
    )

    assert len(said(loaded, "unused-budget")) == 1


LOCAL = """
model_list: [{model_name: x, litellm_params: {model: ollama/llama3%s}, model_info: {id: i%s}}]
"""


def priced(folder: Path, budget: str, params: str = "", info: str = "") -> list[str]:
    loaded = Bench(folder).load(LOCAL % (params, info) + KEY + budget)
    return said(loaded, "no-price")


GATEWAY = "litellm_settings: {max_budget: 1, budget_duration: 1d}\n"


def test_a_model_without_a_price_is_refused_under_every_kind_of_budget(tmp_path: Path) -> None:
    for budget in (
        GATEWAY,
        "model_max_budget: {x: {budget_limit: 1, time_period: 1d}}\n",
        "provider_budget_config: {ollama: {budget_limit: 1, time_period: 1d}}\n",
    ):
        (line,) = priced(tmp_path, budget)
        assert line.startswith('error model_list[0].litellm_params.model: "llama3" has no price')
    assert len(priced(tmp_path, "", ", max_budget: 1, budget_duration: 1d")) == 1


def test_without_a_budget_it_serves(tmp_path: Path) -> None:
    assert priced(tmp_path, "") == []


def test_a_budget_of_somebody_else_does_not_matter(tmp_path: Path) -> None:
    budget = "provider_budget_config: {openai: {budget_limit: 1, time_period: 1d}}\n"

    assert priced(tmp_path, budget) == []


def test_prices_of_the_file_the_word_free_or_a_base_model_let_it_serve(tmp_path: Path) -> None:
    both = ", input_cost_per_token: 0, output_cost_per_token: 0.1"

    assert priced(tmp_path, GATEWAY, ", pricing: free") == []
    assert priced(tmp_path, GATEWAY, both) == []
    assert priced(tmp_path, GATEWAY, "", both) == []
    openai = LOCAL.replace("ollama/llama3", "openai/mine, api_base: 'http://h'")
    text = openai % ("", ", base_model: openai/gpt-4o") + KEY + GATEWAY
    assert said(Bench(tmp_path).load(text), "no-price") == []


def test_half_a_price_is_not_enough(tmp_path: Path) -> None:
    assert len(priced(tmp_path, GATEWAY, ", input_cost_per_token: 1e-6")) == 1


@pytest.mark.parametrize(
    "budget",
    [
        "litellm_settings: {max_budget: 1, budget_duration: 1d}\n",
        "litellm_settings: {max_end_user_budget: 1, max_end_user_budget_duration: 1d}\n",
    ],
)
def test_budgets_that_a_restart_forgets_are_warned_of(tmp_path: Path, budget: str) -> None:
    here = "general_settings: {state_dir: ':memory:'}\n"

    assert len(said(load_rest(tmp_path, budget + here), "budgets-in-memory")) == 1
    assert said(load_rest(tmp_path, budget), "budgets-in-memory") == []
    assert said(load_rest(tmp_path, here), "budgets-in-memory") == []


def test_memory_beside_a_store_that_keeps_budgets_is_not_warned_of(tmp_path: Path) -> None:
    rest = (
        "litellm_settings: {max_budget: 1, budget_duration: 1d}\n"
        "general_settings: {state_dir: ':memory:'}\nrouter_settings: {redis_host: h}\n"
    )

    assert said(load_rest(tmp_path, rest), "budgets-in-memory") == []


@pytest.mark.parametrize(("amount", "count"), [(11, 1), (10, 0)])
def test_a_narrow_cap_above_that_of_the_gateway_is_mentioned(
    tmp_path: Path, amount: int, count: int
) -> None:
    rest = (
        "litellm_settings: {max_budget: 10, budget_duration: monthly, "
        "tag_budget_config: {t: {max_budget: %s, budget_duration: 30d}}, "
        "max_end_user_budget: %s}\n"
    )

    loaded = load_rest(tmp_path, rest % (amount, amount))

    assert len(said(loaded, "out-of-reach")) == 2 * count


@pytest.mark.parametrize(
    ("budget", "whose"),
    [
        (
            "litellm_settings: {tag_budget_config: {t: {max_budget: 1, budget_duration: 1d}}}\n",
            "t",
        ),
        ("general_settings: {ticket_budget: {budget_limit: 1}}\n", "each ticket"),
    ],
)
def test_a_model_without_a_price_may_not_be_called_with_a_budgeted_tag_or_ticket(
    tmp_path: Path, budget: str, whose: str
) -> None:
    (line,) = priced(tmp_path, budget)

    assert f"the budget of {whose} at" in line
