"""A request's body on its way from the connection to the handler.

It holds what has come and was not read, and wakes the one who waits. When to stop reading from
the socket is the connection's decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from tiergate.front.flow import ClientGoneError


class Source(Protocol):
    """Where the body comes from."""

    def body_wanted(self) -> None:
        """A reader waits for more, or has taken what there was."""
        ...


class Body:
    """The body of one request; iterate over it, or `read` it whole.

    Attributes:
        complete: All of it has come.
        unread: Bytes that have come and were not read; not counted once it is complete.
        wanted_whole: A reader waits for all of it, so all of it must be taken in.
    """

    __slots__ = ("_failed", "_pieces", "_source", "_waiter", "complete", "unread", "wanted_whole")

    def __init__(self, source: Source) -> None:
        self.complete = False
        self.unread = 0
        self.wanted_whole = False
        self._failed = False
        self._source = source
        self._pieces: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None

    # -- called by the connection ------------------------------------------------------------

    def put(self, pieces: Sequence[bytes]) -> None:
        """Take in what has come."""
        self._pieces += pieces
        self.unread += sum(map(len, pieces))
        self._wake()

    def end(self, pieces: Sequence[bytes]) -> None:
        """Take in the rest, if there is one; now all of it has come."""
        self._pieces += pieces
        self.complete = True
        if self._waiter is not None:
            self._wake()

    def fail(self) -> None:
        """No more will come; if it is not complete, reading it raises an error."""
        self._failed = True
        self._wake()

    def is_full(self, most: int) -> bool:
        """Whether more than `most` bytes wait for a reader who did not ask for all of it."""
        return self.unread > most and not self.wanted_whole

    # -- called by the handler ---------------------------------------------------------------

    async def read(self) -> bytes:
        """Return all of the body that was not read.

        Raises:
            ClientGoneError: It will never be complete.
        """
        while not self.complete:
            self.wanted_whole = True
            await self._more()
        return self.take()

    def __aiter__(self) -> Body:
        """Read in pieces."""
        return self

    async def __anext__(self) -> bytes:
        """Return what has come since the last call; waits if that is nothing.

        Raises:
            ClientGoneError: The body will never be complete.
        """
        while not self._pieces:
            if self.complete:
                raise StopAsyncIteration
            await self._more()
        piece = self.take()
        if not self.complete:
            self._source.body_wanted()
        return piece

    def take(self) -> bytes:
        """Return what has come and was not read."""
        pieces = self._pieces
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.unread = 0
        return whole

    async def _more(self) -> None:
        """Wait for a change."""
        if self._failed:
            raise ClientGoneError
        self._source.body_wanted()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
