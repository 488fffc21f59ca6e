"""Keeps the words of calls for the sinks that get them; without such a sink it is not there.

It stands before the cache and behind whatever checks requests, so sinks see what a model was
asked and what it answered. Requests are held as the bytes that are there anyway; of a stream
every piece that goes to the caller is noted.
"""

from __future__ import annotations

from tiergate.base.errors import Failure
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.plan import Wish
from tiergate.core.telling import MOST_REQUEST, Telling
from tiergate.pipeline.attempt import Plain
from tiergate.pipeline.leading import Runs
from tiergate.pipeline.served import Served
from tiergate.ports import Inbound, StreamReader


class CapturingEngine:
    """Implements `leading.Runs`: the engine, with an ear on what goes in and comes out.

    Args:
        engine: What serves the requests.
    """

    def __init__(self, engine: Runs) -> None:
        self._engine = engine

    async def run(self, inbound: Inbound, wish: Wish) -> Served:
        """Serve a request; see `Engine.run`."""
        telling = inbound.telling
        if telling is None:
            return await self._engine.run(inbound, wish)
        telling.asked = inbound.asked
        if len(inbound.members.body) <= MOST_REQUEST:
            telling.request = inbound.members.body
        served = await self._engine.run(inbound, wish)
        if telling.listens and inbound.operation is not Operation.EMBEDDING:
            outcome = served.outcome
            if isinstance(outcome, Plain):
                telling.keep(outcome.answer.body)
            else:
                telling.streamed = True
                if outcome.held:
                    telling.keep(outcome.held)
                outcome.reader = Listening(outcome.reader, telling)
        return served

    def finished(
        self,
        served: Served,
        usage: Usage | None,
        failure: Failure | None,
        *,
        left: bool = False,
    ) -> NanoUsd | None:
        """Close the books of a served request; see `Engine.finished`."""
        return self._engine.finished(served, usage, failure, left=left)

    def limit_headers(self, served: Served) -> list[tuple[str, str]]:
        """Return the headers of the caller's rate limits; see `Engine.limit_headers`."""
        return self._engine.limit_headers(served)

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Note a request that was never understood; see `Engine.refused`."""
        self._engine.refused(dialect, operation, status, wall)


class Listening:
    """Implements `ports.StreamReader`: another reader, of which everything is noted."""

    __slots__ = ("_reader", "_telling")

    def __init__(self, reader: StreamReader, telling: Telling) -> None:
        self._reader = reader
        self._telling = telling

    @property
    def content(self) -> bool:
        """See `StreamReader.content`."""
        return self._reader.content

    @property
    def ended(self) -> bool:
        """See `StreamReader.ended`."""
        return self._reader.ended

    @property
    def failure(self) -> Failure | None:
        """See `StreamReader.failure`."""
        return self._reader.failure

    @property
    def refused(self) -> bool:
        """See `StreamReader.refused`."""
        return self._reader.refused

    @property
    def usage(self) -> Usage | None:
        """See `StreamReader.usage`."""
        return self._reader.usage

    @property
    def metered(self) -> bool:
        """See `StreamReader.metered`."""
        return self._reader.metered

    @property
    def said_bytes(self) -> int:
        """See `StreamReader.said_bytes`."""
        return self._reader.said_bytes

    @property
    def said_pieces(self) -> int:
        """See `StreamReader.said_pieces`."""
        return self._reader.said_pieces

    def feed(self, piece: bytes) -> bytes:
        """See `StreamReader.feed`."""
        out = self._reader.feed(piece)
        if out:
            self._telling.keep(out)
        return out

    def eof(self) -> bytes:
        """See `StreamReader.eof`."""
        out = self._reader.eof()
        if out:
            self._telling.keep(out)
        return out

    def error(self, failure: Failure) -> bytes:
        """See `StreamReader.error`."""
        return self._reader.error(failure)
