"""Decides what must not differ between two questions that mean nearly the same.

Vectors are near for questions that differ in one number, one name or one "not". So these are
compared as words, before vectors are: what must be equal goes into a fingerprint (`marks`), and
what must not contradict is kept beside the vector (`sides`). Neither holds the question's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tiergate.core.likeness_words import (
    EXACT,
    NEGATIONS,
    NUMBERS,
    OPPOSITES,
    PRONOUNS,
    STARTERS,
)

_CURLY = "\u2019"
_QUOTED = re.compile(
    '`+([^`]+)`+|"([^"]+)"|\u201c([^\u201d]+)\u201d|\u00ab([^\u00bb]+)\u00bb'
    "|\u201e([^\u201c\u201d]+)[\u201c\u201d]"
)
"""Text between marks of quotation; an apostrophe is not told from a single one."""

_EDGES = "()[]{}<>\"'`.,;:!?*_~|\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u00bf\u00a1\u2026"
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_POSSESSIVE = re.compile(r"'s?$")
_TECHNICAL = re.compile(r"[_/\\@#$=<>{}()^+*&|~%]|\w\.\w|\w:\w")
_ENDS_SENTENCE = re.compile(r"[.!?:]$")


_SIGNS = "abcdefgh"


def _families() -> dict[str, str]:
    return {word: family for family, words in EXACT.items() for word in words}


def _sides() -> dict[str, str]:
    found: dict[str, str] = {}
    for axis, both in OPPOSITES.items():
        for sign, words in zip(_SIGNS, both, strict=False):
            found.update(dict.fromkeys(words, f"{axis}-{sign}"))
    return found


_FAMILY: Mapping[str, str] = MappingProxyType(_families())
_SIDE: Mapping[str, str] = MappingProxyType(_sides())


def marks(text: str) -> tuple[str, ...]:
    """Return what must be equal in two questions, for one to have the other's answer.

    Numbers, names, technical words and the words of some closed families (languages, systems,
    formats, times, units), all in their order, since "from A to B" is not "from B to A"; quoted
    parts; and whether anything is negated. The result repeats parts of the text, so it is to be
    hashed and not to be kept.
    """
    found: list[str] = []
    families: dict[str, None] = {}
    negated = False
    begins = True
    for raw in text.replace(_CURLY, "'").split():
        word = raw.strip(_EDGES)
        if word:
            low = word.lower()
            negated = negated or low in NEGATIONS or low.endswith("n't")
            families |= dict.fromkeys(part for part in low.split("-") if part in _FAMILY)
            mark = _mark(_POSSESSIVE.sub("", word), begins=begins)
            if mark:
                found.append(mark)
            begins = False
        begins = begins or bool(_ENDS_SENTENCE.search(raw))
    quoted = [" ".join("".join(parts).split()) for parts in _QUOTED.findall(text)]
    return (
        *found,
        *(f'"{part}' for part in quoted if part),
        *(f"={word}" for word in families),
        *(("!",) if negated else ()),
    )


def _mark(word: str, *, begins: bool) -> str:
    """Return the mark of one word; empty if it may be another word in a paraphrase."""
    low = word.lower()
    if any(c.isdigit() for c in word):
        return _THOUSANDS.sub("", low)
    if low in NUMBERS:
        return NUMBERS[low]
    if _TECHNICAL.search(word):
        return low
    if low in PRONOUNS or low in NEGATIONS or low in _FAMILY:
        return ""
    named = any(c.isupper() for c in word)
    ordinary = begins and low in STARTERS and not any(c.isupper() for c in word[1:])
    return low if named and not ordinary else ""


def sides(text: str) -> tuple[str, ...]:
    """Return the sides that a question takes, such as `most-a`; they tell no word of it."""
    found = (_SIDE.get(raw.strip(_EDGES)) for raw in text.lower().split())
    return tuple(sorted({side for side in found if side is not None}))


def contradict(one: Iterable[str], other: Iterable[str]) -> bool:
    """Tell whether two questions take different sides of the same thing."""
    ours, theirs = _by_axis(one), _by_axis(other)
    return any(ours[axis] != theirs[axis] for axis in ours.keys() & theirs.keys())


def _by_axis(found: Iterable[str]) -> dict[str, frozenset[str]]:
    axes: dict[str, frozenset[str]] = {}
    for each in found:
        axes[each[:-1]] = axes.get(each[:-1], frozenset[str]()) | {each[-1:]}
    return axes
