from __future__ import annotations

from pathlib import Path

from support.config_world import Loaded, load_rest, said
from tiergate.core.catalog import FailureCounts


def retries(folder: Path, text: str) -> tuple[FailureCounts, Loaded]:
    loaded = load_rest(folder, f"router_settings: {{retry_policy: {text}}}\n")
    assert loaded.draft is not None
    return loaded.draft.router.retry_policy, loaded


def test_retries_by_kind_of_failure(tmp_path: Path) -> None:
    policy, _ = retries(tmp_path, "{TimeoutErrorRetries: 3, RateLimitErrorRetries: 0}")

    assert policy == FailureCounts(timeout=3, rate_limit=0)


def test_the_default_fills_only_what_is_retried_at_all(tmp_path: Path) -> None:
    policy, _ = retries(tmp_path, "{DefaultRetries: 2, RateLimitErrorRetries: 5}")

    assert policy == FailureCounts(timeout=2, rate_limit=5, internal_server=2)


def test_all_faults_of_a_provider_share_one_figure(tmp_path: Path) -> None:
    text = "{InternalServerErrorRetries: 4, ServiceUnavailableErrorRetries: 1}"
    policy, loaded = retries(tmp_path, text)

    assert policy == FailureCounts(internal_server=1)
    assert len(said(loaded, "one-figure")) == 1


def test_equal_figures_for_5xx_need_no_word(tmp_path: Path) -> None:
    text = "{InternalServerErrorRetries: 1, ServiceUnavailableErrorRetries: 1}"
    policy, loaded = retries(tmp_path, text)

    assert policy == FailureCounts(internal_server=1)
    assert loaded.findings == ()


def test_an_unknown_kind_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    _, loaded = retries(tmp_path, "{TimeoutRetries: 3}")

    assert loaded.settings is None
    assert loaded.findings[0].advice == "Did you mean `TimeoutErrorRetries`?"


def test_allowed_fails_by_kind(tmp_path: Path) -> None:
    loaded = load_rest(
        tmp_path,
        "router_settings: {allowed_fails_policy: {RateLimitErrorAllowedFails: 0, "
        "AuthenticationErrorAllowedFails: 1, BadGatewayErrorAllowedFails: 2}}\n",
    )

    assert loaded.settings is not None
    assert loaded.settings.router.allowed_fails_policy == FailureCounts(
        authentication=1, rate_limit=0, internal_server=2
    )


def test_a_policy_of_a_wrong_shape_is_an_error(tmp_path: Path) -> None:
    policy, loaded = retries(tmp_path, "[3]")

    assert policy == FailureCounts()
    assert loaded.settings is None
