"""Cooldown marks that workers and replicas share; it calls nobody.

Each worker keeps marks of its own (`cooldown.Book`), decides by them at once, and remembers what
it has done to them as *steps*. `play` makes the same steps on the shared record; `taken` gives the
record back as marks of a worker, which then makes the steps on it that it has taken meanwhile. So
there is one arithmetic, that of `cooldown`, and the order of the record is the order for all.

The record's instants are Unix seconds, those of a worker's marks are of its own monotonic clock.
They are translated when a record is taken, so a wall clock that jumps later changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tiergate.base.values import DeploymentId
from tiergate.core.cooldown import (
    FAILURE_WINDOW,
    LONGEST_LEASE,
    Mark,
    State,
    state,
)

LONGEST_AHEAD = 604_800.0
"""Seconds, a week: no cooldown is believed to end later; a machine's clock may be wrong."""

FORGOTTEN_AFTER = 86_400.0
"""Seconds after the end of a cooldown after which a deployment that nobody asks is forgotten."""


@dataclass(frozen=True, slots=True)
class Record:
    """What all workers know.

    Attributes:
        number: How often it has changed.
        marks: By deployment; none is a clean record. Instants are Unix seconds.
    """

    number: int = 0
    marks: Mapping[DeploymentId, Mark] = field(default_factory=dict[DeploymentId, Mark])


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What a worker does to one mark: a failure, a success, a probe.

    Attributes:
        deployment: Whose mark.
        now: When, on the worker's own clock.
        wall: When, in Unix seconds.
        change: Returns the mark after it, of the mark before and the instant.
        fails: Whether it is a failure, which counts once however often it is told.
        probes: Whether it asks to be the probe.
    """

    deployment: DeploymentId
    now: float
    wall: float
    change: Callable[[Mark | None, float], Mark | None]
    fails: bool = False
    probes: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """What steps have led to.

    Attributes:
        record: The record after them; the very one before them if they changed nothing.
        began: For how many seconds each step has set its deployment aside, or longer than it was;
            0 for a step that has not.
        admitted: For each step that asks to be the probe whether it may call; True for others.
    """

    record: Record
    began: tuple[float, ...]
    admitted: tuple[bool, ...]


def play(record: Record, steps: Iterable[Step], wall: float) -> Played:
    """Make steps on the shared record.

    A failure that stands in the record already is not counted again: a store that breaks off may
    have written it.

    Args:
        record: As it is.
        steps: In their order.
        wall: The present instant, Unix seconds; what is long over at it is left out.
    """
    marks = dict(record.marks)
    began: list[float] = []
    admitted: list[bool] = []
    for step in steps:
        before = marks.get(step.deployment)
        admitted.append(
            not step.probes or state(before, step.wall) in (State.READY, State.PROBE_ALLOWED)
        )
        after = before if _is_counted(before, step) else step.change(before, step.wall)
        began.append(lengthened(before, after, step.wall))
        if after is None:
            marks.pop(step.deployment, None)
        else:
            marks[step.deployment] = after
    marks = {name: mark for name, mark in marks.items() if not _is_forgotten(mark, wall)}
    if marks != record.marks:
        record = Record(record.number + 1, marks)
    return Played(record, tuple(began), tuple(admitted))


def taken(record: Record, now: float, wall: float) -> dict[DeploymentId, Mark]:
    """Return the marks of a record with the instants of a worker's clock.

    Nothing of it is later than it can be, whatever the clocks of other machines say.

    Args:
        record: The record.
        now: The present instant on the worker's clock.
        wall: The same instant in Unix seconds.
    """
    shift = now - wall
    return {name: _moved(mark, shift, now) for name, mark in record.marks.items()}


def lengthened(before: Mark | None, after: Mark | None, now: float) -> float:
    """Return the seconds of a cooldown that has begun, or now ends later; 0 if none has."""
    if after is None or after.until <= now:
        return 0.0
    known = before.until if before is not None else 0.0
    return after.until - now if after.until > known else 0.0


def _is_counted(mark: Mark | None, step: Step) -> bool:
    return step.fails and mark is not None and any(at == step.wall for at, _ in mark.fails)


def _moved(mark: Mark, shift: float, now: float) -> Mark:
    def at(instant: float, most: float) -> float:
        return min(instant + shift, now + most) if instant else 0.0

    return replace(
        mark,
        fails=tuple((at(instant, 0.0), kind) for instant, kind in mark.fails),
        until=at(mark.until, LONGEST_AHEAD),
        probe_until=at(mark.probe_until, LONGEST_LEASE),
    )


def _is_forgotten(mark: Mark, wall: float) -> bool:
    if any(at > wall - FAILURE_WINDOW for at, _ in mark.fails):
        return False
    return max(mark.until, mark.probe_until) <= wall - (FORGOTTEN_AFTER if mark.until else 0.0)
