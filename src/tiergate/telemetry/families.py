"""Turn the numbers into Prometheus families: names, help texts, labels. Made once per scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from tiergate.base.money import NANO
from tiergate.telemetry.counts import Buckets, Counts, Names, Served

# LiteLLM's labels. Those whose data does not exist yet (keys, teams, users) are there and empty,
# so that the queries of its boards match.
_WHO = ("end_user", "hashed_api_key", "api_key_alias", "team", "team_alias", "user")
_NO_WHO = ("",) * len(_WHO)
_DEPLOYMENT = ("litellm_model_name", "model_id", "api_base", "api_provider")
_MONEY = (*_WHO, "model", "requested_model", "model_id", "api_provider")
_TIME = ("requested_model", "model_group", "model", "model_id", "api_provider")
_OVERHEAD = (
    "model_group",
    "api_provider",
    "api_base",
    "litellm_model_name",
    "hashed_api_key",
    "api_key_alias",
    "model_id",
)
_REQUEST = (*_WHO, "requested_model", "route", "model_id", "api_provider")


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget as the gauges show it, in USD."""

    scope: str
    name: str
    window: str
    limit: float
    spent: float
    held: float


class Page(Collector):
    """Everything that one scrape shows."""

    def __init__(self, counts: Counts, budgets: tuple[BudgetRow, ...], dropped: int) -> None:
        self._counts = counts
        self._budgets = budgets
        self._dropped = dropped

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        yield from self._requests()
        yield from self._deployments()
        yield from self._tokens()
        yield from self._times()
        yield from self._money()

    def _requests(self) -> Iterator[Metric]:
        counts = self._counts
        yield _counter(
            "litellm_proxy_total_requests_metric",
            "Requests answered, by status",
            (*_REQUEST, "status_code"),
            (
                ((*_request(asked, route, names), str(status)), number)
                for (asked, route, status, names), number in counts.requests.items()
            ),
        )
        yield _counter(
            "litellm_proxy_failed_requests_metric",
            "Requests that failed or were refused, by status and class",
            (*_REQUEST, "exception_status", "exception_class"),
            (
                ((*_request(asked, route, names), str(status), kind), number)
                for (asked, route, status, kind, names), number in counts.failures.items()
            ),
        )
        yield GaugeMetricFamily(
            "litellm_in_flight_requests", "Requests under way", value=counts.in_flight
        )
        yield CounterMetricFamily(
            "tiergate_webhook_dropped_records",
            "Call records that a webhook did not take",
            value=self._dropped,
        )

    def _deployments(self) -> Iterator[Metric]:
        counts = self._counts
        label = ("requested_model", "model_group", *_DEPLOYMENT)
        answers = [
            ((asked, names.alias, *_names(names)), served.answers)
            for (asked, names), served in counts.served.items()
        ]
        yield _counter(
            "litellm_deployment_success_responses", "Answers of a deployment", label, answers
        )
        failed: dict[Names, int] = {}
        for (names, _, _), number in counts.attempts.items():
            failed[names] = failed.get(names, 0) + number
        total: dict[tuple[str, ...], int] = dict(answers)
        for names, number in failed.items():
            labels = (names.alias, names.alias, *_names(names))
            total[labels] = total.get(labels, 0) + number
        yield _counter(
            "litellm_deployment_total_requests", "Calls to a deployment", label, total.items()
        )
        yield _counter(
            "litellm_deployment_failure_responses",
            "Failed calls to a deployment, by status and class",
            (*_DEPLOYMENT, "exception_status", "exception_class"),
            (
                ((*_names(names), str(status), kind), number)
                for (names, status, kind), number in counts.attempts.items()
            ),
        )
        yield _counter(
            "litellm_deployment_cooled_down",
            "Cooldowns begun",
            (*_DEPLOYMENT, "exception_status"),
            (
                ((*_names(names), str(status)), number)
                for (names, status), number in counts.cooldowns.items()
            ),
        )
        yield _counter(
            "litellm_deployment_successful_fallbacks",
            "Requests that another alias than the asked one served",
            ("requested_model", "fallback_model", "model_id"),
            (
                ((asked, names.alias, names.id), served.fallbacks)
                for (asked, names), served in counts.served.items()
                if served.fallbacks
            ),
        )
        yield _counter(
            "tiergate_broken_streams",
            "Streams that broke after their first content",
            _DEPLOYMENT,
            ((_names(names), number) for names, number in counts.broken.items()),
        )

    def _tokens(self) -> Iterator[Metric]:
        kinds: tuple[tuple[str, str, Callable[[Served], int]], ...] = (
            ("litellm_total_tokens_metric", "Tokens", lambda s: s.input + s.output),
            ("litellm_input_tokens_metric", "Input tokens", lambda s: s.input),
            ("litellm_output_tokens_metric", "Output tokens", lambda s: s.output),
            (
                "litellm_input_cached_tokens_metric",
                "Input tokens read from a prompt cache",
                lambda s: s.cached,
            ),
            (
                "litellm_input_cache_creation_tokens_metric",
                "Input tokens written to a prompt cache",
                lambda s: s.written,
            ),
        )
        for name, text, number in kinds:
            yield _counter(
                name,
                text,
                _MONEY,
                (
                    (_money(asked, names), number(served))
                    for (asked, names), served in self._counts.served.items()
                ),
            )

    def _times(self) -> Iterator[Metric]:
        kinds: tuple[tuple[str, str, Callable[[Served], Buckets]], ...] = (
            (
                "litellm_request_total_latency_metric",
                "Seconds from arrival to the end",
                lambda s: s.latency,
            ),
            (
                "litellm_llm_api_latency_metric",
                "Seconds spent waiting for providers",
                lambda s: s.upstream,
            ),
            (
                "litellm_llm_api_time_to_first_token_metric",
                "Seconds to the first content of a stream",
                lambda s: s.first,
            ),
        )
        for name, text, pick in kinds:
            family = HistogramMetricFamily(name, text, labels=_TIME)
            for (asked, names), served in self._counts.served.items():
                labels = (asked, names.alias, names.model, names.id, names.provider)
                buckets = pick(served)
                family.add_metric(labels, _cumulated(buckets), buckets.total)
            yield family
        overhead = HistogramMetricFamily(
            "litellm_overhead_latency_metric",
            "Seconds spent in the gateway before the answer began",
            labels=_OVERHEAD,
        )
        for (_, names), served in self._counts.served.items():
            labels = (names.alias, names.provider, names.api_base, names.model, "", "", names.id)
            overhead.add_metric(labels, _cumulated(served.overhead), served.overhead.total)
        yield overhead

    def _money(self) -> Iterator[Metric]:
        yield _counter(
            "litellm_spend_metric",
            "Spend in USD",
            _MONEY,
            (
                (_money(asked, names), served.cost / NANO)
                for (asked, names), served in self._counts.served.items()
            ),
        )
        gauges = (
            ("limit", "What may be spent in the window, USD"),
            ("spent", "What is spent and settled in the window, USD"),
            ("held", "What is set aside for calls under way, USD"),
        )
        for kind, text in gauges:
            family = GaugeMetricFamily(
                f"tiergate_budget_{kind}_usd", text, labels=("scope", "name", "window")
            )
            for row in self._budgets:
                value = {"limit": row.limit, "spent": row.spent, "held": row.held}[kind]
                family.add_metric((row.scope, row.name, row.window), value)
            yield family


def _counter(
    name: str,
    text: str,
    labels: tuple[str, ...],
    rows: Iterable[tuple[tuple[str, ...], float]],
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _cumulated(buckets: Buckets) -> list[tuple[str, float]]:
    """Return cumulative counts by upper bound, as the text format wants them."""
    rows: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip((*buckets.bounds, float("inf")), buckets.counts, strict=True):
        total += count
        rows.append(("+Inf" if bound == float("inf") else str(bound), total))
    return rows


def _names(names: Names) -> tuple[str, str, str, str]:
    return (names.model, names.id, names.api_base, names.provider)


def _request(asked: str, route: str, names: Names) -> tuple[str, ...]:
    return (*_NO_WHO, asked, route, names.id, names.provider)


def _money(asked: str, names: Names) -> tuple[str, ...]:
    return (*_NO_WHO, names.model, asked, names.id, names.provider)
