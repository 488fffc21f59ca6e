"""The Prometheus families of the gateway itself: workers, stores, the ledger, callbacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tiergate.telemetry.counts import Counts
from tiergate.telemetry.exposition import Family, counter, gauge
from tiergate.telemetry.moment import Moment


def health_families(
    counts: Counts, moment: Moment, workers: Mapping[str, int], now: float
) -> Iterator[Family]:
    """Yield how the gateway itself is.

    Args:
        counts: What was counted.
        moment: What holds in the workers now.
        workers: The workers by state; empty where there is only one.
        now: Unix seconds.
    """
    waiting = gauge("tiergate_ledger_waiting_records", "Calls that are not in the ledger yet")
    waiting.add((), moment.waiting)
    lag = gauge("tiergate_ledger_lag_seconds", "How long the oldest of them has waited")
    lag.add((), max(0.0, now - moment.oldest) if moment.oldest else 0.0)
    store = gauge("tiergate_store_up", "1 where a store answers every worker, else 0", ("store",))
    for name in moment.stores:
        store.add((name,), 0 if moment.down.get(name) else 1)
    yield from (waiting, lag, store)
    if workers:
        family = gauge("tiergate_workers", "Workers of this gateway, by state", ("state",))
        for state, number in workers.items():
            family.add((state,), number)
        yield family
    failures = counter(
        "litellm_callback_logging_failures_metric",
        "Times that a callback did not take what it was sent",
        ("callback_name",),
    )
    for name, number in counts.callback_failures.items():
        failures.add((name,), number)
    drops = counter(
        "tiergate_callback_dropped_records",
        "Call records that a callback was never sent, since too many waited",
        ("callback_name",),
    )
    for name, number in counts.callback_drops.items():
        drops.add((name,), number)
    yield from (failures, drops)
