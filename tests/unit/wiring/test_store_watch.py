"""An idle gateway learns that a store is down, and that it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from support.jumping import play
from tiergate.core.rules import StoreKind
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.wiring.state import State
from tiergate.wiring.store_watch import LOOK_SECONDS, StoreWatch


class Moody(MemoryDocuments):
    """Documents that are there or not."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.fault: str | None = None

    async def read(self, keys: Sequence[str]):
        self.looks += 1
        if self.fault == "silence":
            await asyncio.sleep(3600)
        if self.fault is not None:
            raise StoreDownError(self.fault)
        return await super().read(keys)


def state_of(kind: StoreKind) -> tuple[State, Moody, Moody]:
    documents, rates = Moody(), Moody()
    return State("w", documents, rates, kind=kind), documents, rates


@pytest.mark.parametrize("kind", [StoreKind.REDIS, StoreKind.POSTGRES])
@pytest.mark.parametrize(
    ("fault", "told"), [("gone", "gone"), ("silence", "no answer within 2 s")]
)
def test_a_store_that_is_down_is_told_until_it_is_back(kind, fault, told):
    async def work() -> None:
        state, documents, _ = state_of(kind)
        watch = StoreWatch(state)
        watch.start()
        await asyncio.sleep(LOOK_SECONDS + 0.1)
        assert watch.down == {}
        documents.fault = fault
        await asyncio.sleep(2 * LOOK_SECONDS)
        assert watch.down == {"budget and key store": told}
        documents.fault = None
        await asyncio.sleep(2 * LOOK_SECONDS)
        assert watch.down == {}
        await watch.aclose()

    play(work())


def test_rate_limits_in_a_store_of_their_own_are_watched_too():
    async def work() -> None:
        state, _, rates = state_of(StoreKind.POSTGRES)
        rates.fault = "no route"
        watch = StoreWatch(state)
        await watch.look()
        assert watch.down == {"rate limit store": "no route"}

    play(work())


@pytest.mark.parametrize("kind", [StoreKind.MEMORY, StoreKind.SQLITE])
def test_what_is_in_this_process_or_in_files_is_not_watched(kind):
    async def work() -> None:
        documents = Moody()
        watch = StoreWatch(State("w", documents, documents, kind=kind))
        watch.start()
        await asyncio.sleep(10 * LOOK_SECONDS)
        assert documents.looks == 0
        await watch.aclose()

    play(work())
