"""Guards with a script, and plays of the guards in front of the cache and the engine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from support.cached import CacheStage
from tiergate.core.caching import CachePolicy
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import GuardPlan, Modes, OnError, Scope, Stage
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guarding import GuardedEngine, GuardParts
from tiergate.ports.guarding import Found, GuardError, Occasion, Passage, Verdict
from tiergate.providers.forms import AnswerForms
from tiergate.providers.sse import SseSplitter

EMAIL = r"[a-z0-9.]{1,20}@[a-z0-9.]{1,20}\.com"
NEVER = CachePolicy(default_on=False)
"""No request uses the cache unless it asks."""


class Watcher:
    """Implements `ports.GuardWatch` by writing down."""

    def __init__(self) -> None:
        self.looks: list[tuple[str, str, str]] = []
        self.errors: list[tuple[str, str]] = []
        self.acts: list[tuple[str, str, int]] = []

    def guarded(self, name: str, stage: Stage, status: str, seconds: float, error: str) -> None:
        """Keep it."""
        assert seconds >= 0
        self.looks.append((name, stage.value, status))
        if error:
            self.errors.append((name, error))

    def guard_acted(self, name: str, stage: Stage, reaction: Reaction, number: int) -> None:
        """Keep it."""
        del stage
        self.acts.append((name, reaction.value, number))


class PatternGuard:
    """Finds a pattern; implements `ports.Guard`.

    Args:
        pattern: What it looks for.
        reaction: What is to be done about it.
        window: The longest match; None looks at whole answers.
        restores: Masked values are put back.
        kind: What a finding is called.
        instead: What is written for it.
    """

    def __init__(
        self,
        pattern: str,
        reaction: Reaction = Reaction.BLOCK,
        *,
        window: int | None = 64,
        restores: bool = False,
        kind: str = "secret",
        instead: str = "",
    ) -> None:
        self._pattern = re.compile(pattern)
        self._reaction = reaction
        self._kind = kind
        self._instead = instead
        self.window = window
        self.restores = restores
        self.seen: list[tuple[str, ...]] = []
        self.occasions: list[Occasion] = []
        self.passages: list[Passage] = []

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Find the pattern in all texts."""
        self.seen.append(tuple(passage.text for passage in passages))
        self.occasions.append(occasion)
        self.passages += passages
        return Verdict(
            tuple(
                Found(n, m.start(), m.end(), self._kind, self._reaction, self._instead)
                for n, passage in enumerate(passages)
                for m in self._pattern.finditer(passage.text)
            )
        )


class ScriptedGuard:
    """Does what it is told; implements `ports.Guard`."""

    restores = False

    def __init__(
        self,
        act: Callable[[Sequence[Passage]], Verdict] | None = None,
        *,
        seconds: float = 0.0,
        fault: Exception | None = None,
        window: int | None = 64,
    ) -> None:
        self._act = act
        self._seconds = seconds
        self._fault = fault
        self.window = window
        self.done = 0

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Take its time, then fail or act."""
        del occasion
        if self._seconds:
            await asyncio.sleep(self._seconds)
        if self._fault is not None:
            raise self._fault
        self.done += 1
        return Verdict() if self._act is None else self._act(passages)


def away() -> GuardError:
    """The error of a guard whose service is away."""
    return GuardError("its service cannot be reached")


def plan_of(
    *stages: Stage,
    name: str = "guard",
    on: bool = True,
    on_error: OnError = OnError.BLOCK,
    timeout: float | None = None,
    message: str = "",
    scope: Scope | None = None,
    by_tag: Mapping[str, frozenset[Stage]] = MappingProxyType({}),
) -> GuardPlan:
    """The plan of a guard."""
    return GuardPlan(
        name=name,
        kind="scripted",
        modes=Modes(frozenset(stages), by_tag),
        default_on=on,
        on_error=on_error,
        timeout=timeout,
        message=message,
        scope=scope or Scope(),
    )


class GuardStage(CacheStage):
    """An engine with the cache and guards in front of it."""

    def __init__(self, installed: Sequence[Installed], *more: object, **named: object) -> None:
        named.setdefault("cache", NEVER)
        super().__init__(*more, **named)  # pyright: ignore[reportArgumentType]
        self.watcher = Watcher()
        self.behind = self.cached
        self.cached = GuardedEngine(  # pyright: ignore[reportAttributeAccessIssue]
            self.behind,
            GuardParts(
                installed=tuple(installed),
                checks=Checks(self.watcher, self.clock),
                observer=self.witness,
                forms=AnswerForms(lambda: self.now),
                splitter=SseSplitter,
                clock=self.clock,
            ),
        )
