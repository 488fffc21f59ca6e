"""What all connections of a server share: the application, the limits, who is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from tiergate.front.call import Call
from tiergate.front.heads import Pairs
from tiergate.front.limits import Limits
from tiergate.front.request import Request

App = Callable[[Request, Call], Awaitable[None]]
"""Answers one request; the `__rsgi__` of an RSGI application."""

ErrorAnswer = Callable[[int, str, Pairs, str], tuple[list[tuple[str, str]], bytes]]
"""Makes headers and body of an error: status, path, request headers, sentence. Path and headers
are empty when the error came before them."""

Failed = Callable[[str, Exception | None], None]
"""Told that a handler failed: path, and its exception, or None if it returned without answer."""


_FAILED = "The server made a mistake and cannot answer. The operator finds more in its log."
_STOPPED = "The server is stopping and cannot finish this request. Send it again."


class Member(Protocol):
    """A connection, as the server sees it."""

    task: asyncio.Task[None] | None
    """Runs the handler of the request under way."""

    def sweep(self, now: float) -> None:
        """Enforce the limits that are seconds; `now` is the event loop's time."""
        ...

    def drain(self) -> None:
        """Close as soon as nothing is under way."""
        ...

    def end(self) -> None:
        """End the handler; the connection stays for what it says last."""
        ...

    def abort(self) -> None:
        """Close at once, and end the handler."""
        ...


@dataclass(slots=True, eq=False)
class Service:
    """The part of a server that its connections work with.

    Attributes:
        date: The `date` header line of now.
        draining: No connection takes another request.
        leaving: Every answer is the last one of its connection.
        in_flight: Requests that have begun and whose handler has not ended.
        connections: Open sockets.
        members: Connections with an open socket or a running handler.
        left: Called when the last of the members is gone.
    """

    app: App
    limits: Limits
    error: ErrorAnswer
    failed: Failed
    date: str
    draining: bool = False
    leaving: bool = False
    in_flight: int = 0
    connections: int = 0
    members: set[Member] = field(default_factory=set[Member])
    left: Callable[[], None] | None = None

    def add(self, member: Member) -> bool:
        """Take in a connection; False if there are too many."""
        self.members.add(member)
        self.connections += 1
        most = self.limits.max_connections
        return most is None or self.connections <= most

    def failure(
        self, request: Request, exc: BaseException | None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Make the answer to a request whose handler has failed: status, headers and body.

        Args:
            request: It has not been answered.
            exc: What the handler raised; None if it returned without an answer.
        """
        ended = self.draining and exc is not None and not isinstance(exc, Exception)
        status, sentence = (503, _STOPPED) if ended else (500, _FAILED)
        headers, body = self.error(status, request.path, request.headers.items(), sentence)
        return status, headers, body

    def remove(self, member: Member) -> None:
        """A connection has neither socket nor handler any more."""
        self.members.discard(member)
        if not self.members and self.left is not None:
            self.left()
