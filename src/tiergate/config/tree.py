"""A configuration file as values: mappings, lists and scalars that know where they stand.

Nothing here knows what a key means. Keys are always text, as they are written in the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from tiergate.base.jsontypes import Json
from tiergate.base.values import Position

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands: names of keys, and positions in lists counted from 0."""

_PLAIN_KEY = re.compile(r"[\w\-/:@*+]+")
_LONGEST_KEY = 60


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value: text, number, truth value or nothing.

    Attributes:
        value: What it means.
        text: How it is written; for a value from the environment, what the variable holds.
        position: Where it stands.
        reference: The name of the environment variable it came from, or None.
        unresolved: True when the variable was not looked up (`--no-env`); `value` is then the
            reference itself and must not be used.
    """

    value: str | int | float | bool | None
    text: str
    position: Position
    reference: str | None = None
    unresolved: bool = False


@dataclass(frozen=True, slots=True)
class ListNode:
    """Several values in order. `size` counts all nodes inside, aliases expanded."""

    items: tuple[Node, ...]
    position: Position
    size: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: str
    position: Position
    node: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """Named values in order; each key occurs once. `size` as in `ListNode`."""

    entries: tuple[Entry, ...]
    position: Position
    size: int = 1

    def get(self, key: str) -> Entry | None:
        """Return the entry of `key`, or None."""
        for entry in self.entries:
            if entry.key == key:
                return entry
        return None


Node: TypeAlias = ScalarNode | ListNode | MapNode
"""Any value of a configuration file."""


def find(node: Node, path: Sequence[str]) -> Entry | None:
    """Return the entry at the end of a path of keys; None where there is none."""
    entry: Entry | None = None
    for part in path:
        entry = node.get(part) if isinstance(node, MapNode) else None
        if entry is None:
            return None
        node = entry.node
    return entry


def show_path(path: KeyPath) -> str:
    """Return a path as people write it: `model_list[0].litellm_params.model`.

    A key with dots, spaces or other signs is put in quotes; a very long one is cut.
    """
    out: list[str] = []
    for part in path:
        if isinstance(part, int):
            out.append(f"[{part}]")
        else:
            out.append(f".{show_key(part)}" if out else show_key(part))
    return "".join(out)


def show_key(key: str) -> str:
    """Return a key as it appears in a path."""
    if len(key) > _LONGEST_KEY:
        key = f"{key[:_LONGEST_KEY]}..."
        return f'"{key}"'
    return key if _PLAIN_KEY.fullmatch(key) else f'"{key}"'


def size_of(node: Node) -> int:
    """Return how many nodes there are in `node`, itself included."""
    return 1 if isinstance(node, ScalarNode) else node.size


def kind_of(node: Node) -> str:
    """Return what `node` is, with an article, for sentences."""
    match node:
        case MapNode():
            return "a mapping"
        case ListNode():
            return "a list"
        case ScalarNode(value=None):
            return "nothing"
        case ScalarNode(value=bool()):
            return "true or false"
        case ScalarNode(value=int() | float()):
            return "a number"
        case ScalarNode():
            return "text"
        case _:
            assert_never(node)


def same(first: Node, second: Node) -> bool:
    """Return whether two nodes mean the same; positions and the order of keys do not count."""
    match first, second:
        case ScalarNode(), ScalarNode():
            kinds = isinstance(first.value, bool) == isinstance(second.value, bool)
            return kinds and first.value == second.value
        case ListNode(), ListNode():
            return len(first.items) == len(second.items) and all(
                same(a, b) for a, b in zip(first.items, second.items, strict=True)
            )
        case MapNode(), MapNode():
            if len(first.entries) != len(second.entries):
                return False
            others = {entry.key: entry.node for entry in second.entries}
            return all(e.key in others and same(e.node, others[e.key]) for e in first.entries)
        case _:
            return False


def to_json(node: Node) -> Json:
    """Return a node as a plain JSON value."""
    match node:
        case ScalarNode():
            return node.value
        case ListNode():
            return [to_json(item) for item in node.items]
        case MapNode():
            return {entry.key: to_json(entry.node) for entry in node.entries}
        case _:
            assert_never(node)
