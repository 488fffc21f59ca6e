"""Requests, tokens, money and times: LiteLLM's names with all of their labels."""

from __future__ import annotations

from dataclasses import replace

from support.attempts import settings
from support.metrics_page import KEY, one, shown
from support.records import DEPLOYMENT, FAILED, SERVED
from tiergate.core.metrics_plan import MetadataLabel, MetricsPlan
from tiergate.telemetry.counts import Counts, SeriesKey
from tiergate.telemetry.families import request_families, served_families, time_families
from tiergate.telemetry.metrics import Metrics

PLAN = MetricsPlan(metadata=(MetadataLabel("metadata_squad", ("squad",)),))


def labelled(*records) -> Metrics:
    metrics = Metrics()
    metrics.configure(replace(settings((DEPLOYMENT,)), metrics=PLAN))
    for record in records:
        metrics.ended(record)
    return metrics


def test_buckets_are_cumulative_and_end_with_all():
    metrics = Metrics()
    for seconds in (0.01, 0.05, 0.3, 1e9):
        metrics.ended(replace(SERVED, seconds=seconds))

    samples = shown(metrics)["litellm_request_total_latency_metric_bucket"]
    counts = {s.labels["le"]: s.value for s in samples}

    assert list(counts.values()) == sorted(counts.values())
    assert (counts["0.05"], counts["0.25"], counts["0.5"], counts["+Inf"]) == (2, 2, 3, 4)


def test_an_added_label_is_on_good_and_on_failed_requests():
    squad = (("metadata_squad", "blue"),)
    metrics = labelled(replace(SERVED, labels=squad), replace(FAILED, labels=squad))
    for name in (
        "litellm_proxy_total_requests_metric_total",
        "litellm_proxy_failed_requests_metric_total",
        "litellm_spend_metric_total",
        "litellm_request_total_latency_metric_count",
    ):
        found = [s for s in shown(metrics)[name] if s.value]
        assert found, name
        assert {s.labels["metadata_squad"] for s in found} == {"blue"}, name


def test_tokens_of_two_tiers_are_one_number_where_there_is_no_label_for_them():
    counts = Counts()
    metrics = Metrics()
    metrics.ended(SERVED)
    (series,) = metrics.counts.series.values()
    series.served["flex"] = series.served[""]
    counts.series = metrics.counts.series
    families = {family.name: family for family in served_families(counts, PLAN)}
    (tokens,) = families["litellm_total_tokens_metric"].numbers.values()
    assert tokens == 84
    assert len(families["litellm_spend_metric"].numbers) == 2


def test_histograms_without_a_call_are_not_written():
    metrics = Metrics()
    metrics.ended(SERVED)  # no stream
    families = {family.name: family for family in time_families(metrics.counts, PLAN)}
    assert families["litellm_request_total_latency_metric"].buckets
    assert not families["litellm_llm_api_time_to_first_token_metric"].buckets


def test_failed_requests_show_the_last_call_as_an_example():
    metrics = Metrics()
    metrics.ended(FAILED)
    families = {
        family.name: family
        for family in request_families(metrics.counts, PLAN, metrics.failure_marks)
    }
    (mark,) = families["litellm_proxy_failed_requests_metric"].marks.values()
    assert mark[0] == FAILED.call_id


def test_a_series_that_only_waits_for_its_first_call_has_no_requests():
    metrics = Metrics()
    metrics.configure(settings((DEPLOYMENT,)))
    assert "litellm_proxy_total_requests_metric_total" not in shown(metrics)
    assert {key.asked for key in metrics.counts.series} == {"balanced"}
    assert isinstance(next(iter(metrics.counts.series)), SeriesKey)


def test_labels_that_are_never_known_are_there_and_empty():
    metrics = Metrics()
    metrics.ended(replace(SERVED, caller=KEY))
    labels = one(metrics, "litellm_spend_metric_total").labels
    assert [labels[name] for name in ("client_ip", "user_agent", "org_id", "org_alias")] == [
        ""
    ] * 4
