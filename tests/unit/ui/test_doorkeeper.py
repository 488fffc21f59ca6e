"""The door over several workers: one store, one memory; and what counts while it is away."""

from __future__ import annotations

import pytest

from tiergate.core.door import MOST_OF_ONE
from tiergate.ports import Change, Seen, StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.ui.doorkeeper import DOCUMENT, FRESH_SECONDS, Doorkeeper
from tiergate.ui.session import new_session


class Switchable(MemoryDocuments):
    """Documents in memory that can be out of reach."""

    down = False

    async def update(self, keys, change: Change):
        self._check()
        return await super().update(keys, change)

    async def read(self, keys) -> Seen:
        self._check()
        return await super().read(keys)

    def _check(self):
        if self.down:
            raise StoreDownError("it is away")


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def store():
    return Switchable()


@pytest.fixture
def keepers(store, now):
    return [Doorkeeper(store, lambda: now[0]) for _ in range(2)]


SESSION = new_session(b"key", 1000.0, bytes(16))


async def test_wrong_keys_count_at_every_worker(keepers):
    for number in range(MOST_OF_ONE):
        assert await keepers[number % 2].wait("10.0.0.1") is None
        await keepers[number % 2].failed("10.0.0.1")
    assert await keepers[0].wait("10.0.0.1") is not None
    assert await keepers[1].wait("10.0.0.1") is not None
    assert await keepers[1].wait("10.0.0.2") is None


async def test_who_signs_out_at_one_worker_is_out_at_the_other_within_a_second(keepers, now):
    assert not await keepers[1].has_left(SESSION)
    await keepers[0].leave(SESSION)
    assert await keepers[0].has_left(SESSION)
    now[0] += FRESH_SECONDS
    assert await keepers[1].has_left(SESSION)


async def test_no_address_is_kept_as_it_is(keepers, store):
    await keepers[0].failed("10.0.0.1")
    body = (await store.read([DOCUMENT]))[DOCUMENT]
    assert body is not None
    assert b"10.0.0.1" not in body


async def test_while_the_store_is_away_a_worker_goes_by_what_it_knows(keepers, store):
    store.down = True
    await keepers[0].leave(SESSION)
    for _ in range(MOST_OF_ONE):
        await keepers[0].failed("10.0.0.1")
    assert await keepers[0].has_left(SESSION)
    assert await keepers[0].wait("10.0.0.1") is not None
