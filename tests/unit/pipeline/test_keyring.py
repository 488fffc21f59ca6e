"""Callers are remembered for as long as they are true, here and in other processes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.keys import CHEAP, NAMES, NOW, key_rules
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.keys import Holder, HolderKind, KeyRecord, Terms
from tiergate.pipeline import keyring
from tiergate.pipeline.keybook import KeyBook
from tiergate.pipeline.keyring import CachedKeyring
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

KEY = KeyRecord(hash="ab" * 32, alias="build", user="ann")
BLOCKED = Terms(blocked=True)


class Counted(MemoryDocuments):
    """Documents that count reads, and can be down."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.down = False
        self.meanwhile = None

    async def read(self, keys):
        if self.down:
            raise StoreDownError("no route to it")
        self.reads += 1
        seen = await super().read(keys)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return seen


class World:
    """One store, two processes."""

    def __init__(self) -> None:
        self.now = NOW
        self.documents = Counted()
        self.here, self.there = self.ring(), self.ring()
        self.book = KeyBook(self.documents, self.here.forget)

    def ring(self) -> CachedKeyring:
        return CachedKeyring(self.documents, key_rules(), lambda: self.now)

    async def add(self, record=KEY) -> None:
        await self.book.create_key(record)

    async def block(self) -> None:
        await self.book.change_key(KEY.hash, lambda old: replace(old, terms=BLOCKED))


@pytest.fixture
def world() -> World:
    return World()


def code(found) -> str | None:
    assert isinstance(found, Refused)
    return found.code


async def test_a_key_is_asked_for_once(world):
    await world.add()
    assert world.here.get(KEY.hash) is None
    found = await world.here.find(KEY.hash)
    assert isinstance(found, Caller)
    reads = world.documents.reads
    assert all(world.here.get(KEY.hash) is found for _ in range(9))
    assert world.documents.reads == reads


async def test_a_change_counts_at_once_in_its_own_process(world):
    await world.add()
    await world.here.find(KEY.hash)
    await world.block()
    assert world.here.get(KEY.hash) is None
    assert code(await world.here.find(KEY.hash)) == "key_blocked"
    assert code(world.here.get(KEY.hash)) == "key_blocked"


async def test_a_change_counts_elsewhere_with_the_next_refresh(world):
    await world.add()
    await world.there.refresh()
    await world.there.find(KEY.hash)
    await world.block()
    assert isinstance(world.there.get(KEY.hash), Caller)
    await world.there.refresh()
    assert world.there.get(KEY.hash) is None
    assert code(await world.there.find(KEY.hash)) == "key_blocked"


async def test_changes_of_user_and_team_count_too(world):
    await world.add()
    await world.book.create_holder(Holder(kind=HolderKind.USER, id="ann"))
    await world.there.find(KEY.hash)
    await world.there.refresh()
    await world.there.find(KEY.hash)
    await world.book.change_holder(HolderKind.USER, "ann", lambda old: replace(old, terms=BLOCKED))
    await world.there.refresh()
    assert code(await world.there.find(KEY.hash)) == "user_blocked"


async def test_a_user_that_is_made_later_counts_for_keys_that_named_it(world):
    await world.add()
    await world.here.find(KEY.hash)
    blocked = Holder(kind=HolderKind.USER, id="ann", terms=BLOCKED)
    await world.book.create_holder(blocked)
    assert code(await world.here.find(KEY.hash)) == "user_blocked"


async def test_only_what_changed_is_forgotten(world):
    other = KeyRecord(hash="cd" * 32)
    await world.add()
    await world.add(other)
    await world.there.find(KEY.hash)
    await world.there.refresh()
    await world.there.find(KEY.hash)
    await world.there.find(other.hash)
    await world.block()
    await world.there.refresh()
    assert world.there.get(KEY.hash) is None
    assert isinstance(world.there.get(other.hash), Caller)


