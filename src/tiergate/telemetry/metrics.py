"""Counts what happens to the calls: plain additions to numbers that few dictionary look-ups find.

The page is made of the numbers when somebody scrapes (`telemetry.page`). Label values are
bounded: aliases, deployments and providers of the configuration, statuses and classes, and of
callers as many as there is room for (`telemetry.seats`). Models, paths and keys that somebody made
up never become labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from tiergate.base.errors import Failure
from tiergate.base.values import AliasName, Dialect, Operation, ServiceTier
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Deployment, Settings
from tiergate.core.metrics_plan import ALL_METRICS, MetricsPlan
from tiergate.core.record import CallRecord, Outcome
from tiergate.ports import Inbound
from tiergate.telemetry.counts import (
    ANYBODY,
    NOBODY,
    Counts,
    Gains,
    Left,
    Mark,
    Names,
    SeriesKey,
    Served,
)
from tiergate.telemetry.moment import Moment
from tiergate.telemetry.reports import Report, add
from tiergate.telemetry.seats import Seat, Seats

_ROUTES: Mapping[tuple[Dialect, Operation], str] = MappingProxyType(
    {
        (Dialect.OPENAI, Operation.CHAT): "/v1/chat/completions",
        (Dialect.OPENAI, Operation.COMPLETION): "/v1/completions",
        (Dialect.OPENAI, Operation.EMBEDDING): "/v1/embeddings",
        (Dialect.ANTHROPIC, Operation.CHAT): "/v1/messages",
        (Dialect.ANTHROPIC, Operation.COUNT_TOKENS): "/v1/messages/count_tokens",
    }
)
_OTHER_ROUTE = "other"

NOT_CALLED = (0, "not_called")
"""Why a fallback served where nobody of the asked alias was called: a budget, a cooldown, tags."""

_MISSES = frozenset({"miss", "miss_down"})
"""Words of the response cache for look-ups that found nothing."""

_LEFT_SECONDS = 1.0
"""How often a provider's word on its rate limits is read."""

_REQUESTS_LEFT = (b"x-ratelimit-remaining-requests", b"anthropic-ratelimit-requests-remaining")
_TOKENS_LEFT = (b"x-ratelimit-remaining-tokens", b"anthropic-ratelimit-tokens-remaining")

_SUCCESS = Outcome.SUCCESS
_STANDARD = ServiceTier.STANDARD

_Key = TypeVar("_Key")
PriceOf = Callable[[Deployment], int | None]


def _unknown(deployment: Deployment) -> int | None:
    del deployment
    return None


