"""Opens what the semantic cache needs: the store of vectors, and what makes them.

A backend's library is imported only when a configuration asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tiergate.base.values import AliasName
from tiergate.core.cache_plan import CacheKind, CachePlan
from tiergate.core.catalog import Deployment
from tiergate.core.meaning_plan import MeaningKind, MeaningPlan
from tiergate.pipeline.embedding import AliasEmbedder
from tiergate.pipeline.leading import Runs
from tiergate.ports import Clock, Embedder, Meanings
from tiergate.stores.answers_guarded import Bytes
from tiergate.stores.meanings_guarded import GuardedMeanings, Vectors
from tiergate.wiring.places import redis_place

FOLDER = "meanings"
"""Of vectors in files, in the state directory."""


class Vault:
    """The servers of one plan, so that answers and vectors share a connection.

    Args:
        plan: The response cache.
        directory: The state directory; None where nothing outlives the process.
        clock: Monotonic seconds.
    """

    def __init__(self, plan: CachePlan, directory: Path | None, clock: Clock) -> None:
        self._plan = plan
        self._directory = directory
        self._clock = clock
        self.answers: Bytes | None = None
        """Where answers are, if it is one of these servers."""
        self.meanings: Meanings | None = None
        if plan.meaning is not None:
            vectors = self._open(plan.meaning)
            self.meanings = GuardedMeanings(vectors, plan.meaning.wait, clock, time.time)

    def _open(self, meaning: MeaningPlan) -> Vectors:
        match meaning.kind:
            case MeaningKind.QDRANT:
                return self._qdrant(meaning)
            case MeaningKind.CHROMA:
                return self._chroma(meaning)
            case MeaningKind.REDIS:
                return self._redis(meaning)
            case MeaningKind.EMBEDDED:
                return self._embedded(meaning)

    def _qdrant(self, meaning: MeaningPlan) -> Vectors:
        from tiergate.stores.answers_qdrant import QdrantAnswers
        from tiergate.stores.meanings_qdrant import QdrantVectors
        from tiergate.stores.qdrant_home import QdrantHome

        home = QdrantHome(meaning.address, meaning.api_key)
        if self._plan.kind is CacheKind.QDRANT:
            self.answers = QdrantAnswers(home, f"{meaning.collection}-answers", time.time)
        return QdrantVectors(home, meaning.collection)

    def _chroma(self, meaning: MeaningPlan) -> Vectors:
        from tiergate.stores.answers_chroma import ChromaAnswers
        from tiergate.stores.chroma_home import ChromaHome
        from tiergate.stores.meanings_chroma import ChromaVectors

        home = ChromaHome(meaning.address, meaning.api_key)
        if self._plan.kind is CacheKind.CHROMA:
            self.answers = ChromaAnswers(home, f"{meaning.collection}-answers", time.time)
        return ChromaVectors(home, meaning.collection)

    def _redis(self, meaning: MeaningPlan) -> Vectors:
        from tiergate.stores.meanings_redis import RedisVectors
        from tiergate.stores.meanings_redisearch import SearchedVectors
        from tiergate.stores.redis_client import connect_redis

        if self._plan.redis is None:
            raise ValueError("the semantic cache in Redis has no place to be in")
        place = redis_place(self._plan.redis)
        client = connect_redis(place, _FOREVER)
        if place.startup_nodes:  # a search would ask one node of the cluster only
            return RedisVectors(str(place), client)
        return SearchedVectors(str(place), client, meaning.collection, self._plan.policy.namespace)

    def _embedded(self, meaning: MeaningPlan) -> Vectors:
        from tiergate.stores.meanings_embedded import EmbeddedVectors

        folder = None
        if self._plan.kind is not CacheKind.LOCAL:
            if self._plan.directory is not None:
                folder = Path(self._plan.directory).expanduser()
            elif self._directory is not None:
                folder = self._directory / FOLDER
        return EmbeddedVectors(folder, meaning.entries)


_FOREVER = 10.0
"""Seconds for the library's own limits: the guard in front has a shorter one of its own."""


class Embedders:
    """What makes vectors; a local model is read once and outlives reloads."""

    def __init__(self) -> None:
        self._local: dict[str | None, Embedder] = {}
        self._closing: list[Callable[[], None]] = []

    def of(
        self, plan: MeaningPlan, engine: Runs, deployments: Iterable[Deployment], clock: Clock
    ) -> Embedder:
        """Return what makes the vectors that a plan asks for.

        Args:
            plan: The semantic cache.
            engine: Makes the calls of an alias.
            deployments: All of the configuration.
            clock: Monotonic seconds.
        """
        if plan.embedding is not None:
            behind = behind_of(plan.embedding, deployments)
            return AliasEmbedder(engine, plan.embedding, behind, plan.size, clock, time.time)
        known = self._local.get(plan.model_folder)
        if known is None:
            from tiergate.embedding.local import LocalEmbedder

            folder = plan.model_folder
            made = LocalEmbedder(None if folder is None else Path(folder).expanduser())
            self._closing.append(made.close)
            known = self._local[plan.model_folder] = made
        return known

    def close(self) -> None:
        """End the threads of local models."""
        for close in self._closing:
            close()


def behind_of(alias: AliasName, deployments: Iterable[Deployment]) -> str:
    """Return the models behind an alias: vectors of different models are in different spaces."""
    models = {f"{each.provider}/{each.model}" for each in deployments if each.alias == alias}
    return "\n".join(sorted(models))
