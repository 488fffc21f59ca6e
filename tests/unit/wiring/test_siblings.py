"""A worker and its supervisor: what is asked, answered, adopted, and what happens at the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.attempts import deployments, settings
from tiergate.telemetry.counts import Counts
from tiergate.telemetry.reports import Report, pack_report, unpack_report
from tiergate.wiring import siblings as module
from tiergate.wiring.frames import (
    Frame,
    Frames,
    Kind,
    Standing,
    Told,
    numbered,
    pack_family,
    split_number,
)
from tiergate.wiring.handover import pack_settings
from tiergate.wiring.siblings import Gatewayside, Siblings, SupervisorGoneError

OLD = settings(deployments(cheap="a"))
NEW = settings(deployments(cheap="b"))


def flying(number: int) -> Report:
    return Report(Counts(in_flight=number))


class House:
    """Stands where a gateway would."""

    def __init__(self) -> None:
        self.flying = 1
        self.inherited: list[Report] = []
        self.adopted: list[object] = []
        self.found: object = None
        self.picky = False
        self.stopped = asyncio.Event()

    def adopt(self, new) -> None:
        if self.picky:
            raise ValueError("no such place")
        self.adopted.append(new)

    def side(self) -> Gatewayside:
        return Gatewayside(
            report=lambda: flying(self.flying),
            inherit=self.inherited.append,
            adopt=self.adopt,
            read=lambda: self.found,
            stop=self.stopped.set,
        )


class Desk:
    """The supervisor's end."""

    def __init__(self, reader, writer) -> None:
        self.reader, self.writer = reader, writer
        self._frames = Frames()
        self._read: list[Frame] = []

    def say(self, *frames: Frame) -> None:
        self.writer.write(b"".join(frame.encode() for frame in frames))

    async def hear(self, kind: Kind) -> bytes:
        """The body of the next frame of a kind; others are passed over."""
        async with asyncio.timeout(5):
            while True:
                while self._read:
                    frame = self._read.pop(0)
                    if frame.kind is kind:
                        return frame.body
                self._read += self._frames.feed(await self.reader.read(1 << 20))


@pytest_asyncio.fixture
async def talk() -> AsyncIterator[tuple[Siblings, Desk]]:
    ours, theirs = socket.socketpair()
    siblings = await Siblings.join(theirs, 3, (), "127.0.0.1")
    desk = Desk(*await asyncio.open_unix_connection(sock=ours))
    yield siblings, desk
    await siblings.aclose()
    desk.writer.close()
    await asyncio.sleep(0)


async def test_settings_come_first_and_what_came_before_is_not_lost(talk):
    siblings, desk = talk
    house = House()
    desk.say(
        Frame(Kind.INHERIT, pack_report(flying(7))),
        Frame(Kind.SETTINGS, pack_settings(OLD)),
        Frame(Kind.ALIVE, numbered(2)),
    )
    assert await siblings.settings() == OLD
    siblings.attend(house.side())
    assert house.inherited == [flying(7)]
    desk.say(Frame(Kind.COUNT, numbered(1)))
    await desk.hear(Kind.REPORT)
    assert siblings.alive == 2


async def test_a_supervisor_that_ends_before_is_told(talk):
    siblings, desk = talk
    desk.writer.close()
    with pytest.raises(SupervisorGoneError):
        await siblings.settings()


async def test_a_worker_reports_when_asked_and_before_it_is_ready(talk):
    siblings, desk = talk
    house = House()
    siblings.attend(house.side())
    siblings.ready("a file")
    number, figures = split_number(await desk.hear(Kind.REPORT))
    assert (number, unpack_report(figures)) == (0, flying(1))
    assert await desk.hear(Kind.READY) == b"a file"
    house.flying = 5
    desk.say(Frame(Kind.COUNT, numbered(9)))
    number, figures = split_number(await desk.hear(Kind.REPORT))
    assert (number, unpack_report(figures)) == (9, flying(5))


async def test_the_supervisor_learns_how_long_a_worker_may_take_leave(talk):
    siblings, desk = talk
    siblings.tell_leave(37.5)
    assert split_number(await desk.hear(Kind.LEAVE)) == (37_500, b"")
    siblings.tell_leave(1e12)
    assert split_number(await desk.hear(Kind.LEAVE)) == (0xFFFFFFFF, b"")


