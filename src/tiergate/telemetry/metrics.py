"""The Prometheus page: LiteLLM's names and labels where the data exists, ours under `tiergate_`.

Label values are bounded: aliases, deployments and providers of the configuration, statuses and
classes. What a caller makes up (models, paths, keys) never becomes one. Children are looked up
once and kept, so that a call costs additions, not lookups by label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId, Dialect, Operation
from tiergate.core.catalog import Deployment, Settings
from tiergate.core.record import CallRecord, Outcome

_NANO = 1e-9
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
_OVERHEAD_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5)

_ROUTES = {
    (Dialect.OPENAI, Operation.CHAT): "/v1/chat/completions",
    (Dialect.OPENAI, Operation.COMPLETION): "/v1/completions",
    (Dialect.OPENAI, Operation.EMBEDDING): "/v1/embeddings",
    (Dialect.ANTHROPIC, Operation.CHAT): "/v1/messages",
    (Dialect.ANTHROPIC, Operation.COUNT_TOKENS): "/v1/messages/count_tokens",
}

# LiteLLM's label lists (litellm_proxy_* and relatives). Labels whose data does not exist yet
# (keys, teams, users) are there and empty, so that its boards' queries match.
_WHO = ("end_user", "hashed_api_key", "api_key_alias", "team", "team_alias", "user")
_DEPLOYMENT = ("litellm_model_name", "model_id", "api_base", "api_provider")


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget as the gauges show it, in USD."""

    scope: str
    name: str
    window: str
    limit: float
    spent: float
    held: float


@dataclass(slots=True)
class _Children:
    """The children of one deployment, found once."""

    success: Counter
    total: Counter
    spend: Counter
    input: Counter
    output: Counter
    tokens: Counter
    cached: Counter
    written: Counter
    latency: Histogram
    upstream: Histogram
    first: Histogram
    overhead: Histogram
    failures: dict[tuple[str, str], Counter] = field(
        default_factory=dict[tuple[str, str], Counter]
    )


