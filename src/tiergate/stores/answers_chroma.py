"""Keeps the bytes of answers in Chroma, in a collection beside the one of their vectors.

They are found by their keys. A record must have a vector, so theirs has one number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tiergate.core.caching import spaces_of
from tiergate.ports import Clock, StoreFigures
from tiergate.stores.answer_packing import as_text, of_text
from tiergate.stores.chroma_home import ChromaHome


class ChromaAnswers:
    """Implements `answers_guarded.Bytes`.

    Args:
        home: The Chroma.
        collection: Made when it is first used.
        wall: Unix seconds.
    """

    kind = "chromadb"

    def __init__(self, home: ChromaHome, collection: str, wall: Clock) -> None:
        self.place = f"{home.place}, collection {collection}"
        self._home = home
        self._collection = collection
        self._wall = wall

    async def read(self, key: str) -> bytes | None:
        """Return the bytes of a key."""
        data = await self._home.document(self._collection, key)
        return None if data is None else of_text(data)

    def begin(self, key: str, seconds: float) -> None:
        """Nothing is read without a task here."""
        del key, seconds

    async def write(self, key: str, data: bytes, seconds: float) -> None:
        """Keep bytes for some time."""
        now = self._wall()
        metadata: dict[str, str | float] = {"expires": now + seconds}
        # One field per namespace: Chroma's metadata has no lists that every version can search.
        for depth, space in enumerate(spaces_of(key)):
            metadata[f"space{depth}"] = space
        document = as_text(data)
        await self._home.upsert(self._collection, key, (1.0,), metadata, document)
        await self._home.added(self._collection, now)

    def post(
        self, key: str, data: bytes, seconds: float, done: Callable[[str | None], None]
    ) -> bool:
        """Say that this store is written to by `write` alone."""
        del key, data, seconds, done
        return False

    async def remove(self, keys: Sequence[str]) -> int:
        """Forget keys; Chroma does not tell how many there were."""
        await self._home.remove(self._collection, keys)
        return len(keys)

    async def clear(self, namespace: str) -> int:
        """Forget the answers of a namespace."""
        before = await self._home.count(self._collection)
        depth = namespace.count(":")
        await self._home.sweep(self._collection, {f"space{depth}": {"$eq": namespace}})
        return max(0, before - await self._home.count(self._collection))

    async def ping(self) -> None:
        """Return if Chroma answers."""
        await self._home.ping()

    async def figures(self) -> StoreFigures:
        """Return how many there are."""
        entries = await self._home.count(self._collection)
        return StoreFigures(kind=self.kind, place=self.place, entries=entries)

    async def aclose(self) -> None:
        """Forget the connection."""
        await self._home.aclose()
