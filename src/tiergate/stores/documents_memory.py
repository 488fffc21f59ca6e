"""Documents kept in this process alone: nothing outlives it, and no other process sees them.

It is the plainest store there is, and the measure that the other ones are held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tiergate.ports import Change, Seen
from tiergate.stores.change import apply_change

T = TypeVar("T")


class MemoryDocuments:
    """Implements `ports.Documents`. It is never down."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    async def update(self, keys: Sequence[str], change: Change[T]) -> T:
        """Change some documents; nothing else runs meanwhile, so `change` is called once."""
        writes, answer = apply_change(change, self._seen(keys))
        for key, body in writes.items():
            if body is None:
                del self._bodies[key]
            else:
                self._bodies[key] = body
        return answer

    async def read(self, keys: Sequence[str]) -> Seen:
        """Return documents as they are."""
        return self._seen(keys)

    async def scan(self, prefix: str) -> list[tuple[str, bytes]]:
        """Return all documents whose key begins with a prefix, in the order of their keys."""
        return sorted(item for item in self._bodies.items() if item[0].startswith(prefix))

    async def aclose(self) -> None:
        """Forget everything."""
        self._bodies.clear()

    def _seen(self, keys: Sequence[str]) -> Seen:
        return {key: self._bodies.get(key) for key in keys}