class Metrics:
    """Implements `ports.Observer` by counting."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._children: dict[tuple[DeploymentId, str], _Children] = {}
        self._requests: dict[tuple[str, str, str, str], Counter] = {}
        self._make_request_metrics()
        self._make_deployment_metrics()
        self._make_budget_metrics()

    def _counter(self, name: str, text: str, labels: Iterable[str]) -> Counter:
        return Counter(name, text, tuple(labels), registry=self.registry)

    def _make_request_metrics(self) -> None:
        request = (*_WHO, "requested_model", "route", "model_id", "api_provider")
        self._total = self._counter(
            "litellm_proxy_total_requests_metric",
            "Requests answered, by status",
            (*request, "status_code"),
        )
        self._failed = self._counter(
            "litellm_proxy_failed_requests_metric",
            "Requests that failed, by status and class",
            (*request, "exception_status", "exception_class"),
        )
        self._in_flight = Gauge(
            "litellm_in_flight_requests", "Requests under way", registry=self.registry
        )
        self._fallbacks = self._counter(
            "litellm_deployment_successful_fallbacks",
            "Requests that another alias than the asked one served",
            ("requested_model", "fallback_model", "model_id"),
        )
        self._stream_failures = self._counter(
            "tiergate_broken_streams", "Streams that broke after their first content", _DEPLOYMENT
        )

    def _make_deployment_metrics(self) -> None:
        label = ("requested_model", "model_group", *_DEPLOYMENT)
        self._success = self._counter(
            "litellm_deployment_success_responses", "Answers of a deployment", label
        )
        self._attempts = self._counter(
            "litellm_deployment_total_requests", "Calls to a deployment", label
        )
        self._failures = self._counter(
            "litellm_deployment_failure_responses",
            "Failed calls to a deployment",
            (*_DEPLOYMENT, "exception_status", "exception_class"),
        )
        self._cooled_down = self._counter(
            "litellm_deployment_cooled_down",
            "Cooldowns begun",
            (*_DEPLOYMENT, "exception_status"),
        )
        money = (*_WHO, "model", "requested_model", "model_id", "api_provider")
        self._spend = self._counter("litellm_spend_metric", "Spend in USD", money)
        self._tokens = self._counter("litellm_total_tokens_metric", "Tokens", money)
        self._input = self._counter("litellm_input_tokens_metric", "Input tokens", money)
        self._output = self._counter("litellm_output_tokens_metric", "Output tokens", money)
        self._cached = self._counter(
            "litellm_input_cached_tokens_metric", "Input tokens read from a prompt cache", money
        )
        self._written = self._counter(
            "litellm_input_cache_creation_tokens_metric",
            "Input tokens written to a prompt cache",
            money,
        )
        time = ("requested_model", "model_group", "model", "model_id", "api_provider")
        self._latency = self._histogram(
            "litellm_request_total_latency_metric", "Seconds from arrival to the end", time
        )
        self._upstream = self._histogram(
            "litellm_llm_api_latency_metric", "Seconds spent waiting for providers", time
        )
        self._first = self._histogram(
            "litellm_llm_api_time_to_first_token_metric",
            "Seconds to the first content of a stream",
            time,
        )
        self._overhead = Histogram(
            "litellm_overhead_latency_metric",
            "Seconds spent in the gateway before the answer began",
            ("model_group", "api_provider", "litellm_model_name", "model_id"),
            buckets=_OVERHEAD_SECONDS,
            registry=self.registry,
        )

    def _histogram(self, name: str, text: str, labels: tuple[str, ...]) -> Histogram:
        return Histogram(name, text, labels, buckets=_SECONDS, registry=self.registry)

    def _make_budget_metrics(self) -> None:
        label = ("scope", "name", "window")
        gauges = {
            "limit": "What may be spent in the window, USD",
            "spent": "What is spent and settled, USD",
            "held": "What is set aside for calls under way, USD",
        }
        self._budget_gauges = {
            kind: Gauge(f"tiergate_budget_{kind}_usd", text, label, registry=self.registry)
            for kind, text in gauges.items()
        }

    # ------------------------------------------------------------------ configuration

    def configure(self, settings: Settings) -> None:
        """Forget children of deployments that are gone; counters that were shown stay shown."""
        known = {d.id: d for d in settings.deployments}
        self._children = {k: v for k, v in self._children.items() if k[0] in known}

    def render(self, budgets: Iterable[BudgetRow] = ()) -> bytes:
        """Return the page in the Prometheus text format."""
        for gauge in self._budget_gauges.values():
            gauge.clear()
        for row in budgets:
            label = (row.scope, row.name, row.window)
            self._budget_gauges["limit"].labels(*label).set(row.limit)
            self._budget_gauges["spent"].labels(*label).set(row.spent)
            self._budget_gauges["held"].labels(*label).set(row.held)
        return generate_latest(self.registry)

    # ------------------------------------------------------------------ events

    def began(self) -> None:
        """A request is under way."""
        self._in_flight.inc()

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """A request was refused before it was understood: no label comes from the caller."""
        del wall
        route = _ROUTES.get((dialect, operation), "other")
        self._request("", route, status, None).inc()
        self._failure_of("", route, status, None, "refused").inc()

    def ended(self, record: CallRecord) -> None:
        """A request is over."""
        self._in_flight.dec()
        route = _ROUTES.get((record.dialect, record.operation), "other")
        self._request(record.asked, route, record.status, record.deployment).inc()
        if record.outcome is not Outcome.SUCCESS:
            kind = record.failure.value if record.failure else record.outcome.value
            self._failure_of(record.asked, route, record.status, record.deployment, kind).inc()
        deployment = record.deployment
        if deployment is None:
            return
        if record.status == 200:
            self._served(record, deployment)
        if record.outcome is Outcome.FAILURE and record.status == 200:
            self._stream_failures.labels(*_names(deployment)).inc()

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """A call to a deployment failed."""
        children = self._of(deployment, deployment.alias)
        children.total.inc()
        key = (str(failure.status), failure.kind.value)
        child = children.failures.get(key)
        if child is None:
            child = self._failures.labels(*_names(deployment), *key)
            children.failures[key] = child
        child.inc()

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """A cooldown began."""
        del seconds
        self._cooled_down.labels(*_names(deployment), str(failure.status)).inc()

    # ------------------------------------------------------------------ children

    def _served(self, record: CallRecord, deployment: Deployment) -> None:
        children = self._of(deployment, record.asked)
        children.success.inc()
        children.total.inc()
        children.latency.observe(record.seconds)
        children.upstream.observe(record.upstream_seconds)
        children.overhead.observe(record.overhead_seconds)
        if record.stream:
            children.first.observe(record.first_seconds)
        if record.cost:
            children.spend.inc(record.cost * _NANO)
        usage = record.usage
        if usage is not None:
            prompt = usage.prompt_total
            children.input.inc(prompt)
            children.output.inc(usage.output)
            children.tokens.inc(prompt + usage.output)
            if usage.cache_read:
                children.cached.inc(usage.cache_read)
            written = (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)
            if written:
                children.written.inc(written)
        if record.fallbacks:
            self._fallbacks.labels(record.asked, deployment.alias, deployment.id).inc()

    def _of(self, deployment: Deployment, asked: str) -> _Children:
        children = self._children.get((deployment.id, asked))
        if children is None:
            names = (asked, deployment.alias, *_names(deployment))
            money = (*("",) * len(_WHO), deployment.model, asked, deployment.id)
            money = (*money, deployment.provider)
            time = (asked, deployment.alias, deployment.model, deployment.id, deployment.provider)
            children = _Children(
                success=self._success.labels(*names),
                total=self._attempts.labels(*names),
                spend=self._spend.labels(*money),
                input=self._input.labels(*money),
                output=self._output.labels(*money),
                tokens=self._tokens.labels(*money),
                cached=self._cached.labels(*money),
                written=self._written.labels(*money),
                latency=self._latency.labels(*time),
                upstream=self._upstream.labels(*time),
                first=self._first.labels(*time),
                overhead=self._overhead.labels(
                    deployment.alias, deployment.provider, deployment.model, deployment.id
                ),
            )
            self._children[deployment.id, asked] = children
        return children

    def _request(
        self, asked: str, route: str, status: int, deployment: Deployment | None
    ) -> Counter:
        key = (asked, route, str(status), deployment.id if deployment else "")
        child = self._requests.get(key)
        if child is None:
            child = self._total.labels(*_request_labels(asked, route, deployment), str(status))
            self._requests[key] = child
        return child

    def _failure_of(
        self, asked: str, route: str, status: int, deployment: Deployment | None, kind: str
    ) -> Counter:
        label = _request_labels(asked, route, deployment)
        return self._failed.labels(*label, str(status), kind)


def _names(deployment: Deployment) -> tuple[str, str, str, str]:
    return (deployment.model, deployment.id, deployment.api_base, deployment.provider)


def _request_labels(asked: str, route: str, deployment: Deployment | None) -> tuple[str, ...]:
    who = ("",) * len(_WHO)
    if deployment is None:
        return (*who, asked, route, "", "")
    return (*who, asked, route, deployment.id, deployment.provider)


BudgetRows = Callable[[], Iterable[BudgetRow]]
