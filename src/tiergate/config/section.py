"""A mapping of the file while it is being read: hands out values and remembers which were taken.

What nobody took is left over, and what is left over is checked against the table of known keys.
So a key can be acted on or reported, and nothing in between.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.values import Position
from tiergate.config.findings import At, Findings
from tiergate.config.tree import (
    KeyPath,
    MapNode,
    Node,
    ScalarNode,
    kind_of,
    show_path,
)


@dataclass(frozen=True, slots=True)
class Spot:
    """One value of the file with its place. `position` is that of its key."""

    path: KeyPath
    position: Position
    node: Node

    @property
    def at(self) -> At:
        """The place for a finding."""
        return At(show_path(self.path), self.position)

    @property
    def key(self) -> str:
        """The last name of the path, or the index in a list as text."""
        return str(self.path[-1]) if self.path else ""

    @property
    def empty(self) -> bool:
        """Whether nothing is written there."""
        return isinstance(self.node, ScalarNode) and self.node.value is None

    @property
    def unresolved(self) -> bool:
        """Whether it refers to a variable that was not looked up."""
        return isinstance(self.node, ScalarNode) and self.node.unresolved

    def inside(self, part: str | int, position: Position, node: Node) -> Spot:
        """Return the place of a value inside this one."""
        return Spot((*self.path, part), position, node)


class Section:
    """A mapping being read. A missing section is an empty one."""

    def __init__(self, path: KeyPath, position: Position, node: MapNode | None = None) -> None:
        self.path = path
        self.position = position
        self.node = node or MapNode((), position)
        self._entries = {entry.key: entry for entry in self.node.entries}
        self._taken: set[str] = set()
        self._settled: set[str] = set()

    @property
    def at(self) -> At:
        """The place for a finding about the section as a whole."""
        return At(show_path(self.path), self.position)

    def take(self, key: str) -> Spot | None:
        """Return the value of a key and mark it as read; None where nothing is written."""
        spot = self.look(key)
        if spot is None:
            return None
        self._taken.add(key)
        return None if spot.empty else spot

    def settle(self, key: str) -> Spot | None:
        """Return the value of a key for a reader that also reports it when it is empty."""
        self._taken.add(key)
        self._settled.add(key)
        return self.look(key)

    def take_first(self, *keys: str) -> Spot | None:
        """Return the first of several names of one setting that is given; all are taken."""
        found = [spot for spot in (self.take(key) for key in keys) if spot is not None]
        return found[0] if found else None

    def look(self, key: str) -> Spot | None:
        """Return the value of a key without marking it."""
        entry = self._entries.get(key)
        return entry and Spot((*self.path, key), entry.position, entry.node)

    def all(self) -> tuple[Spot, ...]:
        """Return all values and mark them as read, for mappings with free names."""
        self._taken.update(self._entries)
        return tuple(
            Spot((*self.path, key), entry.position, entry.node)
            for key, entry in self._entries.items()
        )

    def left(self) -> tuple[Spot, ...]:
        """Return the values that nobody took."""
        return tuple(
            Spot((*self.path, key), entry.position, entry.node)
            for key, entry in self._entries.items()
            if key not in self._taken
        )

    def empty(self) -> tuple[Spot, ...]:
        """Return the values that were taken and are written without anything."""
        told = self._taken - self._settled
        spots = (self.look(key) for key in self._entries if key in told)
        return tuple(spot for spot in spots if spot is not None and spot.empty)

    def section(self, key: str, findings: Findings) -> Section:
        """Return the mapping under a key; an empty one, with a finding, if it is none."""
        spot = self.look(key)
        if spot is not None:
            self._taken.add(key)
        found = as_section(spot, findings)
        return found or Section((*self.path, key), self.position)


def as_section(spot: Spot | None, findings: Findings) -> Section | None:
    """Return a value as a section to read; None, with a finding, if it is no mapping."""
    if spot is None or spot.unresolved:
        return None
    if isinstance(spot.node, MapNode):
        return Section(spot.path, spot.position, spot.node)
    if spot.empty:
        say_empty(spot, findings)
    else:
        findings.mistake(
            "wrong-type", spot.at, f"expected a mapping of keys, got {kind_of(spot.node)}"
        )
    return None


def say_empty(spot: Spot, findings: Findings) -> None:
    """Add the notice that a key has no value and so sets nothing."""
    findings.notice("empty-value", spot.at, "has no value and sets nothing")
