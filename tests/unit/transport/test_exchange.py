"""What the reader of an answer gets, however its bytes were cut on the way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.transport import Fault, Target, TransportError
from tiergate.transport.connection import SLICE, Connection
from tiergate.transport.exchange import HIGH_WATER, Exchange
from tiergate.transport.pool import Pool

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


class Wire(asyncio.Transport):
    """The event loop's side of a connection, moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False
        self.reading = True
        self.sent = 0
        self.unsent = 0

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: bytes) -> None:
        self.sent += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True


def connected() -> tuple[Connection, Wire]:
    pool = Pool(max_idle_per_target=8, idle_seconds=50.0, clock=lambda: 0.0)
    pool.closing = True  # it keeps no connection, so it starts no timer
    connection = Connection(
        pool, Target("http", "provider", 80), asyncio.get_running_loop(), 65536
    )
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire


@dataclass(frozen=True)
class Answer:
    """An answer as bytes, and as it must be read."""

    raw: bytes
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    until_close: bool


_TOKEN = st.text("abcXYZ-09", min_size=1, max_size=12).map(str.encode)
_VALUE = st.text("abc XYZ;=/\"'.,", max_size=20).map(lambda text: text.strip().encode())


@st.composite
def answers(draw) -> Answer:
    status = draw(st.sampled_from([200, 201, 400, 413, 429, 500, 529]))
    pairs = draw(
        st.lists(st.tuples(st.just(b"X-").flatmap(lambda p: _TOKEN.map(p.__add__)), _VALUE))
    )
    pieces = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
    framing = draw(st.sampled_from(["length", "chunked", "until-close"]))
    body = b"".join(pieces)
    if framing == "length":
        pairs.append((b"Content-Length", b"%d" % len(body)))
        wire = body
    elif framing == "chunked":
        pairs.append((b"Transfer-Encoding", b"chunked"))
        wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        wire += b"0\r\n" + draw(st.sampled_from([b"", b"X-Trailer: t\r\n"])) + b"\r\n"
    else:
        wire = body
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"]))
    lines = b"".join(b"%b: %b\r\n" % pair for pair in pairs)
    raw = interim + b"HTTP/1.1 %d Reason\r\n%b\r\n" % (status, lines) + wire
    headers = [(name.lower(), value) for name, value in pairs]
    return Answer(raw, status, headers, body, until_close=framing == "until-close")


def cut(data: bytes, points: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(point % (len(data) + 1) for point in points)})
    return [data[start:end] for start, end in pairwise(edges)]


async def drained(exchange: Exchange, *, whole: bool) -> bytes:
    if whole:
        return await exchange.read(1 << 20)
    parts = []
    while part := await exchange.next():
        parts.append(part)
    return b"".join(parts)


async def answer_of(exchange: Exchange) -> bytes:
    await exchange.answered()
    return await exchange.read(1 << 20)


@given(answers(), st.lists(st.integers(0, 10_000), max_size=30), st.booleans(), st.booleans())
def test_an_answer_is_the_same_however_it_is_cut(answer, points, whole, ahead):
    """`ahead`: the reader waits before the bytes come; otherwise all have come before it reads."""

    async def play() -> None:
        connection, wire = connected()
        exchange = connection.begin(REQUEST)
        await asyncio.sleep(0)
        reading = asyncio.ensure_future(drained(exchange, whole=whole)) if ahead else None
        for part in cut(answer.raw, points):
            connection.data_received(part)
            await asyncio.sleep(0)
        if answer.until_close:
            connection.eof_received()
        body = await (reading or drained(exchange, whole=whole))

        assert (exchange.status, exchange.headers, body) == (
            answer.status,
            answer.headers,
            answer.body,
        )
        assert exchange.finished
        assert wire.aborted  # here: by the pool, which keeps none
        connection.connection_lost(None)

    asyncio.run(play())


@given(answers(), st.integers(0, 10_000), st.booleans())
def test_an_answer_cut_short_is_never_taken_for_a_whole_one(answer, point, reset):
    async def play() -> None:
        connection, _ = connected()
        exchange = connection.begin(REQUEST)
        part = answer.raw[: point % len(answer.raw)]
        if part:
            connection.data_received(part)
        connection.connection_lost(ConnectionResetError() if reset else None)

        if answer.until_close and exchange.status and not reset:
            assert answer.body.startswith(await exchange.read(1 << 20))
            return
        with pytest.raises(TransportError) as caught:
            await answer_of(exchange)
        assert caught.value.fault is (Fault.RESET if reset else Fault.CLOSED_EARLY)

    asyncio.run(play())


