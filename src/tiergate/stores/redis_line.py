"""One connection to one Redis, for short questions that must cost little.

Redis's own library spends 70 us of the processor on a question, this 15 (measured with uvloop on
the machine of docs/performance.md). It speaks the protocol's second version, which every Redis
knows, sends questions as they come and takes the answers in their order. Clusters and sentinels
are the library's matter.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, cast
from urllib.parse import unquote, urlsplit

from tiergate.base.values import Secret
from tiergate.ports import StoreDownError
from tiergate.stores.redis_place import DEFAULT_PORT, RedisPlace
from tiergate.stores.redis_words import (
    NIL,
    IncompleteError,
    RedisSaidError,
    Told,
    command_of,
    read_told,
)

_SILENT_SECONDS: Final = 2.0
"""A Redis that answers nothing for so long while something was posted has gone."""


_Told: TypeAlias = Callable[[StoreDownError | None], None]


@dataclass(frozen=True, slots=True)
class Address:
    """Where one Redis listens, and how to log in there."""

    host: str
    port: int
    path: str | None
    tls: ssl.SSLContext | None
    username: str | None
    password: Secret | None
    db: int


def address_of(place: RedisPlace) -> Address | None:
    """Return the address of a single Redis; None for a place that the library must understand."""
    if place.startup_nodes or place.sentinel_nodes:
        return None
    if place.url is None:
        tls = _tls(place) if place.ssl else None
        return Address(place.host, place.port, None, tls, place.username, place.password, place.db)
    try:
        parts = urlsplit(place.url.value)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        return None
    if parts.query or parts.scheme not in ("redis", "rediss", "unix"):
        return None
    unix = parts.scheme == "unix"
    number = "" if unix else parts.path.strip("/")
    if number and not number.isdecimal():
        return None
    return Address(
        parts.hostname or "localhost",
        port,
        parts.path if unix else None,
        _tls(place) if parts.scheme == "rediss" else None,
        unquote(parts.username) if parts.username else None,
        Secret(unquote(parts.password)) if parts.password else None,
        int(number or 0),
    )


def _tls(place: RedisPlace) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=place.ca_file)
    if not place.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class RedisLine:
    """Asks one Redis; implements `redis_client.RedisClient`.

    It connects when first asked, and again after the connection has broken.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[_Wire] | None = None

    async def execute_command(self, *args: bytes | str | int) -> object:
        """Send a command; return its answer.

        Raises:
            StoreDownError: No connection, or it broke, or Redis says no.
        """
        wire = self._wire
        if wire is None or wire.over:
            wire = await self._connected()
        return await wire.ask(command_of(args))

    def begin(self, command: bytes, seconds: float) -> asyncio.Future[Told] | None:
        """Send a command, and wait for its answer so long and no longer, without a task.

        Args:
            command: The command; see `get_command`.
            seconds: After these the future has a `StoreDownError`. The same for all commands.

        Returns:
            None, and nothing is sent, while there is no connection.
        """
        wire = self._wire
        return None if wire is None or wire.over else wire.ask(command, seconds)

    def post(self, command: bytes, done: Callable[[StoreDownError | None], None]) -> bool:
        """Send a command; nobody waits for its answer.

        Args:
            command: The command; see `set_command`.
            done: Called once, when it is answered (None) or will not be.

        Returns:
            False, and nothing is sent, while there is no connection.
        """
        wire = self._wire
        if wire is None or wire.over:
            return False
        wire.post(command, done)
        return True

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._wire is not None:
            self._wire.close()

    async def _connected(self) -> _Wire:
        """Return a connection; many who ask at once wait for one and the same."""
        if self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
            self._connecting.add_done_callback(self._tried)
        # Shielded: one that gives up waiting must not take it from the others.
        return await asyncio.shield(self._connecting)

    def _tried(self, task: asyncio.Task[_Wire]) -> None:
        self._connecting = None
        if not task.cancelled() and task.exception() is None:
            self._wire = task.result()

    async def _connect(self) -> _Wire:
        address, loop = self._address, asyncio.get_running_loop()
        try:
            if address.path is not None:
                _, wire = await loop.create_unix_connection(_Wire, address.path)
            else:
                _, wire = await loop.create_connection(
                    _Wire, address.host, address.port, ssl=address.tls
                )
        except OSError as exc:
            raise StoreDownError(f"Redis cannot be connected to: {exc}") from exc
        try:
            await self._log_in(wire)
        except BaseException:
            wire.close()
            raise
        return wire

    async def _log_in(self, wire: _Wire) -> None:
        address = self._address
        steps: list[tuple[bytes | str | int, ...]] = []
        if address.password is not None:
            named = () if address.username is None else (address.username,)
            steps.append(("AUTH", *named, address.password.value))
        if address.db:
            steps.append(("SELECT", address.db))
        for step in steps:
            await wire.ask(command_of(step))


