"""Keeps vectors in Chroma: one collection, in which a partition is a field of the metadata."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.core.meaning import Near
from tiergate.ports import Remembered
from tiergate.stores.chroma_home import ChromaHome


class ChromaVectors:
    """Implements `meanings_guarded.Vectors`.

    Args:
        home: The Chroma.
        collection: Made when it is first used.
    """

    def __init__(self, home: ChromaHome, collection: str) -> None:
        self.place = f"{home.place}, collection {collection}"
        self._home = home
        self._collection = collection

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int, now: float
    ) -> list[Near]:
        """Return the nearest questions; see `Vectors.nearest`."""
        where = {"$and": [{"partition": {"$eq": partition}}, {"expires": {"$gt": now}}]}
        found = await self._home.nearest(self._collection, vector, where, most)
        near: list[Near] = []
        for record in found:
            key, sides = record.metadata.get("key"), record.metadata.get("sides")
            if isinstance(key, str) and isinstance(sides, str):
                near.append(Near(key, 1.0 - record.distance, tuple(sides.split())))
        return near

    async def add(self, question: Remembered, vector: Sequence[float], now: float) -> None:
        """Keep a question; see `Vectors.add`."""
        metadata = {
            "partition": question.partition,
            "space": question.space,
            "key": question.key,
            "sides": " ".join(question.sides),
            "expires": question.expires,
        }
        name = f"{question.partition}\n{question.key}"
        await self._home.upsert(self._collection, name, vector, metadata)
        await self._home.added(self._collection, now)

    async def clear(self, space: str) -> None:
        """Forget the questions of a namespace; see `Vectors.clear`."""
        await self._home.sweep(self._collection, {"space": {"$eq": space}})

    async def aclose(self) -> None:
        """Forget the connection."""
        await self._home.aclose()
