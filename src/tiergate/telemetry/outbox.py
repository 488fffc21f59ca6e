"""Hands what sinks are told to whoever sends it: in batches, off the request path, bounded.

An outbox never slows a request: putting something in is two additions. What a sink does not take
is tried again with longer and longer pauses; what does not fit meanwhile is lost, the oldest
first, and counted. What is sent, and how, is not decided here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tiergate.ports import Clock

LOG = logging.getLogger("tiergate.callbacks")

Item = TypeVar("Item")

MOST_WAITING = 10_000
"""Things that wait for one sink."""
MOST_WEIGHT = 32 * 1024 * 1024
"""Bytes that they may hold in memory."""
MOST_TOGETHER = 512
"""Things in one batch."""
BATCH_WEIGHT = 4 * 1024 * 1024
"""Bytes in one batch, about."""
INTERVAL = 1.0
"""Seconds between two batches while there is something to send."""
SEND_SECONDS = 10.0
"""How long one batch may take."""
FLUSH_SECONDS = 3.0
"""How long the last ones may take when the gateway stops; orchestrators kill after ten."""
COMPLAIN_SECONDS = 60.0
"""Trouble with a sink is logged once in this time."""
MOST_TRIES = 8
"""How often one batch is tried."""
LONGEST_PAUSE = 60.0
"""The longest pause between two tries, in seconds."""


class NotTakenError(Exception):
    """A sink has not taken a batch; `str()` says why, without addresses and words of calls.

    Attributes:
        again: Whether it may take it later.
    """

    def __init__(self, why: str, *, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


class Tally:
    """Counts what became of the things of one sink, under its name among those of others.

    Args:
        name: Of the sink.
        failures: Batches (or single calls of a class) that failed, each try counted.
        drops: Things that a sink never got.
    """

    def __init__(self, name: str, failures: dict[str, int], drops: dict[str, int]) -> None:
        self.name = name
        self._failures = failures
        self._drops = drops
        failures.setdefault(name, 0)  # a number that is 0 is shown too: alerts compare with it
        drops.setdefault(name, 0)

    @property
    def failures(self) -> int:
        """Failures so far."""
        return self._failures.get(self.name, 0)

    @property
    def lost(self) -> int:
        """Things lost so far."""
        return self._drops.get(self.name, 0)

    def failed(self, number: int = 1) -> None:
        """Count failures."""
        self._failures[self.name] = self.failures + number

    def lose(self, number: int = 1) -> None:
        """Count things that are lost."""
        self._drops[self.name] = self.lost + number


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How an outbox sends.

    Attributes:
        interval: Seconds between two batches.
        seconds: How long one batch may take.
        together: Things in one batch.
        tries: How often a batch is tried.
    """

    interval: float = INTERVAL
    seconds: float = SEND_SECONDS
    together: int = MOST_TOGETHER
    tries: int = MOST_TRIES


USUAL = Pace()


@dataclass(frozen=True, slots=True)
class Partly:
    """A batch that was taken in part: how many things failed for good, and why."""

    failed: int
    why: str


Send = Callable[[Sequence[Item]], Awaitable[Partly | None]]
"""Sends a batch; returns None if all was taken. Raises `NotTakenError` if nothing was."""


