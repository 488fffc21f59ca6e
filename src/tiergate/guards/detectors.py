"""What finds secrets beside the patterns: a Protocol. It imports nothing that takes time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tiergate.ports.guarding import Found


class Detectors(Protocol):
    """Further detectors, from outside."""

    @property
    def reach(self) -> int:
        """The most characters that decide about one finding."""
        ...

    async def find(self, texts: Sequence[str]) -> list[Found]:
        """Return what is in some texts.

        Raises:
            GuardError: It took too long, or a detector failed.
        """
        ...
