"""The response cache in front of the engine: a stored answer, a call to follow, or one to make.

It has the engine's own interface, so whoever serves a request need not know which of the two it
asks. What the cache does with a request is decided in `core.caching`, what makes two requests
equal in `cache_key`; how one call serves several requests is `flights`' matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId, Dialect, NanoUsd, Operation, Usage
from tiergate.core.caching import NO_CONTROLS, Bypass, CachePolicy, Intent, intend
from tiergate.core.catalog import Deployment
from tiergate.core.plan import Wish
from tiergate.pipeline.attempt import Open, Plain
from tiergate.pipeline.cache_key import CacheKeys, form_of
from tiergate.pipeline.flights import Flight, Whole
from tiergate.pipeline.leading import Keeping, Leading, Led, Runs
from tiergate.pipeline.meaning import ByMeaning, Question
from tiergate.pipeline.served import Served
from tiergate.pipeline.unpaid import Free, Unpaid
from tiergate.ports import (
    Answered,
    AnswerStore,
    Clock,
    Form,
    Forms,
    Inbound,
    LookupWatch,
    StoredAnswer,
)

MOST_FAILED = 2
"""After this many calls that brought it no answer a request follows no more.

So an outage is not waited for once per request, one after the other.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheParts:
    """What the cache is made of.

    Attributes:
        policy: What the configuration says.
        keys: Makes the keys of requests.
        store: Keeps the answers.
        forms: Turns one form of an answer into another.
        unpaid: Serves what costs nothing.
        deployments: By id. An answer of one that is not there any more serves nobody.
        watch: Is told what came of look-ups.
        wall: Unix seconds.
        meaning: Asks by meaning; None where that is off.
    """

    policy: CachePolicy
    keys: CacheKeys
    store: AnswerStore
    forms: Forms
    unpaid: Unpaid
    deployments: Mapping[DeploymentId, Deployment]
    watch: LookupWatch
    wall: Clock
    meaning: ByMeaning | None = None


@dataclass(slots=True)
class _Question:
    """A request with what the cache has to know of it."""

    key: str
    intent: Intent
    inbound: Inbound
    wish: Wish

    def may_use(self, deployment: Deployment) -> bool:
        """Whether the caller may use the alias that served, which a fallback may have chosen."""
        wish = self.wish
        return (
            wish.allowed is None
            or deployment.alias == wish.alias
            or deployment.alias in wish.allowed
        )


