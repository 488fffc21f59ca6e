"""Run one request: ask the plan for the next step, carry it out, tell the plan what happened.

The order of a request is here and nowhere else: choose, hold, call, (wait, again,) serve. A hold
is settled or released exactly once, whatever happens. Every decision is `core.plan`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.catalog import ChainKind
from tiergate.core.cooldown import Book
from tiergate.core.load import TIMED_OUT, Load
from tiergate.core.plan import Call, GiveUp, Machine, Wait, Wish
from tiergate.core.record import CallRecord, Outcome
from tiergate.core.routing import Routes, View
from tiergate.core.trail import compact
from tiergate.pipeline.attempt import Attempts, Open, Plain
from tiergate.pipeline.served import Served
from tiergate.ports import Accounts, BudgetStop, Clock, Dice, HoldToken, Inbound, Observer

Sleep = Callable[[float], Awaitable[None]]


class GaveUp(Exception):  # noqa: N818 - the end of a request, told in the caller's shape
    """Nothing could serve the request. `error` is what the caller is told."""

    def __init__(self, end: GiveUp, why: str) -> None:
        super().__init__("every attempt failed")
        self.error: Failure | Refused = end.error
        self.retry_after = end.retry_after
        self.retries = end.retries
        self.fallbacks = end.fallbacks
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an engine is made of.

    Attributes:
        routes: The aliases, made ready.
        attempts: Makes single attempts.
        accounts: Holds and settles money.
        book: The cooldown marks.
        load: What this process has seen of each deployment.
        view: The routing view over book, load and budgets.
        observer: Is told what happened (metrics, records, logs).
        clock: Monotonic seconds, the event loop's own.
        dice: Chance.
    """

    routes: Routes
    attempts: Attempts
    accounts: Accounts
    book: Book
    load: Load
    view: View
    observer: Observer
    clock: Clock
    dice: Dice
    sleep: Sleep = asyncio.sleep


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
        machine = Machine(parts.routes, wish, inbound.received)
        course = _Course(machine, inbound, wish)
        try:
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

    async def _follow(self, course: _Course) -> Served:
        parts, machine = self._parts, course.machine
        while True:
            now = parts.clock()
            step = machine.next(parts.view, now, parts.dice)
            if isinstance(step, Call):
                served = await self._call(course, step, now)
                if served is not None:
                    return served
            elif isinstance(step, Wait):
                await parts.sleep(step.seconds)
            else:
                if course.declined is not None:
                    course.declined.paid = course.paid - (course.declined.cost or 0)
                    return course.declined
                raise GaveUp(step, compact(machine.trail))

    async def _call(self, course: _Course, step: Call, now: float) -> Served | None:
        """Make one attempt; None when the plan must be asked again."""
        parts, machine, inbound = self._parts, course.machine, course.inbound
        deployment = step.deployment
        hold = parts.accounts.hold(inbound, deployment, now)
        if isinstance(hold, BudgetStop):
            machine.refused(hold.scope, hold.refusal, now)
            return None
        rule = parts.routes.rule(deployment)
        parts.book.called(deployment.id, rule, now)
        parts.load.begun(deployment.id, now)
        course.last = step
        try:
            outcome = await parts.attempts.make(inbound, deployment, step.limits)
        except BaseException:
            # Cancelled: what the provider may have begun is not known, so nothing is charged
            # but by the provider's own report; the probe's place goes to the next request.
            parts.accounts.release(hold, parts.clock())
            parts.load.ended(deployment.id)
            self._book_failed(step, _cancelled(), parts.clock())
            raise
        after = parts.clock()
        course.upstream += after - now
        if isinstance(outcome, Failure):
            parts.load.ended(deployment.id)
            self._attempt_failed(course, step, outcome, hold, after)
            return None
        parts.book.succeeded(deployment.id, after)
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
        )
        if served.refused and self._may_reroute(course, step):
            self._decline(course, served, after)
            return None
        machine.answered(after)
        served.settle_course(machine.retries, machine.fallbacks, compact(machine.trail))
        return served

    def _attempt_failed(
        self, course: _Course, step: Call, failure: Failure, hold: HoldToken | None, now: float
    ) -> None:
        parts = self._parts
        parts.accounts.release(hold, now)
        course.refusing = course.refusing or _starts_policy_chain(step, failure)
        if failure.kind is FailureClass.TIMEOUT:
            parts.load.measured(step.deployment.id, TIMED_OUT, now, stream=course.wish.stream)
        self._book_failed(step, failure, now)
        if failure.kind is not FailureClass.UNTRANSLATABLE:
            parts.observer.attempt_failed(step.deployment, failure)
        course.machine.failed(failure, now)

    def _book_failed(self, step: Call, failure: Failure, now: float) -> None:
        """Note the failure in the cooldown book; tell the observer when a cooldown begins."""
        parts = self._parts
        known = parts.book.marks.get(step.deployment.id)
        rule = parts.routes.rule(step.deployment)
        mark = parts.book.failed(step.deployment.id, rule, failure, now)
        if mark is not None and mark.until > max(now, known.until if known is not None else 0.0):
            parts.observer.cooled(step.deployment, failure, mark.until - now)

    # ------------------------------------------------------------------ refusals inside a 200

    def _may_reroute(self, course: _Course, step: Call) -> bool:
        """Tell whether a content-policy chain stands ready, or is being followed.

        A member of another chain that declines has answered: members start no second chain.
        """
        if course.wish.disable_fallbacks or not (step.hop == 0 or course.refusing):
            return False
        route = self._parts.routes.of(course.wish.alias)
        return route is not None and bool(route.chains[ChainKind.CONTENT_POLICY])

    def _decline(self, course: _Course, served: Served, now: float) -> None:
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
        usage = outcome.answer.usage if isinstance(outcome, Plain) else outcome.reader.usage
        course.paid += self._close_books(served, usage, now) or 0
        course.refusing = True
        failure = Failure(
            FailureClass.CONTENT_POLICY,
            400,
            "The provider declined to answer for reasons of content policy.",
            code="content_policy_violation",
            charged=True,
        )
        self._parts.observer.attempt_failed(served.deployment, failure)
        if complete and course.declined is None:
            course.declined = served
        course.machine.failed(failure, now)
        served.settle_course(
            course.machine.retries, course.machine.fallbacks, compact(course.machine.trail)
        )

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
        cost = self._close_books(served, usage, now)
        if served.paid:
            cost = NanoUsd((cost or 0) + served.paid)
        deployment = served.deployment
        if failure is not None:
            step = Call(deployment, served.limits, 1, served.fallbacks, probe=False)
            self._book_failed(step, failure, now)
            parts.observer.attempt_failed(deployment, failure)
        outcome = Outcome.SUCCESS
        if failure is not None or left:
            outcome = Outcome.CANCELLED if left else Outcome.FAILURE
        parts.observer.ended(served.record(now, outcome, usage, cost, failure))
        return cost

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

    def _end(
        self, course: _Course, outcome: Outcome, status: int, failure: Failure | None
    ) -> None:
        """Record a request that nobody served."""
        inbound, machine = course.inbound, course.machine
        now = self._parts.clock()
        self._parts.observer.ended(
            CallRecord(
                call_id=inbound.call_id,
                wall=inbound.wall,
                dialect=inbound.dialect,
                operation=inbound.operation,
                asked=inbound.alias,
                deployment=course.last.deployment if course.last is not None else None,
                outcome=outcome,
                status=status,
                failure=failure.kind if failure is not None else None,
                error_type=failure.type if failure is not None else None,
                message=failure.message if failure is not None else None,
                stream=inbound.stream,
                cost=NanoUsd(course.paid) if course.paid else None,
                retries=machine.retries,
                fallbacks=machine.fallbacks,
                why=compact(machine.trail),
                seconds=now - inbound.received,
                upstream_seconds=course.upstream,
                overhead_seconds=max(0.0, now - inbound.received - course.upstream),
                tags=course.wish.tags.tags,
                user=inbound.user,
            )
        )


@dataclass(slots=True)
class _Course:
    """One request on its way.

    Attributes:
        upstream: Seconds spent waiting for providers so far.
        last: The last attempt.
        declined: The first answer that was a refusal; what the caller gets if nobody else serves.
        refusing: The content-policy chain is being followed.
        paid: nano-USD of all refusals on the way.
    """

    machine: Machine
    inbound: Inbound
    wish: Wish
    upstream: float = 0.0
    last: Call | None = None
    declined: Served | None = None
    refusing: bool = False
    paid: int = 0


def _starts_policy_chain(step: Call, failure: Failure) -> bool:
    return step.hop == 0 and failure.kind is FailureClass.CONTENT_POLICY


def _cancelled() -> Failure:
    return Failure(FailureClass.CANCELLED, 499, "The caller left.")


__all__ = ["Engine", "GaveUp", "Parts", "Served"]
