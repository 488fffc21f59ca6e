"""Vectors in SQLite: bounded, begun anew after damage. The rest is in the battery."""

from __future__ import annotations

import pytest

from tiergate.ports import Remembered, StoreDownError
from tiergate.stores.meanings_embedded import FILE, EmbeddedVectors, similarities


def question(key: str, expires: float = 100.0) -> Remembered:
    return Remembered(key=key, space="n", partition="n:p", sides=("on-a",), expires=expires)


async def test_the_oldest_make_room():
    store = EmbeddedVectors(None, 3)
    for number in range(5):
        await store.add(question(str(number)), (1.0, 0.0), 0.0)
    found = await store.nearest("n:p", (1.0, 0.0), 10, 0.0)
    assert {near.key for near in found} == {"2", "3", "4"}
    await store.aclose()


async def test_what_has_expired_is_swept_from_the_file(tmp_path):
    store = EmbeddedVectors(tmp_path, 1000)
    await store.add(question("old", expires=1.0), (1.0,), 0.0)
    for number in range(64):
        await store.add(question(str(number)), (1.0,), 2.0)
    count = await store._do(lambda s: s.execute("SELECT count(*) FROM questions").fetchone())
    assert count == (64,)
    await store.aclose()


async def test_a_damaged_file_is_begun_anew(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    store = EmbeddedVectors(tmp_path, 10)
    with pytest.raises(StoreDownError, match="vectors in"):
        await store.nearest("n:p", (1.0,), 1, 0.0)
    await store.add(question("a"), (1.0,), 0.0)
    assert len(await store.nearest("n:p", (1.0,), 1, 0.0)) == 1
    await store.aclose()


async def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = EmbeddedVectors(tmp_path / "file" / "below", 10)
    with pytest.raises(StoreDownError, match="file"):
        await store.add(question("a"), (1.0,), 0.0)
    await store.aclose()


def test_nothing_is_similar_to_nothing():
    assert similarities(b"\0\0\x80?", []) == []
    assert similarities(b"\0\0\x80?", [b"\0\0\x80?", b"\0\0\0?"]) == [1.0, 0.5]
