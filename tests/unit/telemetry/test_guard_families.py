"""What guardrails looked at, as the metrics page shows it."""

from __future__ import annotations

from support.metrics_page import one, shown
from tiergate.telemetry.counts import SECONDS, Buckets
from tiergate.telemetry.metrics import Metrics


def test_looks_faults_and_seconds_are_told_by_guard_and_stage():
    metrics = Metrics()
    metrics.counts.guard_requests["pii", "pre_call", "success"] = 3
    metrics.counts.guard_errors["pii", "pre_call", "timeout"] = 1
    seconds = Buckets(SECONDS)
    seconds.add(0.2)
    metrics.counts.guard_seconds["pii", "pre_call", "success", ""] = seconds

    looks = one(metrics, "litellm_guardrail_requests_total")
    assert looks.value == 3
    assert looks.labels == {"guardrail_name": "pii", "hook_type": "pre_call", "status": "success"}
    fault = one(metrics, "litellm_guardrail_errors_total")
    assert fault.labels["error_type"] == "timeout"
    assert one(metrics, "litellm_guardrail_latency_seconds_sum").value == 0.2


def test_without_guards_there_is_nothing():
    assert not [name for name in shown(Metrics()) if "guardrail" in name]