async def test_an_answer_that_was_read_before_a_change_is_not_kept(world):
    await world.add()
    world.documents.meanwhile = world.block
    found = await world.here.find(KEY.hash)
    assert isinstance(found, Caller), "it was let in a moment before"
    assert world.here.get(KEY.hash) is None
    assert code(await world.here.find(KEY.hash)) == "key_blocked"


async def test_a_key_expires_without_the_store(world):
    await world.add(replace(KEY, expires=NOW + 10))
    await world.here.find(KEY.hash)
    world.now = NOW + 9.9
    assert isinstance(world.here.get(KEY.hash), Caller)
    world.now = NOW + 10
    assert world.here.get(KEY.hash) is None
    assert code(await world.here.find(KEY.hash)) == "expired_key"
    reads = world.documents.reads
    assert code(world.here.get(KEY.hash)) == "expired_key"
    assert world.documents.reads == reads


async def test_an_unknown_key_is_refused_from_memory_for_a_while(world):
    assert await world.here.find(KEY.hash) is None
    assert code(world.here.get(KEY.hash)) == "invalid_api_key"
    world.now += keyring.REFUSAL_SECONDS
    assert world.here.get(KEY.hash) is None


async def test_a_key_that_is_made_is_known_at_once(world):
    await world.here.find(KEY.hash)
    await world.there.find(KEY.hash)
    await world.add()
    assert isinstance(await world.here.find(KEY.hash), Caller)
    await world.there.refresh()
    assert isinstance(await world.there.find(KEY.hash), Caller)


async def test_a_deleted_key_is_unknown(world):
    await world.add()
    await world.here.find(KEY.hash)
    await world.book.delete_keys([KEY.hash])
    assert world.here.get(KEY.hash) is None
    assert await world.here.find(KEY.hash) is None


async def test_known_keys_go_on_while_the_store_is_down(world):
    await world.add()
    await world.here.find(KEY.hash)
    world.documents.down = True
    with pytest.raises(StoreDownError):
        await world.here.refresh()
    assert isinstance(world.here.get(KEY.hash), Caller)
    with pytest.raises(StoreDownError):
        await world.here.find("cd" * 32)


async def test_guessed_keys_push_out_no_caller_and_are_bounded(world, monkeypatch):
    monkeypatch.setattr(keyring, "MOST_REFUSALS", 20)
    await world.add()
    await world.here.find(KEY.hash)
    for number in range(100):
        await world.here.find(f"{number:064d}")
    assert isinstance(world.here.get(KEY.hash), Caller)
    remembered = [n for n in range(100) if world.here.get(f"{n:064d}") is not None]
    assert len(remembered) <= 20
    assert 99 in remembered


async def test_callers_are_bounded(world, monkeypatch):
    monkeypatch.setattr(keyring, "MOST_CALLERS", 10)
    for number in range(30):
        await world.add(KeyRecord(hash=f"{number:064d}"))
        await world.here.find(f"{number:064d}")
    remembered = [n for n in range(30) if world.here.get(f"{n:064d}") is not None]
    assert len(remembered) <= 10
    assert 29 in remembered


async def test_nothing_is_read_while_nothing_is_remembered(world):
    await world.here.refresh()
    assert world.documents.reads == 0


async def test_another_configuration_is_understood_anew(world):
    await world.add(replace(KEY, terms=Terms(models=("cheap", "new"))))
    assert (await world.here.find(KEY.hash)).aliases == {CHEAP}
    world.here.configure(replace(key_rules(), names={**NAMES, "new": "new"}))
    assert world.here.get(KEY.hash) is None
    assert (await world.here.find(KEY.hash)).aliases == {CHEAP, "new"}


async def test_a_record_that_cannot_be_read_lets_nobody_in(world):
    await world.documents.update(
        [f"key:{KEY.hash}"], lambda _seen: ({f"key:{KEY.hash}": b'{"hash": 3}'}, None)
    )
    found = await world.here.find(KEY.hash)
    assert (found.status, found.code) == (503, "key_unreadable")
