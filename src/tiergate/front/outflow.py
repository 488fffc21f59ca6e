"""Bytes on their way to a client: who waits for room, and whether anything moves."""

from __future__ import annotations

import asyncio
import math

from tiergate.front.gone import ClientGoneError


class Outflow:
    """The writing side of one connection, as its users see it.

    Attributes:
        paused: More bytes wait for the client than may.
    """

    __slots__ = ("_closed", "_loop", "_moved", "_stalled_at", "_unsent", "_waiters", "paused")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.paused = False
        self._loop = loop
        self._closed = False
        self._waiters: list[asyncio.Future[None]] = []
        self._moved = False
        self._unsent = 0
        self._stalled_at = math.inf

    async def writable(self) -> None:
        """Wait until `paused` is over.

        Raises:
            ClientGoneError: The connection broke first.
        """
        while self.paused and not self._closed:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if self._closed:
            raise ClientGoneError

    def pause(self) -> None:
        """Too many bytes wait."""
        self.paused = True

    def resume(self) -> None:
        """There is room again."""
        self.paused = False
        self._moved = True
        self._wake()

    def close(self) -> None:
        """Nothing can be written any more."""
        self._closed = True
        self._wake()

    def is_stalled(self, now: float, unsent: int, patience: float) -> bool:
        """Tell whether the client has taken nothing for too long.

        Args:
            now: The event loop's time, seconds.
            unsent: Bytes that wait for the client.
            patience: Seconds for which that may not change.
        """
        if not unsent or unsent != self._unsent or self._moved:
            self._stalled_at = now + patience
        self._unsent, self._moved = unsent, False
        return now >= self._stalled_at

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
