"""How many characters a regular expression can look at, from its text alone.

That many are held back of a stream. What it cannot tell (repetition without an end, references
to earlier groups, recursion) has no width.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST: Final = 4096
"""A wider pattern counts as one without an end: nobody waits for so much of a stream."""

_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")
_NO_GROUP: Final = ("(?P=", "(?P>", "(?P&", "(?&", "(?R", "(?(", "(?0", "(?1", "(?2", "(?3", "(?4")
_LOOKS: Final = ("?=", "?!", "?<=", "?<!")
_ESCAPE_SIZES: Final = {"x": 2, "u": 4, "U": 8}


class _NoWidthError(Exception):
    """The width cannot be told."""


def widest(pattern: str) -> int | None:
    """Return the most characters that a match and what is looked at around it can have.

    Args:
        pattern: A regular expression that compiles.

    Returns:
        The number, at most `MOST`; None where there is no such number or it is not known.
    """
    reader = _Reader(pattern)
    try:
        width = reader.alternatives()
    except (_NoWidthError, IndexError, RecursionError):
        return None
    return width if reader.at == len(pattern) and width <= MOST else None


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0

    def alternatives(self) -> int:
        widths = [self.sequence()]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            widths.append(self.sequence())
        return max(widths)

    def sequence(self) -> int:
        total = 0
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            width = self.atom()
            total += self.repeated(width)
        return total

    def repeated(self, width: int) -> int:
        """Return the width of what was just read with the repetition that follows it."""
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in "*+":
                most = None
                self.at += 1
            elif sign == "?":
                most = 1
                self.at += 1
            elif sign == "{" and (count := _COUNT.match(self.text, self.at)):
                most = self._most(count)
                self.at = count.end()
            elif sign == "{" and self.text[self.at : self.at + 3] in ("{e}", "{i}", "{s}", "{d}"):
                raise _NoWidthError
            else:
                return width
            if self.text[self.at : self.at + 1] in ("?", "+"):
                self.at += 1
            if width:
                if most is None or most * width > MOST:
                    raise _NoWidthError
                width *= most
        return width

    def _most(self, count: re.Match[str]) -> int | None:
        least, comma, most = count.groups()
        if not comma:
            if not least:
                raise _NoWidthError
            return int(least)
        return int(most) if most else None

    def atom(self) -> int:
        sign = self.text[self.at]
        if sign == "(":
            return self.group()
        if sign == "[":
            self.set()
            return 1
        if sign == "\\":
            return self.escape()
        self.at += 1
        if sign == "{" and re.match(r"[eisd<>0-9]", self.text[self.at : self.at + 1]):
            raise _NoWidthError  # may be a fuzzy match of `regex`
        return 1

    def escape(self) -> int:
        sign = self.text[self.at + 1]
        self.at += 2
        if sign.isdigit() or sign in "gkKLXR":
            if sign == "0":
                return 1
            raise _NoWidthError
        if sign in _ESCAPE_SIZES:
            self.at += _ESCAPE_SIZES[sign]
        elif sign in "pPN" and self.text[self.at : self.at + 1] == "{":
            self.at = self.text.index("}", self.at) + 1
        return 1  # a boundary too: it is seen only with the character at its other side

    def group(self) -> int:
        if self.text.startswith(_NO_GROUP, self.at):
            raise _NoWidthError
        self.at += 1
        if self.text.startswith("?#", self.at):
            self.at = self.text.index(")", self.at) + 1
            return 0
        if self.text.startswith("?", self.at) and not self._opened():
            return 0
        width = self.alternatives()
        if self.text[self.at] != ")":
            raise _NoWidthError
        self.at += 1
        return width

    def _opened(self) -> bool:
        """Go behind `?:`, `?P<name>`, `?i:` and their like; False for flags without a group."""
        for mark in ("?:", "?>", "?|", *_LOOKS):
            if self.text.startswith(mark, self.at):
                self.at += len(mark)
                return True
        named = re.compile(r"\?P?<[^>]*>").match(self.text, self.at)
        if named:
            self.at = named.end()
            return True
        flags = re.compile(r"\?([A-Za-z0-9]*(?:-[A-Za-z]+)?)([:)])").match(self.text, self.at)
        if not flags or set(flags[1]) & set("xfrb"):
            raise _NoWidthError
        self.at = flags.end()
        return flags[2] == ":"

    def set(self) -> None:
        """Go behind a set of characters."""
        self.at += 1
        if self.text[self.at] == "^":
            self.at += 1
        if self.text[self.at] == "]":
            self.at += 1
        while self.text[self.at] != "]":
            if self.text[self.at] == "\\":
                self.at += 1
            elif self.text.startswith("[:", self.at) and ":]" in self.text[self.at :]:
                self.at = self.text.index(":]", self.at) + 1
            self.at += 1
        self.at += 1
