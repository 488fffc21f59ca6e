"""Collect what an encoder leaves out, so that none of it is left out in silence."""

from __future__ import annotations

import re
from typing import Final

from tiergate.base.errors import Untranslatable

_SAFE_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}")
UNNAMED: Final = "unknown_field"
"""Stands for a field whose name cannot stand in a header."""


class Losses:
    """The losses of one request, in order, each once.

    Attributes:
        lenient: The operator's `drop_params`: what would be an error is a loss instead.
    """

    __slots__ = ("_words", "lenient")

    def __init__(self, *, lenient: bool) -> None:
        self.lenient = lenient
        self._words: dict[str, None] = {}

    def add(self, word: str) -> None:
        """Note a harmless loss. Words are stable: they stand in `x-tiergate-dropped`."""
        self._words[word if _SAFE_WORD.fullmatch(word) else UNNAMED] = None

    def refuse(self, word: str, sentence: str, *, param: str | None = None) -> None:
        """Note a loss that changes the answer's meaning.

        Raises:
            Untranslatable: Unless the operator allows such losses.
        """
        if not self.lenient:
            raise Untranslatable(sentence, param=param)
        self.add(word)

    @property
    def words(self) -> tuple[str, ...]:
        """All losses so far."""
        return tuple(self._words)
