"""The stream client: counts chunks, and sees when each came and whether it came by itself.

Each content chunk carries its number and the instant it was written, so the client knows of every
one how long it was on its way. It judges streams; it does not compare gateways.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

import httptools
import uvloop

from bench import wire
from bench.figures import percentile
from bench.load import LoadFailedError
from bench.wire import Dialect

_SILENCE_SECONDS = 60.0
_OPENING_AT_ONCE = 25
_SETTLE_SECONDS = 2.0

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class StreamLoad:
    """What to stream: the request's parts, and how many streams of it run at a time."""

    port: int
    dialect: Dialect
    alias: str
    script: wire.StreamScript
    at_once: int

    def request(self) -> bytes:
        """The whole request as it goes over the wire."""
        body = wire.stream_body(self.dialect, self.alias, self.script)
        return wire.request(self.dialect, self.port, body)


@dataclass(frozen=True, slots=True)
class StreamRun:
    """What came of some streams; times in microseconds.

    `delays_us` are the chunks' times on the way, `firsts_us` the times from sending a request to
    its first content, `alone` the number of chunks that came in a read of their own.
    """

    delays_us: tuple[float, ...]
    firsts_us: tuple[float, ...]
    alone: int
    seconds: float

    @property
    def chunks(self) -> int:
        """How many content chunks arrived."""
        return len(self.delays_us)

    @property
    def alone_share(self) -> float:
        """The part of the chunks that came by themselves, 0 to 1."""
        return self.alone / len(self.delays_us)

    def delay(self, percent: float) -> float:
        """A percentile of the chunks' delays."""
        return percentile(self.delays_us, percent)

    def first(self, percent: float) -> float:
        """A percentile of the times to first content."""
        return percentile(self.firsts_us, percent)


@dataclass(slots=True)
class StreamReader:
    """Follows one stream's text: takes pieces as they come, keeps what the figures need."""

    dialect: Dialect
    delays_us: list[float] = field(default_factory=list)
    alone: int = 0
    fault: str | None = None
    _text: bytes = b""
    _all_ended: bool = False

    def take(self, piece: bytes, now_ns: int) -> int:
        """Take what one read brought; returns how many content chunks it completed."""
        self._text += piece
        # A stamp may be cut by the end of a read, so the text after the last bracket waits.
        head, bracket, rest = self._text.rpartition(b"]")
        stamps = wire.stamps_in(head + bracket)
        for stamp in stamps:
            if stamp.number != len(self.delays_us):
                self.fault = f"chunk {stamp.number} came where {len(self.delays_us)} was due"
            self.delays_us.append((now_ns - stamp.sent_ns) / 1e3)
        if len(stamps) == 1:
            self.alone += 1
        self._all_ended = self._all_ended or wire.end_mark(self.dialect) in self._text
        if bracket:
            self._text = rest
        return len(stamps)

    def verdict(self, status: int, chunks: int) -> str | None:
        """What is wrong with the stream now that it has ended; None if nothing is."""
        if status != 200:
            return f"status {status}: {self._text[:300]!r}"
        if self.fault is not None:
            return self.fault
        if len(self.delays_us) != chunks:
            return f"{len(self.delays_us)} of {chunks} chunks came; then {self._text[-200:]!r}"
        if not self._all_ended:
            return f"the stream ended without {wire.end_mark(self.dialect)!r}"
        return None


class _StreamConnection(asyncio.Protocol):
    """One connection that plays one stream at a time."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._transport: asyncio.WriteTransport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._sent_ns = 0
        self.first_us: float | None = None
        self.reader = StreamReader(dialect)
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's but do not inherit from them.
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.is_set():
            self.reader.fault = self.reader.fault or f"the connection was cut: {exc}"
        self._finish()

    def send(self, request: bytes) -> None:
        """Send a request and forget the stream before."""
        assert self._transport is not None
        self.reader = StreamReader(self._dialect)
        self.first_us = None
        self.begun.clear()
        self.ended.clear()
        self._sent_ns = time.monotonic_ns()
        self._transport.write(request)

    def close(self) -> None:
        """Leave, in the middle of a stream or not."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self._parser.get_status_code()

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        self._pieces.clear()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.reader.fault = f"the answer is not HTTP: {error}"
            self._finish()
            return
        ended = self.ended.is_set()
        if self.reader.take(b"".join(self._pieces), now_ns) and self.first_us is None:
            self.first_us = (now_ns - self._sent_ns) / 1e3
            self.begun.set()
        if ended:
            self._finish()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self.ended.set()

    def _finish(self) -> None:
        self.begun.set()
        self.ended.set()


