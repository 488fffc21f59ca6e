from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import Loaded, load_rest, said
from tiergate.core.catalog import BudgetRule, OnStoreFailure


def budgets(folder: Path, rest: str) -> tuple[list[tuple[str, str, int, str]], Loaded]:
    loaded = load_rest(folder, rest)
    assert loaded.draft is not None
    return [brief(rule) for rule in loaded.draft.budgets], loaded


def brief(rule: BudgetRule) -> tuple[str, str, int, str]:
    return rule.scope.value, rule.name, rule.limit, rule.period


def test_the_cap_of_the_gateway(tmp_path: Path) -> None:
    found, loaded = budgets(
        tmp_path, "litellm_settings: {max_budget: 1200, budget_duration: monthly}\n"
    )

    assert found == [("gateway", "gateway", 1_200_000_000_000, "calendar:month")]
    assert loaded.settings is not None
    assert loaded.settings.budgets[0].window == "monthly"


@pytest.mark.parametrize("place", ["", "router_settings", "litellm_settings"])
def test_caps_of_aliases_at_each_place(tmp_path: Path, place: str) -> None:
    inner = "model_max_budget: {cheap: 0.5, balanced: {max_budget: 2, budget_duration: 7d}}"
    wrapped = f"{place}: {{{inner}}}\n" if place else f"{inner}\n"
    found, _ = budgets(tmp_path, wrapped + "litellm_settings: {budget_duration: daily}\n")

    assert found == [
        ("alias", "cheap", 500_000_000, "calendar:day"),
        ("alias", "balanced", 2_000_000_000, "rolling:604800"),
    ]


@pytest.mark.parametrize(
    ("place", "period"),
    [
        ("", "calendar:month"),
        ("router_settings", "rolling:60"),
        ("litellm_settings", "rolling:60"),
    ],
)
def test_1m_is_a_month_at_the_top_and_a_minute_elsewhere_and_said(
    tmp_path: Path, place: str, period: str
) -> None:
    inner = "provider_budget_config: {anthropic: {budget_limit: 1, time_period: 1m}}"
    found, loaded = budgets(tmp_path, f"{place}: {{{inner}}}\n" if place else f"{inner}\n")

    assert found == [("provider", "anthropic", 1_000_000_000, period)]
    (finding,) = loaded.findings
    assert finding.path.endswith("time_period")
    assert ("month" if not place else "minute") in finding.message
    assert "1mo" in finding.advice


def test_the_window_of_the_gateway_is_not_the_pages_own_place(tmp_path: Path) -> None:
    found, loaded = budgets(tmp_path, "litellm_settings: {max_budget: 1, budget_duration: 1m}\n")

    assert found[0][3] == "rolling:60"
    assert len(said(loaded, "minute-by-m")) == 1


def test_a_cap_of_nothing_is_a_cap(tmp_path: Path) -> None:
    found, _ = budgets(tmp_path, "litellm_settings: {max_budget: 0, budget_duration: 1d}\n")

    assert found == [("gateway", "gateway", 0, "calendar:day")]


def test_a_cap_of_a_deployment(tmp_path: Path) -> None:
    rest = (
        "model_list: [{model_name: x, litellm_params: {model: openai/gpt-4o, max_budget: 3, "
        "budget_duration: 1d}, model_info: {id: dep-x}}]\n"
    )
    found, _ = budgets(tmp_path, rest)

    assert found == [("deployment", "dep-x", 3_000_000_000, "calendar:day")]


def test_a_provider_goes_by_its_canonical_name(tmp_path: Path) -> None:
    found, _ = budgets(
        tmp_path, "provider_budget_config: {ollama_chat: {budget_limit: 1, time_period: 1d}}\n"
    )

    assert found[0][:2] == ("provider", "ollama")


def test_a_cap_without_a_window_is_a_total_and_said(tmp_path: Path) -> None:
    for rest in (
        "litellm_settings: {max_budget: 1}\n",
        "model_max_budget: {cheap: 1}\n",
        "provider_budget_config: {anthropic: {budget_limit: 1}}\n",
    ):
        found, loaded = budgets(tmp_path, rest)

        assert found[0][3] == "none"
        assert len(said(loaded, "no-window")) == 1


def test_a_provider_without_an_amount_has_no_cap_and_it_is_said(tmp_path: Path) -> None:
    found, loaded = budgets(tmp_path, "provider_budget_config: {anthropic: {time_period: 1d}}\n")

    assert found == []
    assert len(said(loaded, "no-limit")) == 1
    assert loaded.settings is not None


def test_the_same_cap_twice_is_a_notice_and_another_one_an_error(tmp_path: Path) -> None:
    text = (
        "model_max_budget: {cheap: 1}\nlitellm_settings: {budget_duration: 1d}\n"
        "router_settings: {model_max_budget: {cheap: %s}}\n"
    )
    found, same = budgets(tmp_path, text % 1)
    _, other = budgets(tmp_path, text % 2)

    assert len(found) == 1
    assert len(said(same, "repeated-value")) == 1
    assert len(said(other, "conflicting-values")) == 1


