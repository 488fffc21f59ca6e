"""The Prometheus page: LiteLLM's names and labels where the data exists, ours under `tiergate_`.

Counting is plain additions to numbers found by one dictionary look-up; the Prometheus objects are
made when somebody scrapes. Label values are bounded: aliases, deployments and providers of the
configuration, statuses and classes. What a caller makes up (models, paths, keys) never is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest

from tiergate.base.errors import Failure
from tiergate.base.values import Dialect, Operation
from tiergate.core.catalog import Deployment, Settings
from tiergate.core.record import CallRecord, Outcome
from tiergate.telemetry.counts import NOBODY, Counts, Names, Served
from tiergate.telemetry.families import BudgetRow, Page

_ROUTES = {
    (Dialect.OPENAI, Operation.CHAT): "/v1/chat/completions",
    (Dialect.OPENAI, Operation.COMPLETION): "/v1/completions",
    (Dialect.OPENAI, Operation.EMBEDDING): "/v1/embeddings",
    (Dialect.ANTHROPIC, Operation.CHAT): "/v1/messages",
    (Dialect.ANTHROPIC, Operation.COUNT_TOKENS): "/v1/messages/count_tokens",
}


class Metrics:
    """Implements `ports.Observer` by counting, and makes the page."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._names: dict[str, Names] = {}
        self._served: dict[tuple[str, str], Served] = {}

    def configure(self, settings: Settings) -> None:
        """Serve another configuration; what was counted stays counted."""
        self._names = {}
        self._served = {}
        for deployment in settings.deployments:
            self._served_of(deployment, deployment.alias)

    def render(self, budgets: Iterable[BudgetRow] = (), dropped: int = 0) -> bytes:
        """Return the page in the Prometheus text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Page(self.counts, tuple(budgets), dropped))
        return generate_latest(registry)

    # ------------------------------------------------------------------ events

    def began(self) -> None:
        """A request is under way."""
        self.counts.in_flight += 1

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """A request was refused before it was understood: no label comes from the caller."""
        del wall
        route = _ROUTES.get((dialect, operation), "other")
        _add(self.counts.requests, ("", route, status, NOBODY))
        _add(self.counts.failures, ("", route, status, "refused", NOBODY))

    def ended(self, record: CallRecord) -> None:
        """A request is over."""
        counts = self.counts
        counts.in_flight -= 1
        route = _ROUTES.get((record.dialect, record.operation), "other")
        deployment = record.deployment
        names = NOBODY if deployment is None else self._names_of(deployment)
        _add(counts.requests, (record.asked, route, record.status, names))
        if record.outcome is not Outcome.SUCCESS:
            kind = record.failure.value if record.failure else record.outcome.value
            _add(counts.failures, (record.asked, route, record.status, kind, names))
            if record.outcome is Outcome.FAILURE and record.status == 200:
                _add(counts.broken, names)
        if deployment is None:
            return
        if record.status == 200:
            self._count_answer(record, deployment)
        elif record.cost:  # refusals that were paid before nobody served
            self._served_of(deployment, record.asked).cost += record.cost

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """A call to a deployment failed."""
        key = (self._names_of(deployment), failure.status, failure.kind.value)
        _add(self.counts.attempts, key)

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """A cooldown began."""
        del seconds
        _add(self.counts.cooldowns, (self._names_of(deployment), failure.status))

    # ------------------------------------------------------------------ numbers

    def _count_answer(self, record: CallRecord, deployment: Deployment) -> None:
        served = self._served_of(deployment, record.asked)
        if record.outcome is not Outcome.FAILURE:  # a broken stream is told by `attempt_failed`
            served.answers += 1
        served.latency.add(record.seconds)
        served.upstream.add(record.upstream_seconds)
        served.overhead.add(record.overhead_seconds)
        if record.stream:
            served.first.add(record.first_seconds)
        if record.cost:
            served.cost += record.cost
        if record.fallbacks:
            served.fallbacks += 1
        usage = record.usage
        if usage is not None:
            served.input += usage.prompt_total
            served.output += usage.output
            served.cached += usage.cache_read or 0
            served.written += (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)

    def _served_of(self, deployment: Deployment, asked: str) -> Served:
        key = (deployment.id, asked)
        served = self._served.get(key)
        if served is None:
            names = self._names_of(deployment)
            served = self.counts.served.setdefault((asked, names), Served())
            self._served[key] = served
        return served

    def _names_of(self, deployment: Deployment) -> Names:
        known = self._names.get(deployment.id)
        if known is None:
            known = self._names[deployment.id] = Names.of(deployment)
        return known


Key = TypeVar("Key")


def _add(numbers: dict[Key, int], key: Key) -> None:
    numbers[key] = numbers.get(key, 0) + 1
