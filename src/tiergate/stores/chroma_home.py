"""Speaks with one Chroma server. What is kept there is not known here.

Chroma's names: a collection holds records, each with an embedding, a document and metadata
(docs.trychroma.com, seen 2026-11). All vectors of a collection have one size, that of the first.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

import chromadb
from chromadb.api import AsyncClientAPI
from chromadb.api.models.AsyncCollection import (  # pyright: ignore[reportMissingTypeStubs]
    AsyncCollection,
)
from chromadb.config import Settings

from tiergate.base.values import Secret
from tiergate.ports import StoreDownError

_MOST_SAID: Final = 200
_SWEPT: Final = 64
"""Additions to a collection between two removals of what has expired."""

_HTTPS_PORT: Final = 443
_PORT: Final = 8000

Metadata = Mapping[str, str | float]
Where = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Record:
    """What a query finds: its document, its metadata, and how far it is (1 - cosine)."""

    document: str
    metadata: Metadata
    distance: float


class ChromaHome:
    """One Chroma. The connection is made when it is first used.

    Args:
        address: `http://HOST:PORT`.
        token: Of the server, if it asks for one; sent as a bearer token.
    """

    def __init__(self, address: str, token: Secret | None = None) -> None:
        self.place = f"Chroma at {address}"
        self._address = address
        self._token = token
        self._client: AsyncClientAPI | None = None
        self._collections: dict[str, AsyncCollection] = {}
        self._connecting = asyncio.Lock()
        self._added: Counter[str] = Counter()

    async def upsert(
        self,
        collection: str,
        name: str,
        vector: Sequence[float],
        metadata: Metadata,
        document: str = "",
    ) -> None:
        """Keep a record under a name; one of that name is replaced."""
        async with self._said():
            there = await self._collection(collection)
            await there.upsert(
                ids=[name_of(name)],
                embeddings=[list(vector)],
                metadatas=[dict(metadata)],
                documents=[document],
            )

    async def nearest(
        self, collection: str, vector: Sequence[float], where: Where, most: int
    ) -> list[Record]:
        """Return the nearest records."""
        async with self._said():
            there = await self._collection(collection)
            told = await there.query(
                query_embeddings=[list(vector)],
                n_results=most,
                where=cast("chromadb.Where", dict(where)),
                include=["metadatas", "distances"],
            )
            metadatas, distances = told["metadatas"], told["distances"]
            if not metadatas or not distances:
                return []
            pairs = zip(metadatas[0], distances[0], strict=True)
            return [Record("", cast("Metadata", meta), far) for meta, far in pairs]

    async def document(self, collection: str, name: str) -> str | None:
        """Return the document of a record; None where there is none."""
        async with self._said():
            there = await self._collection(collection)
            told = await there.get(ids=[name_of(name)], include=["documents"])
            documents = told["documents"]
            return documents[0] if documents else None

    async def remove(self, collection: str, names: Sequence[str]) -> None:
        """Forget records by their names."""
        async with self._said():
            there = await self._collection(collection)
            await there.delete(ids=[name_of(name) for name in names])

    async def sweep(self, collection: str, where: Where) -> None:
        """Forget records by what they hold."""
        async with self._said():
            there = await self._collection(collection)
            await there.delete(where=cast("chromadb.Where", dict(where)))

    async def added(self, collection: str, now: float) -> None:
        """Forget, now and then, records whose `expires` (Unix seconds) has come."""
        self._added[collection] += 1
        if self._added[collection] % _SWEPT == 0:
            await self.sweep(collection, {"expires": {"$lte": now}})

    async def count(self, collection: str) -> int:
        """Return how many records there are."""
        async with self._said():
            return await (await self._collection(collection)).count()

    async def ping(self) -> None:
        """Return if it answers."""
        async with self._said():
            await (await self._connected()).heartbeat()

    async def aclose(self) -> None:
        """Forget the connection; the library closes it with its last reference."""
        self._client = None
        self._collections.clear()

    # ------------------------------------------------------------------ inside

    async def _connected(self) -> AsyncClientAPI:
        async with self._connecting:
            if self._client is None:
                parts = urlsplit(self._address)
                secure = parts.scheme == "https"
                headers: dict[str, str] = {}
                if self._token is not None:
                    headers["Authorization"] = f"Bearer {self._token.value}"
                self._client = await chromadb.AsyncHttpClient(
                    host=parts.hostname or "localhost",
                    port=parts.port or (_HTTPS_PORT if secure else _PORT),
                    ssl=secure,
                    headers=headers,
                    settings=Settings(anonymized_telemetry=False),
                )
            return self._client

    async def _collection(self, name: str) -> AsyncCollection:
        found = self._collections.get(name)
        if found is None:
            client = await self._connected()
            found = await client.get_or_create_collection(
                name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
            self._collections[name] = found
        return found

    def _said(self) -> _Said:
        return _Said(self.place, self._collections)


class _Said:
    """Turns what the library raises into `StoreDownError`."""

    def __init__(self, place: str, known: dict[str, AsyncCollection]) -> None:
        self._place = place
        self._known = known

    async def __aenter__(self) -> None:
        """Nothing is opened."""

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, _trace: object
    ) -> None:
        """Say what went wrong; the library raises plain `Exception` for many answers."""
        if isinstance(exc, Exception):
            self._known.clear()  # it may have been another server's
            said = " ".join(str(exc).split())[:_MOST_SAID]
            raise StoreDownError(f"{self._place}: {said}") from exc


def name_of(text: str) -> str:
    """Return a short id for a name."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]