@dataclass(frozen=True, slots=True)
class _Posted:
    """A command whose answer nobody waits for."""

    tell: _Told


class _Wire(asyncio.Protocol):
    """A connection: questions go out as they come, answers belong to them in their order."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._asked: deque[asyncio.Future[Told] | _Posted] = deque()
        self._answered = 0
        self._watched = False
        self._rest = bytearray()
        self._needed = 0
        self._leaving: list[bytes] = []
        self._limited: deque[tuple[float, asyncio.Future[Told]]] = deque()
        self._limit: asyncio.TimerHandle | None = None
        self.over = False

    def ask(self, command: bytes, seconds: float | None = None) -> asyncio.Future[Told]:
        """Send a command; the future gets its answer, or an error when it comes too late.

        Args:
            command: The command.
            seconds: How long it may take; None leaves that to whoever asks.
        """
        answer: asyncio.Future[Told] = self._loop.create_future()
        if self._transport is None or self.over:
            answer.set_exception(StoreDownError("the connection to Redis is closed"))
            return answer
        self._asked.append(answer)
        self._send(command)
        if seconds is not None:
            self._limited.append((self._loop.time() + seconds, answer))
            if self._limit is None:
                self._limit = self._loop.call_later(seconds, self._enforce)
        return answer

    def post(self, command: bytes, done: _Told) -> None:
        """Send a command that needs no future and no task."""
        if self._transport is None or self.over:
            done(StoreDownError("the connection to Redis is closed"))
            return
        self._asked.append(_Posted(done))
        self._send(command)
        if not self._watched:
            self._watched = True
            self._loop.call_later(_SILENT_SECONDS, self._watch, self._answered)

    def close(self) -> None:
        """Close the connection; who waits is told."""
        if self._transport is not None:
            self._transport.abort()
        self._lost("closed here")

    # -- what the loop calls ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; uvloop's are no `asyncio.Transport` by their class."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Give answers to those who wait for them."""
        rest = self._rest
        if not rest and data == NIL and self._asked:  # to a question that finds nothing
            self._answer(None)
            return
        rest += data
        if len(rest) < self._needed:
            return
        place = 0
        try:
            while place < len(rest):
                told, place = read_told(rest, place)
                self._answer(told)
            self._needed = 0
        except IncompleteError as exc:
            self._needed = exc.needed - place
        except ValueError:
            self.close()
        del rest[:place]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell those who wait."""
        self._lost(str(exc) if exc is not None else "closed by Redis")

    # -- inside ------------------------------------------------------------------------------

    def _answer(self, told: Told) -> None:
        if not self._asked:
            raise ValueError("an answer that nobody asked for")
        self._answered += 1
        waiting = self._asked.popleft()
        if isinstance(waiting, _Posted):
            waiting.tell(told if isinstance(told, RedisSaidError) else None)
        elif not waiting.done():  # done: whoever asked has given up
            if isinstance(told, RedisSaidError):
                waiting.set_exception(told)
            else:
                waiting.set_result(told)

    def _send(self, command: bytes) -> None:
        """Send a command together with all others of this turn of the loop.

        Each write costs a system call and wakes Redis, which is more than all else that a
        question costs.
        """
        if not self._leaving:
            self._loop.call_soon(self._flush)
        self._leaving.append(command)

    def _flush(self) -> None:
        if self._leaving and self._transport is not None and not self.over:
            self._transport.write(b"".join(self._leaving))
        self._leaving.clear()

    def _enforce(self) -> None:
        """Tell those whose time is over; one timer serves all, as all have the same time."""
        limited, now = self._limited, self._loop.time()
        while limited:
            until, answer = limited[0]
            if not answer.done():
                if until > now:
                    self._limit = self._loop.call_at(until, self._enforce)
                    return
                answer.set_exception(StoreDownError("no answer in time"))
            limited.popleft()
        self._limit = None

    def _lost(self, why: str) -> None:
        self.over = True
        self._leaving.clear()
        if self._limit is not None:
            self._limit.cancel()
        self._limited.clear()
        while self._asked:
            waiting = self._asked.popleft()
            fault = StoreDownError(f"the connection to Redis broke: {why}")
            if isinstance(waiting, _Posted):
                waiting.tell(fault)
            elif not waiting.done():
                waiting.set_exception(fault)

    def _watch(self, answered: int) -> None:
        """Give up on a Redis that is silent: nobody else ends the waiting of what was posted."""
        self._watched = bool(self._asked) and not self.over
        if not self._watched:
            return
        if self._answered == answered:
            self._lost(f"no answer for {_SILENT_SECONDS:g} seconds")
            self.close()
        else:
            self._loop.call_later(_SILENT_SECONDS, self._watch, self._answered)
