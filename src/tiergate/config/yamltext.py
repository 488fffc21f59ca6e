"""YAML text in, a tree out: the only user of the YAML library.

It reads parser events, so that every value has its line and nothing is ever constructed but
text, numbers, truth values, lists and mappings. Repeated keys are merged here, since no later
stage can see them. Depth, number of values and the growth through aliases are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from tiergate.base.values import Position
from tiergate.config.findings import At, Findings, one_line
from tiergate.config.merge import Merger
from tiergate.config.scalars import plain_value
from tiergate.config.tree import (
    Entry,
    KeyPath,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    show_key,
    show_path,
    size_of,
)

MOST_DEPTH = 60
"""Levels of nesting. LiteLLM's deepest documented setting has nine."""

MOST_VALUES = 100_000
"""Values in one file, with aliases expanded: about two thousand deployments of fifty lines."""

# The C parser is ten times faster; wheels of the library carry it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MERGE_KEY = "<<"
_COLLECTION_TAGS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_SCALAR_TAGS = {
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:float",
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:null",
}
_TEXT_TAGS = {"!", "tag:yaml.org,2002:str"}


class _YamlError(Exception):
    """The text cannot be read as a configuration; the message is for the user."""

    def __init__(
        self, code: str, position: Position, message: str, advice: str = "", path: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.at = At(path, position)
        self.message = message
        self.advice = advice


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open."""

    position: Position
    is_map: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list[Node])
    entries: list[Entry] = field(default_factory=list[Entry])
    bases: list[Node] = field(default_factory=list[Node])
    key: str | None = None
    key_position: Position = field(default_factory=lambda: Position("", 0))
    key_merges: bool = False

    @property
    def step(self) -> str | int:
        """The last part of the path of the value that is read next."""
        return (self.key or "") if self.is_map else len(self.items)


def parse(text: str, file: str, findings: Findings) -> Node | None:
    """Return the tree of one YAML document; None after an error, or if there is no document.

    Args:
        text: The content of the file.
        file: Its name for positions.
        findings: Where errors and notices about repeated keys go.
    """
    reader = _Reader(file, findings)
    try:
        events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        return reader.read(events)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 0)
        advice = ""
        if "\t" in text and "cannot start any token" in (error.problem or ""):
            advice = "YAML does not indent with tabs; use spaces."
        findings.error(
            "invalid-yaml",
            At("", position),
            f"not valid YAML: {_plain(error.problem) or 'it cannot be parsed'}",
            advice,
        )
    except yaml.YAMLError as error:
        # The reader's own errors (control characters) carry no mark.
        findings.error(
            "invalid-yaml", At("", Position(file, 0)), f"not valid YAML: {_plain(str(error))}"
        )
    except _YamlError as error:
        findings.error(error.code, error.at, error.message, error.advice)
    return None


def _plain(problem: str | None) -> str:
    return one_line(problem or "", 160).rstrip(".")


class _Reader:
    """Builds a tree from events. One per document."""

    def __init__(self, file: str, findings: Findings) -> None:
        self._file = file
        self._findings = findings
        self._merger = Merger(findings, announce=True)
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._open: set[str] = set()
        self._values = 0
        self._root: Node | None = None
        self._documents = 0

    def read(self, events: Iterator[yaml.Event]) -> Node | None:
        """Return the root; raises `_YamlError` or the library's errors."""
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        raise _YamlError(
                            "several-documents",
                            self._position(event),
                            "a second YAML document starts here (`---`)",
                            "Keep one document in a file; give several files with several "
                            "--config.",
                        )
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._start(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end()
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.ScalarEvent():
                    self._scalar(event)
                case _:
                    pass
        return self._root

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        position = self._position(event)
        if event.tag not in _COLLECTION_TAGS:
            raise self._tag(event.tag, position)
        if len(self._stack) >= MOST_DEPTH:
            raise _YamlError(
                "too-deep", position, f"is nested more than {MOST_DEPTH} levels deep", path=""
            )
        if self._stack and self._stack[-1].is_map and self._stack[-1].key is None:
            raise _YamlError(
                "bad-key", position, "a key is a list or a mapping", "Keys must be plain text."
            )
        self._count(1, position)
        is_map = isinstance(event, yaml.MappingStartEvent)
        if event.anchor:
            self._open.add(event.anchor)
        self._stack.append(_Frame(position, is_map, event.anchor))

    def _end(self) -> None:
        frame = self._stack.pop()
        node = self._closed(frame)
        if frame.anchor:
            self._open.discard(frame.anchor)
            self._anchors[frame.anchor] = node
        self._put(node)

    def _closed(self, frame: _Frame) -> Node:
        if not frame.is_map:
            size = 1 + sum(size_of(item) for item in frame.items)
            return ListNode(tuple(frame.items), frame.position, size)
        path = self._path()
        entries = self._merger.entries(tuple(frame.entries), path)
        entries += self._inherited(frame, {entry.key for entry in entries}, path)
        return MapNode(entries, frame.position, 1 + sum(size_of(e.node) for e in entries))

    def _inherited(self, frame: _Frame, own: set[str], path: KeyPath) -> tuple[Entry, ...]:
        """Return what merge keys (`<<`) add: the nearest value of each key wins."""
        added: dict[str, Entry] = {}
        for base in frame.bases:
            parts = base.items if isinstance(base, ListNode) else (base,)
            for part in parts:
                if not isinstance(part, MapNode):
                    raise _YamlError(
                        "bad-merge-key",
                        part.position,
                        "`<<` takes a mapping, or a list of mappings",
                        path=show_path(path),
                    )
                for entry in part.entries:
                    if entry.key not in own:
                        added.setdefault(entry.key, entry)
        return tuple(added.values())

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        position = self._position(event)
        if name in self._open:
            raise _YamlError(
                "recursive-alias", position, f"the alias *{show_key(name)} contains itself"
            )
        node = self._anchors.get(name)
        if node is None:
            raise _YamlError(
                "unknown-alias",
                position,
                f"the alias *{show_key(name)} has no anchor &{show_key(name)} before it",
                "A `*` at the start of a value needs quotes.",
            )
        self._count(size_of(node), position)
        self._put(node)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        position = self._position(event)
        self._count(1, position)
        plain = event.implicit[0] or event.tag in _SCALAR_TAGS
        if not (plain or event.implicit[1] or event.tag in _TEXT_TAGS):
            raise self._tag(event.tag, position)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.is_map and frame.key is None:
            frame.key = event.value
            frame.key_position = position
            frame.key_merges = plain and event.value == _MERGE_KEY
            return
        value = plain_value(event.value) if plain else event.value
        node = ScalarNode(value, event.value, position)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._put(node)

    def _put(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        if not frame.is_map:
            frame.items.append(node)
        elif frame.key is None:
            if not isinstance(node, ScalarNode):
                raise _YamlError("bad-key", node.position, "an alias used as a key is no text")
            frame.key, frame.key_position, frame.key_merges = node.text, node.position, False
        else:
            if frame.key_merges:
                frame.bases.append(node)
            else:
                frame.entries.append(Entry(frame.key, frame.key_position, node))
            frame.key = None

    def _count(self, number: int, position: Position) -> None:
        self._values += number
        if self._values > MOST_VALUES:
            raise _YamlError(
                "too-large",
                position,
                f"the file has more than {MOST_VALUES:,} values, aliases expanded",
            )

    def _tag(self, tag: str | None, position: Position) -> _YamlError:
        return _YamlError(
            "unknown-tag",
            position,
            f"the YAML tag {one_line(tag or '', 60)} means nothing here",
            "Write the value without a tag.",
            path=show_path(self._path()),
        )

    def _path(self) -> KeyPath:
        return tuple(frame.step for frame in self._stack)

    def _position(self, event: yaml.Event) -> Position:
        mark = event.start_mark
        if mark is None:
            return Position(self._file, 0)
        return Position(self._file, mark.line + 1, mark.column + 1)
