"""Speaks with one Qdrant: a server, or the client's local mode. What is kept is not known here.

Qdrant's names: a collection holds points, each with a vector and a payload
(qdrant.tech/documentation, seen 2026-11).
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from tiergate.base.values import Secret
from tiergate.ports import StoreDownError

LOG = logging.getLogger("tiergate.cache")

MEMORY: Final = ":memory:"
"""As an address: local mode that nothing outlives."""

_NAMES: Final = uuid.UUID("8f5a1c56-6c1e-4b1b-9d67-3f0b3b7d9c11")
_TIMEOUT: Final = 30
"""Seconds for the library's own limit: the guard in front has a shorter one of its own."""

_CONFLICT: Final = 409
_MOST_SAID: Final = 200
_SWEPT: Final = 64
"""Additions to a collection between two removals of what has expired."""

Payload = Mapping[str, str | float | list[str]]


class QdrantHome:
    """One Qdrant. The connection is made when it is first used.

    Args:
        address: `http://HOST:PORT`, a folder for local mode, or `:memory:`.
        api_key: Of the server, if it asks for one.
    """

    def __init__(self, address: str, api_key: Secret | None = None) -> None:
        self.place = f"Qdrant at {address}" if _is_url(address) else f"Qdrant in {address}"
        self._address = address
        self._far = _is_url(address)
        self._api_key = api_key
        self._client: AsyncQdrantClient | None = None
        self._made: set[str] = set()
        self._making = asyncio.Lock()
        self._added: Counter[str] = Counter()

    async def upsert(
        self, collection: str, name: str, vector: Sequence[float], payload: Payload
    ) -> None:
        """Keep a point under a name; one of that name is replaced."""
        async with self._said():
            client = await self._with(collection, len(vector))
            point = models.PointStruct(id=_id(name), vector=list(vector), payload=dict(payload))
            await client.upsert(collection, points=[point], wait=True)

    async def nearest(
        self, collection: str, vector: Sequence[float], where: models.Filter, most: int
    ) -> list[tuple[float, Payload]]:
        """Return similarity and payload of the nearest points; none of a missing collection."""
        async with self._said():
            client = self._connected()
            if not await self._is_there(client, collection):
                return []
            told = await client.query_points(
                collection,
                query=list(vector),
                query_filter=where,
                limit=most,
                with_payload=True,
                # Local mode compares all of them anyway, and says so at length.
                search_params=models.SearchParams(exact=True) if self._far else None,
            )
            return [(point.score, point.payload or {}) for point in told.points]

    async def find(self, collection: str, where: models.Filter) -> Payload | None:
        """Return the payload of one point; None where there is none."""
        async with self._said():
            client = self._connected()
            if not await self._is_there(client, collection):
                return None
            found, _ = await client.scroll(
                collection, scroll_filter=where, limit=1, with_payload=True
            )
            return (found[0].payload or {}) if found else None

    async def remove(self, collection: str, what: Sequence[str] | models.Filter) -> None:
        """Forget points by their names, or by what they hold."""
        async with self._said():
            client = self._connected()
            if not await self._is_there(client, collection):
                return
            chosen: models.FilterSelector | models.PointIdsList
            if isinstance(what, models.Filter):
                chosen = models.FilterSelector(filter=what)
            else:
                chosen = models.PointIdsList(points=[_id(name) for name in what])
            await client.delete(collection, points_selector=chosen, wait=True)

    async def added(self, collection: str, now: float) -> None:
        """Forget, now and then, points whose `expires` (Unix seconds) has come."""
        self._added[collection] += 1
        if self._added[collection] % _SWEPT == 0:
            over = models.FieldCondition(key="expires", range=models.Range(lte=now))
            await self.remove(collection, models.Filter(must=[over]))

    async def count(self, collection: str) -> int:
        """Return how many points there are."""
        async with self._said():
            client = self._connected()
            if not await self._is_there(client, collection):
                return 0
            return (await client.count(collection)).count

    async def ping(self) -> None:
        """Return if it answers."""
        async with self._said():
            await self._connected().get_collections()

    async def aclose(self) -> None:
        """Close the connection; it may be closed twice."""
        client, self._client = self._client, None
        if client is not None:
            async with self._said():
                await client.close()

    # ------------------------------------------------------------------ inside

    def _connected(self) -> AsyncQdrantClient:
        if self._client is None:
            key = self._api_key.value if self._api_key is not None else None
            if self._far:
                self._client = AsyncQdrantClient(
                    url=self._address,
                    # Without it the library takes 6333 whatever the scheme says.
                    port=None,
                    api_key=key,
                    timeout=_TIMEOUT,
                    check_compatibility=False,
                )
            elif self._address == MEMORY:
                self._client = AsyncQdrantClient(location=MEMORY)
            else:
                self._client = AsyncQdrantClient(path=self._address)
        return self._client

    async def _is_there(self, client: AsyncQdrantClient, collection: str) -> bool:
        if collection not in self._made and await client.collection_exists(collection):
            self._made.add(collection)
        return collection in self._made

    async def _with(self, collection: str, size: int) -> AsyncQdrantClient:
        """Return the client, with a collection that is there."""
        client = self._connected()
        async with self._making:
            if await self._is_there(client, collection):
                return client
            try:
                await client.create_collection(
                    collection,
                    vectors_config=models.VectorParams(size=size, distance=models.Distance.COSINE),
                )
            except UnexpectedResponse as exc:
                if exc.status_code != _CONFLICT:  # another worker has just made it
                    raise
            if self._far:  # local mode has no indexes
                for field in ("partition", "key", "space"):
                    await client.create_payload_index(
                        collection, field, models.PayloadSchemaType.KEYWORD
                    )
                await client.create_payload_index(
                    collection, "expires", models.PayloadSchemaType.FLOAT
                )
            self._made.add(collection)
        return client

    def _said(self) -> _Said:
        return _Said(self.place, self._made)


class _Said:
    """Turns what the library raises into `StoreDownError`."""

    def __init__(self, place: str, made: set[str]) -> None:
        self._place = place
        self._made = made

    async def __aenter__(self) -> None:
        """Nothing is opened."""

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, _trace: object
    ) -> None:
        """Say what went wrong.

        ValueError is what local mode says of a wrong size, RuntimeError what it says of a folder
        that another process has open.
        """
        if isinstance(exc, ApiException | OSError | ValueError | RuntimeError):
            self._made.clear()  # it may have been another server's
            said = " ".join(str(exc).split())[:_MOST_SAID]
            raise StoreDownError(f"{self._place}: {said}") from exc


def equal(field: str, value: str) -> models.FieldCondition:
    """Return the condition that a field of the payload is, or has in it, this value."""
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))


def _id(name: str) -> str:
    return str(uuid.uuid5(_NAMES, name))


def _is_url(address: str) -> bool:
    return address.startswith(("http://", "https://"))
