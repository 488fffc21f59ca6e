"""From events to numbers: sums that must agree, and labels that no caller can make up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.attempts import deployment, settings
from support.metrics_page import KEY, one, shown, value
from support.records import BROKEN, DEPLOYMENT, FAILED, FAILURE, LEFT, REFUSED, SERVED
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Dialect, NanoUsd, Operation, ServiceTier, Usage
from tiergate.core.metrics_plan import MetricsPlan
from tiergate.telemetry.metrics import Metrics

ASKED = deployment("cheap", "dep-a", provider="openai")
SLOW = Failure(FailureClass.RATE_LIMIT, 429, "slow down")


def counted(*records) -> Metrics:
    metrics = Metrics()
    for record in records:
        metrics.began()
        metrics.ended(record)
    return metrics


def test_an_answer_is_counted_once_with_its_tokens_money_and_times():
    metrics = counted(SERVED)

    who = {"requested_model": "cheap", "model_id": "dep-b", "api_provider": "anthropic"}
    assert value(metrics, "litellm_proxy_total_requests_metric_total", **who) == 1
    assert value(metrics, "litellm_proxy_failed_requests_metric_total") == 0
    assert (
        value(metrics, "litellm_deployment_success_responses_total", model_group="balanced") == 1
    )
    assert value(metrics, "litellm_deployment_total_requests_total") == 1
    assert value(metrics, "litellm_spend_metric_total", **who) == pytest.approx(0.001536)
    assert value(metrics, "litellm_input_tokens_metric_total", **who) == 37
    assert value(metrics, "litellm_output_tokens_metric_total") == 5
    assert value(metrics, "litellm_total_tokens_metric_total") == 42
    assert value(metrics, "litellm_input_cached_tokens_metric_total") == 20
    assert value(metrics, "litellm_input_cache_creation_tokens_metric_total") == 7
    assert value(metrics, "litellm_requests_metric_total") == 1
    assert value(metrics, "litellm_in_flight_requests") == 0


def test_the_times_of_an_answer_add_up():
    metrics = counted(replace(SERVED, queue_seconds=0.125))
    assert value(metrics, "litellm_request_total_latency_metric_sum") == 2.5
    assert value(metrics, "litellm_llm_api_latency_metric_sum") == 2.25
    assert value(metrics, "litellm_overhead_latency_metric_sum") == 0.25
    assert value(metrics, "litellm_request_queue_time_seconds_sum") == 0.125
    assert value(metrics, "litellm_llm_api_time_to_first_token_metric_count") == 0
    # Of 2.25 s with providers the serving one had 0.7; five tokens.
    alone = value(metrics, "litellm_deployment_latency_per_output_token_sum")
    assert alone == pytest.approx(0.7 / 5)


def test_a_stream_is_with_the_provider_until_its_end():
    stream = replace(SERVED, stream=True, upstream_seconds=0.7, seconds=2.5, overhead_seconds=0.1)
    metrics = counted(stream)
    assert value(metrics, "litellm_llm_api_latency_metric_sum") == pytest.approx(2.4)
    assert value(metrics, "litellm_llm_api_time_to_first_token_metric_sum") == 0.7
    alone = value(metrics, "litellm_deployment_latency_per_output_token_sum")
    assert alone == pytest.approx(2.4 / 5)


def test_every_request_is_in_exactly_one_of_total_and_labels_its_end():
    metrics = counted(SERVED, FAILED, BROKEN, LEFT, REFUSED)

    assert value(metrics, "litellm_proxy_total_requests_metric_total") == 5
    assert value(metrics, "litellm_proxy_total_requests_metric_total", status_code="200") == 3
    name = "litellm_proxy_failed_requests_metric_total"
    assert value(metrics, name) == 4
    for kind in ("upstream", "connection", "cancelled", "refused"):
        assert value(metrics, name, exception_class=kind) == 1
    assert value(metrics, "tiergate_broken_streams_total") == 1


def test_a_stream_that_broke_is_one_call_and_no_success():
    metrics = counted(replace(BROKEN, failed=[(DEPLOYMENT, FAILURE)]))

    assert value(metrics, "litellm_deployment_total_requests_total") == 1
    assert value(metrics, "litellm_deployment_success_responses_total") == 0
    assert value(metrics, "litellm_deployment_failure_responses_total") == 1


def test_failed_calls_are_counted_with_whoever_asked_by_status_and_class():
    record = replace(SERVED, caller=KEY, failed=[(ASKED, SLOW), (ASKED, SLOW)])
    metrics = counted(record)

    failed = one(metrics, "litellm_deployment_failure_responses_total")
    assert failed.value == 2
    told = {
        "requested_model": "cheap",
        "model_group": "cheap",
        "model_id": "dep-a",
        "exception_status": "429",
        "exception_class": "rate_limit",
        "hashed_api_key": KEY.key,
        "team_alias": "core",
    }
    assert told.items() <= failed.labels.items()
    assert value(metrics, "litellm_deployment_total_requests_total") == 3
    assert value(metrics, "litellm_llm_api_failed_requests_metric_total") == 2


def test_cooldowns_are_counted_by_deployment_and_status():
    metrics = Metrics()
    metrics.cooled(DEPLOYMENT, FAILURE, 5.0)
    sample = one(metrics, "litellm_deployment_cooled_down_total")
    assert (sample.labels["model_id"], sample.labels["exception_status"]) == ("dep-b", "503")


# ------------------------------------------------------------------ fallbacks


def test_a_fallback_that_served_names_the_failure_before_it():
    metrics = counted(replace(SERVED, failed=[(ASKED, FAILURE), (ASKED, SLOW)]))
    step = one(metrics, "litellm_deployment_successful_fallbacks_total")
    told = {
        "requested_model": "cheap",
        "fallback_model": "balanced",
        "exception_status": "429",
        "exception_class": "rate_limit",
        "model_id": "dep-b",
    }
    assert told.items() <= step.labels.items()
    assert value(metrics, "litellm_deployment_failed_fallbacks_total") == 0


def test_a_fallback_without_a_call_before_it_says_so():
    step = one(counted(SERVED), "litellm_deployment_successful_fallbacks_total")
    assert (step.labels["exception_status"], step.labels["exception_class"]) == ("", "not_called")


def test_a_fallback_that_failed_is_counted_once_with_its_own_failure():
    record = replace(FAILED, failed=[(ASKED, SLOW), (DEPLOYMENT, FAILURE), (DEPLOYMENT, FAILURE)])
    metrics = counted(record)
    step = one(metrics, "litellm_deployment_failed_fallbacks_total")
    assert (step.labels["fallback_model"], step.labels["exception_status"]) == ("balanced", "503")
    assert value(metrics, "litellm_deployment_successful_fallbacks_total") == 0


def test_an_alias_that_served_at_the_second_try_has_not_failed():
    metrics = counted(replace(SERVED, failed=[(ASKED, SLOW), (DEPLOYMENT, FAILURE)]))
    assert value(metrics, "litellm_deployment_failed_fallbacks_total") == 0
    assert value(metrics, "litellm_deployment_successful_fallbacks_total") == 1


def prices(deployment) -> int | None:
    return {"dep-a": 10, "dep-b": 50}.get(deployment.id)


def test_an_answer_of_a_dearer_alias_is_an_upgrade_with_its_cost():
    metrics = Metrics()
    metrics.configure(settings((ASKED, DEPLOYMENT)), prices)
    metrics.ended(SERVED)
    sample = one(metrics, "tiergate_fallback_upgrades_total")
    assert sample.labels == {"requested_model": "cheap", "model_group": "balanced"}
    assert value(metrics, "tiergate_fallback_upgrade_cost_usd_total") == pytest.approx(0.001536)


@pytest.mark.parametrize(
    "record",
    [
        replace(SERVED, asked="balanced", deployment=ASKED),
        replace(SERVED, asked="cheap", deployment=ASKED),
        replace(SERVED, asked="unknown"),
    ],
)
def test_an_answer_of_a_cheaper_alias_or_of_the_same_is_none(record):
    metrics = Metrics()
    metrics.configure(settings((ASKED, DEPLOYMENT)), prices)
    metrics.ended(record)
    assert value(metrics, "tiergate_fallback_upgrades_total") == 0


def test_escalations_are_counted_by_alias_asked_and_served():
    metrics = counted(replace(SERVED, escalated=True), SERVED)
    sample = one(metrics, "tiergate_escalations_total")
    assert (sample.value, sample.labels) == (
        1,
        {"requested_model": "cheap", "model_group": "balanced"},
    )


# ------------------------------------------------------------------ money


def test_refusals_that_were_paid_before_nobody_served_are_spend():
    metrics = counted(replace(FAILED, cost=NanoUsd(2_000_000)))
    assert value(metrics, "litellm_spend_metric_total") == pytest.approx(0.002)


def test_an_answer_without_a_price_is_counted_as_such():
    metrics = counted(replace(SERVED, cost=None), SERVED, replace(SERVED, cost=NanoUsd(0)))
    sample = one(metrics, "litellm_zero_cost_requests_total")
    assert (sample.value, sample.labels["reason"]) == (1, "missing_pricing_key")


def test_a_tier_is_told_where_it_is_not_the_standard_one():
    flex = replace(SERVED, usage=Usage(input=1, output=2, tier=ServiceTier.FLEX))
    metrics = counted(SERVED, flex)
    for name in ("litellm_spend_metric_total", "litellm_request_total_latency_metric_count"):
        found = {s.labels["service_tier"]: s.value for s in shown(metrics)[name]}
        assert set(found) == {"", "flex"}, name
    assert value(metrics, "litellm_total_tokens_metric_total") == 45


# ------------------------------------------------------------------ who


def test_a_virtual_key_fills_the_labels_of_who():
    metrics = counted(replace(SERVED, caller=KEY, user="end-user"))
    told = {
        "hashed_api_key": KEY.key,
        "api_key_alias": "bot",
        "team": "t1",
        "team_alias": "core",
        "user": "u1",
        "end_user": "",
    }
    for name in (
        "litellm_proxy_total_requests_metric_total",
        "litellm_spend_metric_total",
        "litellm_request_total_latency_metric_count",
    ):
        assert told.items() <= one(metrics, name).labels.items(), name
    spend = one(metrics, "litellm_spend_metric_total")
    assert spend.labels["user_email"] == "u@x.y"


def test_no_label_comes_from_a_caller_who_is_refused():
    metrics = Metrics()
    for operation in Operation:
        for dialect in Dialect:
            metrics.refused(dialect, operation, 401, 0.0)

    samples = shown(metrics)["litellm_proxy_total_requests_metric_total"]
    assert {s.labels["requested_model"] for s in samples} == {""}
    assert {s.labels["route"] for s in samples} == {
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "other",
    }
    assert sum(s.value for s in samples) == len(Operation) * len(Dialect)


def test_streams_are_told_apart_where_that_is_asked_for():
    metrics = Metrics()
    metrics.configure(replace(settings((DEPLOYMENT,)), metrics=MetricsPlan(stream_label=True)))
    metrics.ended(SERVED)
    metrics.ended(replace(SERVED, stream=True))
    found = shown(metrics)["litellm_proxy_total_requests_metric_total"]
    assert {s.labels["stream"]: s.value for s in found} == {"False": 1, "True": 1}
    assert "stream" not in shown(Metrics())


def test_requests_under_way_are_a_gauge():
    metrics = Metrics()
    metrics.began()
    metrics.began()
    metrics.ended(SERVED)
    assert value(metrics, "litellm_in_flight_requests") == 1


# ------------------------------------------------------------------ providers' limits


def test_what_a_provider_says_of_its_limits_is_shown():
    openai = [(b"x-ratelimit-remaining-requests", b"98"), (b"x-ratelimit-remaining-tokens", b"5")]
    anthropic = [
        (b"anthropic-ratelimit-requests-remaining", b"7"),
        (b"anthropic-ratelimit-tokens-remaining", b"many"),
    ]
    metrics = counted(
        replace(SERVED, deployment=ASKED, headers=openai), replace(SERVED, headers=anthropic)
    )
    name = "litellm_remaining_requests_metric"
    assert value(metrics, name, model_id="dep-a") == 98
    assert value(metrics, name, model_id="dep-b") == 7
    assert one(metrics, "litellm_remaining_tokens_metric").labels["model_id"] == "dep-a"


def test_it_is_read_once_a_second_and_the_newest_stays():
    def said(number: int, wall: float):
        headers = [(b"x-ratelimit-remaining-requests", str(number).encode())]
        return replace(SERVED, headers=headers, wall=wall)

    metrics = counted(said(9, 100.0), said(8, 100.5), said(7, 101.5))
    assert value(metrics, "litellm_remaining_requests_metric") == 7
    assert value(counted(SERVED), "litellm_remaining_requests_metric") == 0


# ------------------------------------------------------------------ over time


def test_what_was_counted_stays_over_a_reload_even_under_an_id_that_changed_its_model():
    metrics = Metrics()
    metrics.configure(settings((DEPLOYMENT,)))
    metrics.ended(SERVED)
    other = deployment("balanced", "dep-b", provider="openai")

    metrics.configure(settings((other,)))
    metrics.ended(replace(SERVED, deployment=other))

    name = "litellm_deployment_success_responses_total"
    assert value(metrics, name, api_provider="anthropic", requested_model="cheap") == 1
    assert value(metrics, name, api_provider="openai", requested_model="cheap") == 1


def test_a_configured_deployment_is_shown_before_its_first_call():
    metrics = Metrics()
    metrics.configure(settings((DEPLOYMENT,)))
    assert shown(metrics)["litellm_deployment_total_requests_total"][0].value == 0
    assert shown(metrics)["litellm_deployment_state"][0].value == 0


def test_a_successor_counts_on_but_has_no_calls_of_the_dead_one():
    dead, heir = Metrics(), Metrics()
    dead.began()
    dead.refused(Dialect.OPENAI, Operation.CHAT, 401, 0.0)
    heir.inherit(dead.report())
    heir.refused(Dialect.OPENAI, Operation.CHAT, 401, 0.0)

    assert value(heir, "litellm_proxy_total_requests_metric_total") == 2.0
    assert value(heir, "litellm_in_flight_requests") == 0.0