@given(st.lists(st.binary(max_size=60), max_size=8), st.booleans())
def test_no_bytes_from_a_peer_raise_anything_but_a_transport_error(parts, after_a_head):
    async def play() -> None:
        connection, _ = connected()
        exchange = connection.begin(REQUEST)
        if after_a_head:
            connection.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            connection.data_received(part)
        connection.eof_received()
        connection.connection_lost(None)
        try:
            await answer_of(exchange)
        except TransportError:
            assert not exchange.finished

    asyncio.run(play())


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_next_hands_over_all_that_has_arrived_as_one_piece():
    connection, _ = connected()
    exchange = connection.begin(REQUEST)
    connection.data_received(CHUNKED + b"1\r\na\r\n1\r\nb\r\n")
    connection.data_received(b"1\r\nc\r\n")

    assert await exchange.next() == b"abc"
    connection.data_received(b"1\r\nd\r\n0\r\n\r\n")
    assert await exchange.next() == b"d"
    assert await exchange.next() == b""
    assert await exchange.next() == b""


async def test_reading_pauses_above_the_mark_and_resumes_when_the_reader_has_caught_up():
    connection, wire = connected()
    exchange = connection.begin(REQUEST)
    connection.data_received(CHUNKED)
    piece = b"%x\r\n%b\r\n" % (HIGH_WATER // 2, bytes(HIGH_WATER // 2))

    connection.data_received(piece * 2)
    assert wire.reading
    connection.data_received(b"1\r\nx\r\n")
    assert not wire.reading
    assert exchange.waiting == HIGH_WATER + 1

    assert len(await exchange.next()) == HIGH_WATER + 1
    assert wire.reading
    assert exchange.waiting == 0
    exchange.close()


async def test_a_finished_answer_does_not_pause_the_connection_it_has_left():
    connection, wire = connected()
    exchange = connection.begin(REQUEST)
    size = HIGH_WATER * 2
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))

    assert wire.reading
    assert len(await exchange.read(size)) == size


@pytest.mark.parametrize("ended", [True, False], ids=["whole", "half"])
async def test_a_body_over_the_limit_is_refused_and_its_connection_closed(ended):
    connection, wire = connected()
    exchange = connection.begin(REQUEST)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    connection.data_received(b"0123456789" if ended else b"01234567")

    with pytest.raises(TransportError) as caught:
        await exchange.read(7)

    assert caught.value.fault is Fault.TOO_LARGE
    assert str(caught.value) == "provider:80: the answer is larger than 7 bytes"
    assert wire.aborted


async def test_a_body_of_exactly_the_limit_is_read():
    connection, _ = connected()
    exchange = connection.begin(REQUEST)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")

    assert await exchange.read(10) == b"0123456789"


async def test_closing_a_finished_exchange_keeps_what_was_not_read_yet():
    connection, _ = connected()
    exchange = connection.begin(REQUEST)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab")

    exchange.close()

    assert await exchange.read(10) == b"ab"


async def test_cancelling_just_as_the_bytes_arrive_closes_the_connection():
    connection, wire = connected()
    exchange = connection.begin(REQUEST)
    connection.data_received(CHUNKED)
    reading = asyncio.create_task(exchange.next())
    await asyncio.sleep(0)

    connection.data_received(b"1\r\na\r\n")  # the reader is due to wake up
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert wire.aborted


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_connection_that_has_bytes_to_send_after_its_answer_is_not_kept():
    connection, wire = connected()
    connection._keeper.closing = False
    exchange = connection.begin(REQUEST)
    wire.unsent = 1

    connection.data_received(OK)

    assert await exchange.read(10) == b"{}"
    assert wire.aborted


async def test_an_upload_goes_on_only_while_there_is_room_and_no_answer():
    connection, wire = connected()
    exchange = connection.begin(REQUEST)
    sending = asyncio.create_task(connection.upload(exchange, bytes(SLICE * 8)))

    async def sent_after_some_turns() -> int:
        for _ in range(20):
            await asyncio.sleep(0)
        return (wire.sent - len(REQUEST)) // SLICE

    connection.pause_writing()
    assert await sent_after_some_turns() == 0
    connection.resume_writing()
    await asyncio.sleep(0)
    connection.pause_writing()
    assert 0 < await sent_after_some_turns() < 8
    connection.data_received(b"HTTP/1.1 413 Too Large\r\nContent-Length: 1\r\n\r\n")
    connection.resume_writing()
    assert await sent_after_some_turns() < 8
    await sending
    exchange.close()
