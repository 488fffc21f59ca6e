"""Decides about the workers of one gateway: who is to start when, and who tells which figures.

Pure: processes, sockets and the clock are the supervisor's. Events come in by methods, which
return what is to be sent; time is an argument, in seconds of a monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tiergate.wiring.frames import Frame, Kind, Standing, Told, numbered, pack_family

STEADY_SECONDS = 10.0
"""A worker that lived so long was no failed start: the next one is started at once."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
ANSWER_SECONDS = 0.25
"""How long a scrape waits for the other workers."""

Parcel = tuple[int, Frame]
"""A frame and the place of the worker that gets it."""


def pause(early_ends: int) -> float:
    """Return how long to wait before a worker is started again.

    Args:
        early_ends: How many workers of this place in a row have ended early. The first one is
            replaced at once: it may have been killed. After that the pause doubles.
    """
    if early_ends <= 1:
        return 0.0
    return min(FIRST_PAUSE * 2.0 ** min(early_ends - 2, 30), LONGEST_PAUSE)


@dataclass(slots=True)
class Place:
    """One worker's place, which outlives the worker.

    Attributes:
        due: When a worker is to be started; None while there is one; infinite before the first
            worker of all serves.
        begun: When the present worker was started.
        serving: Whether it accepts connections.
        early_ends: See `pause`.
        figures: What it, or the one before it, told last.
    """

    due: float | None = 0.0
    begun: float = 0.0
    serving: bool = False
    early_ends: int = 0
    figures: bytes = b""


@dataclass(slots=True)
class _Gathering:
    """A scrape under way."""

    asker: int
    ask: int
    until: float
    waiting: set[int] = field(default_factory=set[int])
    silent: set[int] = field(default_factory=set[int])


class Fleet:
    """The places of all workers.

    Args:
        size: How many workers there are.
    """

    def __init__(self, size: int) -> None:
        # What one finds wrong all would find, and say: the others wait for the first.
        self.places = tuple(Place(due=0.0 if i == 0 else math.inf) for i in range(size))
        self.complete = False
        """Whether all have served at the same time: the start is over."""
        self._gatherings: dict[int, _Gathering] = {}
        self._number = 0

    @property
    def serving(self) -> int:
        """How many accept connections."""
        return sum(place.serving for place in self.places)

    # ------------------------------------------------------------------ life

    def due(self, now: float) -> list[int]:
        """Return the places where a worker is to be started now."""
        return [i for i, p in enumerate(self.places) if p.due is not None and p.due <= now]

    def started(self, index: int, now: float) -> list[Parcel]:
        """A worker was started; it inherits the figures of the one before it."""
        place = self.places[index]
        place.due, place.begun, place.serving = None, now, False
        return [(index, Frame(Kind.INHERIT, place.figures))] if place.figures else []

    def ready(self, index: int, now: float) -> list[Parcel]:
        """A worker accepts connections; all are told how many do."""
        self.places[index].serving = True
        for place in self.places:
            place.due = now if place.due == math.inf else place.due
        self.complete = self.complete or self.serving == len(self.places)
        return self._tell_number()

    def ended(self, index: int, now: float) -> list[Parcel]:
        """A worker's process has ended."""
        place = self.places[index]
        steady = place.serving and now - place.begun >= STEADY_SECONDS
        place.early_ends = 0 if steady else place.early_ends + 1
        # One that never served has failed by itself; what was killed while serving may go on.
        least = 0.0 if place.serving else FIRST_PAUSE
        place.due = now + max(least, pause(place.early_ends))
        place.serving = False
        return [*self._tell_number(), *self._left(index)]

    def _tell_number(self) -> list[Parcel]:
        frame = Frame(Kind.ALIVE, numbered(self.serving))
        return [(i, frame) for i, place in enumerate(self.places) if place.due is None]

    # ------------------------------------------------------------------ figures

    def reported(self, index: int, number: int, figures: bytes) -> list[Parcel]:
        """A worker told its figures, asked or unasked."""
        self.places[index].figures = figures
        gathering = self._gatherings.get(number)
        if gathering is None:
            return []
        gathering.waiting.discard(index)
        return [] if gathering.waiting else [self._close(number, gathering)]

    def asked(
        self, index: int, ask: int, figures: bytes, now: float, reachable: frozenset[int]
    ) -> list[Parcel]:
        """A worker is scraped and asks for the figures of the others.

        Args:
            index: Who asks.
            ask: Its number for it.
            figures: Its own, which are kept: what a page has shown is never taken back.
            now: The instant.
            reachable: The workers that take frames; the others are not waited for.
        """
        self.places[index].figures = figures
        self._number = self._number % 0xFFFFFFFF + 1
        gathering = _Gathering(index, ask, now + ANSWER_SECONDS)
        others = {i for i, p in enumerate(self.places) if p.serving and i != index}
        gathering.waiting = others & reachable
        gathering.silent = others - reachable
        if not gathering.waiting:
            return [self._close(self._number, gathering)]
        self._gatherings[self._number] = gathering
        count = Frame(Kind.COUNT, numbered(self._number))
        return [(i, count) for i in sorted(gathering.waiting)]

    def overdue(self, now: float) -> list[Parcel]:
        """Answer the scrapes that have waited long enough."""
        over = [(n, g) for n, g in self._gatherings.items() if g.until <= now]
        return [self._close(number, gathering) for number, gathering in over]

    def next_instant(self) -> float | None:
        """Return when `due` or `overdue` have something to say."""
        instants = [place.due for place in self.places if place.due is not None]
        instants += [gathering.until for gathering in self._gatherings.values()]
        return min(instants, default=None)

    def _left(self, index: int) -> list[Parcel]:
        """Wait no more for a worker that has ended, nor gather for it."""
        parcels: list[Parcel] = []
        for number, gathering in list(self._gatherings.items()):
            gathering.waiting.discard(index)
            if gathering.asker == index:
                del self._gatherings[number]
            elif not gathering.waiting:
                parcels.append(self._close(number, gathering))
        return parcels

    def _close(self, number: int, gathering: _Gathering) -> Parcel:
        self._gatherings.pop(number, None)
        family = [
            Told(self._standing(i, gathering), place.figures)
            for i, place in enumerate(self.places)
            if i != gathering.asker
        ]
        return (
            gathering.asker,
            Frame(Kind.FAMILY, numbered(gathering.ask, pack_family(family))),
        )

    def _standing(self, index: int, gathering: _Gathering) -> Standing:
        place = self.places[index]
        if not place.serving:
            return Standing.ENDED
        unheard = index in gathering.waiting or index in gathering.silent
        return Standing.SILENT if unheard else Standing.ANSWERED
