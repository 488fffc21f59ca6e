"""Keeps vectors in a Redis that has the search module (Redis Stack, Redis 8), by its index.

A Redis without it says so at the first command; then `meanings_redis` does the work. The commands
are those of redis.io/docs/latest/develop/ai/search-and-query/vectors (seen 2026-11).
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from typing import Final

from redis.exceptions import ResponseError

from tiergate.core.meaning import Near
from tiergate.ports import Remembered, StoreDownError
from tiergate.stores.meanings_redis import RedisVectors, clear_keys, items_of, pairs_of
from tiergate.stores.redis_client import REDIS_FAULTS, RedisClient

_FOLDER: Final = "near"
_UNKNOWN: Final = "unknown command"
_EXISTS: Final = "already exists"


class SearchedVectors:
    """Implements `meanings_guarded.Vectors`.

    Args:
        place: Where the Redis is, in words.
        client: Speaks with it.
        index: Name of the index; the size of the vectors is added to it.
        space: The namespace whose keys are indexed.
    """

    def __init__(self, place: str, client: RedisClient, index: str, space: str) -> None:
        self.place = place
        self._client = client
        self._index = index
        self._space = space
        self._made: set[int] = set()
        self._plain: RedisVectors | None = None

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int, now: float
    ) -> list[Near]:
        """Return the nearest questions; see `Vectors.nearest`."""
        if not await self._has_index(len(vector)):
            return await self._without().nearest(partition, vector, most, now)
        digest = partition.rpartition(":")[2]
        told = await self._ask(
            "FT.SEARCH",
            self._name(len(vector)),
            f"(@partition:{{{digest}}} @expires:[({now!r} +inf])=>[KNN {most} @vector $v AS far]",
            *("PARAMS", 2, "v", array("f", vector).tobytes()),
            *("SORTBY", "far", "LIMIT", 0, most, "RETURN", 3, "key", "sides", "far"),
            *("DIALECT", 2),
        )
        return _read(told)

    async def add(self, question: Remembered, vector: Sequence[float], now: float) -> None:
        """Keep a question; see `Vectors.add`."""
        if not await self._has_index(len(vector)):
            await self._without().add(question, vector, now)
            return
        digest = question.partition.rpartition(":")[2]
        made = hashlib.sha256(f"{digest}\n{question.key}".encode()).hexdigest()[:40]
        name = f"{question.space}:{_FOLDER}:{made}"
        await self._ask(
            *("HSET", name, "partition", digest, "key", question.key),
            *("sides", " ".join(question.sides), "expires", repr(question.expires)),
            *("vector", array("f", vector).tobytes()),
        )
        await self._ask("PEXPIRE", name, max(1, int((question.expires - now) * 1000)))

    async def clear(self, space: str) -> None:
        """Forget the questions of a namespace; see `Vectors.clear`."""
        await clear_keys(self._client, f"{space}:{_FOLDER}:*", self._ask)
        await self._without().clear(space)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._without().aclose()

    # ------------------------------------------------------------------ inside

    def _without(self) -> RedisVectors:
        """Return what does the work in a Redis without the module."""
        if self._plain is None:
            self._plain = RedisVectors(self.place, self._client)
        return self._plain

    def _name(self, size: int) -> str:
        return f"{self._index}-{size}"

    async def _has_index(self, size: int) -> bool:
        """Whether there is an index for vectors of a size; it is made if it can be."""
        if size in self._made:
            return True
        if self._plain is not None:
            return False
        try:
            await self._client.execute_command(
                *("FT.CREATE", self._name(size), "ON", "HASH"),
                *("PREFIX", 1, f"{self._space}:{_FOLDER}:", "SCHEMA"),
                *("partition", "TAG", "expires", "NUMERIC"),
                *("vector", "VECTOR", "FLAT", 6),
                *("TYPE", "FLOAT32", "DIM", size, "DISTANCE_METRIC", "COSINE"),
            )
        except (*REDIS_FAULTS, StoreDownError) as exc:
            said = str(exc).lower()
            if _UNKNOWN in said:
                self._without()
                return False
            if _EXISTS not in said:
                raise StoreDownError(f"{self.place}: {exc}") from exc
        self._made.add(size)
        return True

    async def _ask(self, *args: bytes | str | int) -> object:
        try:
            return await self._client.execute_command(*args)
        except (*REDIS_FAULTS, StoreDownError) as exc:
            if isinstance(exc, ResponseError | StoreDownError):
                self._made.clear()  # the server may have been begun anew
            raise StoreDownError(f"{self.place}: {exc}") from exc


def _read(told: object) -> list[Near]:
    """Read the answer of a search: how many, then names and fields by turns."""
    found: list[Near] = []
    for fields in items_of(told)[2::2]:
        told_of = dict(pairs_of(fields))
        key, far = told_of.get(b"key"), told_of.get(b"far")
        if key is not None and far is not None:
            sides = told_of.get(b"sides", b"").decode("utf-8", "replace").split()
            found.append(Near(key.decode("utf-8", "replace"), 1.0 - float(far), tuple(sides)))
    return found
