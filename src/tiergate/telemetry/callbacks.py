"""Tells all sinks of a configuration about calls; what each one is, it does not know.

It implements `ports.Observer`. A call costs one look at the list of sinks and one entry in a
queue for each; everything else happens behind it (`outbox`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tiergate.base.errors import Failure
from tiergate.base.values import Dialect, Operation
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Deployment
from tiergate.core.record import CallRecord, Outcome
from tiergate.core.sink_plan import SinkPlan, WebhookPlace
from tiergate.core.telling import NONE
from tiergate.ports import Clock
from tiergate.telemetry.outbox import USUAL, Outbox, Pace, Send, Tally
from tiergate.telemetry.told import Told, weight_of

EVERY = "*"
"""Stands for all sinks among those that a call is not told to."""


def _nothing() -> None:
    """A sink that has nothing to close."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A sink that can be told.

    Attributes:
        send: Sends a batch.
        pace: How fast.
        close: Gives back what it has.
        lasts: It stays as it is over a reload that leaves its plan alone.
    """

    send: Send[Told]
    pace: Pace = USUAL
    close: Callable[[], None] = _nothing
    lasts: bool = False


class Opener(Protocol):
    """Opens sinks."""

    def __call__(self, plan: SinkPlan) -> Opened:
        """Open a sink.

        Raises:
            ValueError: It cannot be opened; the message says what to do.
        """
        ...


@dataclass(slots=True)
class _Sink:
    plan: SinkPlan
    opened: Opened
    outbox: Outbox[Told]
    names: frozenset[str]


class Callbacks:
    """Implements `ports.Observer` for the sinks of a configuration.

    Args:
        failures: Where failures are counted, by the name of the sink.
        drops: Where lost things are counted, likewise.
        clock: Monotonic seconds.
    """

    def __init__(self, failures: dict[str, int], drops: dict[str, int], clock: Clock) -> None:
        self._failures = failures
        self._drops = drops
        self._clock = clock
        self._sinks: tuple[_Sink, ...] = ()
        self._mixed = False

    @property
    def any(self) -> bool:
        """Whether anybody is told."""
        return bool(self._sinks)

    def configure(self, plans: tuple[SinkPlan, ...], open_sink: Opener) -> None:
        """Tell these sinks from now on; one that stays keeps what waits for it.

        Raises:
            ValueError: One cannot be opened; then everything stays as it is.
        """
        known = {sink.plan.name: sink for sink in self._sinks}
        opened = [
            found.opened
            if (found := known.get(plan.name)) is not None
            and found.opened.lasts
            and found.plan == plan
            else open_sink(plan)
            for plan in plans
        ]
        sinks: list[_Sink] = []
        for plan, each in zip(plans, opened, strict=True):
            old = known.pop(plan.name, None)
            if old is not None and old.opened is not each:
                old.opened.close()
            sinks.append(self._sink(plan, each, old))
        for gone in known.values():
            gone.outbox.stop()
            gone.opened.close()
        self._sinks = tuple(sinks)
        self._mixed = len({sink.plan.words for sink in sinks}) > 1

    def _sink(self, plan: SinkPlan, opened: Opened, old: _Sink | None) -> _Sink:
        if old is None:
            tally = Tally(plan.name, self._failures, self._drops)
            outbox: Outbox[Told] = Outbox(opened.send, tally, self._clock, opened.pace)
        else:
            outbox = old.outbox
            outbox.send = opened.send
        return _Sink(plan, opened, outbox, frozenset({plan.name.lower(), EVERY}))

    async def aclose(self) -> None:
        """Send what waits, as far as there is time for it."""
        await asyncio.gather(*(sink.outbox.aclose() for sink in self._sinks))
        for sink in self._sinks:
            sink.opened.close()

    # ------------------------------------------------------------------ events

    def began(self) -> None:
        """Nothing is known yet."""

    def ended(self, record: CallRecord) -> None:
        """Put the record into the queue of every sink that wants it."""
        if not self._sinks:
            return
        good = record.outcome is Outcome.SUCCESS
        telling = record.telling
        without = NONE if telling is None else telling.without
        bare = record
        if self._mixed and telling is not None:
            # What waits for a sink that gets no words must not keep them in memory.
            bare = replace(record, telling=telling.without_words())
        for sink in self._sinks:
            plan = sink.plan
            if not (plan.on_success if good else plan.on_failure):
                continue
            if without and not without.isdisjoint(sink.names):
                continue
            told = record if plan.words else bare
            sink.outbox.put(told, weight_of(told, words=True))

    def declined(self, record: CallRecord) -> None:
        """What it cost is in the record of the request."""

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Requests that were not understood are counted in metrics, not told."""

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """Single attempts are not told; the record tells of them."""

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """Cooldowns are not told."""

    def alerted(self, alert: BudgetAlert) -> None:
        """Tell webhooks of a budget's mark, whatever records they want."""
        for sink in self._sinks:
            if isinstance(sink.plan.place, WebhookPlace):
                sink.outbox.put(alert)
