"""Keeps the bytes of answers in Qdrant, in a collection beside the one of their vectors.

They are found by their keys. A point must have a vector, so theirs has one number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qdrant_client import models

from tiergate.core.caching import spaces_of
from tiergate.ports import Clock, StoreFigures
from tiergate.stores.answer_packing import as_text, of_text
from tiergate.stores.qdrant_home import QdrantHome, equal


class QdrantAnswers:
    """Implements `answers_guarded.Bytes`.

    Args:
        home: The Qdrant.
        collection: Made with the first answer.
        wall: Unix seconds.
    """

    kind = "qdrant"

    def __init__(self, home: QdrantHome, collection: str, wall: Clock) -> None:
        self.place = f"{home.place}, collection {collection}"
        self._home = home
        self._collection = collection
        self._wall = wall

    async def read(self, key: str) -> bytes | None:
        """Return the bytes of a key."""
        found = await self._home.find(self._collection, models.Filter(must=[equal("key", key)]))
        data = None if found is None else found.get("data")
        return of_text(data) if isinstance(data, str) else None

    def begin(self, key: str, seconds: float) -> None:
        """Nothing is read without a task here."""
        del key, seconds

    async def write(self, key: str, data: bytes, seconds: float) -> None:
        """Keep bytes for some time."""
        now = self._wall()
        payload = {
            "key": key,
            "spaces": spaces_of(key),
            "expires": now + seconds,
            "data": as_text(data),
        }
        await self._home.upsert(self._collection, key, (1.0,), payload)
        await self._home.added(self._collection, now)

    def post(
        self, key: str, data: bytes, seconds: float, done: Callable[[str | None], None]
    ) -> bool:
        """Say that this store is written to by `write` alone."""
        del key, data, seconds, done
        return False

    async def remove(self, keys: Sequence[str]) -> int:
        """Forget keys; Qdrant does not tell how many there were."""
        await self._home.remove(self._collection, keys)
        return len(keys)

    async def clear(self, namespace: str) -> int:
        """Forget the answers of a namespace."""
        before = await self._home.count(self._collection)
        where = models.Filter(must=[equal("spaces", namespace)])
        await self._home.remove(self._collection, where)
        return max(0, before - await self._home.count(self._collection))

    async def ping(self) -> None:
        """Return if Qdrant answers."""
        await self._home.ping()

    async def figures(self) -> StoreFigures:
        """Return how many there are."""
        entries = await self._home.count(self._collection)
        return StoreFigures(kind=self.kind, place=self.place, entries=entries)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._home.aclose()
