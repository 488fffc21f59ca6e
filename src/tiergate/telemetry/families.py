"""The Prometheus families of requests, tokens, money and times; names and labels are LiteLLM's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tiergate.base.money import NANO
from tiergate.core.metrics_plan import MetricsPlan
from tiergate.telemetry import series_labels as labels
from tiergate.telemetry.counts import Buckets, Counts, Mark, SeriesKey, Served, Times
from tiergate.telemetry.exposition import Family, counter, gauge, histogram
from tiergate.telemetry.series_labels import Known, Labels, known_of, with_added, with_identity

FailureMarks = Mapping[tuple[SeriesKey, tuple[str, int, str]], Mark]


def request_families(counts: Counts, plan: MetricsPlan, marks: FailureMarks) -> Iterator[Family]:
    """Yield how requests ended."""
    stream = ("stream",) if plan.stream_label else ()
    every = with_added((*labels.REQUEST, "status_code", *stream), plan)
    bad = with_added((*labels.REQUEST, *labels.EXCEPTION), plan)
    requests = counter(
        "litellm_proxy_total_requests_metric", "Requests answered, by status", every.names
    )
    failed = counter(
        "litellm_proxy_failed_requests_metric",
        "Requests that failed or were refused, by status and class",
        bad.names,
    )
    for key, series in counts.series.items():
        if not series.ends:
            continue
        known = known_of(key.who, key.asked, key.names, plan)
        for (route, status, streamed), number in series.ends.items():
            known.update(route=route, status_code=str(status), stream=streamed)
            requests.add(every.take(known), number)
        for failure, number in series.failures.items():
            route, status, kind = failure
            known.update(route=route, exception_status=str(status), exception_class=kind)
            failed.add(bad.take(known), number, marks.get((key, failure)))
    in_flight = gauge("litellm_in_flight_requests", "Requests under way")
    in_flight.add((), counts.in_flight)
    yield from (requests, failed, in_flight)


_Number = Callable[[Served], float]

_SERVED: tuple[tuple[str, str, tuple[str, ...], _Number], ...] = (
    ("litellm_spend_metric", "Spend in USD", labels.SPEND, lambda s: s.cost / NANO),
    ("litellm_total_tokens_metric", "Tokens", labels.TOKENS, lambda s: s.input + s.output),
    ("litellm_input_tokens_metric", "Input tokens", labels.TOKENS, lambda s: s.input),
    ("litellm_output_tokens_metric", "Output tokens", labels.TOKENS, lambda s: s.output),
    (
        "litellm_input_cached_tokens_metric",
        "Input tokens read from a provider's prompt cache",
        labels.TOKEN_DETAILS,
        lambda s: s.cached,
    ),
    (
        "litellm_input_cache_creation_tokens_metric",
        "Input tokens written to a provider's prompt cache",
        labels.TOKEN_DETAILS,
        lambda s: s.written,
    ),
    (
        "litellm_output_reasoning_tokens_metric",
        "Output tokens that were thoughts",
        labels.TOKEN_DETAILS,
        lambda s: s.reasoning,
    ),
    (
        "litellm_requests_metric",
        "Answers of models; deprecated, use litellm_proxy_total_requests_metric",
        labels.CALLS,
        lambda s: s.answers,
    ),
)


def served_families(counts: Counts, plan: MetricsPlan) -> Iterator[Family]:
    """Yield tokens and money."""
    rows: list[tuple[Served, Known]] = []
    for key, series in counts.series.items():
        for tier, served in series.served.items():
            known = known_of(key.who, key.asked, key.names, plan)
            known.update(service_tier=tier, reason="missing_pricing_key")  # LiteLLM's word
            rows.append((served, known))
    for name, text, wanted, number_of in _SERVED:
        labelled = with_added(wanted, plan)
        family = counter(name, text, labelled.names)
        for served, known in rows:
            family.add(labelled.take(known), number_of(served))
        yield family
    labelled = Labels.of((*labels.MODEL, "reason"))
    unpriced = counter(
        "litellm_zero_cost_requests",
        "Answers that cost nothing because their model has no price",
        labelled.names,
    )
    for served, known in rows:
        if served.unpriced:
            unpriced.add(labelled.take(known), served.unpriced)
    yield unpriced


_Pick = Callable[[Times], Buckets]

_TIMES: tuple[tuple[str, str, tuple[str, ...], _Pick], ...] = (
    (
        "litellm_request_total_latency_metric",
        "Seconds from arrival to the end",
        labels.TIMES,
        lambda t: t.latency,
    ),
    (
        "litellm_llm_api_latency_metric",
        "Seconds spent waiting for providers, to the end of their answers",
        labels.TIMES,
        lambda t: t.upstream,
    ),
    (
        "litellm_llm_api_time_to_first_token_metric",
        "Seconds to the first content of a stream",
        labels.TIMES,
        lambda t: t.first,
    ),
    (
        "litellm_overhead_latency_metric",
        "Seconds spent in the gateway before the answer began",
        labels.OVERHEAD,
        lambda t: t.overhead,
    ),
    (
        "litellm_request_queue_time_seconds",
        "Seconds from arrival until the first deployment was chosen",
        labels.QUEUE,
        lambda t: t.queue,
    ),
    (
        "litellm_deployment_latency_per_output_token",
        "Seconds of a call to a deployment for each token of its answer",
        labels.PER_TOKEN,
        lambda t: t.per_token,
    ),
)


def time_families(counts: Counts, plan: MetricsPlan) -> Iterator[Family]:
    """Yield how long answers took."""
    rows: list[tuple[Times, Known]] = []
    for key, times in counts.times.items():
        known = known_of(key.who, key.asked, key.names, plan)
        known["service_tier"] = key.tier
        rows.append((times, known))
    for name, text, wanted, pick in _TIMES:
        found = with_identity(wanted, plan)
        family = histogram(name, text, found.names)
        for times, known in rows:
            buckets = pick(times)
            if any(buckets.counts):
                family.observe(found.take(known), buckets)
        yield family
