"""One upstream call that serves several identical requests at the same time.

The first request of them leads: its call is a flight. The others follow: they get the stream from
its first byte on while it comes, or the plain answer when it is there. A flight belongs to nobody
in particular once it has begun to answer, so its leader may leave like any other, and it goes on
while somebody reads. Who may follow whom is not decided here.
"""

from __future__ import annotations

import asyncio

from tiergate.base.errors import Failure
from tiergate.base.values import Usage
from tiergate.core.catalog import Deployment
from tiergate.ports import Form, StoredAnswer

HIGH_WATER = 256 * 1024
"""Bytes that may wait for the fastest reader before the provider is read more slowly."""


class Flight:
    """One call under way. All its methods are for one event loop.

    Attributes:
        deployment: Who answers; None until it has begun to.
        form: How it answers.
        usage: Tokens of the answer, once it is over.
        losses: What the deployment's dialect could not carry.
        answer: The complete answer, once there is one.
        over: No more will come: there is an answer, or there will be none.
        failure: What broke a stream after its first content.
        similarity: Of the question that the answer was made for; None where it is the same.
    """

    __slots__ = (
        "_furthest",
        "_loop",
        "_pieces",
        "_pump",
        "_readers",
        "_room",
        "_size",
        "_waiters",
        "answer",
        "deployment",
        "failure",
        "form",
        "losses",
        "over",
        "similarity",
        "usage",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._size = 0
        self._furthest = 0
        self._readers = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._room: asyncio.Future[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self.deployment: Deployment | None = None
        self.form = Form.PLAIN
        self.usage: Usage | None = None
        self.losses: tuple[str, ...] = ()
        self.answer: StoredAnswer | None = None
        self.failure: Failure | None = None
        self.similarity: float | None = None
        self.over = False

    # ------------------------------------------------------------------ the leader's side

    def begin(self, deployment: Deployment, form: Form, losses: tuple[str, ...]) -> None:
        """The stream has shown its first content; from now on it can be read."""
        self.deployment, self.form, self.losses = deployment, form, losses
        self._wake()

    def carried_by(self, pump: asyncio.Task[None]) -> None:
        """Name the task that reads the provider; it is cancelled when nobody reads any more."""
        self._pump = pump

    async def send(self, data: bytes) -> None:
        """Hand a piece of the stream to all readers; waits while the fastest of them is slow."""
        self.add(data)
        while self._size - self._furthest > HIGH_WATER and self._readers:
            self._room = self._loop.create_future()
            await self._room

    def add(self, data: bytes) -> None:
        """Hand a piece of the stream to all readers at once."""
        self._pieces.append(data)
        self._size += len(data)
        self._wake()

    def bytes(self) -> bytes:
        """Return all that has come."""
        return b"".join(self._pieces)

    def land(self, answer: StoredAnswer | None) -> None:
        """End it, with a complete answer or with none."""
        self.answer, self.over = answer, True
        self._wake()

    # ------------------------------------------------------------------ the followers' side

    async def begun(self) -> None:
        """Wait until it can be read, or is over."""
        while self.deployment is None and not self.over:
            await self._changed()

    async def ended(self) -> None:
        """Wait until it is over."""
        while not self.over:
            await self._changed()

    def reader(self, headers: list[tuple[bytes, bytes]] | None = None) -> FlightReader:
        """Return a reader at the first byte.

        Args:
            headers: The provider's, for the request that made the call.
        """
        self._readers += 1
        return FlightReader(self, headers or [])

    @property
    def readers(self) -> int:
        """How many read it now."""
        return self._readers

    def piece(self, number: int) -> bytes:
        """Return what has come from the piece of this number on; empty when nothing has."""
        pieces = self._pieces
        if number == len(pieces) - 1:
            return pieces[number]
        return b"".join(pieces[number:])

    @property
    def pieces(self) -> int:
        """How many pieces have come."""
        return len(self._pieces)

    def read_to(self, place: int) -> None:
        """A reader has taken the bytes up to this place."""
        if place > self._furthest:
            self._furthest = place
            self._make_room()

    def leave(self) -> None:
        """A reader reads no more; the last one takes the call with it."""
        self._readers -= 1
        if self._readers:
            return
        self._make_room()
        if not self.over and self._pump is not None:
            self._pump.cancel()

    async def changed(self) -> None:
        """Wait until something has come, or it is over."""
        await self._changed()

    # ------------------------------------------------------------------ inside

    async def _changed(self) -> None:
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():  # done: its task was cancelled
                    waiter.set_result(None)

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)


class FlightReader:
    """One request's view of a flight: an `Exchange` and a `StreamReader` in one."""

    __slots__ = ("_at", "_flight", "_gone", "_place", "headers")

    status = 200
    content = True
    metered = True
    refused = False
    failure: Failure | None = None
    """A broken stream has its error frame in its bytes already, so it ends like any other."""
    said_bytes = 0
    said_pieces = 0

    def __init__(self, flight: Flight, headers: list[tuple[bytes, bytes]]) -> None:
        self._flight = flight
        self._at = 0
        self._place = 0
        self._gone = False
        self.headers = headers

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key == name), None)

    async def next(self) -> bytes:
        """Return what has come since the last call; empty at the end."""
        flight = self._flight
        while self._at >= flight.pieces:
            if flight.over:
                return b""
            await flight.changed()
        data = flight.piece(self._at)
        self._at = flight.pieces
        self._place += len(data)
        flight.read_to(self._place)
        return data

    async def read(self, limit: int) -> bytes:
        """Return the rest of the stream, whatever its length."""
        del limit
        pieces: list[bytes] = []
        while piece := await self.next():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Read no more."""
        if not self._gone:
            self._gone = True
            self._flight.leave()

    def release(self) -> None:
        """Read no more."""
        self.close()

    @property
    def ended(self) -> bool:
        """Whether everything was read and no more will come."""
        return self._flight.over and self._at >= self._flight.pieces

    @property
    def usage(self) -> Usage | None:
        """Tokens of the whole answer; known at its end."""
        return self._flight.usage

    def feed(self, piece: bytes) -> bytes:
        """Return the piece: it is in the caller's dialect already."""
        return piece

    def eof(self) -> bytes:
        """Add nothing."""
        return b""

    def error(self, failure: Failure) -> bytes:
        """Add nothing: whoever reads the provider has written the frame."""
        del failure
        return b""


class Whole:
    """A stream that is all there: an `Exchange` and a `StreamReader` over stored bytes."""

    __slots__ = ("headers", "usage")

    status = 200
    content = True
    ended = True
    metered = True
    refused = False
    failure: Failure | None = None
    said_bytes = 0
    said_pieces = 0

    def __init__(self, usage: Usage | None) -> None:
        self.usage = usage
        self.headers: list[tuple[bytes, bytes]] = []

    def header(self, name: bytes) -> bytes | None:
        """Return None: stored answers have no headers."""
        del name

    async def next(self) -> bytes:
        """Return the end."""
        return b""

    async def read(self, limit: int) -> bytes:
        """Return the end."""
        del limit
        return b""

    def close(self) -> None:
        """Nothing is open."""

    def release(self) -> None:
        """Nothing is open."""

    def feed(self, piece: bytes) -> bytes:
        """Return the piece."""
        return piece

    def eof(self) -> bytes:
        """Add nothing."""
        return b""

    def error(self, failure: Failure) -> bytes:
        """Add nothing: what is whole does not break."""
        del failure
        return b""
