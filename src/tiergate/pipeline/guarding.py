"""The guards in front of everything: before the cache, beside the call, and after the answer.

It has the engine's own interface, so whoever serves a request need not know that it is there. A
request that no guard binds goes straight on. What a guard stops is recorded once, with what it
has cost by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, cast

import msgspec

from tiergate.base.errors import Failure, Refused
from tiergate.base.jsontypes import Json
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.guard_plan import Stage
from tiergate.core.plan import Wish
from tiergate.core.record import CallRecord, Outcome
from tiergate.pipeline.attempt import Open, Plain
from tiergate.pipeline.guard_answers import checked
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_choice import Chosen, choose, occasion_of
from tiergate.pipeline.guard_events import Splitter
from tiergate.pipeline.guard_later import LaterLooks
from tiergate.pipeline.guard_open import GuardedStream, Watching
from tiergate.pipeline.guard_requests import Asked, asked_of, before, beside, body_of
from tiergate.pipeline.guard_texts import answer_parts
from tiergate.pipeline.guard_words import APPLIED
from tiergate.pipeline.leading import Runs
from tiergate.pipeline.served import Served
from tiergate.ports import Clock, Forms, Inbound, Observer
from tiergate.ports.guarding import Occasion

_CALLER_LEFT = 499
_BEFORE: Final = frozenset({Stage.PRE_CALL, Stage.DURING_CALL})


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardParts:
    """What the guards of one configuration are made of.

    Attributes:
        installed: The guards, in the order of the file.
        checks: Runs them.
        observer: Is told of requests that they stop before the engine knows of them.
        forms: Turns the form of an answer into another one.
        splitter: Makes what splits a stream into events.
        clock: Monotonic seconds.
        tokens: Estimates the tokens of a prompt; None where no guard asks.
        tools: A guard asks which tools a request offers.
        headers: Names of the headers that guards pass on.
    """

    installed: tuple[Installed, ...]
    checks: Checks
    observer: Observer
    forms: Forms
    splitter: Callable[[], Splitter]
    clock: Clock
    tokens: Callable[[Inbound], int] | None = None
    tools: bool = False
    headers: frozenset[str] = frozenset()


class GuardedEngine:
    """An engine with the guards in front of it; implements `Runs`."""

    def __init__(self, engine: Runs, parts: GuardParts) -> None:
        self._engine = engine
        self._parts = parts
        self._names = frozenset(each.plan.name for each in parts.installed)
        self._later = LaterLooks(parts.checks, parts.splitter)

    async def run(self, inbound: Inbound, wish: Wish) -> Served:
        """Serve a request; see `Engine.run`.

        Raises:
            Refused: Also where a guard stops the call.
        """
        chosen = self._choose(inbound)
        if not chosen.names:
            return await self._engine.run(inbound, wish)
        try:
            asked, occasion = await self._before(inbound, chosen)
        except BaseException as exc:
            self._unserved(inbound, exc)
            raise
        try:
            served = await self._call(asked, wish, chosen, occasion)
            return await self._after(served, asked, chosen, occasion)
        except Refused as refused:
            raise _with_header(refused, chosen) from None

    async def counted(self, inbound: Inbound) -> Inbound:
        """Return a request whose tokens are to be counted, as guards let it go out.

        Raises:
            Refused: A guard stops it.
        """
        chosen = self._choose(inbound)
        if not chosen.names:
            return inbound
        asked, occasion = await self._before(inbound, chosen)
        during = chosen.at(Stage.DURING_CALL)
        if during:
            at = replace(occasion, stage=Stage.DURING_CALL)
            await beside(self._parts.checks, during, asked, at)
        return asked.inbound

    def finished(
        self,
        served: Served,
        usage: Usage | None,
        failure: Failure | None,
        *,
        left: bool = False,
    ) -> NanoUsd | None:
        """Close the books of a served request; see `Engine.finished`."""
        outcome = served.outcome
        stream = outcome.exchange if isinstance(outcome, Open) else None
        if isinstance(stream, GuardedStream) and stream.refusal is not None and not left:
            served.inbound.refusal, failure = stream.refusal, None
        return self._engine.finished(served, usage, failure, left=left)

    def limit_headers(self, served: Served) -> list[tuple[str, str]]:
        """Return the headers of the caller's rate limits; see `Engine.limit_headers`."""
        return self._engine.limit_headers(served)

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Note a request that was never understood; see `Engine.refused`."""
        self._engine.refused(dialect, operation, status, wall)

    @property
    def busy(self) -> bool:
        """Whether looks go on without their request."""
        return self._later.busy

    async def aclose(self) -> None:
        """End the looks that go on without their request."""
        await self._later.aclose()

    # ------------------------------------------------------------------ which guards

    def _choose(self, inbound: Inbound) -> Chosen:
        return choose(self._parts.installed, inbound, self._names)

    def _occasion(self, inbound: Inbound) -> Occasion:
        parts = self._parts
        tokens = parts.tokens(inbound) if parts.tokens is not None else 0
        return occasion_of(inbound, tokens, tools=parts.tools, headers=parts.headers)

    # ------------------------------------------------------------------ before

    async def _before(self, inbound: Inbound, chosen: Chosen) -> tuple[Asked, Occasion]:
        try:
            occasion = self._occasion(inbound)
            texts = (
                not _BEFORE.isdisjoint(chosen.by_stage) or Stage.LOGGING_ONLY in chosen.by_stage
            )
            asked = asked_of(inbound, texts=texts)
            return await before(
                self._parts.checks, chosen.at(Stage.PRE_CALL), asked, occasion
            ), occasion
        except Refused as refused:
            raise _with_header(refused, chosen) from None

    def _unserved(self, inbound: Inbound, end: BaseException) -> None:
        """Record a request that ended before anybody was called."""
        refused = end if isinstance(end, Refused) else None
        left = isinstance(end, asyncio.CancelledError)
        outcome = Outcome.REFUSED if refused else Outcome.CANCELLED if left else Outcome.FAILURE
        status = refused.status if refused else _CALLER_LEFT if left else 500
        observer, now = self._parts.observer, self._parts.clock()
        observer.began()
        observer.ended(
            CallRecord(
                call_id=inbound.call_id,
                wall=inbound.wall,
                dialect=inbound.dialect,
                operation=inbound.operation,
                asked=inbound.alias,
                deployment=None,
                outcome=outcome,
                status=status,
                error_type=refused.code if refused else None,
                message=refused.message if refused else None,
                stream=inbound.stream,
                why="guardrail",
                seconds=now - inbound.received,
                overhead_seconds=now - inbound.received,
                tags=inbound.tags,
                user=inbound.user,
                caller=inbound.caller,
                purpose=inbound.purpose,
                telling=inbound.telling,
                labels=inbound.labels,
            )
        )

    # ------------------------------------------------------------------ beside

    async def _call(self, asked: Asked, wish: Wish, chosen: Chosen, occasion: Occasion) -> Served:
        """Make the call; guards of `during_call` look meanwhile, and end it when they say no."""
        inbound, guards = asked.inbound, chosen.at(Stage.DURING_CALL)
        if not guards:
            return await self._engine.run(inbound, wish)
        at = replace(occasion, stage=Stage.DURING_CALL)
        loop = asyncio.get_running_loop()
        looking = loop.create_task(beside(self._parts.checks, guards, asked, at))
        call = loop.create_task(self._engine.run(inbound, wish))
        inbound.task = call
        try:
            await asyncio.wait({looking, call}, return_when=asyncio.FIRST_COMPLETED)
            await looking
        except BaseException as exc:
            looking.cancel()
            inbound.refusal = exc if isinstance(exc, Refused) else None
            await self._undo(call, left=inbound.refusal is None)
            await asyncio.gather(looking, return_exceptions=True)
            raise
        return await self._awaited(call)

    async def _awaited(self, call: asyncio.Task[Served]) -> Served:
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            await self._undo(call, left=True)
            raise

    async def _undo(self, call: asyncio.Task[Served], *, left: bool) -> None:
        """End a call whose answer nobody gets; what it has used is charged."""
        call.cancel()
        (ended,) = await asyncio.gather(call, return_exceptions=True)
        if isinstance(ended, Served):
            self._drop(ended, left=left)

    def _drop(self, served: Served, *, left: bool) -> None:
        outcome = served.outcome
        if isinstance(outcome, Open):
            outcome.exchange.close()
        self._engine.finished(served, outcome.usage, None, left=left)

    # ------------------------------------------------------------------ after

    async def _after(
        self, served: Served, asked: Asked, chosen: Chosen, occasion: Occasion
    ) -> Served:
        served = replace(served, marks=(*served.marks, chosen.header))
        at = replace(occasion, stage=Stage.POST_CALL)
        guards, later = chosen.at(Stage.POST_CALL), chosen.at(Stage.LOGGING_ONLY)
        reads = served.inbound.operation is not Operation.EMBEDDING
        try:
            if not reads or not (guards or later or asked.values):
                if later:
                    self._later.look(later, asked.parts, occasion)
                return served
            if isinstance(served.outcome, Open):
                return await self._open(served, served.outcome, asked, guards, later, at)
            return await self._plain(served, served.outcome, asked, guards, later, at)
        except Refused as refused:
            served.inbound.refusal = refused
            self._drop(served, left=False)
            raise
        except BaseException as exc:
            self._drop(served, left=isinstance(exc, asyncio.CancelledError))
            raise

    async def _plain(
        self,
        served: Served,
        plain: Plain,
        asked: Asked,
        guards: tuple[Installed, ...],
        later: tuple[Installed, ...],
        occasion: Occasion,
    ) -> Served:
        if later:
            said = answer_parts(cast("Json", msgspec.json.decode(plain.answer.body)))
            self._later.look(later, [*asked.parts, *said], occasion)
        answer = await checked(
            self._parts.checks,
            guards,
            plain.answer,
            occasion,
            asked.values,
            partial(body_of, asked.inbound),
        )
        return replace(served, outcome=replace(plain, answer=answer))

    async def _open(
        self,
        served: Served,
        opened: Open,
        asked: Asked,
        guards: tuple[Installed, ...],
        later: tuple[Installed, ...],
        occasion: Occasion,
    ) -> Served:
        parts = self._parts
        over = partial(self._later.look, later, asked.parts, occasion) if later else None
        stream = GuardedStream(
            opened,
            Watching(
                checks=parts.checks,
                guards=guards,
                occasion=occasion,
                values=asked.values,
                inbound=asked.inbound,
                body=partial(body_of, asked.inbound),
                forms=parts.forms,
                splitter=parts.splitter,
                clock=parts.clock,
                silence=served.limits.silence,
                over=over,
            ),
        )
        await stream.prime()
        return replace(
            served,
            outcome=Open(stream, stream, b"", opened.losses),
            limits=replace(served.limits, silence=None),
        )


def _with_header(refused: Refused, chosen: Chosen) -> Refused:
    """Name the guards in the answer that one of them has made."""
    if all(name != APPLIED for name, _ in refused.headers):
        refused.headers = (*refused.headers, chosen.header)
    return refused
