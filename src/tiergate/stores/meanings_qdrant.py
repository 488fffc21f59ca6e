"""Keeps vectors in Qdrant: one collection, in which a partition is a field of the payload."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_client import models

from tiergate.core.meaning import Near
from tiergate.ports import Remembered
from tiergate.stores.qdrant_home import Payload, QdrantHome, equal


class QdrantVectors:
    """Implements `meanings_guarded.Vectors`.

    Args:
        home: The Qdrant.
        collection: Made with the first vector, and with its size.
    """

    def __init__(self, home: QdrantHome, collection: str) -> None:
        self.place = f"{home.place}, collection {collection}"
        self._home = home
        self._collection = collection

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int, now: float
    ) -> list[Near]:
        """Return the nearest questions; see `Vectors.nearest`."""
        fresh = models.FieldCondition(key="expires", range=models.Range(gt=now))
        where = models.Filter(must=[equal("partition", partition), fresh])
        found = await self._home.nearest(self._collection, vector, where, most)
        return [near for score, payload in found if (near := _near(score, payload)) is not None]

    async def add(self, question: Remembered, vector: Sequence[float], now: float) -> None:
        """Keep a question; see `Vectors.add`."""
        payload: Payload = {
            "partition": question.partition,
            "space": question.space,
            "key": question.key,
            "sides": list(question.sides),
            "expires": question.expires,
        }
        name = f"{question.partition}\n{question.key}"
        await self._home.upsert(self._collection, name, vector, payload)
        await self._home.added(self._collection, now)

    async def clear(self, space: str) -> None:
        """Forget the questions of a namespace; see `Vectors.clear`."""
        await self._home.remove(self._collection, models.Filter(must=[equal("space", space)]))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._home.aclose()


def _near(score: float, payload: Payload) -> Near | None:
    key, sides = payload.get("key"), payload.get("sides")
    if not isinstance(key, str) or not isinstance(sides, list):
        return None  # another program's point
    return Near(key, score, tuple(sides))
