"""Answers in a file: never more than allowed, the unused ones go first, damage costs nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from support.engine import WALL
from tiergate.core.caching import digest
from tiergate.ports import StoreDownError
from tiergate.stores.answers_disk import ASKED_SECONDS, BESIDE, FILE, DiskAnswers


class Kept:
    """A store with a clock that is moved by hand."""

    def __init__(self, folder: Path, most: int = 1_000_000) -> None:
        self.now = WALL
        self.folder = folder
        self.store = DiskAnswers(folder, most, lambda: self.now)

    async def put(self, key: str, size: int = 10, seconds: float = 600.0) -> None:
        await self.store.write(key, b"x" * size, seconds)

    async def has(self, *keys: str) -> list[bool]:
        return [await self.store.read(key) is not None for key in keys]

    async def __aenter__(self) -> Kept:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.aclose()


async def test_what_was_put_is_found_until_it_expires(tmp_path):
    async with Kept(tmp_path) as kept:
        await kept.put("a", seconds=60)
        kept.now += 59
        assert await kept.has("a", "b") == [True, False]
        kept.now += 1
        assert await kept.has("a") == [False]


async def test_it_outlives_the_process(tmp_path):
    async with Kept(tmp_path) as kept:
        await kept.put("a")
    async with Kept(tmp_path) as kept:
        assert await kept.has("a") == [True]
        figures = await kept.store.figures()
        assert (figures.entries, figures.size) == (1, len("a") + 10 + BESIDE)


@pytest.mark.parametrize("size", [10, 900, 5000])
async def test_never_more_bytes_than_allowed(tmp_path, size):
    async with Kept(tmp_path, most=20_000) as kept:
        for number in range(200):
            await kept.put(str(number), size=size)
        figures = await kept.store.figures()
        assert 0 < figures.size <= figures.most == 20_000
        assert figures.dropped == 200 - figures.entries
        assert await kept.has("199") == [True]


async def test_the_one_not_asked_for_longest_makes_room(tmp_path):
    async with Kept(tmp_path, most=3 * (BESIDE + 1001)) as kept:
        for key in ("a", "b", "c"):
            await kept.put(key, size=1000)
            kept.now += 1
        kept.now += ASKED_SECONDS
        await kept.has("a")
        await kept.put("d", size=1000)
        assert await kept.has("a", "b", "c", "d") == [True, False, True, True]


async def test_what_is_over_makes_room_first(tmp_path):
    async with Kept(tmp_path, most=3 * (BESIDE + 1001)) as kept:
        await kept.put("old", size=998)
        kept.now += 1
        for key in ("a", "b"):
            await kept.put(key, size=1000, seconds=5 if key == "a" else 600)
            kept.now += 1
        kept.now += 10
        await kept.put("c", size=1000)
        assert await kept.has("old", "a", "b", "c") == [True, False, True, True]


async def test_an_answer_larger_than_everything_is_not_kept(tmp_path):
    async with Kept(tmp_path, most=1000) as kept:
        await kept.put("a", size=100)
        await kept.put("b", size=3000)
        assert await kept.has("a", "b") == [True, False]


async def test_the_newer_one_takes_the_place_of_the_older(tmp_path):
    async with Kept(tmp_path) as kept:
        await kept.put("a", size=10)
        await kept.put("a", size=20)
        assert len(await kept.store.read("a")) == 20
        figures = await kept.store.figures()
        assert (figures.entries, figures.size) == (1, len("a") + 20 + BESIDE)


async def test_a_namespace_is_cleared_and_no_other(tmp_path):
    ours = [f"ns:{digest(b'1')}", f"ns:t1:{digest(b'2')}"]
    others = [f"ns2:{digest(b'3')}", "ns:something"]
    async with Kept(tmp_path) as kept:
        for key in (*ours, *others):
            await kept.put(key)
        assert await kept.store.clear("ns") == 2
        assert await kept.has(*ours, *others) == [False, False, True, True]
        assert await kept.store.remove([others[0], "x"]) == 1


async def test_only_the_user_may_read_the_file(tmp_path):
    async with Kept(tmp_path / "new" / "folder") as kept:
        await kept.store.ping()
        assert stat.S_IMODE((kept.folder / FILE).stat().st_mode) == 0o600
        assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", [b"no database at all" * 100, b""])
async def test_a_damaged_file_is_begun_anew(tmp_path, damage):
    async with Kept(tmp_path) as kept:
        await kept.put("a")
    (tmp_path / FILE).write_bytes(damage)
    async with Kept(tmp_path) as kept:
        assert await kept.has("a") == [False]
        await kept.put("b")
        assert await kept.has("b") == [True]


async def test_a_file_damaged_while_it_is_open_is_begun_anew(tmp_path):
    async with Kept(tmp_path) as kept:
        await kept.put("a")
        kept.store._session.execute("DROP TABLE total")
        await kept.put("b")
        assert await kept.has("a", "b") == [False, True]


async def test_a_folder_that_cannot_be_made_is_a_fault_and_not_an_end(tmp_path):
    (tmp_path / "file").write_text("in the way")
    async with Kept(tmp_path / "file" / "folder") as kept:
        with pytest.raises(StoreDownError, match="file"):
            await kept.store.ping()
        (tmp_path / "file").unlink()
        await kept.store.ping()