async def test_figures_are_told_unasked_when_they_change(talk, monkeypatch):
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.01)
    siblings, desk = talk
    house = House()
    siblings.attend(house.side())
    await desk.hear(Kind.REPORT)
    house.flying = 2
    assert unpack_report(split_number(await desk.hear(Kind.REPORT))[1]) == flying(2)


async def test_a_scrape_gets_the_others_by_their_standing(talk):
    siblings, desk = talk
    siblings.attend(House().side())
    asking = asyncio.ensure_future(siblings.others(flying(1)))
    number, own = split_number(await desk.hear(Kind.ASK))
    assert unpack_report(own) == flying(1)
    family = [
        Told(Standing.SILENT, pack_report(flying(2))),
        Told(Standing.ENDED, pack_report(flying(3))),
    ]
    desk.say(Frame(Kind.FAMILY, numbered(number, pack_family(family))))
    others = await asking
    assert others is not None
    # What was under way in a worker that has ended is under way no more.
    assert others.reports == (flying(2), flying(0))
    assert dict(others.states()) == {"serving": 1, "silent": 1, "ended": 1}


async def test_figures_that_cannot_be_read_count_as_silence(talk):
    siblings, desk = talk
    siblings.attend(House().side())
    asking = asyncio.ensure_future(siblings.others(flying(1)))
    number, _ = split_number(await desk.hear(Kind.ASK))
    family = [Told(Standing.ANSWERED, b"\xc1"), Told(Standing.ENDED, b"")]
    desk.say(Frame(Kind.FAMILY, numbered(number, pack_family(family))))
    others = await asking
    assert others is not None
    assert (others.reports, others.silent, others.ended) == ((), 1, 1)


async def test_a_supervisor_that_does_not_answer_leaves_this_worker_alone_on_the_page(
    talk, monkeypatch
):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.02)
    siblings, _ = talk
    siblings.attend(House().side())
    others = await siblings.others(flying(1))
    assert others is not None
    assert (others.reports, others.silent) == ((), 2)


async def test_new_settings_are_adopted_and_the_same_ones_only_once(talk):
    siblings, desk = talk
    house = House()
    siblings.attend(house.side())
    frame = Frame(Kind.SETTINGS, pack_settings(NEW))
    desk.say(frame, frame, Frame(Kind.COUNT, numbered(1)))
    await desk.hear(Kind.REPORT)
    assert house.adopted == [NEW]


async def test_the_one_that_reads_the_files_adopts_what_it_found_and_sends_it_on(talk):
    siblings, desk = talk
    house = House()
    house.found = NEW
    siblings.attend(house.side())
    desk.say(Frame(Kind.READ))
    body = await desk.hear(Kind.SETTINGS)
    assert body == pack_settings(NEW)
    desk.say(Frame(Kind.SETTINGS, body), Frame(Kind.COUNT, numbered(1)))
    await desk.hear(Kind.REPORT)
    assert house.adopted == [NEW]


@pytest.mark.parametrize("found", [None, NEW])
async def test_files_that_cannot_be_served_are_refused_for_all(talk, found):
    siblings, desk = talk
    house = House()
    house.found, house.picky = found, True
    siblings.attend(house.side())
    desk.say(Frame(Kind.READ))
    assert await desk.hear(Kind.REFUSED) == b""
    assert house.adopted == []


async def test_settings_of_another_version_change_nothing(talk):
    siblings, desk = talk
    house = House()
    siblings.attend(house.side())
    desk.say(Frame(Kind.SETTINGS, b"0.0.0\0"), Frame(Kind.COUNT, numbered(1)))
    await desk.hear(Kind.REPORT)
    assert house.adopted == []


async def test_without_a_supervisor_it_stops(talk):
    siblings, desk = talk
    house = House()
    siblings.attend(house.side())
    desk.writer.close()
    await asyncio.wait_for(house.stopped.wait(), 5)


async def test_the_last_figures_are_told_at_the_end(talk):
    siblings, desk = talk
    house = House()
    siblings.attend(house.side())
    house.flying = 0
    await siblings.aclose()
    assert unpack_report(split_number(await desk.hear(Kind.REPORT))[1]) == flying(0)
