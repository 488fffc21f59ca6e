"""What the watch over prompt prefixes knows of each key, alias and phase: sums, the last drift.

Sums of several workers are added; of the last drifts the latest counts. No text is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

PrefixKey: TypeAlias = tuple[str, str, str]
"""The key's hash (or its name, where it has none), the alias asked, and the phase."""

MOST_KEYS: Final = 500
"""Sums kept apart; what is more is added up under `OTHERS`."""

OTHERS: Final[PrefixKey] = ("(others)", "(others)", "")


@dataclass(slots=True)
class LastDrift:
    """The last drift of a key, alias and phase, in the words of `core.drift.Difference`."""

    wall: float
    part: str
    number: int
    change: str
    offset: int = -1
    hint: str = ""


@dataclass(slots=True)
class PrefixFigures:
    """Sums. Tokens are prompt tokens, money is nano-USD.

    Attributes:
        name: The key's name, for people.
        calls: Calls that were watched.
        input: All their prompt tokens.
        read: Of these, read from the provider's cache.
        written: Of these, written to it.
        expected: Tokens that an earlier turn had left in the cache, warm, when the next one came.
        expected_read: Of these, really read.
        saved: What reads have saved.
        writes: What writes have cost more than plain input.
        lost: Warm tokens that were left behind, since another deployment served.
        lost_cost: What that cost.
        drifts: How often a prefix that used to match has changed, by part of the prompt.
        last: The last time.
    """

    name: str = ""
    calls: int = 0
    input: int = 0
    read: int = 0
    written: int = 0
    expected: int = 0
    expected_read: int = 0
    saved: int = 0
    writes: int = 0
    lost: int = 0
    lost_cost: int = 0
    drifts: dict[str, int] = field(default_factory=dict[str, int])
    last: LastDrift | None = None

    def add(self, more: PrefixFigures) -> None:
        """Add the figures of another worker."""
        self.name = self.name or more.name
        self.calls += more.calls
        self.input += more.input
        self.read += more.read
        self.written += more.written
        self.expected += more.expected
        self.expected_read += more.expected_read
        self.saved += more.saved
        self.writes += more.writes
        self.lost += more.lost
        self.lost_cost += more.lost_cost
        for part, number in more.drifts.items():
            self.drifts[part] = self.drifts.get(part, 0) + number
        if more.last is not None and (self.last is None or more.last.wall > self.last.wall):
            self.last = more.last


def figures_of(
    figures: dict[PrefixKey, PrefixFigures], key: PrefixKey, name: str = ""
) -> PrefixFigures:
    """Return the figures of a key, made if need be; those of `OTHERS` when there are too many.

    Args:
        figures: All of them.
        key: Whose are wanted.
        name: The name of the key, for people.
    """
    found = figures.get(key)
    if found is None:
        if len(figures) >= MOST_KEYS:
            return figures.setdefault(OTHERS, PrefixFigures())
        found = figures[key] = PrefixFigures()
    found.name = name or found.name
    return found


def add_figures(
    into: dict[PrefixKey, PrefixFigures], more: Mapping[PrefixKey, PrefixFigures]
) -> None:
    """Add the figures of another worker to those of this one."""
    for key, figures in more.items():
        figures_of(into, key).add(figures)


def by_alias(figures: Iterable[tuple[PrefixKey, PrefixFigures]]) -> dict[str, PrefixFigures]:
    """Return the sums of each alias."""
    found: dict[str, PrefixFigures] = {}
    for (_, alias, _), each in figures:
        found.setdefault(alias, PrefixFigures()).add(each)
    return found
