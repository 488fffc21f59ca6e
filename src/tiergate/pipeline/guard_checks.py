"""Runs one guard over some texts: with its time limit, its errors judged, its findings sorted.

A guard that fails stops the call or lets it go on, as its plan says; which of them, is never left
to chance: a fault of its own is as good as no answer. All that happens is counted, and each
intervention is one line in the log, without the text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from tiergate.base.errors import Refused
from tiergate.core.guard_plan import GuardPlan, OnError, Scope, Stage
from tiergate.core.masking import Span, masked
from tiergate.pipeline.guard_texts import Fixed, Part, last_turn
from tiergate.pipeline.guard_words import blocked, unavailable
from tiergate.ports import Clock
from tiergate.ports.guarding import (
    Blocked,
    CallGuard,
    Found,
    Guard,
    GuardError,
    GuardWatch,
    Occasion,
    Place,
    Reaction,
    Verdict,
)

LOG = logging.getLogger("tiergate.guardrails")

LOOK_SECONDS: Final = 10.0
"""How long a look may take where the configuration sets no `timeout`."""

SUCCESS: Final = "success"
INTERVENED: Final = "guardrail_intervened"
NO_ANSWER: Final = "guardrail_failed_to_respond"

_T = TypeVar("_T")

Placeholder = Callable[[str, str], str]
"""Given kind and value, returns what is written in the place of the value."""

Settled = Callable[[int, int], bool]
"""Given where a finding begins and ends, says whether it counts by now."""


@dataclass(frozen=True, slots=True)
class Installed:
    """One guard of the configuration, ready. It is of one of two sorts, never of both."""

    plan: GuardPlan
    guard: Guard | None = None
    call: CallGuard | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look that did not stop the call.

    Attributes:
        spans: What is to be masked, by the number of the part.
        texts: Texts that the guard has rewritten, by the number of the part.
        kinds: What it found that is to be masked.
    """

    spans: dict[int, list[Span]]
    texts: dict[int, str]
    kinds: tuple[str, ...] = ()

    def applied(self, parts: Sequence[Part]) -> tuple[list[Part], dict[int, str]]:
        """Return the parts with their new texts, and these texts by number."""
        now, new = list(parts), dict(self.texts)
        for number, spans in self.spans.items():
            new[number] = masked(parts[number].passage.text, spans)
        for number, text in new.items():
            part = parts[number]
            now[number] = replace(part, passage=replace(part.passage, text=text))
        return now, new


NOTHING: Final = Looked({}, {})