class CachedEngine:
    """An engine with the response cache in front of it; implements `Runs`."""

    def __init__(self, engine: Runs, parts: CacheParts) -> None:
        self._engine = engine
        self._parts = parts
        self._leading = Leading(engine, parts.store, parts.policy.most_bytes, parts.wall)
        self._flights: dict[str, Flight] = {}
        self._usual: dict[tuple[Dialect, Operation], Intent | Bypass] = {}

    def run(self, inbound: Inbound, wish: Wish) -> Coroutine[Any, Any, Served]:
        """Serve a request; see `Engine.run`. No frame of its own waits with the request."""
        parts = self._parts
        intent = self._intent(inbound, wish)
        if isinstance(intent, Bypass):
            parts.watch.looked_up(inbound, f"bypass_{intent.value}")
            return self._engine.run(inbound, wish)
        question = _Question(parts.keys.of(inbound, wish), intent, inbound, wish)
        if intent.share and question.key in self._flights:
            return self._join(question)
        return self._look_up(question)

    def finished(
        self,
        served: Served,
        usage: Usage | None,
        failure: Failure | None,
        *,
        left: bool = False,
    ) -> NanoUsd | None:
        """Close the books of a served request; see `Engine.finished`."""
        source = served.source
        if isinstance(source, Led):
            return self._leading.finished(source, left=left)
        if isinstance(source, Free):
            return self._parts.unpaid.close(served, source, usage, failure, left=left)
        return self._engine.finished(served, usage, failure, left=left)

    def limit_headers(self, served: Served) -> list[tuple[str, str]]:
        """Return the headers of the caller's rate limits."""
        return self._engine.limit_headers(served)

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Note a request that was refused before it was understood."""
        self._engine.refused(dialect, operation, status, wall)

    @property
    def busy(self) -> bool:
        """Whether something goes on that requests of its configuration have begun."""
        meaning = self._parts.meaning
        return self._leading.busy or (meaning is not None and meaning.busy)

    async def aclose(self) -> None:
        """End what goes on without its request."""
        await self._leading.aclose()
        if self._parts.meaning is not None:
            await self._parts.meaning.aclose()

    def _intent(self, inbound: Inbound, wish: Wish) -> Intent | Bypass:
        door = (inbound.dialect, inbound.operation)
        drill, hurried = wish.drill is not None, wish.timeout is not None
        if inbound.cache is not NO_CONTROLS or drill or hurried:
            return intend(self._parts.policy, inbound.cache, door, drill=drill, hurried=hurried)
        usual = self._usual.get(door)  # most requests say nothing of the cache
        if usual is None:
            usual = intend(self._parts.policy, NO_CONTROLS, door, drill=False, hurried=False)
            self._usual[door] = usual
        return usual

    # ------------------------------------------------------------------ look up, else call

    async def _look_up(self, question: _Question) -> Served:
        """Be served by a stored answer, or by a call that others may follow from now on."""
        parts, key = self._parts, question.key
        flight = Flight()
        shared = question.intent.share and key not in self._flights
        if shared:
            # From here on, and not only from the call on: a hundred equal requests ask the store
            # once.
            self._flights[key] = flight

        def gone() -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]

        found: StoredAnswer | None = None
        outcome: Plain | Open | None = None
        asked: Question | None = None
        served_as, free = key, Free("hit")
        try:
            if question.intent.read:
                found = await parts.store.get(key)
                outcome = None if found is None else self._outcome(found, question)
            if outcome is None and parts.meaning is not None:
                asked = parts.meaning.question(question.inbound, question.wish)
                near = None
                if asked is not None and question.intent.read:
                    near = await self._by_meaning(parts.meaning, asked, question)
                if near is not None:
                    served_as, found, outcome, flight.similarity = near
                    free = Free("near_hit", similarity=flight.similarity)
        except BaseException:
            gone()
            flight.land(None)
            raise
        if found is not None and outcome is not None:
            gone()
            flight.land(found)
            return await self._serve(served_as, found, outcome, free, question)
        missed = "miss" if parts.store.fault is None else "miss_down"
        parts.watch.looked_up(question.inbound, missed)
        if not question.intent.write:
            return await self._engine.run(question.inbound, question.wish)
        then = None
        if asked is not None and parts.meaning is not None:
            then = partial(parts.meaning.keep, asked, key)
        keeping = Keeping(key, question.intent.ttl, then)
        return await self._leading.lead(flight, keeping, gone, question.inbound, question.wish)

    async def _by_meaning(
        self, meaning: ByMeaning, asked: Question, question: _Question
    ) -> tuple[str, StoredAnswer, Plain | Open, float] | None:
        """Return the answer of the nearest question that can serve, its key and similarity."""
        for near in await meaning.near(asked):
            answer = await self._parts.store.get(near.key)
            outcome = None if answer is None else self._outcome(answer, question)
            if answer is not None and outcome is not None:
                return near.key, answer, outcome, near.similarity
        return None

    # ------------------------------------------------------------------ another one's call

    async def _join(self, question: _Question) -> Served:
        """Follow the calls of others while that may bring an answer; then look up and call."""
        for _ in range(MOST_FAILED):
            flight = self._flights.get(question.key)
            if flight is None:
                break
            served = await self._follow(flight, question)
            if served is not None:
                return served
        return await self._look_up(question)

    async def _follow(self, flight: Flight, question: _Question) -> Served | None:
        """Be served by a call under way; None when it brings no answer for this request."""
        inbound = question.inbound
        try:
            await flight.begun()
            deployment = flight.deployment
            live = not flight.over and flight.form is form_of(inbound)
            if not live:
                await flight.ended()
        except asyncio.CancelledError:
            self._parts.unpaid.left(inbound, flight.deployment)
            raise
        if live and deployment is not None:
            return await self._read_along(flight, deployment, question)
        answer = flight.answer
        outcome = None if answer is None else self._outcome(answer, question)
        if answer is None or outcome is None:
            return None
        free = Free("shared", similarity=flight.similarity)
        return await self._serve(question.key, answer, outcome, free, question)

    async def _read_along(
        self, flight: Flight, deployment: Deployment, question: _Question
    ) -> Served | None:
        if not question.may_use(deployment):
            return None
        view = flight.reader()
        opened = Open(view, view, b"", flight.losses)
        served: Served | None = None
        try:
            served = await self._parts.unpaid.serve(
                question.key,
                (deployment, opened),
                Free("shared", flight),
                question.inbound,
                question.wish,
            )
        finally:
            if served is None:
                view.close()
        return served

    # ------------------------------------------------------------------ answers

    def _outcome(self, answer: StoredAnswer, question: _Question) -> Plain | Open | None:
        """Return a stored answer as the request wants it; None where it cannot serve it."""
        now = self._parts.wall()
        deployment = self._parts.deployments.get(answer.deployment)
        if deployment is None or not question.may_use(deployment):
            return None
        if now >= answer.expires or now - answer.created >= question.intent.max_age:
            return None
        inbound = question.inbound
        body = self._in_form(answer, inbound)
        if body is None:
            return None
        if inbound.stream:
            whole = Whole(answer.usage)
            return Open(whole, whole, body, answer.losses)
        return Plain(Answered(body, answer.usage), [], answer.losses)

    def _in_form(self, answer: StoredAnswer, inbound: Inbound) -> bytes | None:
        wanted = form_of(inbound)
        if answer.form is wanted:
            return answer.body
        forms, body = self._parts.forms, answer.body
        if answer.form is not Form.PLAIN:
            plain = forms.as_plain(inbound, body, answer.usage)
            if plain is None:
                return None
            body = plain
        return body if wanted is Form.PLAIN else forms.as_stream(inbound, body)

    async def _serve(
        self,
        key: str,
        answer: StoredAnswer,
        outcome: Plain | Open,
        free: Free,
        question: _Question,
    ) -> Served:
        deployment = self._parts.deployments[answer.deployment]
        return await self._parts.unpaid.serve(
            key, (deployment, outcome), free, question.inbound, question.wish
        )
