"""One request on its way: what the engine knows of it until somebody serves, or nobody does."""

from __future__ import annotations

from dataclasses import dataclass, field

from tiergate.base.errors import Failure
from tiergate.base.values import NanoUsd
from tiergate.core.catalog import Deployment
from tiergate.core.plan import Call, Machine, Wish
from tiergate.core.record import CallRecord, Outcome
from tiergate.core.trail import compact
from tiergate.pipeline.served import Served
from tiergate.ports import HoldToken, Inbound


@dataclass(slots=True)
class Course:
    """One request on its way.

    Attributes:
        upstream: Seconds spent waiting for providers so far.
        last: The last attempt.
        declined: The first answer that was a refusal; what the caller gets if nobody else serves.
        refusing: The content-policy chain is being followed.
        paid: nano-USD of all refusals on the way.
        parts: How many attempts were paid for and have records of their own.
        admission: What the request has of its caller's rate limits.
        escalated: It has its escalation, or needs none more.
        failed: Calls that failed, in their order.
        started: Instant at which the first deployment was to be chosen; 0 before.
    """

    machine: Machine
    inbound: Inbound
    wish: Wish
    upstream: float = 0.0
    last: Call | None = None
    declined: Served | None = None
    refusing: bool = False
    paid: int = 0
    parts: int = 0
    admission: HoldToken | None = None
    escalated: bool = False
    failed: list[tuple[Deployment, Failure]] = field(
        default_factory=list[tuple[Deployment, Failure]]
    )
    started: float = 0.0

    def record(
        self, outcome: Outcome, status: int, failure: Failure | None, now: float
    ) -> CallRecord:
        """Return the record of a request that nobody served."""
        inbound, machine = self.inbound, self.machine
        if inbound.refusal is not None:  # by a guard, which has ended the call
            outcome, status = Outcome.REFUSED, inbound.refusal.status
        if inbound.telling is not None:
            inbound.telling.trail = machine.trail
        return CallRecord(
            call_id=inbound.call_id,
            wall=inbound.wall,
            dialect=inbound.dialect,
            operation=inbound.operation,
            asked=inbound.alias,
            deployment=self.last.deployment if self.last is not None else None,
            outcome=outcome,
            status=status,
            failure=failure.kind if failure is not None else None,
            error_type=failure.type if failure is not None else None,
            message=failure.message if failure is not None else None,
            stream=inbound.stream,
            cost=NanoUsd(self.paid) if self.paid else None,
            paid=self.paid,
            retries=machine.retries,
            fallbacks=machine.fallbacks,
            why=compact(machine.trail),
            seconds=now - inbound.received,
            upstream_seconds=self.upstream,
            overhead_seconds=max(0.0, now - inbound.received - self.upstream),
            tags=inbound.tags,
            user=inbound.user,
            caller=inbound.caller,
            purpose=inbound.purpose,
            telling=inbound.telling,
            failed=self.failed,
            queue_seconds=max(0.0, (self.started or now) - inbound.received),
            labels=inbound.labels,
        )
