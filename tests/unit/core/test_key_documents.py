"""Changes of keys in their documents: unique aliases, nobody overwritten, every change told."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.core.key_documents import (
    REVISION,
    Clash,
    Revision,
    StoredKey,
    documents_of,
    documents_to_drop,
    drop_holder,
    drop_keys,
    put_holder,
    put_key,
    read_revision,
)
from tiergate.core.keys import Holder, HolderKind, KeyRecord, read_key, write_holder

TEAM = Holder(kind=HolderKind.TEAM, id="core")


class Store(dict):
    """Documents by name; a change sees those it asks for."""

    def seen(self, names):
        return {name: self.get(name) for name in names}

    def put(self, record, old=None, **more):
        writes, clash = put_key(self.seen(documents_of(record, old, **more)), record, old, **more)
        self.write(writes)
        return clash

    def stored(self, key) -> StoredKey:
        body = self[f"key:{key}"]
        return StoredKey(read_key(body), body)

    def write(self, writes):
        for name, body in writes.items():
            if body is None:
                self.pop(name, None)
            else:
                self[name] = body

    @property
    def revision(self) -> Revision:
        return read_revision(self.get(REVISION))


def key(name: str, **more) -> KeyRecord:
    return KeyRecord(hash=name, **more)


def test_two_keys_cannot_have_one_alias():
    store = Store()
    assert store.put(key("aa", alias="build")) is None
    assert store.put(key("bb", alias="build")) is Clash.ALIAS_TAKEN
    assert "key:bb" not in store


def test_an_alias_is_free_again_when_its_key_gets_another_or_goes():
    store = Store()
    store.put(key("aa", alias="build"))
    assert store.put(key("aa", alias="test"), store.stored("aa")) is None
    assert store.put(key("bb", alias="build")) is None
    keys = [store.stored("aa")]
    writes, clash = drop_keys(store.seen(documents_to_drop(keys)), keys)
    assert clash is None
    store.write(writes)
    assert store.put(key("cc", alias="test")) is None


def test_a_key_is_not_made_over_another():
    store = Store()
    store.put(key("aa", alias="one"))
    assert store.put(key("aa", alias="two")) is Clash.KEY_TAKEN


def test_a_change_made_twice_is_made_once():
    store = Store()
    record = key("aa", alias="build")
    store.put(record)
    assert store.put(record) is None
    assert store.revision.number == 1


def test_a_change_of_an_older_record_is_not_made():
    store = Store()
    store.put(key("aa"))
    old = store.stored("aa")
    store.put(key("aa", user="ann"), old)
    assert store.put(key("aa", user="bob"), old) is Clash.MOVED
    keys = [old]
    assert drop_keys(store.seen(documents_to_drop(keys)), keys) == ({}, Clash.MOVED)


def test_a_key_needs_a_team_that_is_there_when_the_team_is_named():
    store = Store()
    assert store.put(key("aa", team="core"), team_asked=True) is Clash.NO_TEAM
    store.write(put_holder(store.seen(["team:core", REVISION]), TEAM, None)[0])
    assert store.put(key("aa", team="core"), team_asked=True) is None


def test_users_and_teams_are_not_written_over():
    store = Store()
    names = ["team:core", REVISION]
    store.write(put_holder(store.seen(names), TEAM, None)[0])
    other = replace(TEAM, alias="Core")
    assert put_holder(store.seen(names), other, None)[1] is Clash.ID_TAKEN
    assert put_holder(store.seen(names), other, b"{}")[1] is Clash.MOVED
    store.write(put_holder(store.seen(names), other, write_holder(TEAM))[0])
    assert store["team:core"] == write_holder(other)
    store.write(drop_holder(store.seen(names), HolderKind.TEAM, "core")[0])
    assert "team:core" not in store
    assert drop_holder(store.seen(names), HolderKind.TEAM, "core") == ({}, None)


def test_the_revision_tells_what_changed_since():
    store = Store()
    store.put(key("aa"))
    seen = store.revision.number
    store.put(key("bb", alias="build"))
    store.put(key("cc"))
    assert store.revision.since(seen) == {"key:bb", "key:cc"}
    assert store.revision.since(store.revision.number) == frozenset()


@settings(max_examples=25)
@given(st.integers(0, 300), st.integers(0, 300))
def test_what_is_not_known_any_more_is_said_to_be_everything(made, known):
    store = Store()
    for number in range(made):
        store.put(key(f"{number:04d}"))
    told = store.revision.since(known)
    if known > made:
        assert told is None
    elif told is None:
        assert made - known >= 256
    else:
        assert told == {f"key:{number:04d}" for number in range(known, made)}


def test_many_keys_dropped_at_once_are_told_whole_or_not_at_all():
    store = Store()
    for number in range(300):
        store.put(key(f"{number:04d}"))
    seen = store.revision.number
    keys = [store.stored(f"{number:04d}") for number in range(300)]
    store.write(drop_keys(store.seen(documents_to_drop(keys)), keys)[0])
    assert store.revision.since(seen) is None


def test_a_revision_that_cannot_be_read_is_a_new_beginning():
    for body in (b"", b"[]", b'{"number": "x"}', None):
        assert read_revision(body) == Revision()
