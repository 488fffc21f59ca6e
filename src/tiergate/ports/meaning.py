"""How texts become vectors, and where the vectors of questions are kept beside their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tiergate.core.meaning import Near
from tiergate.ports.calls import Inbound


class NoVectorError(Exception):
    """There is no vector for a text; `str()` says why. A request is served without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A question whose answer is kept; its text is not in here.

    Attributes:
        key: Of its answer.
        space: The namespace of the cache.
        partition: `NAMESPACE:DIGEST`, of everything that must be equal.
        sides: What it takes sides in (`core.likeness.sides`).
        expires: Unix time from which its answer serves nobody any more.
    """

    key: str
    space: str
    partition: str
    sides: tuple[str, ...]
    expires: float


class Meanings(Protocol):
    """Keeps vectors of questions. None of its methods raises for a store that is down."""

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int
    ) -> list[Near] | None:
        """Return the nearest questions of a partition; None where the store is down.

        Args:
            partition: Only questions of this one are compared.
            vector: Of length 1.
            most: How many are wanted.
        """
        ...

    async def add(self, question: Remembered, vector: Sequence[float]) -> None:
        """Keep a question until it expires, or until there is no room for it."""
        ...

    async def clear(self, space: str) -> None:
        """Forget all questions of a namespace and nothing else."""
        ...

    @property
    def fault(self) -> str | None:
        """Why the store does not work, as far as is known; None while it does."""
        ...

    async def aclose(self) -> None:
        """Give back connections. Nothing may be asked afterwards."""
        ...


class Embedder(Protocol):
    """Turns a text into a vector."""

    @property
    def model(self) -> str:
        """What makes the vectors: those of different models must not be compared."""
        ...

    async def vector(self, text: str, inbound: Inbound) -> Sequence[float]:
        """Return the vector of a text.

        Args:
            text: The user's.
            inbound: The request it stands in, for the accounts.

        Raises:
            NoVectorError: There is none.
        """
        ...


class MeaningWatch(Protocol):
    """Is told what came of comparing by meaning; must be quick and must not raise."""

    def compared(self, alias: str, result: str) -> None:
        """A request was compared: `near`, `far`, or why it could not be, or was not to be."""
        ...