class Checks:
    """Runs guards.

    Args:
        watch: Is told what they did.
        clock: Monotonic seconds.
    """

    def __init__(self, watch: GuardWatch, clock: Clock) -> None:
        self._watch = watch
        self._clock = clock

    async def look(
        self,
        installed: Installed,
        parts: Sequence[Part],
        occasion: Occasion,
        placeholder: Placeholder,
        settled: Settled | None = None,
    ) -> Looked:
        """Let a guard look at texts.

        Args:
            installed: A guard of texts.
            parts: The texts.
            occasion: The call, and when.
            placeholder: What is written for a masked value where the guard does not say.
            settled: Of texts that are not all there, says which findings count by now; such looks
                are many, and are counted by whoever makes them.

        Raises:
            Refused: The call must not go on.
        """
        plan, guard = installed.plan, installed.guard
        if guard is None:
            return NOTHING
        chosen = _chosen(parts, plan.scope)
        passages = [parts[number].passage for number in chosen]
        if not passages:
            return NOTHING
        begun = self._clock()
        verdict = await self.run(plan, occasion, guard.look(passages, occasion), counted=False)
        if verdict is None:
            return NOTHING
        if settled is not None:
            kept = [each for each in verdict.found if settled(each.start, each.end)]
            verdict = replace(verdict, found=tuple(kept))
        them = [(number, parts[number]) for number in chosen]
        try:
            looked = self._judge(plan, occasion, verdict, them, placeholder)
        except Refused:
            self.seen(plan, occasion, INTERVENED, self._clock() - begun)
            raise
        if settled is None:
            status = INTERVENED if looked.kinds else SUCCESS
            self.seen(plan, occasion, status, self._clock() - begun)
        return looked

    async def run(
        self,
        plan: GuardPlan,
        occasion: Occasion,
        work: Awaitable[_T],
        *,
        counted: bool = True,
    ) -> _T | None:
        """Await a guard within its time; None when it could not decide and may be passed over.

        Args:
            plan: The guard.
            occasion: The call, and when.
            work: What it does.
            counted: Count a look that went well; else whoever asks does.

        Raises:
            Refused: It says no, or could not decide and nothing may pass it.
        """
        begun = self._clock()
        limit = plan.timeout or LOOK_SECONDS
        try:
            async with asyncio.timeout(limit):
                found = await work
        except Blocked as stop:
            self.seen(plan, occasion, INTERVENED, self._clock() - begun)
            raise self.stop(plan, occasion, (), str(stop), stop.status) from None
        except TimeoutError:
            why = ("timeout", f"it did not answer within {limit:g} seconds")
        except GuardError as exc:
            why = ("unavailable", str(exc).rstrip("."))
        except Exception as exc:
            # A fault of the guard, whatever it is, must not become a fault of the gateway.
            LOG.exception("a guardrail has a fault", extra={"guardrail": plan.name})
            why = ("bug", f"it failed with a {type(exc).__name__}")
        else:
            if counted:
                self.seen(plan, occasion, SUCCESS, self._clock() - begun)
            return found
        self.undecided(plan, occasion, *why, self._clock() - begun)
        return None

    async def step(
        self, plan: GuardPlan, occasion: Occasion, events: AsyncIterator[_T]
    ) -> _T | None:
        """Return the next event that a class passes on; None at its end.

        What it waits for is the provider as well, so no time limit is set.

        Raises:
            Refused: It says no, or it failed: what it has begun nobody else can end.
        """
        try:
            return await anext(events)
        except StopAsyncIteration:
            return None
        except Blocked as stop:
            self.seen(plan, occasion, INTERVENED, 0.0)
            raise self.stop(plan, occasion, (), str(stop), stop.status) from None
        except GuardError as exc:
            why = str(exc).rstrip(".")
            self._watch.guarded(plan.name, occasion.stage, NO_ANSWER, 0.0, "unavailable")
            raise unavailable(plan, occasion.stage, why) from None

    def left_out(self, plan: GuardPlan, occasion: Occasion) -> None:
        """Count a look that there was no time for."""
        self._watch.guarded(plan.name, occasion.stage, NO_ANSWER, 0.0, "busy")

    def undecided(
        self, plan: GuardPlan, occasion: Occasion, kind: str, why: str, seconds: float = 0.0
    ) -> None:
        """Judge that a guard could not decide.

        Args:
            plan: The guard.
            occasion: The call, and when.
            kind: See `GuardWatch.guarded`.
            why: For people, as the end of a sentence.
            seconds: How long it took.

        Raises:
            Refused: Nothing may pass it unchecked.
        """
        self._watch.guarded(plan.name, occasion.stage, NO_ANSWER, seconds, kind)
        passes = plan.on_error is OnError.ALLOW or occasion.stage is Stage.LOGGING_ONLY
        LOG.warning(
            "a guardrail could not check a call",
            extra={
                "call_id": occasion.call_id,
                "guardrail": plan.name,
                "mode": occasion.stage.value,
                "why": why,
                "then": "let through unchecked" if passes else "refused",
            },
        )
        if not passes:
            raise unavailable(plan, occasion.stage, why)

    def seen(self, plan: GuardPlan, occasion: Occasion, status: str, seconds: float) -> None:
        """Count a look."""
        self._watch.guarded(plan.name, occasion.stage, status, seconds, "")

    def stop(
        self,
        plan: GuardPlan,
        occasion: Occasion,
        kinds: Sequence[str],
        why: str,
        status: int = 400,
    ) -> Refused:
        """Count and log a block; return what the caller is told."""
        self._watch.guard_acted(plan.name, occasion.stage, Reaction.BLOCK, max(1, len(kinds)))
        self._tell(plan, occasion, "blocked", kinds)
        return blocked(plan, occasion.stage, why, kinds, status)

    # ------------------------------------------------------------------ inside

    def _judge(
        self,
        plan: GuardPlan,
        occasion: Occasion,
        verdict: Verdict,
        chosen: Sequence[tuple[int, Part]],
        placeholder: Placeholder,
    ) -> Looked:
        stops = [each.kind for each in verdict.found if each.reaction is Reaction.BLOCK]
        if (verdict.blocked or stops) and occasion.stage is not Stage.LOGGING_ONLY:
            raise self.stop(plan, occasion, stops, verdict.blocked)
        spans: dict[int, list[Span]] = {}
        changed: list[str] = []
        noted: list[str] = []
        for each in verdict.found:
            number, part = chosen[each.passage]
            if each.reaction is Reaction.MASK and self._may_change(
                plan, part, occasion, each.kind
            ):
                spans.setdefault(number, []).append(_span(each, part, placeholder))
                changed.append(each.kind)
            else:
                noted.append(each.kind)
        texts: dict[int, str] = {}
        for (number, part), text in zip(chosen, verdict.texts or (), strict=False):
            if text != part.passage.text and self._may_change(plan, part, occasion, "text"):
                texts[number] = text
                changed.append("text")
        if verdict.blocked and not stops:
            noted.append("text")
        self._note(plan, occasion, changed, noted)
        return Looked(spans, texts, tuple(changed))

    def _may_change(self, plan: GuardPlan, part: Part, occasion: Occasion, kind: str) -> bool:
        """Tell whether a text can be masked.

        Raises:
            Refused: It cannot, and must not go on as it is.
        """
        if part.fixed is Fixed.BLOCK and occasion.stage is not Stage.LOGGING_ONLY:
            raise self.stop(plan, occasion, [kind], "")
        return part.fixed is None

    def _note(
        self, plan: GuardPlan, occasion: Occasion, changed: list[str], noted: list[str]
    ) -> None:
        if changed:
            self._watch.guard_acted(plan.name, occasion.stage, Reaction.MASK, len(changed))
            self._tell(plan, occasion, "masked", changed)
        if noted:
            self._watch.guard_acted(plan.name, occasion.stage, Reaction.LOG, len(noted))
            self._tell(plan, occasion, "found", noted)

    def _tell(self, plan: GuardPlan, occasion: Occasion, did: str, kinds: Sequence[str]) -> None:
        LOG.warning(
            "a guardrail intervened" if did != "found" else "a guardrail found something",
            extra={
                "call_id": occasion.call_id,
                "guardrail": plan.name,
                "mode": occasion.stage.value,
                "did": did,
                "kinds": ",".join(dict.fromkeys(kinds)),
                "number": len(kinds),
                "alias": occasion.alias,
                "caller": occasion.caller.name,
            },
        )


def _span(found: Found, part: Part, placeholder: Placeholder) -> Span:
    value = part.passage.text[found.start : found.end]
    return Span(found.start, found.end, found.instead or placeholder(found.kind, value))


def _chosen(parts: Sequence[Part], scope: Scope) -> list[int]:
    """Return the numbers of the parts that a guard is shown."""
    after = last_turn(list(parts)) if scope.only_new else -1
    return [
        number
        for number, part in enumerate(parts)
        if not (scope.skip_system and part.passage.place is Place.SYSTEM)
        and not (scope.skip_tools and part.passage.place is Place.TOOL_RESULT)
        and not (scope.only_tool_results and part.passage.place is not Place.TOOL_RESULT)
        and not (scope.only_new and part.message <= after)
    ]
