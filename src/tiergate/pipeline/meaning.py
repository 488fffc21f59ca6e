"""Asks by meaning: the vector of a question, its neighbours, and later its own place among them.

Nothing here can fail a request, and none waits for a vector longer than the configuration says.
Which requests are asked, and who is near enough, is decided in `core.meaning`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tiergate.base.values import Operation
from tiergate.core.likeness import marks, sides
from tiergate.core.meaning import (
    CANDIDATES,
    MeaningPolicy,
    Near,
    Unasked,
    near_enough,
    unasked,
    unit,
)
from tiergate.core.plan import Wish
from tiergate.pipeline.cache_key import CacheKeys
from tiergate.pipeline.errands import Errands
from tiergate.pipeline.last_text import has_tools, last_text
from tiergate.ports import (
    Clock,
    Embedder,
    Inbound,
    Meanings,
    MeaningWatch,
    NoVectorError,
    Remembered,
    StoredAnswer,
)

LOG = logging.getLogger("tiergate.cache")

REST_SECONDS = 5.0
"""How long no vector is waited for after one that failed or came too late."""

LONGEST_SECONDS = 30.0
"""How long a vector may take that no request waits for any more."""

MOST_WAITING = 64
"""Vectors that are made at the same time; what is more is not asked by meaning."""

MOST_KNOWN = 1024
"""Vectors of texts that are remembered, so that an equal text costs nothing."""

Vector = tuple[float, ...]


@dataclass(slots=True)
class Question:
    """A request that is asked by meaning.

    Attributes:
        text: What is compared.
        partition: The namespace and the digest of everything else.
        sides: What it takes sides in.
        inbound: The request.
        work: Makes its vector, once somebody wants it.
    """

    text: str = field(repr=False)
    partition: str
    sides: tuple[str, ...]
    inbound: Inbound
    work: asyncio.Task[Vector | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningParts:
    """What asking by meaning is made of.

    Attributes:
        policy: What the configuration says.
        space: The namespace of the cache.
        keys: Says what requests have in common.
        index: Keeps the vectors.
        embedder: Makes the vectors.
        watch: Is told what came of it.
        clock: Monotonic seconds.
    """

    policy: MeaningPolicy
    space: str
    keys: CacheKeys
    index: Meanings
    embedder: Embedder
    watch: MeaningWatch
    clock: Clock


class ByMeaning:
    """Asks by meaning under one configuration."""

    def __init__(self, parts: MeaningParts) -> None:
        self._parts = parts
        self._known: OrderedDict[str, Vector] = OrderedDict()
        self._errands: Errands[Vector | None] = Errands()
        self._rests_until = 0.0

    def question(self, inbound: Inbound, wish: Wish) -> Question | None:
        """Return a request as a question; None if it is not asked by meaning."""
        parts = self._parts
        found = self._read(inbound, wish)
        if isinstance(found, Unasked):
            parts.watch.compared(inbound.alias, found.value)
            return None
        return found

    async def near(self, question: Question) -> list[Near]:
        """Return the stored questions that are near enough, the nearest first."""
        parts = self._parts
        alias = question.inbound.alias
        if parts.clock() < self._rests_until and question.text not in self._known:
            parts.watch.compared(alias, "rest")
            return []
        work = self._work(question)
        if work is None:
            parts.watch.compared(alias, "busy")
            return []
        try:
            # Shielded: a vector that comes late still serves to keep the answer.
            vector = await asyncio.wait_for(asyncio.shield(work), parts.policy.timeout)
        except TimeoutError:
            self._rest()
            parts.watch.compared(alias, "slow")
            return []
        if vector is None:
            parts.watch.compared(alias, "no_vector")
            return []
        found = await parts.index.nearest(question.partition, vector, CANDIDATES)
        if found is None:
            parts.watch.compared(alias, "down")
            return []
        near = near_enough(parts.policy, question.sides, found)
        parts.watch.compared(alias, "near" if near else "far")
        return near

    async def keep(self, question: Question, key: str, answer: StoredAnswer) -> None:
        """Give a question its place, now that its answer is kept under a key."""
        if question.work is None and self._parts.clock() < self._rests_until:
            return
        work = self._work(question)
        vector = await asyncio.shield(work) if work is not None else None
        if vector is None:
            return
        parts = self._parts
        remembered = Remembered(
            key=key,
            space=parts.space,
            partition=question.partition,
            sides=question.sides,
            expires=answer.expires,
        )
        await parts.index.add(remembered, vector)

    @property
    def busy(self) -> bool:
        """Whether vectors are being made."""
        return bool(self._errands)

    async def aclose(self) -> None:
        """End what goes on without a request."""
        await self._errands.aclose()

    # ------------------------------------------------------------------ inside

    def _read(self, inbound: Inbound, wish: Wish) -> Question | Unasked:
        parts = self._parts
        if inbound.operation is not Operation.CHAT:
            return Unasked.OPERATION
        if not parts.policy.with_tools and has_tools(inbound.members):
            return Unasked.TOOLS  # before anything is decoded: most agents' requests end here
        apart = last_text(inbound)
        if apart is None:
            return Unasked.LONG
        why = unasked(parts.policy, apart.shape)
        if why is not None:
            return why
        text = apart.shape.text
        further = (parts.embedder.model, *marks(text))
        made = parts.keys.partition(inbound, wish, apart.rest, further)
        partition = f"{parts.space}:{made}"
        return Question(text, partition, sides(text), inbound)

    def _work(self, question: Question) -> asyncio.Task[Vector | None] | None:
        """Return the task that makes a question's vector; None while too many are made."""
        if question.work is None:
            if len(self._errands) >= MOST_WAITING:
                return None
            question.work = self._errands.begin(self._vector(question))
        return question.work

    async def _vector(self, question: Question) -> Vector | None:
        known = self._known.get(question.text)
        if known is not None:
            self._known.move_to_end(question.text)
            return known
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                made = await self._parts.embedder.vector(question.text, question.inbound)
        except (NoVectorError, TimeoutError) as exc:
            self._rest()
            LOG.warning(
                "no vector for a question; it is not asked by meaning", extra={"why": str(exc)}
            )
            return None
        return self._remember(question.text, made)

    def _remember(self, text: str, made: Sequence[float]) -> Vector | None:
        vector = unit(made)
        if vector is not None:
            self._known[text] = vector
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return vector

    def _rest(self) -> None:
        self._rests_until = self._parts.clock() + REST_SECONDS
