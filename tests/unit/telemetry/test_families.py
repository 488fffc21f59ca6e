"""The page itself: names, help, cumulative buckets, budgets; readable by Prometheus's parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from support.records import SERVED
from tiergate.telemetry.families import BudgetRow
from tiergate.telemetry.metrics import Metrics


def families(metrics: Metrics, **more):
    text = metrics.render(**more).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_every_family_has_a_help_text_and_a_name_of_its_own():
    found = families(Metrics())
    assert len(found) >= 20
    for name, family in found.items():
        assert family.documentation, name
        assert name.startswith(("litellm_", "tiergate_"))


def test_buckets_are_cumulative_and_end_with_all():
    metrics = Metrics()
    for seconds in (0.01, 0.05, 0.3, 1e9):
        served = metrics._served_of(SERVED.deployment, "cheap")
        served.latency.add(seconds)

    family = families(metrics)["litellm_request_total_latency_metric"]
    counts = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}

    assert list(counts.values()) == sorted(counts.values())
    assert (counts["0.05"], counts["0.25"], counts["0.5"], counts["+Inf"]) == (2, 2, 3, 4)


def test_budgets_are_gauges_in_usd():
    rows = [BudgetRow("alias", "frontier", "monthly", 300.0, 1.5, 0.25)]
    found = families(Metrics(), budgets=rows)

    for kind, value in (("limit", 300.0), ("spent", 1.5), ("held", 0.25)):
        (sample,) = found[f"tiergate_budget_{kind}_usd"].samples
        assert sample.value == value
        assert sample.labels == {"scope": "alias", "name": "frontier", "window": "monthly"}


def test_records_that_a_webhook_lost_are_shown():
    family = families(Metrics(), dropped=3)["tiergate_webhook_dropped_records"]
    assert family.samples[0].value == 3


def test_names_with_quotes_and_breaks_do_not_break_the_page():
    rows = [BudgetRow("alias", 'a"b\\c\nd', "1d", 1.0, 0.0, 0.0)]
    (sample,) = families(Metrics(), budgets=rows)["tiergate_budget_limit_usd"].samples
    assert sample.labels["name"] == 'a"b\\c\nd'


def test_litellms_labels_are_there_even_where_they_are_empty():
    metrics = Metrics()
    metrics.ended(SERVED)
    sample = families(metrics)["litellm_spend_metric"].samples[0]
    assert {"end_user", "hashed_api_key", "api_key_alias", "team", "team_alias", "user"} <= set(
        sample.labels
    )
