"""Run one request: ask the plan for the next step, carry it out, tell the plan what happened.

The order of a request is here and nowhere else: choose, hold, call, (wait, again,) serve. A hold
is settled or released exactly once, whatever happens. Every decision is `core.plan`'s.
"""

from __future__ import annotations

import asyncio

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.catalog import ChainKind
from tiergate.core.load import TIMED_OUT
from tiergate.core.plan import Call, Machine, Wait, Wish
from tiergate.core.record import CallRecord, Outcome, ended_as
from tiergate.core.trail import compact
from tiergate.pipeline.attempt import Open, Plain
from tiergate.pipeline.course import Course
from tiergate.pipeline.escalations import Escalations
from tiergate.pipeline.parts import GaveUp, Parts
from tiergate.pipeline.served import Served
from tiergate.ports import (
    BudgetStop,
    HoldToken,
    Inbound,
    Pending,
)


class Engine:
    """Runs requests against one configuration."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def run(self, inbound: Inbound, wish: Wish) -> Served:
        """Serve a request.

        Returns:
            The answer; `finished` must be called with it exactly once.

        Raises:
            GaveUp: Nothing could serve it.
            Refused: The request is malformed in the caller's own dialect.
            asyncio.CancelledError: The caller left.
        """
        parts = self._parts
        parts.observer.began()
        machine = Machine(parts.routes, wish, inbound.received, inbound.home)
        course = Course(machine, inbound, wish)
        try:
            admission = parts.accounts.admit(inbound)
            if admission is not None:
                course.admission = await _admitted(admission)
            return await self._follow(course)
        except asyncio.CancelledError:
            self._end(course, Outcome.CANCELLED, 499, None)
            raise
        except Refused as refused:
            self._end(course, Outcome.REFUSED, refused.status, None)
            raise
        except GaveUp as end:
            failed = end.error if isinstance(end.error, Failure) else None
            outcome = Outcome.FAILURE if failed is not None else Outcome.REFUSED
            self._end(course, outcome, end.error.status, failed)
            raise
        except BaseException:
            # A fault of our own; whoever serves the request answers it. The books still close.
            self._end(course, Outcome.FAILURE, 500, None)
            raise

    async def _follow(self, course: Course) -> Served:
        parts, machine = self._parts, course.machine
        course.started = parts.clock()
        while True:
            now = parts.clock()
            step = machine.next(parts.view, now, parts.dice)
            if isinstance(step, Call):
                make = self._probe if step.probe else self._call
                served = await make(course, step, now)
                if served is not None:
                    return served
            elif isinstance(step, Wait):
                await parts.sleep(step.seconds)
            else:
                if course.declined is not None:
                    course.declined.paid = course.paid - (course.declined.cost or 0)
                    return course.declined
                raise GaveUp(step, compact(machine.trail))

    async def _call(self, course: Course, step: Call, now: float) -> Served | None:
        """Make one attempt; None when the plan must be asked again."""
        parts, machine, inbound = self._parts, course.machine, course.inbound
        deployment = step.deployment
        hold = parts.accounts.hold(inbound, deployment, now)
        if isinstance(hold, Pending):
            hold = await hold.wait()
        if isinstance(hold, BudgetStop):
            machine.refused(hold.scope, hold.refusal, now)
            return None
        if parts.escalations is not None and parts.escalations.guards(deployment, course.wish):
            await self._escalate(parts.escalations, course, hold)
        parts.load.begun(deployment.id, now)
        course.last = step
        try:
            outcome = await parts.attempts.make(inbound, deployment, step.limits)
        except BaseException as exc:
            # The caller left: the provider has begun, and its price for the prompt is due. The
            # probe's place goes to the next request.
            usage = None
            if isinstance(exc, asyncio.CancelledError):
                usage = parts.attempts.begun(inbound, deployment)
            parts.load.ended(deployment.id)
            left = _cancelled()
            self._end_attempt(course, step, left, usage, hold)
            self._book_failed(step, left, parts.clock())
            raise
        after = parts.clock()
        course.upstream += after - now
        if isinstance(outcome, Failure):
            parts.load.ended(deployment.id)
            self._attempt_failed(course, step, outcome, hold, after)
            return None
        if parts.cooldowns.marks:
            parts.cooldowns.succeeded(deployment.id, parts.routes.rule(deployment), after)
        served = Served(
            inbound=inbound,
            deployment=deployment,
            outcome=outcome,
            wish=course.wish,
            limits=step.limits,
            hold=hold,
            begun=now,
            first=after,
            upstream_seconds=course.upstream,
            paid=course.paid,
            admission=course.admission,
            failed=course.failed,
            queue_seconds=course.started - inbound.received,
        )
        if served.refused and self._may_reroute(course, step):
            self._decline(course, served, after)
            return None
        machine.answered(after)
        if inbound.telling is not None:
            inbound.telling.trail = machine.trail
        served.settle_course(machine.retries, machine.fallbacks, compact(machine.trail))
        return served

    async def _probe(self, course: Course, step: Call, now: float) -> Served | None:
        """Make the one attempt that finds out whether a cooldown is over, if it is this one."""
        cooldowns, deployment = self._parts.cooldowns, step.deployment
        if not await cooldowns.may_probe(deployment.id, self._parts.routes.rule(deployment), now):
            course.machine.forestalled()
            return None
        try:
            return await self._call(course, step, now)
        finally:
            # One that was not sent, or said nothing, leaves the place to the next.
            cooldowns.released(deployment.id)

    async def _escalate(
        self, escalations: Escalations, course: Course, hold: HoldToken | None
    ) -> None:
        """Ask for an escalation, now that everything else lets the call go out; once a request.

        Raises:
            Refused: There is none; nothing is sent, and nothing stays held.
        """
        if course.escalated:
            return
        try:
            await escalations.admit(course.inbound)
            course.escalated = True
        except BaseException:
            self._parts.accounts.release(hold, self._parts.clock())
            raise

    def _attempt_failed(
        self, course: Course, step: Call, failure: Failure, hold: HoldToken | None, now: float
    ) -> None:
        parts = self._parts
        self._end_attempt(course, step, failure, failure.usage if failure.charged else None, hold)
        course.refusing = course.refusing or _starts_policy_chain(step, failure)
        if failure.kind is FailureClass.TIMEOUT:
            parts.load.measured(step.deployment.id, TIMED_OUT, now, stream=course.wish.stream)
        self._book_failed(step, failure, now)
        if failure.kind is not FailureClass.UNTRANSLATABLE:
            course.failed.append((step.deployment, failure))
            parts.observer.attempt_failed(step.deployment, failure)
        course.machine.failed(failure, now)

    def _end_attempt(
        self,
        course: Course,
        step: Call,
        failure: Failure,
        usage: Usage | None,
        hold: HoldToken | None,
    ) -> None:
        """End the hold of an attempt that brought nothing; what it used is charged."""
        accounts, now = self._parts.accounts, self._parts.clock()
        if usage is None:
            accounts.release(hold, now)
            return
        cost = accounts.settle(hold, step.deployment, usage, now)
        course.paid += cost or 0
        record = course.record(Outcome.FAILURE, failure.status, failure, now)
        record.deployment, record.usage, record.cost = step.deployment, usage, cost
        self._note_part(course, record, hold)

    def _book_failed(self, step: Call, failure: Failure, now: float) -> None:
        """Count the failure against its deployment, which may begin to cool."""
        parts, deployment = self._parts, step.deployment
        parts.cooldowns.failed(deployment.id, parts.routes.rule(deployment), failure, now)

    # ------------------------------------------------------------------ refusals inside a 200

    def _may_reroute(self, course: Course, step: Call) -> bool:
        """Tell whether a content-policy chain stands ready, or is being followed.

        A member of another chain that declines has answered: members start no second chain.
        """
        if course.wish.disable_fallbacks or not (step.hop == 0 or course.refusing):
            return False
        route = self._parts.routes.of(course.wish.alias)
        return route is not None and bool(route.chains[ChainKind.CONTENT_POLICY])

    def _decline(self, course: Course, served: Served, now: float) -> None:
        """Set a refusal aside and let the plan follow the content-policy chain.

        The provider charges it, so it is settled now; it is what the caller gets if nobody else
        serves.
        """
        outcome = served.outcome
        if isinstance(outcome, Open):
            outcome.exchange.close()
            if not outcome.reader.ended:  # all that counts has come: the end can be added
                outcome.held += outcome.reader.eof()
        complete = isinstance(outcome, Plain) or outcome.reader.ended
        usage = outcome.usage
        paid = self._close_books(served, usage, now)
        course.paid += paid or 0
        course.refusing = True
        failure = Failure(
            FailureClass.CONTENT_POLICY,
            400,
            "The provider declined to answer for reasons of content policy.",
            code="content_policy_violation",
            charged=True,
        )
        course.failed.append((served.deployment, failure))
        self._parts.observer.attempt_failed(served.deployment, failure)
        record = served.record(now, Outcome.FAILURE, usage, paid, failure)
        self._note_part(course, record, served.hold)
        if complete and course.declined is None:
            course.declined = served
        course.machine.failed(failure, now)
        served.settle_course(
            course.machine.retries, course.machine.fallbacks, compact(course.machine.trail)
        )

    def _note_part(self, course: Course, record: CallRecord, hold: HoldToken | None) -> None:
        """Tell of an attempt that was paid for and does not serve, or not yet."""
        accounts = self._parts.accounts
        course.parts += 1
        record.part, record.paid = course.parts, 0
        record.booked, record.bounded = accounts.entered(hold)
        record.escalated = self._escalated(record)
        self._parts.observer.declined(record)

    # ------------------------------------------------------------------ the end

    def finished(
        self,
        served: Served,
        usage: Usage | None,
        failure: Failure | None,
        *,
        left: bool = False,
    ) -> NanoUsd | None:
        """Close the books of a served request.

        Args:
            served: What `run` gave.
            usage: Tokens as the provider told them.
            failure: What broke a stream after its first content.
            left: The caller left before the end.

        Returns:
            The cost in nano-USD, refusals on the way included; None when the model has no price.
        """
        parts = self._parts
        now = parts.clock()
        apart = served.closed  # a refusal that has a record of its own, and serves all the same
        cost = self._close_books(served, usage, now)
        if served.paid:
            cost = NanoUsd((cost or 0) + served.paid)
        deployment = served.deployment
        if failure is not None:
            step = Call(deployment, served.limits, 1, served.fallbacks, probe=False)
            self._book_failed(step, failure, now)
            served.failed.append((deployment, failure))
            parts.observer.attempt_failed(deployment, failure)
        record = served.record(now, ended_as(failure, left=left), usage, cost, failure)
        record.paid = served.paid + (served.cost or 0 if apart else 0)
        record.apart = apart
        record.booked, record.bounded = parts.accounts.entered(served.hold)
        record.escalated = self._escalated(record)
        parts.observer.ended(record)
        if served.admission is not None:
            used = usage.prompt_total + usage.output if usage is not None else 0
            parts.accounts.leave(served.admission, used)
        return cost

    def limit_headers(self, served: Served) -> list[tuple[str, str]]:
        """Return the `x-ratelimit-*` headers for a caller that has limits."""
        return self._parts.accounts.limit_headers(served.admission)

    def _close_books(self, served: Served, usage: Usage | None, now: float) -> NanoUsd | None:
        """Settle the hold and the load figures; once per answer."""
        if served.closed:
            return served.cost
        served.closed = True
        parts, deployment = self._parts, served.deployment
        parts.load.ended(deployment.id)
        if usage is not None:
            parts.load.used(deployment.id, usage.prompt_total + usage.output, now)
        seconds = served.first - served.begun
        if not served.inbound.stream and usage is not None and usage.output:
            seconds /= usage.output
        parts.load.measured(deployment.id, seconds, now, stream=served.inbound.stream)
        served.cost = parts.accounts.settle(served.hold, deployment, usage, now)
        return served.cost

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Note a request that was refused before it was understood."""
        self._parts.observer.refused(dialect, operation, status, wall)

    def _end(self, course: Course, outcome: Outcome, status: int, failure: Failure | None) -> None:
        """Record a request that nobody served."""
        now = self._parts.clock()
        if course.admission is not None:
            self._parts.accounts.leave(course.admission, 0)
        record = course.record(outcome, status, failure, now)
        record.escalated = self._escalated(record)
        self._parts.observer.ended(record)

    def _escalated(self, record: CallRecord) -> bool:
        """Tell whether a fallback brought the call to the escalation alias."""
        escalations, deployment = self._parts.escalations, record.deployment
        if escalations is None or deployment is None or record.asked == escalations.alias:
            return False
        return deployment.alias == escalations.alias


async def _admitted(decision: HoldToken | BudgetStop | Pending) -> HoldToken | None:
    """Return what a request has of its caller's rate limits.

    Raises:
        Refused: One of them is reached.
    """
    admission = await decision.wait() if isinstance(decision, Pending) else decision
    if isinstance(admission, BudgetStop):
        raise admission.refusal
    return admission


def _starts_policy_chain(step: Call, failure: Failure) -> bool:
    return step.hop == 0 and failure.kind is FailureClass.CONTENT_POLICY


def _cancelled() -> Failure:
    return Failure(FailureClass.CANCELLED, 499, "The caller left.")


__all__ = ["Engine", "GaveUp", "Parts", "Served"]
