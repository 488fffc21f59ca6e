"""Documents in Redis, for gateways on several machines that share budgets by it.

A change is made here and written by a script if nothing has changed meanwhile; otherwise it is
made again. All keys have one hash tag, so that a cluster keeps them together. What Redis forgets
(it may lose the last moments when it is killed) is found again from the ledger, elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from importlib import resources
from typing import TypeVar, cast

from redis.exceptions import NoScriptError, RedisError

from tiergate.ports import Change, Seen, StoreDownError
from tiergate.stores.change import Writes, apply_change
from tiergate.stores.keys import after_prefix, key_bytes, key_text
from tiergate.stores.redis_client import REDIS_FAULTS, RedisClient, connect_redis
from tiergate.stores.redis_place import RedisPlace

T = TypeVar("T")

_PAGE = 500
"""Documents that one step of a scan returns; Redis serves nobody else meanwhile."""

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05


class RedisDocuments:
    """Implements `ports.Documents`. Connects when first asked, and again after failures.

    Args:
        place: Where the Redis is.
        chance: Gives numbers from 0 up to 1, so that those who lost a race do not meet again.
        seconds: The most that a question may take before the store is said to be down.
        client: Another client than the one that `place` means.
    """

    def __init__(
        self,
        place: RedisPlace,
        chance: Callable[[], float],
        *,
        seconds: float = 2.0,
        client: RedisClient | None = None,
    ) -> None:
        self._place = str(place)
        self._chance = chance
        self._seconds = seconds
        self._client = client or connect_redis(place, seconds)
        tag = f"{place.prefix}{{{place.namespace}}}"
        self._keys = (f"{tag}:documents", f"{tag}:document-keys")
        self._update = _Script("redis_update.lua")
        self._scan = _Script("redis_scan.lua")
        # Those of one process would only lose races against each other.
        self._turn = asyncio.Lock()

    async def update(self, keys: Sequence[str], change: Change[T]) -> T:
        """Change some documents together.

        Raises:
            StoreDownError: See `ports.Documents`.
            ValueError: `change` returned a document that it was not shown.
        """
        async with self._asking(), self._turn:
            seen = await self._read(keys)
            pause = 0.0
            while True:
                writes, answer = apply_change(change, seen)
                if not writes:
                    return answer
                newer = await self._run(self._update, *_arguments(seen, writes))
                if newer is None:
                    return answer
                seen = _by_key(keys, newer)
                await asyncio.sleep(pause * self._chance())
                pause = min(max(_FIRST_PAUSE, 2 * pause), _LONGEST_PAUSE)

    async def read(self, keys: Sequence[str]) -> Seen:
        """Return documents as they are.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        async with self._asking():
            return await self._read(keys)

    async def scan(self, prefix: str) -> list[tuple[str, bytes]]:
        """Return all documents whose key begins with a prefix, in the order of their keys.

        They are read some hundred at a time; each is whole, and what is written meanwhile may be
        among them or not.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        start = key_bytes(prefix)
        low = b"[" + start
        end = after_prefix(start)
        high = b"+" if end is None else b"(" + end
        found: list[tuple[str, bytes]] = []
        while True:
            async with self._asking():
                answer = await self._run(self._scan, low, high, _PAGE)
            page = _bodies(answer)
            names = [name for name in page[::2] if name is not None]
            found += [
                (key_text(name), body)
                for name, body in zip(names, page[1::2], strict=True)
                if body is not None
            ]
            if len(names) < _PAGE:
                return found
            low = b"(" + names[-1]

    async def aclose(self) -> None:
        """Give back the connections."""
        with contextlib.suppress(StoreDownError):
            async with self._asking():
                await self._client.aclose()

    async def _read(self, keys: Sequence[str]) -> Seen:
        if not keys:
            return {}
        answer = await self._client.execute_command("HMGET", self._keys[0], *map(key_bytes, keys))
        return _by_key(keys, answer)

    async def _run(self, script: _Script, *arguments: bytes | int) -> object:
        try:
            return await self._client.execute_command(
                "EVALSHA", script.digest, len(self._keys), *self._keys, *arguments
            )
        except NoScriptError:  # a server that has not seen it yet
            return await self._client.execute_command(
                "EVAL", script.text, len(self._keys), *self._keys, *arguments
            )

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError as exc:
            what = f"{self._place} did not answer within {self._seconds:g} seconds"
            raise StoreDownError(what) from exc
        except REDIS_FAULTS as exc:
            raise StoreDownError(f"{self._place}: {exc}") from exc


class _Script:
    """A script that Redis runs as one step."""

    def __init__(self, name: str) -> None:
        self.text = resources.files("tiergate.stores").joinpath(name).read_text("utf-8")
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


def _arguments(seen: Seen, writes: Writes) -> list[bytes | int]:
    found: list[bytes | int] = [len(seen)]
    for documents in (seen, writes):
        for key, body in documents.items():
            found += [key_bytes(key), b"0" if body is None else b"1", body or b""]
    return found


def _by_key(keys: Sequence[str], answer: object) -> Seen:
    return dict(zip(keys, _bodies(answer), strict=True))


def _bodies(answer: object) -> list[bytes | None]:
    """Narrow what the library returns."""
    if not isinstance(answer, list):
        raise RedisError("an answer of another shape than Redis gives")
    items = cast("list[object]", answer)
    return [item if isinstance(item, bytes) else None for item in items]