class Metrics:
    """Implements `ports.Observer` and `ports.LookupWatch` by counting."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.plan: MetricsPlan = ALL_METRICS
        self.settings: Settings | None = None
        self.failure_marks: dict[tuple[SeriesKey, tuple[str, int, str]], Mark] = {}
        """The last call of each kind of failure; they stay in this worker."""
        self._seats = Seats(self.counts)
        self._price: PriceOf = _unknown
        self._dearest: Mapping[AliasName, int] = MappingProxyType({})

    def configure(self, settings: Settings, price: PriceOf = _unknown) -> None:
        """Serve another configuration; what was counted stays counted.

        Args:
            settings: The configuration.
            price: What a deployment costs, in any unit; None where that is not known.
        """
        self.settings = settings
        self.plan = settings.metrics
        self._seats.configure(settings.metrics)
        self._price = price
        dearest: dict[AliasName, int] = {}
        for deployment in settings.deployments:
            names = Names.of(deployment)
            _, series = self._seats.named(SeriesKey(ANYBODY, deployment.alias, names))
            series.served.setdefault("", Served())
            costs = price(deployment)
            if costs is not None:
                dearest[deployment.alias] = max(costs, dearest.get(deployment.alias, 0))
        self._dearest = dearest

    def report(self, moment: Moment | None = None) -> Report:
        """Return all numbers; the counts in it go on counting.

        Args:
            moment: What holds now.
        """
        return Report(self.counts, moment or Moment())

    def inherit(self, report: Report) -> None:
        """Count on from the numbers of a worker that has ended."""
        add(self.counts, report.without_calls().counts)

    # ------------------------------------------------------------------ events

    def began(self) -> None:
        """A request is under way."""
        self.counts.in_flight += 1

    def declined(self, record: CallRecord) -> None:
        """What it cost is in the record of the request."""

    def alerted(self, alert: BudgetAlert) -> None:
        """The gauges of budgets show what is spent; alert rules watch them."""

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """It is in the record of the request, with whoever asked."""

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """A request was refused before it was understood: no label comes from the caller."""
        del wall
        route = _ROUTES.get((dialect, operation), _OTHER_ROUTE)
        _, series = self._seats.named(SeriesKey(ANYBODY, "", NOBODY))
        _add(series.ends, (route, status, ""))
        _add(series.failures, (route, status, "refused"))

    def ended(self, record: CallRecord) -> None:
        """A request is over."""
        counts = self.counts
        counts.in_flight -= 1
        deployment = record.deployment
        seat = self._seats.of(record, record.asked, deployment)
        ends = seat.series.ends
        route = _ROUTES.get((record.dialect, record.operation), _OTHER_ROUTE)
        stream = str(record.stream) if self.plan.stream_label else ""
        end = (route, record.status, stream)
        ends[end] = ends.get(end, 0) + 1
        if record.outcome is not _SUCCESS:
            self._count_failure(record, route, seat)
        if record.failed:
            self._count_attempts(record)
        if deployment is None:
            return
        if record.cache:
            self._count_gain(record, seat)
        elif record.status == 200:
            self._count_answer(record, deployment, seat)
        elif record.cost:  # refusals that were paid before nobody served
            _served(seat).cost += record.cost
        if record.escalated:
            _add(counts.escalations, (record.asked, deployment.alias))

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """A cooldown began."""
        del seconds
        _add(self.counts.cooldowns, (Names.of(deployment), failure.status))

    def looked_up(self, inbound: Inbound, result: str) -> None:
        """The response cache has done something with a request, or left it alone."""
        _add(self.counts.lookups, (inbound.alias, result))
        if result in _MISSES:
            self._seats.of(inbound, inbound.alias, None).series.misses += 1

    def compared(self, alias: str, result: str) -> None:
        """A request was compared by meaning, or was not."""
        _add(self.counts.compared, (alias, result))

    # ------------------------------------------------------------------ numbers

    def _count_failure(self, record: CallRecord, route: str, seat: Seat) -> None:
        kind = record.failure.value if record.failure else record.outcome.value
        failure = (route, record.status, kind)
        _add(seat.series.failures, failure)
        self.failure_marks[seat.key, failure] = (record.call_id, 1.0, record.wall)
        broken = record.outcome is Outcome.FAILURE and record.status == 200
        if broken and record.deployment is not None:
            _add(self.counts.broken, seat.key.names)

    def _count_attempts(self, record: CallRecord) -> None:
        """Count the calls that failed, and the fallbacks among them."""
        served = record.deployment if record.status == 200 else None
        missed: dict[str, tuple[Deployment, Failure]] = {}
        for deployment, failure in record.failed:
            series = self._seats.of(record, record.asked, deployment).series
            _add(series.attempts, (failure.status, failure.kind.value))
            if deployment.alias != record.asked:
                missed[deployment.alias] = (deployment, failure)
        for alias, (deployment, failure) in missed.items():
            if served is None or served.alias != alias or record.outcome is Outcome.FAILURE:
                series = self._seats.of(record, record.asked, deployment).series
                _add(series.missteps, (failure.status, failure.kind.value))

    def _count_gain(self, record: CallRecord, seat: Seat) -> None:
        """Count an answer from a cache: no provider was called, so its numbers stand apart."""
        if record.outcome is not _SUCCESS:
            return
        self._seats.times(seat.key).latency.add(record.seconds)
        gains = seat.series.gains.setdefault(record.cache, Gains())
        gains.answers += 1
        gains.saving += record.saving
        if record.usage is not None:
            gains.tokens += record.usage.prompt_total + record.usage.output

    def _count_answer(self, record: CallRecord, deployment: Deployment, seat: Seat) -> None:
        usage = record.usage
        if usage is None or usage.tier is _STANDARD:
            served, times = _served(seat), seat.times
            if times is None:
                times = seat.times = self._seats.times(seat.key)
        else:
            tier = usage.tier.value
            served = seat.series.served.setdefault(tier, Served())
            times = self._seats.times(seat.key, tier)
        whole = record.outcome is not Outcome.FAILURE  # a broken stream is a failed call
        if whole:
            served.answers += 1
        call_id, wall, seconds = record.call_id, record.wall, record.seconds
        overhead = record.overhead_seconds
        times.note(call_id, seconds, overhead, record.queue_seconds, wall)
        if record.stream:
            times.first.mark(call_id, record.first_seconds, wall)
        cost = record.cost
        if cost:
            served.cost += cost
        if usage is not None:
            output = usage.output
            served.input += usage.prompt_total
            served.output += output
            served.cached += usage.cache_read or 0
            served.written += (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)
            served.reasoning += usage.reasoning or 0
            if whole and output:
                # The serving attempt alone: what came before it is upstream time too.
                alone = seconds - overhead - record.upstream_seconds + record.first_seconds
                times.per_token.add(max(0.0, alone) / output)
            if cost is None:
                served.unpriced += 1
        if deployment.alias != record.asked and whole:
            self._count_step(record, deployment, seat)
        if record.headers and not 0 <= wall - seat.left_at < _LEFT_SECONDS:
            seat.left_at = wall
            self._read_left(record, seat.key.names)

    def _count_step(self, record: CallRecord, deployment: Deployment, seat: Seat) -> None:
        """Count an answer of another alias than the asked one."""
        before = [failure for each, failure in record.failed if each.alias == record.asked]
        last = (before[-1].status, before[-1].kind.value) if before else NOT_CALLED
        _add(seat.series.steps, last)
        usual, now = self._dearest.get(AliasName(record.asked)), self._price(deployment)
        if usual is not None and now is not None and now > usual:
            pair = (record.asked, deployment.alias)
            _add(self.counts.upgrades, pair)
            costs = self.counts.upgrade_costs
            costs[pair] = costs.get(pair, 0) + (record.cost or 0)

    def _read_left(self, record: CallRecord, names: Names) -> None:
        """Read what a provider says of its own rate limits; not more often than is useful."""
        at = record.wall + record.seconds
        left = self.counts.left.get(names)
        if left is not None and at - left.at < _LEFT_SECONDS:
            return
        requests = tokens = None
        for name, value in record.headers:
            if name in _REQUESTS_LEFT and value.isdigit():
                requests = int(value)
            elif name in _TOKENS_LEFT and value.isdigit():
                tokens = int(value)
        if left is not None or requests is not None or tokens is not None:
            self.counts.left[names] = Left(requests, tokens, at)


def _served(seat: Seat) -> Served:
    served = seat.served
    if served is None:
        served = seat.served = seat.series.served.setdefault("", Served())
    return served


def _add(numbers: dict[_Key, int], key: _Key) -> None:
    numbers[key] = numbers.get(key, 0) + 1
