"""Tries patterns of users on texts that make bad ones run away, before they meet a real one.

A pattern that passes may still be slow on some text; then the limit of each look holds. This
only finds the common mistakes early, while somebody is there to mend them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import regex

from tiergate.guards.matching import BadPatternError, compiled

SECONDS: Final = 0.05
"""How long a pattern may take with one of the texts; a good one takes a thousandth of it."""

_SIZE: Final = 4_000
_MOST_SIGNS: Final = 6
_COMMON: Final = ("a", "1", " ", "a ", "1.", "a@", "-", "\n")


def runaway(pattern: str) -> str:
    """Return a text on which a pattern takes too long, in words; empty where none was found."""
    try:
        ready = compiled(pattern)
    except BadPatternError:
        return ""
    for sign, text in _texts(pattern):
        try:
            ready.search(text, timeout=SECONDS)
        except TimeoutError:
            return f"{_SIZE} characters of {sign!r}"
    return ""


def _texts(pattern: str) -> Iterator[tuple[str, str]]:
    own = dict.fromkeys(regex.findall(r"[A-Za-z0-9]", regex.sub(r"\\[A-Za-z]", "", pattern)))
    for sign in dict.fromkeys((*_COMMON, *list(own)[:_MOST_SIGNS])):
        # The end differs, so that what has matched so far is tried again in every other way.
        yield sign, sign * (_SIZE // len(sign)) + "\x00"
