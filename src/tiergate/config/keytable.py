"""What Tiergate does with each key of a configuration file, and how to look a key up.

This module carries the table as values. It does not read files (`tiergate.config.keys` does),
does not check a configuration, and does not print.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum

ANY_NAME = "*"
"""The part of a path that stands for a list index or a name the user chooses."""

_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LIST_INDEX = re.compile(r"\[(\d*)\]")

# A misspelling has to be nearer to a sibling than this to win over the same word elsewhere.
_NEAR = 0.8
# Below this, difflib finds likenesses that are none.
_FAR = 0.6


class Verdict(Enum):
    """What the key does in this release."""

    HONOURED = "honoured"
    DIFFERS = "differs"
    PLANNED = "planned"
    NO_EFFECT = "no_effect"
    REFUSED = "refused"


class KeyType(Enum):
    """What a value of the key looks like."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DURATION = "duration"
    USD = "usd"
    ALIAS = "alias"
    LIST_OF_ALIASES = "list_of_aliases"
    STRING_LIST = "string_list"
    MAPPING = "mapping"
    LIST = "list"
    ANY = "any"
    SECRET = "secret"  # noqa: S105 - the name of a kind of value, not a password
    ENUM = "enum"


class Origin(Enum):
    """Whose word the key is."""

    LITELLM = "litellm"
    TIERGATE = "tiergate"


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is said of a key, or of several keys that are alike.

    Attributes:
        type: What a value looks like. A mapping's own keys are the children of its path; `any`
            is not checked, though it may have children.
        verdict: What the key does in this release.
        text: What it does in Tiergate; for keys that do not act, what it asks for.
        default: The value where the key is absent, in words; empty if there is nothing to say.
        until: What holds meanwhile, where the key (or a part of it) does not act yet.
        instead: What to write instead, or why nothing is needed.
        values: The words an `enum` accepts.
        origin: Whose word the key is.
    """

    type: KeyType
    verdict: Verdict
    text: str
    default: str = ""
    until: str = ""
    instead: str = ""
    values: tuple[str, ...] = ()
    origin: Origin = Origin.LITELLM

    @property
    def acts(self) -> bool:
        """Whether the key changes anything in this release."""
        return self.verdict is Verdict.HONOURED or self.verdict is Verdict.DIFFERS


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key at one place of the file.

    Attributes:
        parts: The path from the top of the file; `*` stands for a list index or a free name.
        facts: What is said of the key.
        also: Dotted paths of other places of the key, and of keys one should know with it.
    """

    parts: tuple[str, ...]
    facts: KeyFacts
    also: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The dotted path."""
        return ".".join(self.parts)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.parts[-1]

    @property
    def type(self) -> KeyType:
        """What a value looks like."""
        return self.facts.type

    @property
    def verdict(self) -> Verdict:
        """What the key does in this release."""
        return self.facts.verdict

    @property
    def acts(self) -> bool:
        """Whether the key changes anything in this release."""
        return self.facts.acts


@dataclass(slots=True)
class _Node:
    """A name in the tree of paths; its entry is absent only while the tree grows."""

    entry: KeyEntry | None = None
    children: dict[str, _Node] = field(default_factory=dict["str", "_Node"])

    def matching(self, part: str) -> Iterator[_Node]:
        """The children a written name can mean, the exact one first."""
        if (exact := self.children.get(part)) is not None:
            yield exact
        if part != ANY_NAME and (free := self.children.get(ANY_NAME)) is not None:
            yield free


class KeyTable:
    """All keys that are known, found by path, by likeness, or by a word of them."""

    __slots__ = ("_entries", "_root")

    def __init__(self, entries: Iterable[KeyEntry]) -> None:
        """Build the table.

        Args:
            entries: One entry per path.

        Raises:
            ValueError: Two entries have one path.
        """
        self._entries = tuple(entries)
        self._root = _Node()
        for entry in self._entries:
            node = self._root
            for part in entry.parts:
                below = node.children.get(part)
                if below is None:
                    below = node.children[part] = _Node()
                node = below
            if node.entry is not None:
                raise ValueError(f"two entries describe the key {entry.path}")
            node.entry = entry

    def all(self) -> tuple[KeyEntry, ...]:
        """Every entry, in the order it was given."""
        return self._entries

    def find(self, path: tuple[str, ...]) -> KeyEntry | None:
        """The entry for a key as it stands in a file, or None for an unknown key.

        Args:
            path: Names and list indexes from the top of the file. An exact name wins over `*`.
        """
        return next((node.entry for node in self._nodes(path) if node.entry is not None), None)

    def children(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The names known directly under a mapping, sorted; free names (`*`) are left out."""
        names = {name for node in self._nodes(path) for name in node.children}
        return tuple(sorted(names - {ANY_NAME}))

    def nearest(self, path: tuple[str, ...]) -> KeyEntry | None:
        """The key that was probably meant by an unknown one, or None.

        Looked for in this order: a misspelled sibling, the same name at another place (a key
        written under the wrong section), a less near sibling, a misspelled name anywhere.
        """
        if not path:
            return None
        parent, wanted = path[:-1], _plain(path[-1])
        siblings = {_plain(name): name for name in self.children(parent)}
        if near := get_close_matches(wanted, siblings, n=1, cutoff=_NEAR):
            return self.find((*parent, siblings[near[0]]))
        if elsewhere := self._named(wanted):
            return elsewhere[0]
        if near := get_close_matches(wanted, siblings, n=1, cutoff=_FAR):
            return self.find((*parent, siblings[near[0]]))
        names = {_plain(entry.name) for entry in self._entries}
        if near := get_close_matches(wanted, sorted(names), n=1, cutoff=_NEAR):
            return self._named(near[0])[0]
        return None

    def explain(self, query: str) -> tuple[KeyEntry, ...]:
        """The entries a person means by a word; empty if there are none.

        Args:
            query: A name (`fallbacks`), a path (`router_settings.fallbacks`,
                `model_list[0].litellm_params.api_key`), the end of a path
                (`litellm_params.api_key`), a reference (`os.environ/NAME`), or a piece of a path.

        Returns:
            The first of these that finds something: the path itself; every place of the name or
            of the end of the path; every path that contains the piece. Keys that act come first.
        """
        word = _LIST_INDEX.sub(r".\1", query.strip().removeprefix("os.environ/"))
        parts = tuple(part or ANY_NAME for part in word.split("."))
        if len(parts) > 1 and (entry := self.find(parts)) is not None:
            return (entry,)
        if ends := self._ending(parts):
            return ends
        piece = _plain(word)
        return _ranked(e for e in self._entries if piece and piece in _plain(e.path))

    def _nodes(self, path: tuple[str, ...]) -> Iterator[_Node]:
        nodes = [self._root]
        for part in path:
            nodes = [below for node in nodes for below in node.matching(part)]
        yield from nodes

    def _named(self, name: str) -> tuple[KeyEntry, ...]:
        return _ranked(e for e in self._entries if _plain(e.name) == name)

    def _ending(self, parts: tuple[str, ...]) -> tuple[KeyEntry, ...]:
        plain = tuple(_plain(part) for part in parts)
        return _ranked(e for e in self._entries if _ends_with(e.parts, plain))


def _ends_with(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    tail = parts[-len(wanted) :]
    if len(tail) != len(wanted) or tail[-1] == ANY_NAME:
        return False
    return all(
        have in (ANY_NAME, want) or _plain(have) == want
        for have, want in zip(tail, wanted, strict=True)
    )


def _ranked(entries: Iterable[KeyEntry]) -> tuple[KeyEntry, ...]:
    """Acting keys first, then the shallow ones; otherwise the order of the table is kept.

    The table names the proper place of a key before its other places.
    """
    order = {verdict: place for place, verdict in enumerate(Verdict)}
    return tuple(sorted(entries, key=lambda e: (not e.acts, len(e.parts), order[e.verdict])))


def _plain(name: str) -> str:
    """A name as one word among its spellings: `numRetries` and `num-retries` are `num_retries`."""
    return _CAMEL_HUMP.sub("_", name).replace("-", "_").casefold()
