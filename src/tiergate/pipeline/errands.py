"""Work that nobody waits for: kept from being forgotten, counted, and ended with its owner.

The event loop itself holds a task weakly; one that nobody else holds may vanish in its middle.
How much may be under way at once is decided by whoever begins it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Generic, TypeVar

T = TypeVar("T")


class Errands(Generic[T]):
    """Tasks under way. `len` counts them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[T]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Begin work; inside a running event loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settle(self) -> None:
        """Wait until all that is under way now has ended, however it ends."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """End all that is under way."""
        for task in self._tasks:
            task.cancel()
        await self.settle()
