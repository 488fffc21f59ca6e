"""Writes other text in the place of what guards found, and puts it back into the answer.

A value of the request that is masked becomes a placeholder with a number (`<EMAIL_1>`): the same
value always the same one, in the order in which values come, so that a conversation that grows
keeps the text that its provider has cached. Nothing here knows what a finding is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_NO_WORD: Final = re.compile(r"[^A-Z0-9]+")
_LONGEST_KIND: Final = 40


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, in characters, and what is written in its place."""

    start: int
    end: int
    instead: str


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one; the first of them says what is written."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if span.end <= span.start:
            continue
        last = found[-1] if found else None
        if last is not None and span.start < last.end:
            if span.end > last.end:
                found[-1] = Span(last.start, span.end, last.instead)
        else:
            found.append(span)
    return found


def masked(text: str, spans: Iterable[Span]) -> str:
    """Return a text with other text in the place of some parts."""
    parts: list[str] = []
    at = 0
    for span in merged(spans):
        parts += (text[at : span.start], span.instead)
        at = span.end
    parts.append(text[at:])
    return "".join(parts)


def word_of(kind: str) -> str:
    """Return a kind of finding as the word of a placeholder: `EMAIL`, `AWS_ACCESS_KEY`."""
    return _NO_WORD.sub("_", kind.upper()).strip("_")[:_LONGEST_KIND] or "MASKED"


class Placeholders:
    """Gives each masked value of one request a placeholder of its own.

    Args:
        texts: All texts of the request: what they contain is nobody's placeholder.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = tuple(text for text in texts if "<" in text)
        self._of: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, int] = {}
        self.values: dict[str, str] = {}
        """The values to be put back, by placeholder."""

    def of(self, kind: str, value: str, *, restored: bool) -> str:
        """Return the placeholder of a value.

        Args:
            kind: What it is, in the guard's words.
            value: The text that is masked.
            restored: It is put back into the answer.
        """
        word = word_of(kind)
        mark = self._of.get((word, value))
        if mark is None:
            mark = self._next(word)
            self._of[word, value] = mark
        if restored:
            self.values[mark] = value
        return mark

    def _next(self, word: str) -> str:
        number = self._numbers.get(word, 0)
        while True:
            number += 1
            mark = f"<{word}_{number}>"
            if not any(mark in text for text in self._texts):
                self._numbers[word] = number
                return mark


class Restoring:
    """Puts values back into one text that comes in pieces.

    Args:
        values: By placeholder; each of these begins with `<`, ends with `>`, and has neither
            inside.
    """

    __slots__ = ("_held", "_pattern", "_values")

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._pattern = pattern_of(values)
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece; return what can be shown. What may be half a placeholder is held back."""
        text = self._held + text
        cut = self._cut(text)
        self._held = text[cut:]
        return restored(text[:cut], self._values, self._pattern)

    def end(self) -> str:
        """Return what was held back."""
        text, self._held = self._held, ""
        return text

    def _cut(self, text: str) -> int:
        at = text.rfind("<")
        if at < 0:
            return len(text)
        tail = text[at:]
        half = any(mark.startswith(tail) and mark != tail for mark in self._values)
        return at if half else len(text)


def pattern_of(values: Mapping[str, str]) -> re.Pattern[str]:
    """Return what finds the placeholders; without any it finds nothing."""
    if not values:
        return re.compile(r"(?!)")
    return re.compile("|".join(re.escape(mark) for mark in values))


def restored(text: str, values: Mapping[str, str], pattern: re.Pattern[str]) -> str:
    """Return a text with the values in the place of their placeholders."""
    if "<" not in text:
        return text
    return pattern.sub(lambda found: values[found.group()], text)
