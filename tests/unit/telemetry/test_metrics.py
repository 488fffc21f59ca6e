"""From events to numbers: sums that must agree, and labels that no caller can make up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.attempts import deployment, settings
from support.records import BROKEN, DEPLOYMENT, FAILED, FAILURE, LEFT, REFUSED, SERVED
from tiergate.base.values import Dialect, NanoUsd, Operation
from tiergate.telemetry.metrics import Metrics


def page(metrics: Metrics, **more) -> dict[str, list]:
    text = metrics.render(**more).decode()
    found: dict[str, list] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """The sum of the samples with these labels."""
    samples = page(metrics).get(name, [])
    return sum(s.value for s in samples if labels.items() <= s.labels.items())


def test_an_answer_is_counted_once_with_its_tokens_money_and_times():
    metrics = Metrics()
    metrics.began()
    metrics.ended(SERVED)

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
    assert value(metrics, "litellm_request_total_latency_metric_sum") == 2.5
    assert value(metrics, "litellm_llm_api_latency_metric_sum") == 2.25
    assert value(metrics, "litellm_overhead_latency_metric_sum") == 0.25
    assert value(metrics, "litellm_llm_api_time_to_first_token_metric_count") == 0
    assert value(metrics, "litellm_deployment_successful_fallbacks_total") == 1
    assert value(metrics, "litellm_in_flight_requests") == 0


def test_every_request_is_in_exactly_one_of_total_and_labels_its_end():
    metrics = Metrics()
    for record in (SERVED, FAILED, BROKEN, LEFT, REFUSED):
        metrics.began()
        metrics.ended(record)

    assert value(metrics, "litellm_proxy_total_requests_metric_total") == 5
    assert value(metrics, "litellm_proxy_total_requests_metric_total", status_code="200") == 3
    name = "litellm_proxy_failed_requests_metric_total"
    assert value(metrics, name) == 4
    assert value(metrics, name, exception_class="upstream") == 1
    assert value(metrics, name, exception_class="connection") == 1
    assert value(metrics, name, exception_class="cancelled") == 1
    assert value(metrics, name, exception_class="refused") == 1
    assert value(metrics, "tiergate_broken_streams_total") == 1


def test_a_stream_that_broke_is_one_call_and_no_success():
    metrics = Metrics()
    metrics.attempt_failed(DEPLOYMENT, FAILURE)
    metrics.ended(BROKEN)

    assert value(metrics, "litellm_deployment_total_requests_total") == 1
    assert value(metrics, "litellm_deployment_success_responses_total") == 0
    assert value(metrics, "litellm_deployment_failure_responses_total") == 1
    assert value(metrics, "litellm_spend_metric_total") == pytest.approx(0.001536)
    assert value(metrics, "litellm_llm_api_time_to_first_token_metric_sum") == 0.7


def test_a_request_that_failed_and_cost_something_is_in_the_spend():
    metrics = Metrics()
    metrics.ended(replace(FAILED, cost=NanoUsd(1_000_000_000)))
    assert value(metrics, "litellm_spend_metric_total") == 1
    assert value(metrics, "litellm_deployment_success_responses_total") == 0


def test_calls_to_a_deployment_are_its_answers_and_its_failures():
    metrics = Metrics()
    metrics.attempt_failed(DEPLOYMENT, FAILURE)
    metrics.attempt_failed(DEPLOYMENT, FAILURE)
    metrics.ended(SERVED)
    metrics.cooled(DEPLOYMENT, FAILURE, 60.0)

    assert value(metrics, "litellm_deployment_total_requests_total", model_id="dep-b") == 3
    name = "litellm_deployment_failure_responses_total"
    assert value(metrics, name, exception_status="503", exception_class="upstream") == 2
    assert value(metrics, "litellm_deployment_cooled_down_total", model_id="dep-b") == 1


def test_no_label_comes_from_a_caller_who_is_refused():
    metrics = Metrics()
    for operation in Operation:
        for dialect in Dialect:
            metrics.refused(dialect, operation, 401, 0.0)

    samples = page(metrics)["litellm_proxy_total_requests_metric_total"]
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


def test_requests_under_way_are_a_gauge():
    metrics = Metrics()
    metrics.began()
    metrics.began()
    metrics.ended(SERVED)
    assert value(metrics, "litellm_in_flight_requests") == 1


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
    assert page(metrics)["litellm_deployment_total_requests_total"][0].value == 0
