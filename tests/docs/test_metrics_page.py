"""The page of metrics is complete and says of each the labels that it has, LiteLLM's included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tiergate.core.metric_names import NOT_SERVED
from tiergate.telemetry.exposition import Family
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.page import Scene, families
from tiergate.telemetry.reports import Others

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "metrics.md").read_text("utf-8")
HOW_TO = (DOCS / "how-to" / "monitor.md").read_text("utf-8")
RULES = (DOCS.parent / "deploy" / "prometheus" / "rules.yml").read_text("utf-8")

FAMILIES = {
    family.name: family
    for family in families(
        Metrics(), Scene(others=Others((), serving=1, silent=0, ended=0))
    )
}  # fmt: skip
ROWS = {
    name: (kind, labels)
    for name, kind, labels in re.findall(
        r"^\| `((?:litellm|tiergate)_\w+)` \| (\w+) \| .* \| ?([^|]*?) ?\|$", PAGE, re.MULTILINE
    )
}

_WHO = "end_user hashed_api_key api_key_alias team team_alias user"
_ORG = "org_id org_alias"
_DEPLOYMENT = "litellm_model_name model_id api_base api_provider"
_CALLER = "hashed_api_key api_key_alias team team_alias"
_REQUEST = (
    f"{_WHO} requested_model user_email route client_ip user_agent model_id api_provider {_ORG}"
)
_TOKENS = f"{_WHO} model user_email requested_model model_id api_provider"
_TIMES = f"{_WHO} model_group model requested_model model_id api_provider service_tier {_ORG}"
_ANSWERS = f"model_group requested_model {_DEPLOYMENT} {_CALLER} client_ip user_agent"
_EXCEPTION = "exception_status exception_class"
_STEP = f"requested_model fallback_model {_CALLER} {_EXCEPTION} model_id"
_LEFT = (
    "model_group api_provider api_base litellm_model_name hashed_api_key api_key_alias model_id"
)
_CACHE = f"model {_CALLER} end_user user model_id api_provider"
_KEY = "hashed_api_key api_key_alias"

LITELLM = {
    "litellm_proxy_total_requests_metric": f"{_REQUEST} status_code",
    "litellm_proxy_failed_requests_metric": f"{_REQUEST} {_EXCEPTION}",
    "litellm_spend_metric": f"{_TOKENS} client_ip user_agent service_tier {_ORG}",
    "litellm_total_tokens_metric": f"{_TOKENS} {_ORG}",
    "litellm_input_tokens_metric": f"{_TOKENS} {_ORG}",
    "litellm_output_tokens_metric": f"{_TOKENS} {_ORG}",
    "litellm_input_cached_tokens_metric": _TOKENS,
    "litellm_input_cache_creation_tokens_metric": _TOKENS,
    "litellm_request_total_latency_metric": _TIMES,
    "litellm_llm_api_latency_metric": _TIMES,
    "litellm_llm_api_time_to_first_token_metric": _TIMES,
    "litellm_overhead_latency_metric": _LEFT,
    "litellm_request_queue_time_seconds": (
        f"{_WHO} requested_model model model_id api_provider {_ORG}"
    ),
    "litellm_deployment_state": _DEPLOYMENT,
    "litellm_deployment_cooled_down": f"{_DEPLOYMENT} exception_status",
    "litellm_deployment_success_responses": _ANSWERS,
    "litellm_deployment_total_requests": _ANSWERS,
    "litellm_deployment_failure_responses": f"{_ANSWERS} {_EXCEPTION}",
    "litellm_deployment_successful_fallbacks": _STEP,
    "litellm_deployment_failed_fallbacks": _STEP,
    "litellm_deployment_latency_per_output_token": f"model_group {_DEPLOYMENT} {_CALLER} {_ORG}",
    "litellm_deployment_tpm_limit": f"model_group {_DEPLOYMENT}",
    "litellm_deployment_rpm_limit": f"model_group {_DEPLOYMENT}",
    "litellm_remaining_requests_metric": _LEFT,
    "litellm_remaining_tokens_metric": _LEFT,
    "litellm_provider_remaining_budget_metric": "api_provider",
    "litellm_remaining_api_key_budget_metric": _KEY,
    "litellm_api_key_max_budget_metric": _KEY,
    "litellm_api_key_budget_remaining_hours_metric": _KEY,
    "litellm_remaining_team_budget_metric": "team team_alias",
    "litellm_team_max_budget_metric": "team team_alias",
    "litellm_team_budget_remaining_hours_metric": "team team_alias",
    "litellm_remaining_user_budget_metric": "user",
    "litellm_user_max_budget_metric": "user",
    "litellm_cache_hits_metric": _CACHE,
    "litellm_cache_misses_metric": _CACHE,
    "litellm_cached_tokens_metric": _CACHE,
    "litellm_guardrail_requests": "guardrail_name hook_type status",
    "litellm_guardrail_errors": "guardrail_name hook_type error_type",
    "litellm_guardrail_latency_seconds": "guardrail_name hook_type",
    "litellm_zero_cost_requests": "requested_model model model_id api_provider reason",
    "litellm_callback_logging_failures_metric": "callback_name",
    "litellm_in_flight_requests": "",
    "litellm_requests_metric": "",
    "litellm_llm_api_failed_requests_metric": "",
}
"""LiteLLM's public metrics that we serve, each with its labels (of 1.108, with its docs)."""


def groups() -> dict[str, set[str]]:
    rows = re.findall(r"^\| \*(\w+)\* \| (.*) \|$", PAGE, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def labels_of(cell: str) -> set[str]:
    """The labels of a row, its groups opened."""
    found = set(re.findall(r"`(\w+)`", cell))
    for group in re.findall(r"\*(\w+)\*", cell):
        found |= groups()[group]
    return found


def test_the_page_has_every_metric_and_no_other():
    assert set(ROWS) == set(FAMILIES)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_each_metric_is_told_with_its_kind_and_all_of_its_labels(name):
    kind, cell = ROWS[name]
    family: Family = FAMILIES[name]
    assert kind == family.kind.value
    assert labels_of(cell) == set(family.labels)


@pytest.mark.parametrize("name", sorted(LITELLM))
def test_a_metric_of_litellm_has_all_of_its_labels(name):
    assert set(LITELLM[name].split()) <= set(FAMILIES[name].labels)


def test_every_metric_of_litellm_that_is_not_served_has_its_reason():
    section = PAGE.partition("## LiteLLM's metrics")[2]
    rows = re.findall(r"^\| (`litellm.*?) \| .{10,} \|$", section, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == NOT_SERVED


def test_every_alert_is_told_with_what_to_do():
    alerts = set(re.findall(r"- alert: (\w+)", RULES))
    rows = dict(re.findall(r"^\| `(Tiergate\w+)` \| (.*) \|$", HOW_TO, re.MULTILINE))
    assert set(rows) == alerts
