"""Keeps answers in the memory of this process, up to a number of bytes; nobody else sees them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from tiergate.core.caching import is_key
from tiergate.ports import Clock, StoredAnswer, StoreFigures
from tiergate.stores.answer_packing import pack, pack_aside, unpack_aside

BESIDE = 400
"""Bytes that an entry takes beside its key and its answer: objects, and its place in the order."""


class MemoryAnswers:
    """Implements `ports.AnswerStore`. The answer that was not asked for longest goes first.

    Args:
        most_bytes: What all answers together may take.
        wall: Unix seconds.
    """

    fault: str | None = None

    def __init__(self, most_bytes: int, wall: Clock) -> None:
        self._most = most_bytes
        self._wall = wall
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._size = 0
        self._dropped = 0

    async def get(self, key: str) -> StoredAnswer | None:
        """Return an answer; see `ports.AnswerStore.get`."""
        found = self._kept.get(key)
        if found is None:
            return None
        expires, packed = found
        if self._wall() >= expires:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return await unpack_aside(key, packed)

    async def put(self, key: str, answer: StoredAnswer) -> None:
        """Keep an answer; see `ports.AnswerStore.put`."""
        self._keep(key, answer, await pack_aside(key, answer))

    def post(self, key: str, answer: StoredAnswer, done: Callable[[], None]) -> bool:
        """Keep a small answer now; see `ports.AnswerStore.post`."""
        self._keep(key, answer, pack(key, answer))
        done()
        return True

    def _keep(self, key: str, answer: StoredAnswer, packed: bytes) -> None:
        self._forget(key)
        size = _size(key, packed)
        if size > self._most:
            self._dropped += 1
            return
        self._kept[key] = (answer.expires, packed)
        self._size += size
        while self._size > self._most:
            oldest = next(iter(self._kept))
            self._forget(oldest)
            self._dropped += 1

    async def delete(self, keys: Sequence[str]) -> int | None:
        """Forget answers; see `ports.AnswerStore.delete`."""
        return sum(self._forget(key) for key in keys)

    async def clear(self, namespace: str) -> int | None:
        """Forget all answers of a namespace; see `ports.AnswerStore.clear`."""
        return await self.delete([key for key in self._kept if is_key(namespace, key)])

    async def ping(self) -> str | None:
        """Memory always works."""
        return None

    async def figures(self) -> StoreFigures:
        """Return how much is kept; see `ports.AnswerStore.figures`."""
        return StoreFigures(
            kind="local",
            place="memory of this process",
            entries=len(self._kept),
            size=self._size,
            most=self._most,
            dropped=self._dropped,
        )

    async def aclose(self) -> None:
        """Nothing is open."""

    def _forget(self, key: str) -> bool:
        found = self._kept.pop(key, None)
        if found is None:
            return False
        self._size -= _size(key, found[1])
        return True


def _size(key: str, packed: bytes) -> int:
    return len(key) + len(packed) + BESIDE
