"""Run one request: ask the plan for the next step, carry it out, tell the plan what happened.

The order of a request is here and nowhere else: choose, hold, call, (wait, again,) serve; settle
is called exactly once for each hold, whatever happens. Every decision is `core.plan`'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import Dialect, Operation, Usage
from tiergate.core.catalog import ChainKind, Deployment
from tiergate.core.cooldown import Book
from tiergate.core.load import TIMED_OUT, Load
from tiergate.core.plan import Call, GiveUp, Machine, Wait, Wish
from tiergate.core.routing import Routes, View
from tiergate.pipeline.attempt import Attempts, Open, Plain
from tiergate.pipeline.spend import Accounts, Hold
from tiergate.ports import Clock, Dice, Inbound, Observer


class GaveUp(Exception):  # noqa: N818 - the end of a request, told in the caller's shape
    """Nothing could serve the request. `error` is what the caller is told."""

    def __init__(self, end: GiveUp) -> None:
        super().__init__("every attempt failed")
        self.error: Failure | Refused = end.error
        self.retries = end.retries
        self.fallbacks = end.fallbacks
        self.why = end.why


@dataclass(slots=True)
class Served:
    """An answer under way: plain and complete, or a stream at its commit point."""

    inbound: Inbound
    deployment: Deployment
    outcome: Plain | Open
    retries: int
    fallbacks: int
    why: str
    silence: float | None
    hold: Hold | None
    begun: float
    """Instant the serving attempt began."""
    first: float
    """Instant of its plain answer or first content."""
    upstream_seconds: float
    """Time spent waiting for providers, all attempts together."""
    cost_text: str = "0"
    closed: bool = field(default=False, repr=False)


class Engine:
    """Runs requests against one configuration.

    Args:
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

    def __init__(
        self,
        *,
        routes: Routes,
        attempts: Attempts,
        accounts: Accounts,
        book: Book,
        load: Load,
        view: View,
        observer: Observer,
        clock: Clock,
        dice: Dice,
    ) -> None:
        self._routes = routes
        self._attempts = attempts
        self._accounts = accounts
        self._book = book
        self._load = load
        self._view = view
        self._observer = observer
        self._clock = clock
        self._dice = dice

    async def run(self, inbound: Inbound, wish: Wish) -> Served:
        """Serve a request.

        Returns:
            The answer; `finished` must be called with it exactly once.

        Raises:
            GaveUp: Nothing could serve it.
            Refused: The request is malformed in the caller's own dialect.
            asyncio.CancelledError: The caller left.
        """
        machine = Machine(self._routes, wish, inbound.received)
        upstream = 0.0
        declined: Served | None = None
        while True:
            now = self._clock()
            step = machine.next(self._view, now, self._dice)
            if isinstance(step, Call):
                tried = await self._call(inbound, step, now)
                upstream += self._clock() - now
                if isinstance(tried, Failure):
                    machine.failed(tried, self._clock())
                    continue
                served = self._served(machine, step, tried, inbound, upstream)
                if _refused(served) and self._may_reroute(machine):
                    failure = _as_refusal(served)
                    self._set_aside(served)
                    declined = declined or served
                    machine.failed(failure, served.first)
                    continue
                machine.answered(served.first)
                return served
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                continue
            self._observer.gave_up(inbound, step, self._clock())
            raise GaveUp(step)