class Outbox(Generic[Item]):
    """What waits for one sink, and the task that sends it.

    Args:
        send: Sends a batch; it may be replaced at any time.
        tally: Counts what fails; it has the name of the sink.
        clock: Monotonic seconds, the event loop's own.
        pace: How it sends.
    """

    def __init__(
        self,
        send: Send[Item],
        tally: Tally,
        clock: Clock,
        pace: Pace = USUAL,
    ) -> None:
        self.send = send
        self._tally = tally
        self._clock = clock
        self._pace = pace
        self._waiting: deque[tuple[Item, int]] = deque()
        self._weight = 0
        self._tries = 0
        self._stopped = False
        self._task: asyncio.Task[None] | None = None
        self._complained = float("-inf")

    @property
    def waiting(self) -> int:
        """Things that wait."""
        return len(self._waiting)

    def put(self, item: Item, weight: int = 0) -> None:
        """Take something; the oldest goes when there is no room.

        Args:
            item: What the sink is told.
            weight: Bytes that it holds in memory.
        """
        self._waiting.append((item, weight))
        self._weight += weight
        while len(self._waiting) > MOST_WAITING or (
            self._weight > MOST_WEIGHT and len(self._waiting) > 1
        ):
            self._weight -= self._waiting.popleft()[1]
            self._tally.lose()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Stop sending; what waits is lost."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
        self._tally.lose(len(self._waiting))
        self._waiting.clear()
        self._weight = 0

    async def aclose(self) -> None:
        """Send what waits, as far as `FLUSH_SECONDS` go, then stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        end = self._clock() + FLUSH_SECONDS
        while self._waiting and (left := end - self._clock()) > 0:
            if not await self._batch(min(left, self._pace.seconds)):
                break
        self.stop()

    async def _run(self) -> None:
        """Send until nothing waits."""
        while self._waiting:
            await asyncio.sleep(self._pause())
            while await self._batch() and len(self._waiting) >= self._pace.together:
                pass

    def _pause(self) -> float:
        """Return the seconds until the next batch: longer after each try in vain."""
        if not self._tries:
            return self._pace.interval
        return min(LONGEST_PAUSE, self._pace.interval * 2 ** (self._tries - 1))

    async def _batch(self, seconds: float | None = None) -> bool:
        """Send one batch; returns whether the sink took it."""
        batch = self._take()
        items = [item for item, _ in batch]
        try:
            async with asyncio.timeout(self._pace.seconds if seconds is None else seconds):
                partly = await self.send(items)
        except asyncio.CancelledError:
            # The gateway stops, or the sink is gone: whether it arrived is not known. At the end
            # it is sent once more; the receiver knows calls by their id.
            if self._stopped:
                self._tally.lose(len(items))
            else:
                self._back(batch)
            raise
        except TimeoutError:
            return self._missed(batch, "no answer in time", again=True)
        except NotTakenError as exc:
            return self._missed(batch, str(exc), again=exc.again)
        except Exception as exc:  # noqa: BLE001 - a fault of a sink must not end its outbox
            return self._missed(batch, f"{type(exc).__name__}: {exc}", again=False)
        self._tries = 0
        if partly is not None:
            self._tally.failed(partly.failed)
            self._tally.lose(partly.failed)
            self._complain(partly.why)
        return True

    def _take(self) -> list[tuple[Item, int]]:
        """Return the next batch."""
        batch: list[tuple[Item, int]] = []
        weight = 0
        while self._waiting and len(batch) < self._pace.together and weight < BATCH_WEIGHT:
            found = self._waiting.popleft()
            weight += found[1]
            batch.append(found)
        self._weight -= weight
        return batch

    def _back(self, batch: list[tuple[Item, int]]) -> None:
        """Put a batch back to the front."""
        self._waiting.extendleft(reversed(batch))
        self._weight += sum(weight for _, weight in batch)

    def _missed(self, batch: list[tuple[Item, int]], why: str, *, again: bool) -> bool:
        """Note that a batch was not taken; it is tried again, or lost."""
        self._tally.failed()
        self._tries += 1
        if again and self._tries < self._pace.tries and not self._stopped:
            self._back(batch)
        else:
            self._tries = 0
            self._tally.lose(len(batch))
        self._complain(why)
        return False

    def _complain(self, why: str) -> None:
        """Log that something is wrong with the sink; at most once in `COMPLAIN_SECONDS`."""
        now = self._clock()
        if now - self._complained < COMPLAIN_SECONDS:
            return
        self._complained = now
        LOG.warning(
            "a callback does not take what it is told; calls go on",
            extra={
                "callback": self._tally.name,
                "why": why[:300],
                "failures": self._tally.failures,
                "lost": self._tally.lost,
                "waiting": len(self._waiting),
            },
        )


SLICE_SECONDS = 0.001
"""How long writing a batch down may keep the event loop from requests, in one go."""

Made = TypeVar("Made")


async def in_slices(
    items: Sequence[Item],
    make: Callable[[Item], Made],
    clock: Clock,
    heavy: Callable[[Item], bool] = lambda _: False,
) -> list[Made]:
    """Make something of each item, and let requests run in between.

    Args:
        items: A batch.
        make: Makes one thing of an item.
        clock: Monotonic seconds.
        heavy: Tells whether that takes long; then a thread does it.
    """
    made: list[Made] = []
    end = clock() + SLICE_SECONDS
    for item in items:
        if heavy(item):
            made.append(await asyncio.to_thread(make, item))
            continue
        made.append(make(item))
        if clock() >= end:
            await asyncio.sleep(0)
            end = clock() + SLICE_SECONDS
    return made
