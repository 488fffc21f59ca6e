"""Runs patterns over passages without holding up other calls: short looks here, long in a thread.

A look that is not done after some milliseconds is begun anew in a thread, where `regex` lets go of
the interpreter; so a hostile text delays its own call and no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from tiergate.guards.matching import OverdueError, Rule, find_all, overdue
from tiergate.ports import Clock
from tiergate.ports.guarding import Found

AT_ONCE: Final = 16_000
"""Characters that are looked at in the event loop; more go to a thread straight away."""

USUAL: Final = 200_000
"""Characters that must be done within the time of one look."""

AT_ONCE_SECONDS: Final = 0.005
"""How long a look may hold up the event loop."""

THREADS: Final = 2
"""Of one guard, for long looks."""


class Scanner:
    """Looks for some rules.

    Args:
        rules: What to look for.
        seconds: How long one look may take; a text that is longer than `USUAL` gets more in
            proportion.
        clock: Monotonic seconds.
    """

    def __init__(self, rules: Iterable[Rule], seconds: float, clock: Clock) -> None:
        self._rules = tuple(rules)
        self._seconds = seconds
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="guard")

    @property
    def reach(self) -> int:
        """The most characters that decide about one finding; 1 where nothing is looked for."""
        return max((rule.reach for rule in self._rules), default=1)

    async def find(self, texts: Sequence[str]) -> list[Found]:
        """Return what is in some texts, in the order of texts and places.

        Raises:
            GuardError: It took too long.
        """
        now = self._clock()
        size = sum(map(len, texts))
        if size <= AT_ONCE:
            try:
                return find_all(self._rules, texts, now + AT_ONCE_SECONDS, self._clock)
            except OverdueError:
                pass  # begun anew in a thread
        seconds = self._seconds * max(1.0, size / USUAL)
        work = partial(find_all, self._rules, texts, now + seconds, self._clock, alone=True)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OverdueError as late:
            raise overdue(late.rule, seconds) from None
