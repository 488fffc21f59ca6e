"""Keeps the bytes of answers in Redis, which forgets them by itself when their time is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final, cast

from redis.asyncio import RedisCluster

from tiergate.core.caching import is_key
from tiergate.ports import StoreDownError, StoreFigures
from tiergate.stores.redis_client import REDIS_FAULTS, RedisClient, connect_redis
from tiergate.stores.redis_line import RedisLine, address_of
from tiergate.stores.redis_place import RedisPlace
from tiergate.stores.redis_words import Told, get_command, set_command

_PAGE: Final = 500
"""Keys that one step of a scan looks at; Redis serves nobody else meanwhile."""

_FOREVER: Final = 10.0
"""Seconds for the library's own limits: the guard in front has a shorter one of its own."""


class RedisAnswers:
    """Implements `answers_guarded.Bytes`.

    Args:
        place: Where the Redis is.
        client: Another client than the one that `place` means.
    """

    kind = "redis"

    def __init__(self, place: RedisPlace, client: RedisClient | None = None) -> None:
        self.place = str(place)
        if client is None:
            address = address_of(place)
            client = connect_redis(place, _FOREVER) if address is None else RedisLine(address)
        self._client = client

    async def read(self, key: str) -> bytes | None:
        """Return the bytes of a key."""
        told = await self._ask("GET", key)
        return told if isinstance(told, bytes) else None

    def begin(self, key: str, seconds: float) -> asyncio.Future[Told] | None:
        """Begin to read, with a time limit; only a single Redis can be asked so."""
        if not isinstance(self._client, RedisLine):
            return None
        return self._client.begin(get_command(key), seconds)

    async def write(self, key: str, data: bytes, seconds: float) -> None:
        """Keep bytes for some time."""
        await self._ask("SET", key, data, "PX", max(1, int(seconds * 1000)))

    def post(
        self, key: str, data: bytes, seconds: float, done: Callable[[str | None], None]
    ) -> bool:
        """Begin to keep bytes; only a single Redis can be asked so."""
        if not isinstance(self._client, RedisLine):
            return False

        def told(fault: StoreDownError | None) -> None:
            done(None if fault is None else f"{self.place}: {fault}")

        command = set_command(key, data, max(1, int(seconds * 1000)))
        return self._client.post(command, told)

    async def remove(self, keys: Sequence[str]) -> int:
        """Forget keys, one by one: in a cluster they are in many places."""
        gone = 0
        for key in keys:
            told = await self._ask("UNLINK", key)
            gone += told if isinstance(told, int) else 0
        return gone

    async def clear(self, namespace: str) -> int:
        """Forget the answers of a namespace; what else begins with it stays."""
        gone = 0
        async for keys in self._keys(namespace):
            gone += await self.remove(keys)
        return gone

    async def ping(self) -> None:
        """Return if Redis answers."""
        await self._ask("PING")

    async def figures(self) -> StoreFigures:
        """Return where it is; counting would mean to look at every key of the server."""
        return StoreFigures(kind=self.kind, place=self.place)

    async def aclose(self) -> None:
        """Close the connections."""
        try:
            await self._client.aclose()
        except REDIS_FAULTS as exc:
            raise StoreDownError(f"{self.place}: {exc}") from exc

    # ------------------------------------------------------------------ inside

    async def _ask(self, *args: bytes | str | int) -> object:
        try:
            return await self._client.execute_command(*args)
        except (*REDIS_FAULTS, StoreDownError) as exc:
            raise StoreDownError(f"{self.place}: {exc}") from exc

    async def _keys(self, namespace: str) -> AsyncGenerator[list[str]]:
        """Yield the keys of a namespace, some at a time."""
        pattern = f"{namespace}:*"
        if isinstance(self._client, RedisCluster):
            async for key in _of_cluster(self._client, pattern):
                if is_key(namespace, key):
                    yield [key]
            return
        cursor: bytes | str | int = 0
        while True:
            told = await self._ask("SCAN", cursor, "MATCH", pattern, "COUNT", _PAGE)
            if not isinstance(told, list | tuple):
                raise StoreDownError(f"{self.place}: an answer of another shape than Redis gives")
            cursor, found = cast("tuple[bytes | int, list[bytes]]", told)
            keys = [key.decode("utf-8", "replace") for key in found]
            yield [key for key in keys if is_key(namespace, key)]
            if int(cursor) == 0:
                return


async def _of_cluster(client: RedisCluster, pattern: str) -> AsyncGenerator[str]:
    """Yield the keys of all nodes of a cluster."""
    found = client.scan_iter(match=pattern, count=_PAGE)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped keywords
    async for key in found:  # pyright: ignore[reportUnknownVariableType]
        yield cast("bytes", key).decode("utf-8", "replace")
