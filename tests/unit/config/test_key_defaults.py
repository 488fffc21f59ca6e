"""The file's rules for virtual keys and users."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import Loaded, codes, load_rest, said
from tiergate.core.key_defaults import NO_DEFAULTS, KeyBounds, KeyDefaults


def read(folder: Path, rest: str) -> tuple[KeyDefaults, Loaded]:
    loaded = load_rest(folder, rest)
    assert loaded.draft is not None
    return loaded.draft.key_defaults, loaded


def test_a_file_that_says_nothing_has_no_rules(tmp_path: Path) -> None:
    assert read(tmp_path, "litellm_settings: {}\n")[0] == NO_DEFAULTS


def test_defaults_and_bounds_are_read(tmp_path: Path) -> None:
    found, loaded = read(
        tmp_path,
        """
litellm_settings:
  default_key_generate_params:
    max_budget: 1.5
    budget_duration: 30d
    duration: 90d
    models: [cheap]
    team_id: core
    user_id: ann
  upperbound_key_generate_params:
    max_budget: 100
    budget_duration: monthly
    duration: 30d
    max_parallel_requests: 10
    tpm_limit: 1000
    rpm_limit: 60
""",
    )
    assert loaded.settings is not None
    assert found == KeyDefaults(
        given=KeyBounds(
            max_budget=1_500_000_000, window="30d", period="rolling:2592000", lifetime=7_776_000.0
        ),
        models=("cheap",),
        team="core",
        user="ann",
        most=KeyBounds(
            max_budget=100_000_000_000,
            window="monthly",
            period="calendar:month",
            lifetime=2_592_000.0,
            parallel=10,
            tpm=1000,
            rpm=60,
        ),
    )
    shown = {row.path: row.value for row in loaded.report}
    assert shown["litellm_settings.upperbound_key_generate_params.max_budget"] == "100"
    assert shown["litellm_settings.default_key_generate_params.models"] == "cheap"


def test_the_cap_of_every_user(tmp_path: Path) -> None:
    found, loaded = read(
        tmp_path,
        "litellm_settings: {max_internal_user_budget: 5, internal_user_budget_duration: 1mo}\n",
    )
    assert (found.user_budget, found.user_window, found.user_period) == (
        5_000_000_000,
        "1mo",
        "calendar:month",
    )
    shown = {row.path: row.value for row in loaded.report}
    assert shown["budget of each user"].startswith("5 USD, one calendar month")


def test_a_cap_of_users_without_a_window_and_a_window_without_a_cap_are_told(
    tmp_path: Path,
) -> None:
    found, loaded = read(tmp_path, "litellm_settings: {max_internal_user_budget: 0}\n")
    assert (found.user_budget, found.user_period) == (0, "none")
    assert "no-window" in codes(loaded)
    found, loaded = read(tmp_path, "litellm_settings: {internal_user_budget_duration: 1d}\n")
    assert found.user_budget is None
    (told,) = said(loaded, "no-limit")
    assert told.endswith("is a window without a cap: there is no max_internal_user_budget")


def test_values_of_keys_can_be_the_gateways_alone(tmp_path: Path) -> None:
    found, _ = read(tmp_path, "general_settings: {disable_custom_api_keys: true}\n")
    assert not found.own_values


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("default_key_generate_params: {models: [gpt-9]}", "unknown-alias"),
        ("default_key_generate_params: {max_buget: 1}", "unknown-key"),
        ("upperbound_key_generate_params: {duration: sometimes}", "bad-duration"),
        ("upperbound_key_generate_params: {max_budget: -1}", "wrong-type"),
        ("upperbound_key_generate_params: {models: [cheap]}", "misplaced-key"),
        ("default_key_generate_params: [1]", "wrong-type"),
    ],
)
def test_what_cannot_be_meant_is_an_error(tmp_path: Path, inner: str, code: str) -> None:
    _, loaded = read(tmp_path, f"litellm_settings: {{{inner}}}\n")
    assert loaded.settings is None
    assert code in codes(loaded)


def test_a_default_that_does_not_act_is_said(tmp_path: Path) -> None:
    _, loaded = read(
        tmp_path, "litellm_settings: {default_key_generate_params: {soft_budget: 5}}\n"
    )
    assert "not-acting-yet" in codes(loaded)
