"""Plays of the semantic cache: a scripted embedder, and vectors in memory."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from support.cached import CacheStage
from tiergate.core.meaning import MeaningPolicy
from tiergate.pipeline.cache_key import CacheKeys
from tiergate.pipeline.meaning import ByMeaning, MeaningParts
from tiergate.ports import Inbound, Meanings, NoVectorError
from tiergate.stores.meanings_embedded import EmbeddedVectors
from tiergate.stores.meanings_guarded import GuardedMeanings

SPACE = "tiergate-answers"


def at_angle(degrees: float) -> tuple[float, float]:
    """A vector; two of them are as similar as the cosine of what lies between."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


@dataclass
class Scripted:
    """Implements `ports.Embedder`: a vector by text, an error, or a wait.

    Attributes:
        vectors: By text; what is not there is far from all of them.
        asked: Texts in their order.
        gate: Is waited for, if it is there.
        fault: Is raised, if it is there.
    """

    vectors: dict[str, Sequence[float]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None
    fault: str | None = None
    model: str = "scripted"

    async def vector(self, text: str, inbound: Inbound) -> Sequence[float]:
        self.asked.append(text)
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise NoVectorError(self.fault)
        return self.vectors.get(text, at_angle(90 + len(self.asked)))


class Comparisons:
    """Implements `ports.MeaningWatch` by writing down."""

    def __init__(self) -> None:
        self.results: list[str] = []

    def compared(self, alias: str, result: str) -> None:
        self.results.append(result)


@dataclass
class MeaningWorld:
    """What a stage needs to ask by meaning.

    Attributes:
        embedder: Makes the vectors.
        policy: What the configuration says.
        index: Keeps the vectors.
        watch: Is told what came of it.
    """

    embedder: Scripted
    policy: MeaningPolicy
    index: Meanings | None = None
    watch: Comparisons = field(default_factory=Comparisons)
    by_meaning: ByMeaning | None = None

    def of(self) -> Callable[[CacheStage, CacheKeys], ByMeaning]:
        """What `CacheStage` takes."""

        def make(stage: CacheStage, keys: CacheKeys) -> ByMeaning:
            self.index = self.index or GuardedMeanings(
                EmbeddedVectors(None, 100), 5.0, stage.clock, lambda: stage.now
            )
            self.by_meaning = ByMeaning(
                MeaningParts(
                    policy=self.policy,
                    space=SPACE,
                    keys=keys,
                    index=self.index,
                    embedder=self.embedder,
                    watch=self.watch,
                    clock=stage.clock,
                )
            )
            return self.by_meaning

        return make
