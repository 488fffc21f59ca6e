"""What a file says of the metrics page, and of the traffic's targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import MODELS, Bench, Loaded, load_rest, said
from tiergate.core.metrics_plan import (
    ALL_METRICS,
    MetadataLabel,
    MetricGroup,
    MetricsPlan,
    TagLabel,
)

ENABLED = "enable_end_user_cost_tracking_prometheus_only: true"


def plan(folder: Path, settings: str) -> MetricsPlan:
    loaded = load_rest(folder, f"litellm_settings: {{{settings}}}\n")
    assert loaded.settings is not None, loaded.findings
    return loaded.settings.metrics


def test_without_a_word_everything_is_shown(tmp_path: Path) -> None:
    assert plan(tmp_path, "") == ALL_METRICS


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ("enable_end_user_cost_tracking_prometheus_only: true", True),
        ("enable_end_user_cost_tracking_prometheus_only: false", False),
        (f"{ENABLED}, disable_end_user_cost_tracking_prometheus_only: true", False),
        (f"{ENABLED}, disable_end_user_cost_tracking: true", False),
    ],
)
def test_end_users_are_labels_only_where_nothing_speaks_against_it(
    tmp_path: Path, settings: str, wanted: bool
) -> None:
    assert plan(tmp_path, settings).end_users is wanted


def test_labels_out_of_metadata_are_named_as_litellm_names_them(tmp_path: Path) -> None:
    found = plan(
        tmp_path, "custom_prometheus_metadata_labels: [metadata.squad, cost-centre, metadata.a.b]"
    )
    assert found.metadata == (
        MetadataLabel("metadata_squad", ("squad",)),
        MetadataLabel("cost_centre", ("cost-centre",)),
        MetadataLabel("metadata_a_b", ("a", "b")),
    )


def test_labels_for_tags_are_named_as_litellm_names_them(tmp_path: Path) -> None:
    found = plan(tmp_path, 'custom_prometheus_tags: [batch-job, "User-Agent: claude-cli/*"]')
    assert found.tags == (
        TagLabel("tag_batch_job", "batch-job"),
        TagLabel("tag_User_Agent__claude_cli__", "User-Agent: claude-cli/*"),
    )


@pytest.mark.parametrize(
    ("word", "alias", "email"),
    [("api_key_alias", True, False), ("user_email", False, True), ("both", True, True)],
)
def test_callers_are_told_apart_by_alias_address_or_both(
    tmp_path: Path, word: str, alias: bool, email: bool
) -> None:
    found = plan(tmp_path, f"prometheus_deployment_and_latency_caller_identity: {word}")
    assert (found.alias_label, found.email_label) == (alias, email)


def test_groups_and_what_is_left_out(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        "prometheus_metrics_config: [{group: money, metrics: [litellm_spend_metric, "
        "litellm_guardrail_requests_total], include_labels: [team, model]}, "
        "{group: rest, metrics: [litellm_org_max_budget_metric]}], "
        "prometheus_exclude_metrics: [litellm_deployment_cooled_down_total], "
        "prometheus_exclude_labels: [user_agent]",
    )
    assert found.groups == (
        MetricGroup(
            frozenset({"litellm_spend_metric", "litellm_guardrail_requests"}),
            frozenset({"team", "model"}),
        ),
        MetricGroup(frozenset({"litellm_org_max_budget_metric"})),
    )
    assert found.without == {"litellm_deployment_cooled_down"}
    assert found.without_labels == {"user_agent"}


def test_one_bound_holds_for_all_metrics(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        "prometheus_metrics_max_series_per_metric: 40, prometheus_emit_stream_label: true",
    )
    assert (found.most_series, found.most_timed, found.stream_label) == (40, 40, True)


@pytest.mark.parametrize(
    ("settings", "code", "word"),
    [
        ("prometheus_exclude_metrics: [litellm_spend_metrics]", "unknown-metric", "spend_metric`"),
        ("prometheus_exclude_labels: [model_grup]", "unknown-label", "`model_group`"),
        ("prometheus_metrics_config: 7", "wrong-type", "a list of groups"),
        (
            "prometheus_metrics_config: [{group: a, metrics: [tiergate_worker]}]",
            "unknown-metric",
            "`tiergate_workers`",
        ),
        (
            "prometheus_metrics_config: [{group: a, metric: [tiergate_workers]}]",
            "unknown-key",
            "metrics",
        ),
        ("custom_prometheus_metadata_labels: [user]", "label-twice", "label user twice"),
        (
            "custom_prometheus_metadata_labels: [metadata.a.b, metadata.a-b]",
            "label-twice",
            "metadata_a_b",
        ),
        ("prometheus_metrics_max_series_per_metric: 0", "wrong-type", "The least is 1"),
        (
            "prometheus_deployment_and_latency_caller_identity: email",
            "unknown-value",
            "user_email",
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error(
    tmp_path: Path, settings: str, code: str, word: str
) -> None:
    loaded = load_rest(tmp_path, f"litellm_settings: {{{settings}}}\n")
    assert loaded.settings is None
    (finding,) = [each for each in loaded.findings if each.code == code]
    assert word in f"{finding.message} {finding.advice}"


# ------------------------------------------------------------------ the traffic's targets

THREE = """
model_list:
- {model_name: cheap, litellm_params: {model: anthropic/claude-haiku-4-5, api_key: k}}
- {model_name: balanced, litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: k}}
- {model_name: frontier, litellm_params: {model: anthropic/claude-opus-4-5, api_key: k}}
"""


def shares(folder: Path, rest: str = "", models: str = THREE) -> Loaded:
    environ = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
    return Bench(folder).load(models + rest, environ=environ)


def test_the_aliases_of_the_page_have_its_targets(tmp_path: Path) -> None:
    loaded = shares(tmp_path)
    assert loaded.settings is not None, loaded.findings
    assert loaded.settings.traffic_shares == (
        ("cheap", 0.70),
        ("balanced", 0.25),
        ("frontier", 0.05),
    )


def test_other_aliases_have_none_without_a_word(tmp_path: Path) -> None:
    loaded = shares(tmp_path, models=MODELS.replace("frontier", "other"))
    assert loaded.settings is not None, loaded.findings
    assert loaded.settings.traffic_shares == ()


def test_targets_are_percent_of_all_calls(tmp_path: Path) -> None:
    loaded = shares(tmp_path, "general_settings: {traffic_shares: {cheap: 90, frontier: 2.5}}\n")
    assert loaded.settings is not None, loaded.findings
    assert loaded.settings.traffic_shares == (("cheap", 0.9), ("frontier", 0.025))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{cheep: 70}", "unknown-alias"),
        ("{cheap: 90, frontier: 20}", "shares-above-whole"),
        ("{cheap: much}", "wrong-type"),
        ("70", "wrong-type"),
    ],
)
def test_targets_that_cannot_be_are_errors(tmp_path: Path, written: str, code: str) -> None:
    loaded = shares(tmp_path, f"general_settings: {{traffic_shares: {written}}}\n")
    assert loaded.settings is None
    assert said(loaded, code)
