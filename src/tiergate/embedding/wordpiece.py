"""Cuts a text into the pieces that a BERT model knows (WordPiece, uncased).

The rules are those of the BERT paper's tokenizer (Devlin et al. 2018): lower case without
accents, punctuation and ideographs apart, then the longest known piece from the left.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

UNKNOWN: Final = "[UNK]"
BEGIN: Final = "[CLS]"
END: Final = "[SEP]"

_LONGEST_WORD: Final = 100
_IDEOGRAPHS: Final = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
_ASCII_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def pieces_of(text: str, known: Mapping[str, int], most: int) -> list[int]:
    """Return the numbers of a text's pieces, with those that begin and end it.

    Args:
        text: Any.
        known: The number of each piece (`vocab.txt`).
        most: The most numbers; what is more is cut.
    """
    found = [known[BEGIN]]
    for word in words_of(text):
        for piece in _cut(word, known):
            if len(found) == most - 1:
                return [*found, known[END]]
            found.append(piece)
    return [*found, known[END]]


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text: lower case, without accents, punctuation apart."""
    word: list[str] = []
    for char in unicodedata.normalize("NFD", _spaced(text).lower()):
        category = unicodedata.category(char)
        if category == "Mn":
            continue
        if char.isspace() or _stands_alone(char, category):
            if word:
                yield "".join(word)
                word = []
            if not char.isspace():
                yield char
        else:
            word.append(char)
    if word:
        yield "".join(word)


def _spaced(text: str) -> str:
    """Return a text without control characters, its ideographs apart."""
    made: list[str] = []
    for char in text:
        if char in "\t\n\r":
            made.append(" ")
        elif char == "\ufffd" or unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs"):
            continue
        elif any(low <= ord(char) <= high for low, high in _IDEOGRAPHS):
            made.append(f" {char} ")
        else:
            made.append(char)
    return "".join(made)


def _stands_alone(char: str, category: str) -> bool:
    return char in _ASCII_PUNCTUATION or category.startswith("P")


def _cut(word: str, known: Mapping[str, int]) -> list[int]:
    """Cut a word into the longest pieces from the left; a word that cannot be cut is unknown."""
    if len(word) > _LONGEST_WORD:
        return [known[UNKNOWN]]
    found: list[int] = []
    start = 0
    while start < len(word):
        end = len(word)
        while end > start:
            number = known.get(("##" if start else "") + word[start:end])
            if number is not None:
                found.append(number)
                break
            end -= 1
        else:
            return [known[UNKNOWN]]
        start = end
    return found