def test_the_same_words_with_another_meaning_are_a_conflict(tmp_path: Path) -> None:
    """1m at the top is a month, under router_settings a minute."""
    config = "provider_budget_config: {anthropic: {budget_limit: 1, time_period: 1m}}"
    _, loaded = budgets(tmp_path, f"{config}\nrouter_settings: {{{config}}}\n")

    assert len(said(loaded, "conflicting-values")) == 1


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("model_max_budget: {cheep: 1}\n", "unknown-alias"),
        ("model_max_budget: [1]\n", "wrong-type"),
        ("model_max_budget: {cheap: much}\n", "wrong-type"),
        ("provider_budget_config: {antropic: {budget_limit: 1}}\n", "unknown-provider"),
        ("provider_budget_config: {anthropic: 5}\n", "wrong-type"),
        ("litellm_settings: {max_budget: -1}\n", "wrong-type"),
        ("litellm_settings: {budget_duration: soon}\n", "bad-duration"),
        ("general_settings: {budget_timezone: Mars/Olympus}\n", "unknown-value"),
        ("general_settings: {budget_timezone: ../../etc/passwd}\n", "unknown-value"),
        (
            "general_settings: {budget_timezone: UTC}\nlitellm_settings: {timezone: Asia/Tokyo}\n",
            "conflicting-values",
        ),
    ],
)
def test_a_budget_that_is_not_understood_stops_the_start(
    tmp_path: Path, rest: str, code: str
) -> None:
    _, loaded = budgets(tmp_path, rest)

    assert loaded.settings is None
    assert code in [each.code for each in loaded.findings]


def test_the_time_zone_may_stand_at_either_place(tmp_path: Path) -> None:
    for rest in ("general_settings: {budget_timezone: Asia/Tokyo}\n",
                 "litellm_settings: {timezone: Asia/Tokyo}\n"):  # fmt: skip
        loaded = load_rest(tmp_path, rest)

        assert loaded.settings is not None
        assert loaded.settings.budget_timezone == "Asia/Tokyo"


def test_every_budget_is_in_the_report_with_its_length(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "litellm_settings: {max_budget: 5, budget_duration: 60s}\n")

    rows = {row.path: row.value for row in loaded.report}

    assert rows["budget of the gateway"] == (
        "5 USD, 1 minute from the first use; store down: allow_leased"
    )


def test_caps_of_tags(tmp_path: Path) -> None:
    found, loaded = budgets(
        tmp_path,
        "litellm_settings: {tag_budget_config: {b: {budget_limit: 0, time_period: 1d}, "
        "team-a: {max_budget: 5, budget_duration: monthly}}}\n",
    )

    assert found == [
        ("tag", "b", 0, "calendar:day"),
        ("tag", "team-a", 5_000_000_000, "calendar:month"),
    ]
    assert loaded.findings == ()


def test_what_holds_while_the_store_is_down_is_said_per_budget_or_for_all(tmp_path: Path) -> None:
    rest = """
general_settings: {on_store_failure: refuse}
model_max_budget:
  cheap: {budget_limit: 1, time_period: 1d, on_store_failure: allow}
  balanced: {budget_limit: 1, time_period: 1d}
litellm_settings: {max_budget: 9, budget_duration: 1d}
model_list:
  - model_name: x
    litellm_params:
      {model: openai/gpt-4o, max_budget: 3, budget_duration: 1d, on_store_failure: allow_leased}
    model_info: {id: dep-x}
"""
    loaded = load_rest(tmp_path, rest)

    assert loaded.settings is not None
    assert {rule.name: rule.on_store_failure for rule in loaded.settings.budgets} == {
        "gateway": OnStoreFailure.REFUSE,
        "cheap": OnStoreFailure.ALLOW,
        "balanced": OnStoreFailure.REFUSE,
        "dep-x": OnStoreFailure.ALLOW_LEASED,
    }
    rows = {row.path: row.value for row in loaded.report}
    assert rows["budget of alias cheap"] == "1 USD, one calendar day; store down: allow"


def test_another_choice_for_a_store_that_is_down_is_a_conflict(tmp_path: Path) -> None:
    cap = "model_max_budget: {cheap: {budget_limit: 1, time_period: 1d, on_store_failure: %s}}"
    _, loaded = budgets(tmp_path, f"{cap % 'allow'}\nrouter_settings: {{{cap % 'refuse'}}}\n")

    assert len(said(loaded, "conflicting-values")) == 1


def test_an_unknown_choice_for_a_store_that_is_down_stops_the_start(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "general_settings: {on_store_failure: ignore}\n")

    assert loaded.settings is None
    assert len(said(loaded, "unknown-value")) == 1


def test_the_largest_budget_is_still_a_limit(tmp_path: Path) -> None:
    text = "litellm_settings: {max_budget: %s, budget_duration: 1d}\n"
    largest = load_rest(tmp_path, text % 4_000_000_000).settings

    assert largest is not None
    assert largest.budgets[0].capped
    assert load_rest(tmp_path, text % 4_000_000_001).settings is None
