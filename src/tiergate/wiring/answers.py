"""Opens the store of cached answers, and puts the cache in front of the engine.

What outlives a reload is the store, as long as the configuration asks for the same one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tiergate.base.values import NanoUsd, Usage
from tiergate.core.cache_plan import CachePlan
from tiergate.core.caching import CachePolicy
from tiergate.core.catalog import Catalog, Deployment, Settings
from tiergate.core.meaning import MeaningPolicy
from tiergate.pipeline.cache_key import CacheKeys
from tiergate.pipeline.leading import Runs
from tiergate.pipeline.lookup import CachedEngine, CacheParts
from tiergate.pipeline.meaning import ByMeaning, MeaningParts
from tiergate.pipeline.unpaid import Unpaid
from tiergate.ports import (
    Accounts,
    AnswerStore,
    Clock,
    LookupWatch,
    Meanings,
    MeaningWatch,
    Observer,
)
from tiergate.providers.forms import AnswerForms
from tiergate.web.cache_routes import OpenCache
from tiergate.wiring.answer_stores import open_answers
from tiergate.wiring.meanings import Embedders, Vault

RETIRE_SECONDS = 60.0
"""How long a store that no configuration names any more stays open for calls under way."""

Worth = Callable[[Deployment, Usage], NanoUsd | None]


class CacheWatch(LookupWatch, MeaningWatch, Protocol):
    """Is told what came of all look-ups."""


class Answers:
    """The response cache of one gateway.

    Args:
        directory: The state directory, for answers on disk; None keeps none there.
        watch: Is told what came of look-ups.
        clock: Monotonic seconds.
    """

    def __init__(self, directory: Path | None, watch: CacheWatch, clock: Clock) -> None:
        self._directory = directory
        self._watch = watch
        self._clock = clock
        self._plan: CachePlan | None = None
        self._engines: list[CachedEngine] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self.store: AnswerStore | None = None
        self.meanings: Meanings | None = None
        self.policy: CachePolicy | None = None
        self._embedders = Embedders()

    def in_front_of(
        self,
        engine: Runs,
        settings: Settings,
        catalog: Catalog,
        accounts: Accounts,
        observer: Observer,
        worth: Worth,
    ) -> Runs:
        """Return what serves requests under a configuration: the engine itself without a cache."""
        plan = settings.cache
        store = self._store_of(plan)
        self.policy = None if plan is None else plan.policy
        if plan is None or store is None:
            return engine
        keys = CacheKeys(plan.policy, settings)
        cached = CachedEngine(
            engine,
            CacheParts(
                policy=plan.policy,
                keys=keys,
                store=store,
                forms=AnswerForms(time.time),
                unpaid=Unpaid(accounts, observer, self._watch, worth, self._clock),
                deployments=catalog.by_id,
                watch=self._watch,
                wall=time.time,
                meaning=self._by_meaning(plan, keys, engine, settings),
            ),
        )
        self._engines = [each for each in self._engines if each.busy]
        self._engines.append(cached)
        return cached

    def opened(self) -> OpenCache | None:
        """Return the cache in force, for the administrative routes."""
        if self.store is None or self.policy is None:
            return None
        return OpenCache(self.store, self.policy.namespace, self.policy.ttl, self.meanings)

    @property
    def fault(self) -> str | None:
        """Why a store does not work; None while all do, and where there is none."""
        stores = (self.store, self.meanings)
        return next((each.fault for each in stores if each is not None and each.fault), None)

    async def aclose(self) -> None:
        """End what goes on without its request, and close the store."""
        for engine in self._engines:
            await engine.aclose()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await _close(self.store, self.meanings)
        self._embedders.close()

    # ------------------------------------------------------------------ inside

    def _store_of(self, plan: CachePlan | None) -> AnswerStore | None:
        """Return the store that a plan names: the one that is open, where it names that."""
        if plan is not None and self._plan is not None and _place(plan) == _place(self._plan):
            return self.store
        opened, meanings = self._open(plan) if plan is not None else (None, None)
        # Only now: a plan that cannot be opened leaves what there is as it is.
        old, self.store, self._plan = self.store, opened, plan
        was, self.meanings = self.meanings, meanings
        if old is not None or was is not None:
            task = asyncio.get_running_loop().create_task(_retire(old, was))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        return self.store

    def _open(self, plan: CachePlan) -> tuple[AnswerStore, Meanings | None]:
        vault = Vault(plan, self._directory, self._clock)
        return open_answers(plan, self._directory, vault.answers), vault.meanings

    def _by_meaning(
        self, plan: CachePlan, keys: CacheKeys, engine: Runs, settings: Settings
    ) -> ByMeaning | None:
        if plan.meaning is None or self.meanings is None:
            return None
        embedder = self._embedders.of(plan.meaning, engine, settings.deployments, self._clock)
        return ByMeaning(
            MeaningParts(
                policy=plan.meaning.policy,
                space=plan.policy.namespace,
                keys=keys,
                index=self.meanings,
                embedder=embedder,
                watch=self._watch,
                clock=self._clock,
            )
        )


def _place(plan: CachePlan) -> CachePlan:
    """Return a plan without what its stores know nothing of.

    The namespace is a store's matter where vectors are kept: an index covers one.
    """
    meaning = plan.meaning
    if meaning is None:
        return replace(plan, policy=CachePolicy())
    kept = replace(meaning, policy=MeaningPolicy(), embedding=None, model_folder=None)
    policy = CachePolicy(namespace=plan.policy.namespace)
    return replace(plan, policy=policy, meaning=kept)


async def _retire(store: AnswerStore | None, meanings: Meanings | None) -> None:
    try:
        await asyncio.sleep(RETIRE_SECONDS)
    finally:
        await _close(store, meanings)


async def _close(store: AnswerStore | None, meanings: Meanings | None) -> None:
    if store is not None:
        await store.aclose()
    if meanings is not None:
        await meanings.aclose()
