"""Judges personal data that was found: which of it counts, and what is to be done about it.

Where it is found is the business of three finders: patterns of our own (`pii_patterns`), Presidio
in this process (`presidio_local`), and Presidio's analyzer as a service (`presidio_service`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tiergate.core.guard_options import Direction, PiiOptions, Reaction
from tiergate.core.guard_plan import Stage
from tiergate.ports.guarding import CLEAN, Found, Occasion, Passage, Place, Verdict

ALL: Final = "ALL"
"""Names every entity in `presidio_score_thresholds`."""


@dataclass(frozen=True, slots=True)
class Entity:
    """Personal data in a text.

    Attributes:
        passage: Index of the text.
        start: Where it begins, in characters.
        end: Where it ends.
        kind: What it is, in Presidio's words: `EMAIL_ADDRESS`.
        score: How sure the finder is, from 0 to 1.
    """

    passage: int
    start: int
    end: int
    kind: str
    score: float


class Finder(Protocol):
    """Finds personal data."""

    @property
    def window(self) -> int | None:
        """The most characters that decide about one finding; None for whole texts only."""
        ...

    async def find(self, texts: Sequence[str]) -> list[Entity]:
        """Return what is in some texts.

        Raises:
            GuardError: It could not tell.
        """
        ...


class PiiGuard:
    """Implements `ports.guarding.Guard` for personal data.

    Args:
        options: What counts, and what is to be done.
        finder: Finds it.
    """

    def __init__(self, options: PiiOptions, finder: Finder) -> None:
        self._options = options
        self._finder = finder

    @property
    def window(self) -> int | None:
        """The most characters that decide about one finding."""
        return self._finder.window

    @property
    def restores(self) -> bool:
        """Whether masked values of the request are put back into the answer."""
        return self._options.restores

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Return the personal data in some passages.

        Raises:
            GuardError: It is not known whether there is any.
        """
        if not self._looks_at(occasion.stage):
            return CLEAN
        skip = self._options.skip_system
        texts = [
            "" if skip and passage.place is Place.SYSTEM else passage.text for passage in passages
        ]
        entities = await self._finder.find(texts)
        found = tuple(self._judged(widest(entities), texts))
        return Verdict(found) if found else CLEAN

    def _looks_at(self, stage: Stage) -> bool:
        match self._options.direction:
            case Direction.INPUT:
                return stage is not Stage.POST_CALL
            case Direction.OUTPUT:
                return stage in (Stage.POST_CALL, Stage.LOGGING_ONLY)
            case Direction.BOTH:
                return True

    def _judged(self, entities: Iterable[Entity], texts: Sequence[str]) -> Iterable[Found]:
        options = self._options
        for each in entities:
            reaction = self._reaction(each.kind)
            least = options.scores.get(each.kind, options.scores.get(ALL, 0.0))
            if reaction is None or each.score < least:
                continue
            if texts[each.passage][each.start : each.end].casefold() in options.allowed:
                continue
            instead = "" if options.restores else f"<{each.kind}>"
            yield Found(each.passage, each.start, each.end, each.kind, reaction, instead=instead)

    def _reaction(self, kind: str) -> Reaction | None:
        if kind in self._options.ignored:
            return None
        if not self._options.entities:
            return Reaction.MASK
        return self._options.entities.get(kind)


def widest(entities: Iterable[Entity]) -> list[Entity]:
    """Return the entities without those that lie inside another: the host in a mail address."""
    kept: list[Entity] = []
    for each in sorted(entities, key=lambda e: (e.passage, e.start, -e.end, -e.score)):
        last = kept[-1] if kept else None
        inside = (
            last is not None
            and last.passage == each.passage
            and each.end <= last.end
            and (each.start, each.end, each.kind) != (last.start, last.end, last.kind)
        )
        if not inside and each != last:
            kept.append(each)
    return kept
