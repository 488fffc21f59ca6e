"""A request that is being served: what headers, books and records need to know of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tiergate.base.errors import Failure
from tiergate.base.values import NanoUsd, Usage
from tiergate.core.catalog import Deployment
from tiergate.core.plan import Wish
from tiergate.core.record import CallRecord, Outcome
from tiergate.core.timing import Limits
from tiergate.pipeline.attempt import Open, Plain
from tiergate.ports import HoldToken, Inbound


@dataclass(slots=True)
class Served:
    """An answer: plain and complete, or a stream at its commit point.

    Attributes:
        begun: Instant the serving attempt began.
        first: Instant of its plain answer or first content.
        upstream_seconds: Spent waiting for providers, all attempts together.
        paid: nano-USD that refusals on the way to this answer have cost.
        cost: Its own, in nano-USD, once the books are closed; None when the model has no price.
        closed: The books are closed.
        admission: What the request has of its caller's rate limits.
        source: What a cache in front of the engine knows of the answer; opaque to all others.
        marks: Further response headers.
        cache: The cache layer that answered, or empty.
        saving: nano-USD that it has saved.
        failed: Calls to deployments that failed on the way to this answer.
        queue_seconds: From arrival until the first deployment was chosen.
    """

    inbound: Inbound
    deployment: Deployment
    outcome: Plain | Open
    wish: Wish
    limits: Limits
    hold: HoldToken | None = field(repr=False)
    begun: float
    first: float
    upstream_seconds: float
    retries: int = 0
    fallbacks: int = 0
    why: str = ""
    paid: int = 0
    cost: NanoUsd | None = None
    closed: bool = False
    admission: HoldToken | None = field(default=None, repr=False)
    source: object = field(default=None, repr=False)
    marks: tuple[tuple[str, str], ...] = ()
    cache: str = ""
    saving: int = 0
    failed: list[tuple[Deployment, Failure]] = field(
        default_factory=list[tuple[Deployment, Failure]], repr=False
    )
    queue_seconds: float = 0.0

    @property
    def refused(self) -> bool:
        """Whether the model ended with a content-policy stop inside a 200."""
        if isinstance(self.outcome, Plain):
            return self.outcome.answer.refused
        return self.outcome.reader.refused

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the provider's answer."""
        outcome = self.outcome
        return outcome.headers if isinstance(outcome, Plain) else outcome.exchange.headers

    def settle_course(self, retries: int, fallbacks: int, why: str) -> None:
        """Take over what the plan knows at the end."""
        self.retries = retries
        self.fallbacks = fallbacks
        self.why = why

    def record(
        self,
        now: float,
        outcome: Outcome,
        usage: Usage | None,
        cost: NanoUsd | None,
        failure: Failure | None,
    ) -> CallRecord:
        """Make the record of the request."""
        inbound, served = self.inbound, self.outcome
        refusal = inbound.refusal
        if refusal is not None:
            outcome = Outcome.REFUSED
        return CallRecord(
            call_id=inbound.call_id,
            wall=inbound.wall,
            dialect=inbound.dialect,
            operation=inbound.operation,
            asked=inbound.alias,
            deployment=self.deployment,
            outcome=outcome,
            status=200 if refusal is None else refusal.status,
            failure=failure.kind if failure is not None else None,
            error_type=failure.type if failure is not None else refusal and refusal.code,
            message=failure.message if failure is not None else refusal and refusal.message,
            stream=inbound.stream,
            usage=usage,
            cost=cost,
            retries=self.retries,
            fallbacks=self.fallbacks,
            why=self.why,
            seconds=now - inbound.received,
            first_seconds=self.first - self.begun,
            upstream_seconds=self.upstream_seconds,
            overhead_seconds=max(0.0, self.first - inbound.received - self.upstream_seconds),
            tags=inbound.tags,
            user=inbound.user,
            caller=inbound.caller,
            purpose=inbound.purpose,
            telling=inbound.telling,
            failed=self.failed,
            queue_seconds=self.queue_seconds,
            labels=inbound.labels,
            headers=served.headers if isinstance(served, Plain) else served.exchange.headers,
            cache=self.cache,
            saving=self.saving,
        )
