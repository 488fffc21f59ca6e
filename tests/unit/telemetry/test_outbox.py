"""An outbox batches, tries again, bounds what waits, counts what is lost, and holds up nobody."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Sequence

import pytest

from support.jumping import play
from tiergate.telemetry import outbox as module
from tiergate.telemetry.outbox import (
    FLUSH_SECONDS,
    INTERVAL,
    MOST_TOGETHER,
    MOST_TRIES,
    SEND_SECONDS,
    USUAL,
    NotTakenError,
    Outbox,
    Pace,
    Partly,
    Tally,
    in_slices,
)


class Sink:
    """Implements `outbox.Send` by a script of errors, seconds and results."""

    def __init__(self, *script: Exception | float | Partly | None) -> None:
        self.script = list(script)
        self.batches: list[list[str]] = []

    async def __call__(self, batch: Sequence[str]) -> Partly | None:
        self.batches.append(list(batch))
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            return None
        await asyncio.sleep(0)
        return step


class Box:
    """An outbox with its counts, in a loop whose time jumps."""

    def __init__(self, sink: Sink, pace: Pace = USUAL) -> None:
        self.failures: dict[str, int] = {}
        self.drops: dict[str, int] = {}
        clock = asyncio.get_running_loop().time
        tally = Tally("a-sink", self.failures, self.drops)
        self.outbox: Outbox[str] = Outbox(sink, tally, clock, pace)

    @property
    def failed(self) -> int:
        return self.failures["a-sink"]

    @property
    def lost(self) -> int:
        return self.drops["a-sink"]


def at(sink: Sink, work, pace: Pace = USUAL) -> Box:
    async def whole() -> Box:
        box = Box(sink, pace)
        await work(box)
        await box.outbox.aclose()
        return box

    return play(whole())


def test_things_are_sent_together_after_a_moment():
    sink = Sink()

    async def work(box: Box) -> None:
        box.outbox.put("a")
        box.outbox.put("b")
        assert sink.batches == [], "whoever tells does not wait"
        await asyncio.sleep(INTERVAL + 0.1)
        assert sink.batches == [["a", "b"]]

    box = at(sink, work)
    assert (box.failed, box.lost) == (0, 0), "both numbers are there from the start"


def test_a_full_batch_is_sent_at_the_next_moment_and_the_rest_behind_it():
    sink = Sink()

    async def work(box: Box) -> None:
        for _ in range(2 * MOST_TOGETHER + 1):
            box.outbox.put("x")
        await asyncio.sleep(INTERVAL + 0.1)
        assert [len(batch) for batch in sink.batches] == [MOST_TOGETHER, MOST_TOGETHER]
        await asyncio.sleep(INTERVAL)
        assert len(sink.batches[-1]) == 1

    at(sink, work)


def test_heavy_things_make_smaller_batches():
    sink = Sink()

    async def work(box: Box) -> None:
        for name in "abc":
            box.outbox.put(name, module.BATCH_WEIGHT)
        await asyncio.sleep(4 * INTERVAL)

    at(sink, work)
    assert sink.batches == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize(
    "step", [NotTakenError("status 500"), 2 * SEND_SECONDS], ids=["refused", "hanging"]
)
def test_what_a_sink_does_not_take_is_tried_again(step):
    sink = Sink(step)

    async def work(box: Box) -> None:
        box.outbox.put("a")
        await asyncio.sleep(SEND_SECONDS + 3 * INTERVAL)
        assert (box.failed, box.lost) == (1, 0)

    at(sink, work)
    assert sink.batches == [["a"], ["a"]]


@pytest.mark.parametrize(
    "step", [NotTakenError("status 400", again=False), ZeroDivisionError("a bug")]
)
def test_what_a_sink_will_never_take_is_lost_at_once(step):
    sink = Sink(step)

    async def work(box: Box) -> None:
        box.outbox.put("a")
        await asyncio.sleep(INTERVAL + 0.1)
        box.outbox.put("b")
        await asyncio.sleep(INTERVAL + 0.1)
        assert (box.failed, box.lost) == (1, 1)

    at(sink, work)
    assert sink.batches == [["a"], ["b"]]


def test_pauses_grow_and_a_batch_is_given_up_in_the_end():
    sink = Sink(*[NotTakenError("gone") for _ in range(MOST_TRIES)])
    times: list[float] = []

    async def work(box: Box) -> None:
        loop = asyncio.get_running_loop()

        async def send(batch: Sequence[str]) -> Partly | None:
            times.append(loop.time())
            return await sink(batch)

        box.outbox.send = send
        box.outbox.put("a")
        await asyncio.sleep(1000)
        assert (box.failed, box.lost) == (MOST_TRIES, 1)

    at(sink, work)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(INTERVAL)
    assert pauses[-1] == pytest.approx(60.0)


def test_a_full_outbox_loses_its_oldest(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    sink = Sink()

    async def work(box: Box) -> None:
        for name in "abcde":
            box.outbox.put(name)
        assert box.lost == 2
        await asyncio.sleep(INTERVAL + 0.1)

    at(sink, work)
    assert sink.batches == [["c", "d", "e"]]


def test_what_waits_is_bounded_in_bytes_too(monkeypatch):
    monkeypatch.setattr(module, "MOST_WEIGHT", 100)
    sink = Sink()

    async def work(box: Box) -> None:
        for name in "abc":
            box.outbox.put(name, 60)
        assert (box.lost, box.outbox.waiting) == (2, 1)
        box.outbox.put("huge", 1000)
        assert box.outbox.waiting == 1, "the newest stays, however large"

    at(sink, work)
    assert sink.batches == [["huge"]]


def test_a_batch_that_failed_in_part_is_not_sent_again():
    sink = Sink(Partly(2, "ValueError: no"))

    async def work(box: Box) -> None:
        for name in "abc":
            box.outbox.put(name)
        await asyncio.sleep(10 * INTERVAL)
        assert (box.failed, box.lost) == (2, 2)

    at(sink, work)
    assert len(sink.batches) == 1


def test_trouble_is_logged_once_a_minute(caplog, monkeypatch):
    monkeypatch.setattr(module.LOG.parent, "propagate", True)
    sink = Sink(*[NotTakenError("status 400", again=False) for _ in range(4)])

    async def work(box: Box) -> None:
        for _ in range(3):
            box.outbox.put("x")
            await asyncio.sleep(INTERVAL + 0.1)
        assert len(caplog.records) == 1
        await asyncio.sleep(60.0)
        box.outbox.put("x")
        await asyncio.sleep(INTERVAL + 0.1)

    at(sink, work)
    assert len(caplog.records) == 2
    assert (caplog.records[0].callback, caplog.records[0].why) == ("a-sink", "status 400")


def test_what_waits_is_sent_at_the_end():
    sink = Sink()

    async def work(box: Box) -> None:
        box.outbox.put("a")

    box = at(sink, work)
    assert sink.batches == [["a"]]
    assert box.lost == 0


def test_a_batch_under_way_at_the_end_is_sent_once_more():
    """Twice at the receiver is better than not at all: it knows calls by their id."""
    sink = Sink(5.0)

    async def work(box: Box) -> None:
        box.outbox.put("a")
        await asyncio.sleep(INTERVAL + 0.5)

    box = at(sink, work)
    assert sink.batches == [["a"], ["a"]]
    assert box.lost == 0


def test_a_sink_that_hangs_does_not_hold_up_the_end():
    sink = Sink(*[99.0] * 9)

    async def work(box: Box) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3 * MOST_TOGETHER):
            box.outbox.put("x")
        began = loop.time()
        await box.outbox.aclose()
        assert loop.time() - began <= FLUSH_SECONDS + 0.1
        assert box.lost == 3 * MOST_TOGETHER

    at(sink, work)


@pytest.mark.parametrize("under_way", [True, False])
def test_an_outbox_that_is_stopped_loses_what_waits(under_way):
    sink = Sink(5.0)

    async def work(box: Box) -> None:
        box.outbox.put("a")
        if under_way:
            await asyncio.sleep(INTERVAL + 0.5)
        box.outbox.stop()
        await asyncio.sleep(0.1)
        assert box.lost == 1

    at(sink, work)
    assert len(sink.batches) == int(under_way)


def test_requests_run_while_a_batch_is_written_down():
    """Each item takes a millisecond of the clock; another task gets its turn in between."""

    async def work() -> None:
        now = 0.0
        turns = 0

        def make(item: int) -> int:
            nonlocal now
            now += 0.001
            return item * 2

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.get_running_loop().create_task(other())
        made = await in_slices(range(10), make, lambda: now)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert made == [item * 2 for item in range(10)]
        assert turns >= 9

    play(work())


async def test_what_is_heavy_is_written_down_in_a_thread():
    def make(item: int) -> bool:
        return threading.current_thread() is threading.main_thread()

    made = await in_slices([1, 2], make, asyncio.get_running_loop().time, lambda item: item == 2)
    assert made == [True, False]
