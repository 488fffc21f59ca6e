"""Makes a call whose answer is kept: by the engine, shown to all who follow, then stored.

A stream is read by a task of its own, so that it does not end with the request that began it as
long as others read it too. Its books are closed once: when it is over and that request is too.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.plan import Wish
from tiergate.core.timing import Limits
from tiergate.pipeline.attempt import Open, Plain
from tiergate.pipeline.cache_key import form_of
from tiergate.pipeline.errands import Errands
from tiergate.pipeline.flights import Flight
from tiergate.pipeline.relay import relay
from tiergate.pipeline.served import Served
from tiergate.ports import AnswerStore, Clock, Form, Inbound, StoredAnswer

LOG = logging.getLogger("tiergate.cache")

MOST_WRITES = 256
"""Answers on their way to a store; what is more is not kept."""

LARGE = 64 * 1024
"""Bytes from which no request waits for an answer to be kept: compressing it takes a while."""

_NO_LIMITS = Limits(math.inf, None, callers_own=False)


class Runs(Protocol):
    """What serves requests: the engine, or the cache in front of it."""

    def run(self, inbound: Inbound, wish: Wish) -> Coroutine[Any, Any, Served]:
        """Serve a request; see `Engine.run`."""
        ...

    def finished(
        self,
        served: Served,
        usage: Usage | None,
        failure: Failure | None,
        *,
        left: bool = False,
    ) -> NanoUsd | None:
        """Close the books of a served request; see `Engine.finished`."""
        ...

    def limit_headers(self, served: Served) -> list[tuple[str, str]]:
        """Return the headers of the caller's rate limits; see `Engine.limit_headers`."""
        ...

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Note a request that was never understood; see `Engine.refused`."""
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """Under which key an answer is kept, and for how many seconds; and what is done then."""

    key: str
    ttl: float
    then: Callable[[StoredAnswer], Coroutine[object, object, None]] | None = None


@dataclass(slots=True)
class Led:
    """A stream and the request that began it.

    Attributes:
        served: As the engine gave it.
        flight: Shows it to everybody.
        landed: The provider is read no more.
        usage: What was used of it.
        failure: What broke it.
        away: The request is over.
        left: Its caller left before the end.
    """

    served: Served
    flight: Flight
    landed: bool = False
    usage: Usage | None = None
    failure: Failure | None = None
    away: bool = False
    left: bool = False


class Leading:
    """Makes calls whose answers are kept.

    Args:
        engine: Makes the calls.
        store: Keeps the answers.
        most_bytes: The largest answer that is kept.
        wall: Unix seconds.
    """

    def __init__(self, engine: Runs, store: AnswerStore, most_bytes: int, wall: Clock) -> None:
        self._engine = engine
        self._store = store
        self._most_bytes = most_bytes
        self._wall = wall
        self._errands: Errands[None] = Errands()
        self._writes = 0

    async def lead(
        self,
        flight: Flight,
        keeping: Keeping,
        gone: Callable[[], None],
        inbound: Inbound,
        wish: Wish,
    ) -> Served:
        """Make a call.

        Args:
            flight: Shows the answer to others; it has landed when this raises.
            keeping: How the answer is kept.
            gone: Called once when the flight is of no more use to requests that come later.
            inbound: The request.
            wish: What it asks for.

        Raises:
            GaveUp, Refused, asyncio.CancelledError: As `Engine.run`.
        """
        try:
            served = await self._engine.run(inbound, wish)
        except BaseException:
            gone()
            flight.land(None)
            raise
        outcome = served.outcome
        if isinstance(outcome, Open):
            return self._fly(served, outcome, flight, keeping, gone)
        answer = self._answer(served, outcome, outcome.answer.body, keeping, Form.PLAIN)
        flight.losses, flight.usage = outcome.losses, outcome.usage
        if answer is None:
            gone()
        flight.land(answer)
        if answer is not None:
            self._keep(keeping, answer, gone)
        return served

    def finished(self, led: Led, *, left: bool) -> NanoUsd | None:
        """The request that began a stream is over; returns its cost if the stream is over too."""
        led.away, led.left = True, left
        return self._close(led)

    @property
    def busy(self) -> bool:
        """Whether a stream is read or an answer written."""
        return bool(self._errands) or self._writes > 0

    async def aclose(self) -> None:
        """End what goes on without a request."""
        await self._errands.aclose()

    # ------------------------------------------------------------------ streams

    def _fly(
        self,
        served: Served,
        opened: Open,
        flight: Flight,
        keeping: Keeping,
        gone: Callable[[], None],
    ) -> Served:
        led = Led(served, flight)
        flight.begin(served.deployment, form_of(served.inbound), opened.losses)
        view = flight.reader(opened.exchange.headers)
        flight.carried_by(self._errands.begin(self._carry(led, opened, keeping, gone)))
        shown = Open(view, view, b"", opened.losses)
        return replace(served, outcome=shown, limits=_NO_LIMITS, source=led)

    async def _carry(
        self, led: Led, opened: Open, keeping: Keeping, gone: Callable[[], None]
    ) -> None:
        """Read a stream to its end, or until nobody reads it any more."""
        served, flight = led.served, led.flight
        failure: Failure | None = None
        whole = False
        try:
            failure = await relay(opened, flight.send, served.limits.silence)
            whole = failure is None
        finally:
            if not whole and failure is None and flight.readers:
                # The gateway stops, or it is at fault: no reader may take this for an end.
                failure = _cut()
                flight.add(opened.reader.error(failure))
            usage = opened.usage
            led.usage = flight.usage = usage
            led.failure = flight.failure = failure
            answer = None
            if whole:
                answer = self._answer(served, opened, flight.bytes(), keeping, flight.form)
            if answer is None:
                gone()
            flight.land(answer)
            led.landed = True
            self._close(led)
        if answer is not None:
            self._keep(keeping, answer, gone)

    def _close(self, led: Led) -> NanoUsd | None:
        if led.away and led.landed:
            return self._engine.finished(led.served, led.usage, led.failure, left=led.left)
        return None

    # ------------------------------------------------------------------ keeping

    def _answer(
        self, served: Served, outcome: Plain | Open, body: bytes, keeping: Keeping, form: Form
    ) -> StoredAnswer | None:
        """Return what can be given to others; None for a refusal."""
        if served.refused:
            return None
        now = self._wall()
        return StoredAnswer(
            form,
            body,
            served.deployment.id,
            outcome.usage,
            now,
            now + keeping.ttl,
            outcome.losses,
        )

    def _keep(self, keeping: Keeping, answer: StoredAnswer, gone: Callable[[], None]) -> None:
        """Store an answer; nobody waits for that."""
        if len(answer.body) > self._most_bytes or answer.expires <= answer.created:
            gone()
            return
        if self._writes >= MOST_WRITES:
            LOG.debug("too many answers wait for the store; one is not kept")
            gone()
            return
        self._writes += 1
        kept = partial(self._kept, keeping, answer, gone)
        if len(answer.body) >= LARGE or not self._store.post(keeping.key, answer, kept):
            self._errands.begin(self._write(keeping, answer, kept))

    async def _write(
        self, keeping: Keeping, answer: StoredAnswer, kept: Callable[[], None]
    ) -> None:
        try:
            await self._store.put(keeping.key, answer)
        finally:
            kept()

    def _kept(self, keeping: Keeping, answer: StoredAnswer, gone: Callable[[], None]) -> None:
        """The answer is in the store, or will not be."""
        self._writes -= 1
        gone()
        if keeping.then is not None:
            self._errands.begin(keeping.then(answer))


def _cut() -> Failure:
    return Failure(
        FailureClass.CONNECTION,
        502,
        "The gateway stopped reading the provider's stream before its end.",
        type="api_error",
        code="stream_cut",
    )
