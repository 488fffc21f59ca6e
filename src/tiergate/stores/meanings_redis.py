"""Keeps vectors in any Redis, also one without a search module: one hash per partition.

A partition's vectors are fetched and compared here. Partitions are small (one tenant, one alias,
one system prompt, the same numbers and names), and are bounded, so that this stays quick. With
the search module `meanings_redisearch` takes its place.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

import msgspec
from redis.asyncio import RedisCluster

from tiergate.core.meaning import Near
from tiergate.ports import Remembered, StoreDownError
from tiergate.stores.meanings_embedded import similarities
from tiergate.stores.redis_client import REDIS_FAULTS, RedisClient

MOST_COMPARED: Final = 1000
"""Questions of one partition; more make room by chance. Of 384 numbers each, 1.5 MB."""

_PAGE: Final = 500
_FOLDER: Final = "meaning"
_SHORT: Final = 40
_FORMAT: Final = b"v1"


class _Kept(msgspec.Struct, array_like=True):
    """One question in a hash."""

    key: str
    sides: list[str]
    expires: float
    vector: bytes


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Kept)


class RedisVectors:
    """Implements `meanings_guarded.Vectors`.

    Args:
        place: Where the Redis is, in words.
        client: Speaks with it.
    """

    def __init__(self, place: str, client: RedisClient) -> None:
        self.place = place
        self._client = client

    async def nearest(
        self, partition: str, vector: Sequence[float], most: int, now: float
    ) -> list[Near]:
        """Return the nearest questions; see `Vectors.nearest`."""
        name = _hash_of(partition)
        told = await self._ask("HGETALL", name)
        wanted = array("f", vector).tobytes()
        found: list[_Kept] = []
        over: list[bytes] = []
        for field, value in pairs_of(told):
            kept = _read(value)
            if kept is None or kept.expires <= now:
                over.append(field)
            elif len(kept.vector) == len(wanted):
                found.append(kept)
        if over:
            await self._ask("HDEL", name, *over)
        scores = similarities(wanted, [kept.vector for kept in found])
        order = sorted(range(len(found)), key=lambda place: -scores[place])[:most]
        return [Near(found[i].key, scores[i], tuple(found[i].sides)) for i in order]

    async def add(self, question: Remembered, vector: Sequence[float], now: float) -> None:
        """Keep a question; see `Vectors.add`."""
        name = _hash_of(question.partition)
        kept = _Kept(
            question.key, list(question.sides), question.expires, array("f", vector).tobytes()
        )
        field = hashlib.sha256(question.key.encode()).digest()[:12]
        await self._ask("HSET", name, field, _FORMAT + _ENCODER.encode(kept))
        # The whole hash goes when its last question does.
        life = max(1, int((question.expires - now) * 1000))
        left = await self._ask("PTTL", name)
        if not isinstance(left, int) or left < life:
            await self._ask("PEXPIRE", name, life)
        number = await self._ask("HLEN", name)
        if isinstance(number, int) and number > MOST_COMPARED:
            await self._make_room(name, field, number - MOST_COMPARED)

    async def clear(self, space: str) -> None:
        """Forget the questions of a namespace; see `Vectors.clear`."""
        await clear_keys(self._client, f"{space}:{_FOLDER}:*", self._ask)

    async def aclose(self) -> None:
        """Close the connections."""
        try:
            await self._client.aclose()
        except REDIS_FAULTS as exc:
            raise StoreDownError(f"{self.place}: {exc}") from exc

    # ------------------------------------------------------------------ inside

    async def _make_room(self, name: str, new: bytes, number: int) -> None:
        told = await self._ask("HRANDFIELD", name, number + 1)
        gone = [each for each in items_of(told) if isinstance(each, bytes) and each != new]
        if gone:
            await self._ask("HDEL", name, *gone[:number])

    async def _ask(self, *args: bytes | str | int) -> object:
        try:
            return await self._client.execute_command(*args)
        except (*REDIS_FAULTS, StoreDownError) as exc:
            raise StoreDownError(f"{self.place}: {exc}") from exc


async def clear_keys(
    client: RedisClient, pattern: str, ask: Callable[..., Awaitable[object]]
) -> None:
    """Forget the keys that match a pattern, on all nodes of a cluster.

    Args:
        client: Speaks with Redis.
        pattern: Of the keys.
        ask: Sends a command, and raises `StoreDownError`.
    """
    if isinstance(client, RedisCluster):
        try:
            found = client.scan_iter(match=pattern, count=_PAGE)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped keywords
            async for key in found:  # pyright: ignore[reportUnknownVariableType]
                await ask("UNLINK", cast("bytes", key))
        except REDIS_FAULTS as exc:
            raise StoreDownError(f"the Redis cluster: {exc}") from exc
        return
    cursor = b"0"
    while True:
        told = items_of(await ask("SCAN", cursor, "MATCH", pattern, "COUNT", _PAGE))
        if len(told) != 2:
            raise StoreDownError("Redis gave an answer of another shape than SCAN has")
        for key in items_of(told[1]):
            if isinstance(key, bytes):
                await ask("UNLINK", key)
        first = told[0]
        cursor = first if isinstance(first, bytes) else str(first).encode()
        if int(cursor) == 0:
            return


def items_of(told: object) -> list[object]:
    """Return what a list in an answer holds; empty for anything else."""
    if isinstance(told, list | tuple | set | frozenset):
        return list(cast("list[object]", told))
    return []


def pairs_of(told: object) -> list[tuple[bytes, bytes]]:
    """Return fields and values, which one client gives as a list and the other as a mapping."""
    if isinstance(told, dict):
        both = list(cast("dict[object, object]", told).items())
    else:
        flat = items_of(told)
        both = list(zip(flat[::2], flat[1::2], strict=False))
    return [(f, v) for f, v in both if isinstance(f, bytes) and isinstance(v, bytes)]


def _read(value: bytes) -> _Kept | None:
    if not value.startswith(_FORMAT):
        return None
    try:
        return _DECODER.decode(value[len(_FORMAT) :])
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _hash_of(partition: str) -> str:
    """Return the key of a partition's hash; shorter than the key of an answer, so never one."""
    space, _, digest = partition.rpartition(":")
    return f"{space}:{_FOLDER}:{digest[:_SHORT]}"
