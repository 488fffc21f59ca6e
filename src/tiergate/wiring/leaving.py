"""The word to stop, as one process hears it: once to take leave, twice to end at once."""

from __future__ import annotations

import asyncio
import contextlib


class Leaving:
    """Whether a process has been told to stop.

    Args:
        supervised: It is one of several workers. Who presses Ctrl-C in a terminal reaches every
            process there, and the supervisor tells its workers once more; so a second word means
            nothing here. Whoever is in a hurry tells the supervisor, which ends them.

    Attributes:
        begun: Set by the first word.
        hurried: Set by the second one.
    """

    def __init__(self, *, supervised: bool = False) -> None:
        self._supervised = supervised
        self.begun = asyncio.Event()
        self.hurried = asyncio.Event()

    def say(self) -> None:
        """Tell it to stop; told again, to end at once."""
        if self.begun.is_set() and not self._supervised:
            self.hurried.set()
        self.begun.set()

    async def hurried_within(self, seconds: float) -> bool:
        """Wait; tell whether the wait was cut short by a second word."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurried.wait()
        return self.hurried.is_set()
