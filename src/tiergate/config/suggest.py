"""Finds the name that was probably meant. Decides nothing about what names exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from typing import Final

NEAR: Final = 0.6
"""Likeness above which a name is worth naming (difflib's ratio)."""

TYPO: Final = 0.84
"""Likeness above which a free name is taken for a slip of the pen of a known one."""

_LONGEST: Final = 100


def nearest(word: str, known: Iterable[str], *, count: int = 1, near: float = NEAR) -> list[str]:
    """Return the known names most like `word`, best first; empty when none is near."""
    if len(word) > _LONGEST:
        return []
    return get_close_matches(word, list(known), n=count, cutoff=near)


def did_you_mean(word: str, known: Iterable[str], *, count: int = 1) -> str:
    """Return the question that names the nearest known names, or an empty text."""
    names = nearest(word, known, count=count)
    if not names:
        return ""
    return f"Did you mean {' or '.join(f'`{name}`' for name in names)}?"


def is_typo_of(word: str, known: str) -> bool:
    """Return whether `word` is `known` with a slip: a letter more, less, or swapped."""
    if len(word) > _LONGEST:
        return False
    return SequenceMatcher(None, word, known).ratio() >= TYPO
