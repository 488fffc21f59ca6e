"""What one worker sees at this instant: calls under way, how deployments stand. Values only.

Times are Unix seconds, so that the values of several workers can be compared and do not change
while nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_UNDER_WAY = 50
"""Calls that a worker tells of; of more it tells the number."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A call that has begun and not ended.

    Attributes:
        call_id: The id in the `x-litellm-call-id` header.
        wall: When it came.
        asked: The alias asked.
        operation: `chat`, `completion`, `embedding`.
        stream: Whether a stream was asked for.
        key_name: Who asks: the key's alias or masked form; `master` or `local` without one.
        ticket: What it is for.
        phase: What it is for.
    """

    call_id: str
    wall: float
    asked: str
    operation: str
    stream: bool
    key_name: str
    ticket: str
    phase: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How a deployment stands in the eyes of one worker.

    Attributes:
        deployment: Its id.
        state: `ready`, `cooling`, `probe allowed`, `probing`, or `off`.
        until: When the cooldown ends; 0 without one.
        cause: The class of failure that began it; or empty.
        fails: Counted failures of the last minute.
        in_flight: Calls that are at it now.
    """

    deployment: str
    state: str
    until: float = 0.0
    cause: str = ""
    fails: int = 0
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a worker sees.

    Attributes:
        worker: The process's id.
        under_way: The calls that have begun first, `MOST_UNDER_WAY` at most.
        calls: How many calls are under way.
        deployments: Each deployment of its configuration.
    """

    worker: int
    under_way: tuple[UnderWay, ...] = ()
    calls: int = 0
    deployments: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a deployment stands in the eyes of all workers.

    Attributes:
        state: The state that keeps most calls away.
        until: The latest end of a cooldown; 0 without one.
        cause: Of that cooldown.
        fails: The most that a worker knows of; what others count it learns within a second.
        in_flight: Calls at it now, from all workers.
        away: Workers that do not send calls there now.
        workers: Workers that told of it.
    """

    state: str = "ready"
    until: float = 0.0
    cause: str = ""
    fails: int = 0
    in_flight: int = 0
    away: int = 0
    workers: int = 0


_RANK = ("ready", "probe allowed", "probing", "cooling", "off")


def standings(sightings: Iterable[Sighting]) -> dict[str, Standing]:
    """Return how each deployment stands in the eyes of all workers, by id."""
    found: dict[str, Standing] = {}
    for sighting in sightings:
        for seen in sighting.deployments:
            found[seen.deployment] = _joined(found.get(seen.deployment, Standing()), seen)
    return found


def under_way(sightings: Iterable[Sighting]) -> tuple[list[UnderWay], int]:
    """Return the calls under way in all workers, the oldest first, and how many there are."""
    told = list(sightings)
    calls = sorted((call for each in told for call in each.under_way), key=lambda call: call.wall)
    return calls, sum(each.calls for each in told)


def _joined(known: Standing, seen: Seen) -> Standing:
    worse = _rank(seen.state) > _rank(known.state)
    later = seen.until > known.until
    return Standing(
        state=seen.state if worse else known.state,
        until=seen.until if later else known.until,
        cause=seen.cause if later else known.cause,
        fails=max(known.fails, seen.fails),
        in_flight=known.in_flight + seen.in_flight,
        away=known.away + (seen.state != "ready"),
        workers=known.workers + 1,
    )


def _rank(state: str) -> int:
    return _RANK.index(state) if state in _RANK else 0
