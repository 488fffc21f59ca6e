"""What guards do is counted."""

from __future__ import annotations

from support.metrics_page import one
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import Stage
from tiergate.telemetry.guard_counts import GuardCounts
from tiergate.telemetry.metrics import Metrics

PRE = Stage.PRE_CALL


def test_looks_times_and_faults_are_counted():
    metrics = Metrics()
    counts = GuardCounts(metrics.counts)
    counts.guarded("pii", PRE, "success", 0.2, "")
    counts.guarded("pii", PRE, "success", 0.3, "")
    counts.guarded("web", PRE, "guardrail_failed_to_respond", 10.0, "timeout")
    assert metrics.counts.guard_requests["pii", "pre_call", "success"] == 2
    assert metrics.counts.guard_errors == {("web", "pre_call", "timeout"): 1}
    assert metrics.counts.guard_seconds["pii", "pre_call", "success", ""].total == 0.5


def test_findings_are_counted_by_what_was_done_about_them():
    metrics = Metrics()
    counts = GuardCounts(metrics.counts)
    counts.guard_acted("pii", PRE, Reaction.MASK, 3)
    counts.guard_acted("pii", PRE, Reaction.MASK, 1)
    found = one(metrics, "tiergate_guardrail_findings_total")
    assert (found.value, found.labels["action"]) == (4, "mask")
