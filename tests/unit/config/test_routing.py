from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import Loaded, load_rest, said
from tiergate.core.catalog import RouterPolicy, Strategy


def policy(folder: Path, rest: str) -> tuple[RouterPolicy, Loaded]:
    loaded = load_rest(folder, rest)
    assert loaded.draft is not None
    return loaded.draft.router, loaded


def test_without_a_word_the_defaults_hold(tmp_path: Path) -> None:
    found, loaded = policy(tmp_path, "")

    assert found == RouterPolicy()
    assert [each.code for each in loaded.findings] == ["empty-file"]


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("num_retries", "0", "num_retries", 0),
        ("retry_after", "3", "retry_after", 3.0),
        ("allowed_fails", "1", "allowed_fails", 1),
        ("cooldown_time", "1m", "cooldown_time", 60.0),
        ("disable_cooldowns", "true", "disable_cooldowns", True),
        ("request_timeout", "300", "request_timeout", 300.0),
        ("stream_timeout", "60", "stream_timeout", 60.0),
        ("max_fallbacks", "2", "max_fallbacks", 2),
    ],
)
@pytest.mark.parametrize("section", ["router_settings", "litellm_settings"])
def test_settings_of_attempts_work_at_both_places(
    tmp_path: Path, section: str, key: str, value: str, field: str, expected: object
) -> None:
    found, loaded = policy(tmp_path, f"{section}: {{{key}: {value}}}\n")

    assert getattr(found, field) == expected
    assert loaded.findings == ()


@pytest.mark.parametrize("section", ["router_settings", "general_settings"])
def test_tag_filtering_is_switched_on_at_either_place(tmp_path: Path, section: str) -> None:
    found, loaded = policy(tmp_path, f"{section}: {{enable_tag_filtering: true}}\n")

    assert found.tag_filtering
    assert loaded.findings == ()


@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_strategy_is_known(tmp_path: Path, strategy: Strategy) -> None:
    found, _ = policy(tmp_path, f"router_settings: {{routing_strategy: {strategy.value}}}\n")

    assert found.strategy is strategy


def test_the_first_usage_strategy_is_served_as_the_second_and_said(tmp_path: Path) -> None:
    found, loaded = policy(tmp_path, "router_settings: {routing_strategy: usage-based-routing}\n")

    assert found.strategy is Strategy.USAGE
    assert len(said(loaded, "read-as")) == 1


def test_an_unknown_strategy_stops_the_start(tmp_path: Path) -> None:
    _, loaded = policy(tmp_path, "router_settings: {routing_strategy: bogus}\n")

    assert loaded.settings is None
    assert "simple-shuffle" in loaded.findings[0].advice


def test_the_old_name_of_the_time_limit_counts_where_the_new_one_is_absent(
    tmp_path: Path,
) -> None:
    found, loaded = policy(tmp_path, "router_settings: {timeout: 200}\n")

    assert found.request_timeout == 200
    assert loaded.findings == ()


def test_of_two_time_limits_request_timeout_counts_and_the_other_is_named(
    tmp_path: Path,
) -> None:
    found, loaded = policy(
        tmp_path, "router_settings: {timeout: 200}\nlitellm_settings: {request_timeout: 300}\n"
    )

    assert found.request_timeout == 300
    assert [each.path for each in loaded.findings] == ["router_settings.timeout"]


@pytest.mark.parametrize("key", ["request_timeout", "stream_timeout", "timeout"])
def test_a_limit_of_no_time_is_an_error(tmp_path: Path, key: str) -> None:
    found, loaded = policy(tmp_path, f"router_settings: {{{key}: 0}}\n")

    assert loaded.settings is None
    assert (found.request_timeout, found.stream_timeout) == (6000, None)


def test_other_names_for_aliases(tmp_path: Path) -> None:
    found, _ = policy(
        tmp_path,
        "router_settings: {model_group_alias: {small: cheap, "
        "x: {model: balanced, hidden: true}}}\n",
    )

    assert dict(found.alias_of) == {"small": "cheap", "x": "balanced"}
    assert found.hidden_aliases == {"x"}


@pytest.mark.parametrize(
    "value", ["{x: nobody}", "{cheap: balanced}", "{x: {}}", "{x: []}", "[x]"]
)
def test_another_name_that_means_nothing_is_no_name(tmp_path: Path, value: str) -> None:
    found, _ = policy(tmp_path, f"router_settings: {{model_group_alias: {value}}}\n")

    assert dict(found.alias_of) == {}


def test_drills_can_be_forbidden_in_the_words_of_litellm(tmp_path: Path) -> None:
    text = "general_settings: {dangerously_allow_mock_testing_request_params: %s}\n"

    assert policy(tmp_path, text % "true")[0].mock_testing
    assert not policy(tmp_path, text % "false")[0].mock_testing


def test_the_latency_buffer_is_read_and_the_rest_of_its_mapping_reported(tmp_path: Path) -> None:
    found, loaded = policy(
        tmp_path,
        "router_settings: {routing_strategy_args: {lowest_latency_buffer: 0.5, nonsense: 1}}\n",
    )

    assert found.latency_buffer == 0.5
    assert [each.path for each in loaded.findings] == [
        "router_settings.routing_strategy_args.nonsense"
    ]


def test_retries_of_single_aliases(tmp_path: Path) -> None:
    text = "router_settings: {model_group_retry_policy: {%s: {TimeoutErrorRetries: 1}}}\n"
    found, _ = policy(tmp_path, text % "cheap")
    _, wrong = policy(tmp_path, text % "cheep")

    assert found.alias_retry_policy["cheap"].timeout == 1
    assert len(said(wrong, "unknown-alias")) == 1
