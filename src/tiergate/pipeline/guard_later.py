"""Looks of guards that only note: after the call, beside everything, never in its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from tiergate.core.guard_plan import Stage
from tiergate.pipeline.errands import Errands
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_events import Splitter
from tiergate.pipeline.guard_stream import answer_mark
from tiergate.pipeline.guard_texts import Part
from tiergate.pipeline.guard_whole import said_in
from tiergate.ports.guarding import Occasion

MOST_LATER: Final = 64
"""Looks that go on at the same time; more are left out, and that is counted."""


class LaterLooks:
    """Makes such looks.

    Args:
        checks: Runs guards.
        splitter: Makes what splits a stream into events.
    """

    def __init__(self, checks: Checks, splitter: Callable[[], Splitter]) -> None:
        self._checks = checks
        self._splitter = splitter
        self._looks: Errands[None] = Errands()

    def look(
        self,
        guards: Sequence[Installed],
        parts: Sequence[Part],
        occasion: Occasion,
        stream: bytes = b"",
    ) -> None:
        """Let guards look at a call that is not touched by what they say.

        Args:
            guards: Those of `logging_only`.
            parts: Texts of the call.
            occasion: The call.
            stream: A streamed answer, whose texts are found in it.
        """
        at = replace(occasion, stage=Stage.LOGGING_ONLY)
        if len(self._looks) >= MOST_LATER:
            for each in guards:
                self._checks.left_out(each.plan, at)
            return
        self._looks.begin(self._look(guards, parts, at, stream))

    @property
    def busy(self) -> bool:
        """Whether any look is under way."""
        return bool(self._looks)

    async def aclose(self) -> None:
        """End the looks under way."""
        await self._looks.aclose()

    async def _look(
        self,
        guards: Sequence[Installed],
        parts: Sequence[Part],
        occasion: Occasion,
        stream: bytes,
    ) -> None:
        if stream:
            events = self._splitter().feed(stream)
            parts = [*parts, *await said_in(events, occasion.dialect)]
        for each in guards:
            await self._checks.look(each, parts, occasion, answer_mark)
