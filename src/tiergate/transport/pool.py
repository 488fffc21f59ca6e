"""Keeps idle connections for their next use and knows all open ones; opens none itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tiergate.transport.connection import Connection
from tiergate.transport.target import Target


class Pool:
    """Idle connections by target, the most recently used one taken first.

    So the number of idle connections falls by itself to what the load needs: those at the bottom
    of the stack grow old and are closed, either when they are met or by a sweep that runs only
    while there are idle connections.

    Args:
        max_idle_per_target: Idle connections kept per target.
        idle_seconds: A connection idle for longer is not used again.
        clock: Monotonic seconds.

    Attributes:
        closing: Whether `close` was called; no connection is kept from then on.
    """

    def __init__(
        self, *, max_idle_per_target: int, idle_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._max_idle = max_idle_per_target
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._idle: dict[Target, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._sweep_timer: asyncio.TimerHandle | None = None
        self.closing = False
        self._drained: asyncio.Future[None] | None = None

    def take(self, target: Target) -> Connection | None:
        """The most recently used idle connection, or None."""
        stack = self._idle.get(target)
        if not stack:
            return None
        connection = stack.pop()
        if self._clock() - connection.idle_since <= self._idle_seconds:
            return connection
        connection.abort()
        self._drop_old(stack)  # all below it have been idle for longer
        return None

    def stats(self) -> tuple[int, int]:
        """How many connections are open, and how many of them idle."""
        return len(self._open), sum(len(stack) for stack in self._idle.values())

    async def close(self) -> None:
        """Close all, and return when the sockets are gone."""
        self.closing = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None
        for connection in tuple(self._open):
            connection.shut("the transport was closed")
        if self._open and self._drained is None:
            self._drained = asyncio.get_running_loop().create_future()
        if self._drained is not None:
            await asyncio.shield(self._drained)

    def add(self, connection: Connection) -> None:
        """Take charge of an open connection, in use at first.

        Not reported by the connection itself: uvloop tells a connection that it is made, but not
        that it is lost, when `create_connection` is cancelled in between (seen in uvloop 0.23).
        """
        if connection.up:  # else it has been lost already, and will not say so again
            self._open.add(connection)
        if self.closing:
            connection.abort()

    # -- what connections report -------------------------------------------------------------

    def released(self, connection: Connection) -> None:
        """The connection is idle: keep it, unless there are enough."""
        stack = self._idle.get(connection.target)
        if stack is None:
            stack = self._idle[connection.target] = []
        if len(stack) >= self._max_idle or self.closing:
            connection.abort()
            return
        connection.idle_since = self._clock()
        stack.append(connection)
        if self._sweep_timer is None:
            self._sweep_later()

    def withdrawn(self, connection: Connection) -> None:
        """The connection must not be used again."""
        stack = self._idle.get(connection.target)
        if stack and connection in stack:
            stack.remove(connection)

    def closed(self, connection: Connection) -> None:
        """The socket is gone."""
        self._open.discard(connection)
        if self._drained is not None and not self._open and not self._drained.done():
            self._drained.set_result(None)

    # -- growing old -------------------------------------------------------------------------

    def _sweep_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep_timer = loop.call_later(self._idle_seconds, self._sweep)

    def _sweep(self) -> None:
        self._sweep_timer = None
        for stack in self._idle.values():
            self._drop_old(stack)
        self._idle = {target: stack for target, stack in self._idle.items() if stack}
        if self._idle:
            self._sweep_later()

    def _drop_old(self, stack: list[Connection]) -> None:
        oldest_allowed = self._clock() - self._idle_seconds
        old = [connection for connection in stack if connection.idle_since < oldest_allowed]
        for connection in old:
            connection.abort()
