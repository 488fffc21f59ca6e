"""JSON text in, a tree out, with the line of every value: how `backlog.config.json` is read.

The YAML reader cannot take its place: JSON files are indented with tabs too, and a word that YAML
takes for text is a mistake in JSON. What the keys mean is decided elsewhere.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Final

from tiergate.base.values import Position
from tiergate.config.findings import At, Findings
from tiergate.config.tree import Entry, KeyPath, ListNode, MapNode, Node, ScalarNode, show_path

MOST_DEPTH: Final = 60
"""Levels of nesting."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.])")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_WORDS: Final = {"true": True, "false": False, "null": None}
_MOST_DIGITS: Final = 40


class _JsonError(Exception):
    """The text is no JSON; `place` is an index into it."""

    def __init__(self, place: int, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.advice = advice


def parse_json(text: str, file: str, findings: Findings) -> Node | None:
    """Return the tree of a JSON document; None, with a finding, if it is none.

    Args:
        text: The content of the file.
        file: Its name for positions.
        findings: Where errors and repeated keys go.
    """
    reader = _Reader(text, file, findings)
    try:
        return reader.document()
    except _JsonError as error:
        findings.error(
            "invalid-json",
            At("", reader.position(error.place)),
            f"not valid JSON: {error.message}",
            error.advice,
        )
        return None


class _Reader:
    def __init__(self, text: str, file: str, findings: Findings) -> None:
        self._text = text
        self._file = file
        self._findings = findings
        self._starts = [0, *(found.end() for found in re.finditer(r"\n", text))]

    def position(self, place: int) -> Position:
        """Return the line and column of an index."""
        line = bisect_right(self._starts, place)
        return Position(self._file, line, place - self._starts[line - 1] + 1)

    def document(self) -> Node:
        node, end = self._value(self._skip(0), ())
        end = self._skip(end)
        if end < len(self._text):
            raise _JsonError(end, "something follows the end of the document")
        return node

    def _skip(self, place: int) -> int:
        found = _SPACE.match(self._text, place)
        place = found.end() if found else place
        if self._text.startswith(("//", "/*", "#"), place):
            raise _JsonError(place, "a comment", "JSON has no comments; take it out.")
        return place

    def _value(self, place: int, path: KeyPath) -> tuple[Node, int]:
        """Read the value that begins at an index; return it and where it ends."""
        if len(path) > MOST_DEPTH:
            raise _JsonError(place, f"more than {MOST_DEPTH} levels")
        match self._text[place : place + 1]:
            case "{":
                return self._object(place, path)
            case "[":
                return self._list(place, path)
            case '"':
                text, end = self._string(place)
                return ScalarNode(text, text, self.position(place)), end
            case "":
                raise _JsonError(place, "it ends too early")
            case _:
                return self._plain(place)

    def _plain(self, place: int) -> tuple[ScalarNode, int]:
        """Read a number, a truth value or null."""
        found = _NUMBER.match(self._text, place)
        if found is not None and len(found.group()) <= _MOST_DIGITS:
            number: int | float = json.loads(found.group())
            return ScalarNode(number, found.group(), self.position(place)), found.end()
        word = _WORD.match(self._text, place)
        if word is not None and word.group() in _WORDS:
            value = _WORDS[word.group()]
            return ScalarNode(value, word.group(), self.position(place)), word.end()
        advice = "Put a text in double quotes." if word is not None else ""
        raise _JsonError(place, "a value is expected here", advice)

    def _string(self, place: int) -> tuple[str, int]:
        found = _STRING.match(self._text, place)
        if found is None:
            raise _JsonError(place, "a text in double quotes is expected, on one line")
        try:
            text: str = json.loads(found.group())
        except ValueError:
            raise _JsonError(place, "a text has an escape that JSON does not know") from None
        return text, found.end()

    def _object(self, place: int, path: KeyPath) -> tuple[MapNode, int]:
        entries: dict[str, Entry] = {}
        start, place = place, self._skip(place + 1)
        while self._text[place : place + 1] != "}":
            key_place = place
            key, place = self._string(place)
            place = self._skip(place)
            if self._text[place : place + 1] != ":":
                raise _JsonError(place, "a colon is expected after a key")
            node, place = self._value(self._skip(place + 1), (*path, key))
            at = self.position(key_place)
            if key in entries:
                self._findings.mistake(
                    "repeated-key",
                    At(show_path((*path, key)), at),
                    f"is given twice, also at {entries[key].position}",
                    "Keep one of the two.",
                )
            entries[key] = Entry(key, at, node)
            place = self._next(place, "}")
        return MapNode(tuple(entries.values()), self.position(start)), place + 1

    def _list(self, place: int, path: KeyPath) -> tuple[ListNode, int]:
        items: list[Node] = []
        start, place = place, self._skip(place + 1)
        while self._text[place : place + 1] != "]":
            node, place = self._value(place, (*path, len(items)))
            items.append(node)
            place = self._next(place, "]")
        return ListNode(tuple(items), self.position(start)), place + 1

    def _next(self, place: int, closing: str) -> int:
        """Step over a comma, to the next member or to the closing bracket."""
        place = self._skip(place)
        if self._text[place : place + 1] == closing:
            return place
        if self._text[place : place + 1] != ",":
            expected = f"a comma or {closing} is expected"
            raise _JsonError(place, expected if self._text[place:] else "it ends too early")
        after = self._skip(place + 1)
        if self._text[after : after + 1] == closing:
            raise _JsonError(place, "a comma without a value after it", "Take the comma out.")
        return after
