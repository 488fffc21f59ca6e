"""Keys, users and teams are kept: unique, whole, and with many hands at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tiergate.base.errors import Refused
from tiergate.core.keys import Holder, HolderKind, KeyRecord, Terms
from tiergate.pipeline.keybook import KeyBook
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.stores.sqlite import SqliteDocuments

TEAM = Holder(kind=HolderKind.TEAM, id="core")
USER = Holder(kind=HolderKind.USER, id="ann")


@pytest.fixture
def changed() -> list[str]:
    return []


@pytest.fixture
def book(changed) -> KeyBook:
    return KeyBook(MemoryDocuments(), changed.extend)


def key(number: int, **more) -> KeyRecord:
    return KeyRecord(hash=f"{number:064x}", created=float(number), **more)


async def refusal(call) -> Refused:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value


async def test_keys_are_listed_the_oldest_first(book):
    for number in (3, 1, 2):
        await book.create_key(key(number))
    assert await book.keys() == [key(1), key(2), key(3)]
    assert await book.key(key(2).hash) == key(2)
    assert await book.key("00") is None


async def test_what_was_changed_is_told(book, changed):
    await book.create_key(key(1, alias="build"))
    assert f"key:{key(1).hash}" in changed
    changed.clear()
    await book.delete_keys([key(1).hash])
    assert f"key:{key(1).hash}" in changed


async def test_aliases_are_unique_and_lead_to_their_keys(book):
    await book.create_key(key(1, alias="build"))
    told = await refusal(book.create_key(key(2, alias="build")))
    assert (told.status, told.code) == (400, "key_alias_taken")
    assert await book.hash_of_alias("build") == key(1).hash
    await book.change_key(key(1).hash, lambda old: replace(old, alias="test"))
    assert await book.hash_of_alias("build") is None


async def test_a_value_that_is_a_key_already_is_refused(book):
    await book.create_key(key(1))
    assert (await refusal(book.create_key(key(1, user="ann")))).code == "key_taken"


async def test_a_key_needs_the_team_it_names(book):
    assert (await refusal(book.create_key(key(1, team="core")))).code == "team_not_found"
    await book.create_holder(TEAM)
    await book.create_key(key(1, team="core"))
    moved = book.change_key(key(1).hash, lambda old: replace(old, team="gone"), team_asked=True)
    assert (await refusal(moved)).code == "team_not_found"


async def test_keys_are_removed_all_or_none(book):
    await book.create_key(key(1))
    assert (await refusal(book.delete_keys([key(1).hash, "00"]))).status == 404
    assert await book.keys() == [key(1)]


async def test_what_is_not_there_is_not_changed(book):
    assert (await refusal(book.change_key("00", lambda old: old))).code == "key_not_found"
    changing = book.change_holder(HolderKind.USER, "ann", lambda old: old)
    assert (await refusal(changing)).code == "user_not_found"
    assert (await refusal(book.delete_holder(HolderKind.TEAM, "core"))).code == "team_not_found"


async def test_a_user_or_team_goes_with_all_its_keys(book):
    await book.create_holder(TEAM)
    await book.create_holder(USER)
    for number in range(250):
        await book.create_key(key(number, team="core" if number % 2 else "", user="ann"))
    gone = await book.delete_holder(HolderKind.TEAM, "core")
    assert len(gone) == 125
    assert len(await book.keys_of(HolderKind.USER, "ann")) == 125
    await book.delete_holder(HolderKind.USER, "ann")
    assert (await book.keys(), await book.holders(HolderKind.USER)) == ([], [])


async def test_an_id_is_given_once(book):
    await book.create_holder(replace(USER, alias="Ann"))
    assert (await refusal(book.create_holder(USER))).code == "id_taken"
    assert (await book.holder(HolderKind.USER, "ann")).alias == "Ann"


async def test_users_and_teams_do_not_mix(book):
    await book.create_holder(replace(USER, id="core"))
    await book.create_holder(TEAM)
    assert [h.kind for h in await book.holders(HolderKind.TEAM)] == [HolderKind.TEAM]


async def test_many_hands_lose_no_change(tmp_path):
    """Two connections to one file, as two workers have them."""
    stores = [SqliteDocuments.open(tmp_path / "state.db") for _ in range(2)]
    books = [KeyBook(store, lambda _names: None) for store in stores]
    await books[0].create_key(key(1))

    async def add(book: KeyBook, tag: str) -> None:
        await book.change_key(
            key(1).hash,
            lambda old: replace(old, terms=Terms(tags=tuple(sorted({*old.terms.tags, tag})))),
        )

    try:
        await asyncio.gather(*(add(books[n % 2], f"t{n}") for n in range(4)))
        assert (await books[0].key(key(1).hash)).terms.tags == ("t0", "t1", "t2", "t3")
    finally:
        for store in stores:
            await store.aclose()
