"""Counts what guards do; implements `ports.guarding.GuardWatch`.

Names of guards, stages and outcomes are those of the configuration and the program, so no label
comes from a caller.
"""

from __future__ import annotations

from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import Stage
from tiergate.telemetry.counts import SECONDS, Buckets, Counts


class GuardCounts:
    """Counts into the numbers of the metrics page.

    Args:
        counts: The numbers.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def guarded(self, name: str, stage: Stage, status: str, seconds: float, error: str) -> None:
        """A guard has looked; see `GuardWatch.guarded`."""
        counts, hook = self._counts, stage.value
        looks = (name, hook, status)
        counts.guard_requests[looks] = counts.guard_requests.get(looks, 0) + 1
        if error:
            faults = (name, hook, error)
            counts.guard_errors[faults] = counts.guard_errors.get(faults, 0) + 1
        times = (name, hook, status, error)
        buckets = counts.guard_seconds.get(times)
        if buckets is None:
            buckets = counts.guard_seconds[times] = Buckets(SECONDS)
        buckets.add(seconds)

    def guard_acted(self, name: str, stage: Stage, reaction: Reaction, number: int) -> None:
        """A guard has found something; see `GuardWatch.guard_acted`."""
        key = (name, stage.value, reaction.value)
        acts = self._counts.guard_findings
        acts[key] = acts.get(key, 0) + number
