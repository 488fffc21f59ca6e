"""One stream for several readers: everybody gets all of it, as it comes, at his own pace."""

from __future__ import annotations

import asyncio

import pytest

from support.cached import stored
from support.engine import served_by
from support.jumping import play
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Dialect, Usage
from tiergate.pipeline.flights import HIGH_WATER, Flight, FlightReader, Whole
from tiergate.ports import Form

A = served_by("cheap", "a")


def flying() -> Flight:
    flight = Flight()
    flight.begin(A, Form.STREAM, ())
    return flight


def run(work):
    return play(work())


def test_all_readers_get_all_bytes_whenever_they_come():
    async def work():
        flight = flying()
        early = flight.reader()
        await flight.send(b"one ")
        assert await early.next() == b"one "
        late = flight.reader()
        await flight.send(b"two ")
        flight.land(stored())
        await flight.send(b"")
        assert await early.read(0) == b"two "
        assert await late.read(0) == b"one two "
        assert early.ended and late.ended
        assert flight.bytes() == b"one two "

    run(work)


def test_a_reader_has_the_first_byte_before_the_second_has_come():
    async def work():
        flight = flying()
        reader = flight.reader()
        waiting = asyncio.ensure_future(reader.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        await flight.send(b"x")
        assert await waiting == b"x"
        assert not reader.ended

    run(work)


def test_whoever_waits_for_its_begin_or_its_end_is_told():
    async def work():
        flight = Flight()
        begun, ended = (asyncio.ensure_future(w) for w in (flight.begun(), flight.ended()))
        await asyncio.sleep(0)
        assert not begun.done()
        flight.begin(A, Form.STREAM, ())
        await begun
        assert not ended.done()
        flight.land(None)
        await ended
        await flight.begun()

    run(work)


def test_a_flight_that_fails_before_it_begins_lets_nobody_wait():
    async def work():
        flight = Flight()
        begun = asyncio.ensure_future(flight.begun())
        await asyncio.sleep(0)
        flight.land(None)
        await begun
        assert flight.deployment is None

    run(work)


def test_one_that_leaves_while_it_waits_disturbs_nobody():
    async def work():
        flight = flying()
        gone, stays = flight.reader(), flight.reader()
        first, second = (asyncio.ensure_future(r.next()) for r in (gone, stays))
        await asyncio.sleep(0)
        first.cancel()
        gone.close()
        await flight.send(b"x")
        assert await second == b"x"
        assert flight.readers == 1

    run(work)


def test_the_last_reader_takes_the_call_with_it():
    async def work():
        flight = flying()
        pump = asyncio.ensure_future(asyncio.sleep(1e9))
        flight.carried_by(pump)
        first, second = flight.reader(), flight.reader()
        first.close()
        first.release()
        await asyncio.sleep(0)
        assert not pump.done()
        second.close()
        with pytest.raises(asyncio.CancelledError):
            await pump

    run(work)


def test_readers_that_leave_after_the_end_cancel_nothing():
    async def work():
        flight = flying()
        pump = asyncio.ensure_future(asyncio.sleep(1.0))
        flight.carried_by(pump)
        reader = flight.reader()
        flight.land(stored())
        reader.release()
        await pump

    run(work)


def test_a_slow_crowd_slows_the_provider_and_one_quick_reader_does_not_wait_for_it():
    async def work():
        flight = flying()
        slow, quick = flight.reader(), flight.reader()
        sending = asyncio.ensure_future(flight.send(b"x" * (HIGH_WATER + 1)))
        await asyncio.sleep(0)
        assert not sending.done()
        await quick.next()
        await sending
        assert len(await slow.next()) == HIGH_WATER + 1

    run(work)


def test_nobody_waits_for_readers_that_have_left():
    async def work():
        flight = flying()
        reader = flight.reader()
        sending = asyncio.ensure_future(flight.send(b"x" * (HIGH_WATER + 1)))
        await asyncio.sleep(0)
        reader.close()
        await sending

    run(work)


def test_a_reader_adds_nothing_of_its_own():
    async def work():
        flight = flying()
        reader = flight.reader([(b"request-id", b"r1")])
        assert (reader.header(b"request-id"), reader.header(b"x")) == (b"r1", None)
        failure = Failure(FailureClass.UPSTREAM, 500, "down", dialect=Dialect.OPENAI)
        assert (reader.feed(b"x"), reader.eof(), reader.error(failure)) == (b"x", b"", b"")
        flight.usage = Usage(input=1)
        assert reader.usage == Usage(input=1)
        assert isinstance(reader, FlightReader) and reader.failure is None

    run(work)


def test_stored_bytes_are_a_stream_that_has_ended():
    async def work():
        whole = Whole(Usage(output=2))
        assert whole.ended and whole.usage == Usage(output=2)
        assert (await whole.next(), await whole.read(5), whole.header(b"x")) == (b"", b"", None)
        failure = Failure(FailureClass.UPSTREAM, 500, "down")
        assert (whole.feed(b"x"), whole.eof(), whole.error(failure)) == (b"x", b"", b"")
        whole.close()
        whole.release()

    run(work)
