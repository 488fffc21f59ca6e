"""Patterns of words and phrases: how a word of the configuration may stand in a text."""

from __future__ import annotations

import unicodedata
from itertools import permutations
from typing import Final

import regex

from tiergate.core.guard_options import Nearness, PhraseRule

_SPACED: Final = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{N}_]")
"""Signs of scripts that set words apart; a word in another script counts anywhere."""

_BLANKS: Final = 4
"""Most blanks that stand for one."""
_BETWEEN: Final = r"(?:[^\w]{1,8}\w{1,32})"
"""One word between two others."""
_BETWEEN_WIDTH: Final = 40
_FUZZY_BETWEEN: Final = 2
"""Most words between two of a phrase that is matched loosely."""
_ENDINGS: Final = ("ing", "ies", "ed", "es", "e", "s", "y")
_SHORTEST_STEM: Final = 3
_LONGEST_ENDING: Final = 5
_ANY_ORDER: Final = 3
"""Most words of a phrase that may stand in any order."""


def word_pattern(word: str, *, whole: bool = True) -> tuple[str, int]:
    """Return the pattern of a word or phrase, to be matched without regard to case, and its reach.

    Accents count however they are composed, and a blank stands for up to four.

    Args:
        word: The word or phrase.
        whole: It counts as a whole word only: `cat` is not in `category`.
    """
    forms = dict.fromkeys(unicodedata.normalize(form, word.strip()) for form in ("NFC", "NFD"))
    joined = "|".join(_spaced(form) for form in forms)
    body = joined if len(forms) == 1 else f"(?:{joined})"
    before = r"(?<!\w)" if whole and _SPACED.match(word.strip()[:1]) else ""
    after = r"(?!\w)" if whole and _SPACED.match(word.strip()[-1:]) else ""
    longest = max(len(form) + _BLANKS * form.count(" ") for form in forms)
    return before + body + after, longest + 2


def _spaced(text: str) -> str:
    return rf"\s{{1,{_BLANKS}}}".join(regex.escape(part) for part in text.split())


def phrase_pattern(phrase: PhraseRule) -> tuple[str, int]:
    """Return the pattern of words that count together, and its reach."""
    if phrase.nearness is Nearness.EXACT:
        return word_pattern(" ".join(phrase.words))
    if phrase.nearness is Nearness.FUZZY:
        parts = [rf"(?<!\w){_stem(word)}\w{{0,{_LONGEST_ENDING}}}" for word in phrase.words]
        return _near(parts, _FUZZY_BETWEEN), _reach(phrase.words, _FUZZY_BETWEEN)
    whole = [word_pattern(word)[0] for word in phrase.words]
    orders = permutations(whole) if len(whole) <= _ANY_ORDER else (whole,)
    pattern = "|".join(_near(list(order), phrase.distance) for order in orders)
    return f"(?:{pattern})", _reach(phrase.words, phrase.distance)


def _near(parts: list[str], most: int) -> str:
    return (rf"{_BETWEEN}{{0,{most}}}[^\w]{{1,8}}").join(parts)


def _reach(words: tuple[str, ...], most: int) -> int:
    between = (len(words) - 1) * (most * _BETWEEN_WIDTH + 8)
    return sum(len(word) + _LONGEST_ENDING + 2 for word in words) + between


def _stem(word: str) -> str:
    """Return what a word and its inflections begin with, roughly: `plan` of `planning`."""
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _SHORTEST_STEM:
            return regex.escape(stem)
    return regex.escape(word)