def run_streams(load: StreamLoad, total: int) -> StreamRun:
    """Play `total` streams, `load.at_once` at a time, and judge each one.

    Raises:
        LoadFailedError: a stream was cut, short, out of order or without its end.
    """
    return uvloop.run(_play_all(load, total))


def hold_streams(load: StreamLoad, look: Callable[[], Seen]) -> Seen:
    """Open `load.at_once` streams, call `look` while all of them are open, then leave them.

    Raises:
        LoadFailedError: a stream did not open, or did not stay open.
    """
    return uvloop.run(_hold(load, look))


async def _play_all(load: StreamLoad, total: int) -> StreamRun:
    request = load.request()
    turns = max(1, round(total / load.at_once))
    delays: list[float] = []
    firsts: list[float] = []
    alone = 0

    async def play(number: int) -> None:
        nonlocal alone
        connection = await _connect(load)
        try:
            # The streams begin apart, spread over the length of one and over the time between
            # two chunks, so that neither openings nor chunks come in one heap.
            spread = load.script.seconds + load.script.interval_ms / 1000
            await asyncio.sleep(spread * number / load.at_once)
            for _ in range(turns):
                connection.send(request)
                await asyncio.wait_for(connection.ended.wait(), _SILENCE_SECONDS)
                fault = connection.reader.verdict(connection.status, load.script.chunks)
                if fault is not None:
                    raise LoadFailedError(f"a stream failed: {fault}")
                delays.extend(connection.reader.delays_us)
                firsts.append(connection.first_us or 0.0)
                alone += connection.reader.alone
        finally:
            connection.close()

    begun = time.monotonic()
    await _together([play(number) for number in range(load.at_once)])
    return StreamRun(tuple(delays), tuple(firsts), alone, time.monotonic() - begun)


async def _hold(load: StreamLoad, look: Callable[[], Seen]) -> Seen:
    request = load.request()
    gate = asyncio.Semaphore(_OPENING_AT_ONCE)
    opened: list[_StreamConnection] = []

    async def open_one() -> None:
        async with gate:
            connection = await _connect(load)
            opened.append(connection)
            connection.send(request)
            await asyncio.wait_for(connection.begun.wait(), _SILENCE_SECONDS)
            if connection.first_us is None:
                fault = connection.reader.verdict(connection.status, load.script.chunks)
                raise LoadFailedError(f"stream {len(opened)} did not open: {fault}")

    try:
        await _together([open_one() for _ in range(load.at_once)])
        await asyncio.sleep(_SETTLE_SECONDS)
        lost = sum(connection.ended.is_set() for connection in opened)
        if lost:
            raise LoadFailedError(f"{lost} of {load.at_once} streams did not stay open")
        return look()
    finally:
        for connection in opened:
            connection.close()


async def _connect(load: StreamLoad) -> _StreamConnection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: _StreamConnection(load.dialect), "127.0.0.1", load.port
    )
    return connection


async def _together(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Run all of it at the same time; the first failure cancels the rest and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except ExceptionGroup as failures:
        first = failures.exceptions[0]
        match first:
            case LoadFailedError():
                raise first from None
            case TimeoutError():
                words = f"a stream was silent for {_SILENCE_SECONDS:.0f} s"
                raise LoadFailedError(words) from first
            case OSError():
                raise LoadFailedError(f"a stream's connection failed: {first}") from first
            case _:
                raise
