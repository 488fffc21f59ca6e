"""An event loop whose time jumps to the next timer: minutes of waiting take no time at all."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class EverythingWaitsError(AssertionError):
    """Nothing is ready and no timer runs: the program would wait for ever."""


class _Selector(selectors.SelectSelector):
    """Waits for nothing; what the loop would have waited is added to its time."""

    loop: JumpingLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise EverythingWaitsError
            self.loop.now += max(0.0, timeout)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An asyncio loop with a time of its own, `now`, in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Return the loop's own time."""
        return self.now


def play(work: Coroutine[object, object, Result]) -> Result:
    """Run a coroutine in a loop of its own; tasks that it leaves behind are a failure."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:

        async def whole() -> Result:
            result = await work
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"left running: {left}"
            return result

        return runner.run(whole())
