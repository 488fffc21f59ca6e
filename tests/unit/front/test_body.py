"""A body between connection and handler."""

from __future__ import annotations

import asyncio

import pytest

from tiergate.front import ClientGoneError
from tiergate.front.body import Body


class Source:
    def __init__(self) -> None:
        self.wanted = 0

    def body_wanted(self) -> None:
        self.wanted += 1


def body() -> tuple[Body, Source]:
    source = Source()
    return Body(source), source


async def test_what_has_come_is_read_without_asking_for_it() -> None:
    made, source = body()
    made.put([b"a", b"b"])
    made.end([b"c"])
    assert await made.read() == b"abc"
    assert await made.read() == b""
    assert source.wanted == 0


async def test_reading_waits_for_the_end_and_asks_for_it() -> None:
    made, source = body()
    reading = asyncio.create_task(made.read())
    await asyncio.sleep(0)
    assert (source.wanted, made.wanted_whole) == (1, True)
    made.put([b"a"])
    await asyncio.sleep(0)
    assert not reading.done()
    made.end([b"b"])
    assert await reading == b"ab"


async def test_pieces_come_as_they_come() -> None:
    made, source = body()
    made.put([b"a", b"b"])
    assert made.unread == 2
    assert await anext(made) == b"ab"
    assert (made.unread, source.wanted, made.wanted_whole) == (0, 1, False)
    nextone = asyncio.create_task(anext(made))
    await asyncio.sleep(0)
    made.put([b"c"])
    assert await nextone == b"c"
    made.end([b"d"])
    assert [piece async for piece in made] == [b"d"]
    assert [piece async for piece in made] == []


async def test_a_body_without_bytes_has_no_pieces() -> None:
    made, _ = body()
    made.end([])
    assert [piece async for piece in made] == []
    assert await made.read() == b""


@pytest.mark.parametrize("early", [True, False])
async def test_a_body_that_breaks_off_is_an_error(early) -> None:
    made, _ = body()
    made.put([b"a"])
    if early:
        made.fail()
    reading = asyncio.create_task(made.read())
    await asyncio.sleep(0)
    made.fail()
    with pytest.raises(ClientGoneError):
        await reading


async def test_pieces_before_a_break_are_given_before_the_error() -> None:
    made, _ = body()
    made.put([b"a"])
    made.fail()
    assert await anext(made) == b"a"
    with pytest.raises(ClientGoneError):
        await anext(made)


async def test_a_complete_body_does_not_break() -> None:
    made, _ = body()
    made.end([b"a"])
    made.fail()
    assert await made.read() == b"a"


async def test_a_reader_that_gives_up_leaves_the_body_usable() -> None:
    made, _ = body()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await made.read()
    made.end([b"a"])
    assert await made.read() == b"a"


async def test_a_body_is_full_when_much_is_unread_and_not_all_is_wanted() -> None:
    made, _ = body()
    made.put([b"abc"])
    assert made.is_full(2)
    assert not made.is_full(3)
    reading = asyncio.create_task(made.read())
    await asyncio.sleep(0)
    assert not made.is_full(2)
    made.end([])
    assert await reading == b"abc"
