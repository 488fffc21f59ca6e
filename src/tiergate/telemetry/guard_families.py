"""The Prometheus families of guardrails; names and labels are LiteLLM's."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.telemetry.counts import Counts
from tiergate.telemetry.exposition import Family, counter, histogram


def guard_families(counts: Counts) -> Iterator[Family]:
    """Yield what guards looked at, how often they could not decide, and how long they took."""
    looks = counter(
        "litellm_guardrail_requests",
        "Looks of a guardrail, by what came of them",
        ("guardrail_name", "hook_type", "status"),
    )
    for values, number in counts.guard_requests.items():
        looks.add(values, number)
    errors = counter(
        "litellm_guardrail_errors",
        "Times that a guardrail could not decide",
        ("guardrail_name", "hook_type", "error_type"),
    )
    for values, number in counts.guard_errors.items():
        errors.add(values, number)
    seconds = histogram(
        "litellm_guardrail_latency_seconds",
        "Seconds that a guardrail took",
        ("guardrail_name", "hook_type", "status", "error_type"),
    )
    for values, buckets in counts.guard_seconds.items():
        seconds.observe(values, buckets)
    found = counter(
        "tiergate_guardrail_findings",
        "What a guardrail found, by what was done about it",
        ("guardrail_name", "hook_type", "action"),
    )
    for values, number in counts.guard_findings.items():
        found.add(values, number)
    yield from (looks, errors, seconds, found)
