"""The page as a whole: every family once, over all workers, in both formats."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from support.attempts import settings
from support.metrics_page import KEY, samples_of, shown, value
from support.records import DEPLOYMENT, FAILED, SERVED
from tiergate.core.metric_names import LABELS
from tiergate.core.metric_names import SERVED as SERVED_NAMES
from tiergate.core.metrics_plan import MetricGroup, MetricsPlan
from tiergate.telemetry.budget_families import BudgetRow
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.page import Scene, families, page, pieces
from tiergate.telemetry.reports import Others

WORKERS = Scene(others=Others((), serving=1, silent=0, ended=0))


def test_every_family_has_a_help_text_and_a_name_of_its_own():
    found = list(families(Metrics(), WORKERS))
    assert len({family.name for family in found}) == len(found)
    for family in found:
        assert family.text, family.name
        assert not family.text.endswith("."), family.name
        assert family.name.startswith(("litellm_", "tiergate_"))
        assert not family.name.endswith("_total"), family.name


def test_configurations_know_every_name_and_label_of_the_page_and_no_other():
    found = list(families(Metrics(), WORKERS))
    stream = {"stream"}
    assert {family.name for family in found} == SERVED_NAMES
    assert {label for family in found for label in family.labels} | stream == LABELS


def test_the_text_format_is_read_whole():
    metrics = Metrics()
    for record in (SERVED, FAILED, replace(SERVED, caller=KEY, stream=True)):
        metrics.ended(record)
    names = {f.name for f in text_string_to_metric_families(page(metrics, WORKERS).decode())}
    assert names == SERVED_NAMES


def test_openmetrics_has_the_same_numbers_and_examples_of_calls():
    metrics = Metrics()
    for record in (replace(SERVED, stream=True), FAILED):
        metrics.ended(record)
    open_page = samples_of(page(metrics, WORKERS, openmetrics=True), openmetrics=True)
    for name, samples in shown(metrics, WORKERS).items():
        assert [s.value for s in open_page[name]] == [s.value for s in samples], name
    for name in (
        "litellm_request_total_latency_metric_bucket",
        "litellm_llm_api_latency_metric_bucket",
        "litellm_llm_api_time_to_first_token_metric_bucket",
        "litellm_proxy_failed_requests_metric_total",
    ):
        examples = [s.exemplar.labels for s in open_page[name] if s.exemplar]
        assert {"call_id": "call-1"} in examples, name


def test_a_page_of_several_workers_shows_the_sum_and_budgets_once():
    one, other = Metrics(), Metrics()
    one.began()
    for _ in range(2):
        other.began()
    row = BudgetRow("alias", "cheap", "monthly", 10.0, 4.0, 1.0)
    others = Others((other.report(),), serving=2, silent=1, ended=0)
    scene = Scene(budgets=(row,), others=others)

    assert value(one, "litellm_in_flight_requests", scene) == 3
    assert value(one, "tiergate_budget_spent_usd", scene) == 4
    assert one.counts.in_flight == 1, "the sum is made anew each time"


def test_what_the_configuration_leaves_out_is_not_there_and_sums_stay_right():
    plan = MetricsPlan(
        groups=(MetricGroup(frozenset({"litellm_spend_metric"}), frozenset({"team"})),)
    )
    metrics = Metrics()
    metrics.configure(replace(settings((DEPLOYMENT,)), metrics=plan))
    for _ in range(2):
        metrics.ended(SERVED)
    metrics.ended(replace(SERVED, caller=KEY))
    found = shown(metrics)
    assert set(found) == {"litellm_spend_metric_total"}
    assert {s.labels["team"]: round(s.value, 9) for s in found["litellm_spend_metric_total"]} == {
        "": 0.003072,
        "t1": 0.001536,
    }


def test_the_pieces_are_the_page():
    metrics = Metrics()
    metrics.ended(SERVED)
    assert b"".join(pieces(metrics, WORKERS)) == page(metrics, WORKERS)
