"""Collect what an encoder leaves out, so that none of it is left out in silence."""

from __future__ import annotations

from tiergate.base.errors import Untranslatable


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
        self._words[word] = None

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
