"""The Prometheus families of the response cache; LiteLLM's names where it has them."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.base.money import NANO
from tiergate.core.metrics_plan import ALL_METRICS, MetricsPlan
from tiergate.telemetry import series_labels as labels
from tiergate.telemetry.counts import Counts
from tiergate.telemetry.exposition import Family, counter
from tiergate.telemetry.series_labels import known_of, with_added


def cache_families(counts: Counts, plan: MetricsPlan = ALL_METRICS) -> Iterator[Family]:
    """Yield what the cache has found, missed and saved."""
    wanted = with_added(labels.CACHE, plan)
    hits = counter("litellm_cache_hits_metric", "Answers that came from a cache", wanted.names)
    tokens = counter(
        "litellm_cached_tokens_metric", "Tokens of answers that came from a cache", wanted.names
    )
    saved = counter(
        "tiergate_cache_saved_usd",
        "What providers would have charged for answers that came from a cache, USD",
        ("layer", "requested_model", "model_id", "api_provider"),
    )
    misses = counter("litellm_cache_misses_metric", "Look-ups that found no answer", wanted.names)
    for key, series in counts.series.items():
        if not (series.gains or series.misses):
            continue
        values = wanted.take(known_of(key.who, key.asked, key.names, plan))
        for layer, gains in series.gains.items():
            hits.add(values, gains.answers)
            tokens.add(values, gains.tokens)
            place = (layer, key.asked, key.names.id, key.names.provider)
            saved.add(place, gains.saving / NANO)
        if series.misses:
            misses.add(values, series.misses)
    lookups = counter(
        "tiergate_cache_lookups",
        "Requests by what the response cache did",
        ("requested_model", "result"),
    )
    for asked, number in counts.lookups.items():
        lookups.add(asked, number)
    compared = counter(
        "tiergate_cache_compared",
        "Requests without an equal one in the cache, by what comparing by meaning brought",
        ("requested_model", "result"),
    )
    for asked, number in counts.compared.items():
        compared.add(asked, number)
    yield from (hits, misses, tokens, saved, lookups, compared)
