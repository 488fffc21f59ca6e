"""Puts together what a worker needs for fallback routes: the book, the routes, and the looking.

Nothing is decided here: what routes mean is in `core`, how they are kept in `pipeline`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from tiergate.config import durations
from tiergate.core.routing import Routes
from tiergate.pipeline.fallback_book import FallbackBook
from tiergate.ports import Clock, Documents, StoreDownError
from tiergate.web.admin import Route
from tiergate.web.fallback_routes import FallbackRoutes

LOG = logging.getLogger("tiergate.fallbacks")

REFRESH_SECONDS = 0.5
"""How often a worker looks for changes that others made: they act within a second."""

START_SECONDS = 5.0
"""For so long the start waits for a store, so that the first request finds the routes."""


class Fallbacks:
    """Fallback routes of one worker.

    Args:
        documents: Where they are kept.
        wall: Unix seconds.
        new_id: Gives an id that no other change has.
    """

    def __init__(self, documents: Documents, wall: Clock, new_id: Callable[[], str]) -> None:
        self.book = FallbackBook(documents, wall, new_id)
        self._wall = wall
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._down = False

    def routes(self) -> list[Route]:
        """Return the administrative routes."""
        return FallbackRoutes(self.book, durations.seconds).routes()

    def govern(self, routes: Routes) -> None:
        """Let the aliases of a configuration follow what was set at run time."""
        self.book.govern(routes)

    async def start(self) -> None:
        """See what is set, then look for changes and for ends; inside a running event loop."""
        if self._tasks:
            return
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.look()
        except TimeoutError:
            self._failed("it did not answer in time")
        loop = asyncio.get_running_loop()
        # Two tasks: a store that hangs must not keep a route alive whose time is over.
        self._tasks = (loop.create_task(self._watch()), loop.create_task(self._end()))

    async def aclose(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = ()

    async def look(self) -> None:
        """Look once. While the store is down, routes that are known go on; it is said once."""
        try:
            await self.book.refresh()
        except StoreDownError as exc:
            self._failed(str(exc))
        else:
            if self._down:
                LOG.info("changes of fallback routes are seen again")
            self._down = False

    def _failed(self, why: str) -> None:
        if not self._down:
            LOG.warning(
                "changes of fallback routes are not seen: the store does not answer, and the "
                "last known routes go on acting",
                extra={"why": why},
            )
        self._down = True

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.look()

    async def _end(self) -> None:
        """Let routes end at their instant, whatever the store does."""
        while True:
            end = self.book.next_end()
            left = REFRESH_SECONDS if end is None else end - self._wall()
            await asyncio.sleep(min(max(left, 0.0), REFRESH_SECONDS))
            self.book.apply()
