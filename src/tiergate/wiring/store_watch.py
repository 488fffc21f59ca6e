"""Looks now and then whether the shared stores answer, so that an idle gateway knows it too.

Calls find out by themselves. A gateway that gets none, because its load balancer has looked away
from it, must learn by itself that it may be ready again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tiergate.core.rules import StoreKind
from tiergate.ports import Documents, StoreDownError
from tiergate.wiring.state import State

LOOK_SECONDS = 2.0
"""How often a store is looked at, and how long it may take to answer."""

_ASKED = "health"
"""A document that nobody writes; that it is not there is an answer."""


class StoreWatch:
    """Looks at the stores that are reached over a network; the others need no watch.

    Args:
        state: The stores of a worker.
    """

    def __init__(self, state: State) -> None:
        self._stores: dict[str, Documents] = {}
        if state.kind in {StoreKind.REDIS, StoreKind.POSTGRES}:
            self._stores["budget and key store"] = state.documents
        if state.rates is not state.documents:
            self._stores["rate limit store"] = state.rates
        self._down: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def down(self) -> Mapping[str, str]:
        """Return the stores that did not answer when last looked at, each with the reason."""
        return self._down

    def start(self) -> None:
        """Begin to look; inside a running event loop."""
        if self._stores and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> None:
        """Look at each store once."""
        for name, documents in self._stores.items():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await documents.read([_ASKED])
            except StoreDownError as exc:
                self._down[name] = str(exc)
            except TimeoutError:
                self._down[name] = f"no answer within {LOOK_SECONDS:g} s"
            else:
                self._down.pop(name, None)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()
