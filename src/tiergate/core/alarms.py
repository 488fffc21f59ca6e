"""Decides which troubles are worth a message: each is told once when it begins and once when over.

A trouble is a subject of a kind: a deployment that cools, a provider of which nothing answers. It
is over when the subject has been well for `CALM` seconds. What happens again in between is the
same trouble. Events that have no end (a slow call) are told once in `AGAIN` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tiergate.base.jsontypes import Json

CALM: Final = 60.0
"""Seconds for which a subject must be well before its trouble is over."""

AGAIN: Final = 3600.0
"""Seconds after which an event of the same subject is told again."""

MOST_SUBJECTS: Final = 1000
"""Subjects that are remembered; beyond that the oldest event is forgotten."""


class AlarmKind(Enum):
    """A kind of trouble; the values are LiteLLM's words where it has one."""

    BUDGET = "budget_alerts"
    OUTAGE = "outage_alerts"
    COOLDOWN = "cooldown_deployment"
    FALLBACK = "fallback_reports"
    SLOW = "llm_too_slow"
    DRIFT = "prefix_drift"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alarm is about: `OUTAGE`, `provider anthropic`."""

    kind: AlarmKind
    name: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """One message.

    Attributes:
        subject: What it is about.
        over: The trouble has ended.
        text: A sentence for people.
        facts: Names and values beside it.
    """

    subject: Subject
    text: str
    over: bool = False
    facts: tuple[tuple[str, Json], ...] = ()


@dataclass(slots=True)
class _Trouble:
    """A trouble that was told.

    Attributes:
        since: When it began.
        well: Since when its subject has been well; None while it is not.
    """

    since: float
    well: float | None = None


@dataclass(slots=True)
class Board:
    """What is in trouble now. All instants are seconds on one clock."""

    _troubles: dict[Subject, _Trouble] = field(default_factory=dict[Subject, _Trouble])
    _events: dict[Subject, tuple[float, int]] = field(
        default_factory=dict[Subject, tuple[float, int]]
    )

    @property
    def quiet(self) -> bool:
        """Whether nothing is in trouble."""
        return not self._troubles

    def raised(self, subject: Subject, now: float) -> bool:
        """Note that a subject is in trouble; returns whether that is news."""
        known = self._troubles.get(subject)
        if known is not None:
            known.well = None
            return False
        self._troubles[subject] = _Trouble(now)
        return True

    def troubled(self, subject: Subject) -> bool:
        """Tell whether a subject is in trouble."""
        return subject in self._troubles

    def well(self, subject: Subject, now: float) -> None:
        """Note that a subject is well."""
        known = self._troubles.get(subject)
        if known is not None and known.well is None:
            known.well = now

    def over(self, now: float) -> list[tuple[Subject, float]]:
        """Take off what has been well long enough; returns it with the seconds that it lasted."""
        found = [
            (subject, trouble.well - trouble.since)
            for subject, trouble in self._troubles.items()
            if trouble.well is not None and now - trouble.well >= CALM
        ]
        for subject, _ in found:
            del self._troubles[subject]
        return found

    def forget(self, kind: AlarmKind, names: frozenset[str]) -> list[Subject]:
        """Take off the troubles of a kind whose subjects are not among these names."""
        gone = [
            subject
            for subject in self._troubles
            if subject.kind is kind and subject.name not in names
        ]
        for subject in gone:
            del self._troubles[subject]
        return gone

    def happened(self, subject: Subject, now: float) -> int | None:
        """Note an event.

        Returns:
            None if it need not be told; else how many were not told since the last one.
        """
        at, untold = self._events.pop(subject, (float("-inf"), 0))
        if now - at < AGAIN:
            self._events[subject] = (at, untold + 1)
            return None
        while len(self._events) >= MOST_SUBJECTS:
            del self._events[next(iter(self._events))]
        self._events[subject] = (now, 0)
        return untold
