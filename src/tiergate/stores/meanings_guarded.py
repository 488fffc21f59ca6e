"""Keeps vectors in a store that may be down, and never lets a request suffer by it.

A request waits for the store a short time at most. After a failure the store is left alone for a
second; then one request asks it again, and the others do not wait for what it finds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from tiergate.core.meaning import Near
from tiergate.ports import Clock, Remembered, StoreDownError

LOG = logging.getLogger("tiergate.cache")

REST_SECONDS = 1.0
"""How long a store that failed is left alone."""

WRITE_SECONDS = 5.0
"""How long writing may take; no request waits for it."""

LONG_SECONDS = 30.0
"""How long it may take to forget a namespace."""


class Vectors(Protocol):
    """A store of vectors. Every method raises `StoreDownError`, and may be cancelled."""

    @property
    def place(self) -> str:
        """Where it is, in words for people; without logins."""
        ...

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int, now: float
    ) -> list[Near]:
        """Return the nearest questions of a partition that have not expired."""
        ...

    async def add(self, question: Remembered, vector: Sequence[float], now: float) -> None:
        """Keep a question; another one with its key is replaced."""
        ...

    async def clear(self, space: str) -> None:
        """Forget the questions of a namespace."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...


class GuardedMeanings:
    """Implements `ports.Meanings` over a store of vectors.

    Args:
        store: Where the vectors are.
        wait: Seconds that a request waits for it at most.
        clock: Monotonic seconds.
        wall: Unix seconds.
    """

    def __init__(self, store: Vectors, wait: float, clock: Clock, wall: Clock) -> None:
        self._store = store
        self._wait = wait
        self._clock = clock
        self._wall = wall
        self._why: str | None = None
        self._again = 0.0

    @property
    def fault(self) -> str | None:
        """Why the store does not work; None while it does."""
        return self._why

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int
    ) -> list[Near] | None:
        """Return the nearest questions; see `ports.Meanings.nearest`."""
        if self._resting():
            return None
        async with self._limit(self._wait):
            return await self._store.nearest(partition, vector, most, self._wall())
        return None

    async def add(self, question: Remembered, vector: Sequence[float]) -> None:
        """Keep a question; see `ports.Meanings.add`."""
        now = self._wall()
        if self._resting() or question.expires <= now:
            return
        async with self._limit(WRITE_SECONDS):
            await self._store.add(question, vector, now)

    async def clear(self, space: str) -> None:
        """Forget all questions of a namespace; see `ports.Meanings.clear`."""
        async with self._limit(LONG_SECONDS):
            await self._store.clear(space)

    async def aclose(self) -> None:
        """Give back connections; see `ports.Meanings.aclose`."""
        async with self._limit(WRITE_SECONDS):
            await self._store.aclose()

    # ------------------------------------------------------------------ inside

    def _resting(self) -> bool:
        """Whether the store is left alone; the first to ask after its rest asks it again."""
        if self._why is None:
            return False
        now = self._clock()
        if now < self._again:
            return True
        self._again = now + REST_SECONDS
        return False

    @contextlib.asynccontextmanager
    async def _limit(self, seconds: float) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            self._down(f"{self._store.place} did not answer within {seconds:g} seconds")
        except StoreDownError as exc:
            self._down(str(exc))
        else:
            self._up()

    def _down(self, why: str) -> None:
        self._again = self._clock() + REST_SECONDS
        if self._why is None:
            LOG.warning("no search by meaning: its store is down", extra={"why": why})
        self._why = why

    def _up(self) -> None:
        if self._why is not None:
            self._why = None
            LOG.warning("search by meaning works again")
