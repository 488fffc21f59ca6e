"""The gateway itself: workers, stores, the ledger, callbacks."""

from __future__ import annotations

from support.metrics_page import shown, value
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.moment import Moment
from tiergate.telemetry.page import Scene
from tiergate.telemetry.reports import Others, Report


def test_the_ledger_lags_by_the_age_of_the_oldest_call_that_waits():
    scene = Scene(moment=Moment(waiting=3, oldest=90.0), now=100.0)
    assert value(Metrics(), "tiergate_ledger_waiting_records", scene) == 3
    assert value(Metrics(), "tiergate_ledger_lag_seconds", scene) == 10.0


def test_without_a_call_that_waits_there_is_no_lag():
    scene = Scene(now=100.0)
    (sample,) = shown(Metrics(), scene)["tiergate_ledger_lag_seconds"]
    assert sample.value == 0.0


def test_a_store_is_up_where_it_answers_every_worker():
    other = Report(Metrics().counts, Moment(stores=("budgets",), down={"budgets": 1}))
    scene = Scene(
        moment=Moment(stores=("budgets", "ledger")),
        others=Others((other,), serving=2, silent=0, ended=0),
    )
    found = {s.labels["store"]: s.value for s in shown(Metrics(), scene)["tiergate_store_up"]}
    assert found == {"budgets": 0, "ledger": 1}


def test_workers_are_counted_by_state_and_only_where_there_are_several():
    scene = Scene(others=Others((), serving=2, silent=1, ended=0))
    found = {s.labels["state"]: s.value for s in shown(Metrics(), scene)["tiergate_workers"]}
    assert found == {"serving": 2, "silent": 1, "ended": 0}
    assert "tiergate_workers" not in shown(Metrics())


def test_callbacks_that_fail_are_told_by_name_even_before_the_first_failure():
    metrics = Metrics()
    metrics.counts.callback_failures.update(langfuse=2, otel=0)
    metrics.counts.callback_drops["otel"] = 7
    name = "litellm_callback_logging_failures_metric_total"
    found = {s.labels["callback_name"]: s.value for s in shown(metrics)[name]}
    assert found == {"langfuse": 2, "otel": 0}
    assert value(metrics, "tiergate_callback_dropped_records_total", callback_name="otel") == 7
