"""How two values for one key become one: the rule for repeated keys, files and includes.

Mappings merge deeply, lists are put one after the other, equal scalars stay. Two different
scalars, or two different kinds, are an error that names both places: nothing wins silently.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.values import Position
from tiergate.config.findings import At, Findings
from tiergate.config.tree import (
    Entry,
    KeyPath,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    kind_of,
    same,
    show_path,
    size_of,
)


@dataclass(frozen=True, slots=True)
class Merger:
    """Merges values and says so.

    Attributes:
        findings: Where notices and errors go.
        announce: Whether merged mappings and lists are worth a notice. They are when a key is
            repeated in one file, and not when several files are merged on purpose.
    """

    findings: Findings
    announce: bool

    def entries(self, entries: tuple[Entry, ...], path: KeyPath) -> tuple[Entry, ...]:
        """Return the entries with each key once, in the order of first occurrence."""
        merged: dict[str, Entry] = {}
        for entry in entries:
            before = merged.get(entry.key)
            merged[entry.key] = (
                entry if before is None else self.entry(before, entry, (*path, entry.key))
            )
        return tuple(merged.values())

    def entry(self, first: Entry, second: Entry, path: KeyPath, *, inner: bool = False) -> Entry:
        """Return one entry for two of the same key.

        Args:
            first: The earlier one; its position is kept.
            second: The later one.
            path: The path of the key.
            inner: Whether the key is repeated only because its parents were merged.
        """
        node = self._node(first, second, path, inner=inner)
        return Entry(first.key, first.position, node)

    def _node(self, first: Entry, second: Entry, path: KeyPath, *, inner: bool) -> Node:
        match first.node, second.node:
            case MapNode() as a, MapNode() as b:
                if self.announce and not inner:
                    self._say_merged(first, second, path, "the two mappings were merged")
                return self.maps(a, b, path)
            case ListNode() as a, ListNode() as b:
                if self.announce:
                    self._say_merged(first, second, path, "the two lists were put together")
                return ListNode(a.items + b.items, a.position, a.size + b.size - 1)
            case ScalarNode(value=None), node:
                return node
            case node, ScalarNode(value=None):
                return node
            case ScalarNode() as a, ScalarNode() as b:
                self._scalars(a, b, first.position, second.position, path)
                return a
            case a, b:
                self.findings.error(
                    "conflicting-kinds",
                    At(show_path(path), second.position),
                    f"is {kind_of(b)} here and {kind_of(a)} at {first.position}",
                    "Keep one of the two.",
                )
                return a

    def maps(self, first: MapNode, second: MapNode, path: KeyPath) -> MapNode:
        """Return one mapping with the keys of both."""
        merged = {entry.key: entry for entry in first.entries}
        for entry in second.entries:
            before = merged.get(entry.key)
            merged[entry.key] = (
                entry
                if before is None
                else self.entry(before, entry, (*path, entry.key), inner=True)
            )
        entries = tuple(merged.values())
        return MapNode(entries, first.position, 1 + sum(size_of(e.node) for e in entries))

    def _scalars(
        self,
        first: ScalarNode,
        second: ScalarNode,
        first_at: Position,
        second_at: Position,
        path: KeyPath,
    ) -> None:
        at = At(show_path(path), second_at)
        if same(first, second):
            self.findings.notice(
                "repeated-value", at, f"is given twice with the same value, also at {first_at}"
            )
        else:
            self.findings.error(
                "conflicting-values",
                at,
                f"has another value than at {first_at}",
                "Keep one of the two lines.",
            )

    def _say_merged(self, first: Entry, second: Entry, path: KeyPath, what: str) -> None:
        self.findings.notice(
            "merged",
            At(show_path(path), second.position),
            f"is given at {first.position} and at {second.position}; {what}",
        )
