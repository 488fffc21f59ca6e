"""Answers in memory: what is kept, for how long, and what makes room."""

from __future__ import annotations

import pytest

from support.cached import stored
from support.engine import WALL
from support.money import drive
from tiergate.core.caching import digest
from tiergate.stores.answers_memory import MemoryAnswers


class Kept:
    """A store with a clock that is moved by hand; nothing in it ever waits."""

    def __init__(self, most: int = 1_000_000) -> None:
        self.now = WALL
        self.store = MemoryAnswers(most, lambda: self.now)

    def put(self, key: str, size: int = 10, seconds: float = 60.0) -> None:
        answer = stored(key.encode().ljust(size, b"."), expires=self.now + seconds)
        drive(self.store.put(key, answer))

    def has(self, *keys: str) -> list[bool]:
        return [drive(self.store.get(key)) is not None for key in keys]

    def figures(self):
        return drive(self.store.figures())


def test_what_was_put_is_found_until_it_expires():
    kept = Kept()
    kept.put("a", seconds=60)
    kept.now += 59
    assert kept.has("a", "b") == [True, False]
    kept.now += 1
    assert kept.has("a") == [False]
    assert kept.figures().size == 0


def test_a_newer_answer_takes_the_place_of_an_older_one():
    kept = Kept()
    kept.put("a", size=10)
    kept.put("a", size=2000)
    assert len(drive(kept.store.get("a")).body) == 2000
    assert kept.figures().entries == 1


def test_the_one_not_asked_for_longest_makes_room():
    one = Kept()
    one.put("a", size=200)
    kept = Kept(most=3 * one.figures().size)
    for key in ("a", "b", "c"):
        kept.put(key, size=200)
    assert kept.has("a") == [True]
    kept.put("d", size=200)
    assert kept.has("a", "b", "c", "d") == [True, False, True, True]
    assert kept.figures().dropped == 1


@pytest.mark.parametrize("size", [10, 300, 3000])
def test_never_more_bytes_than_allowed(size):
    kept = Kept(most=10_000)
    for number in range(100):
        kept.put(str(number), size=size)
        figures = kept.figures()
        assert 0 < figures.size <= figures.most == 10_000


def test_an_answer_larger_than_everything_is_not_kept_and_pushes_nothing_out():
    kept = Kept(most=1500)
    kept.put("a", size=100)
    kept.put("b", size=3000)
    assert kept.has("a", "b") == [True, False]


def test_answers_can_be_forgotten_by_name():
    kept = Kept()
    kept.put("a")
    assert drive(kept.store.delete(["a", "b"])) == 1
    assert kept.has("a") == [False]


def test_a_namespace_is_cleared_and_no_other():
    kept = Kept()
    ours = [f"backlog:{digest(b'1')}", f"backlog:t1:{digest(b'2')}"]
    theirs = f"backlog2:{digest(b'3')}"
    for key in (*ours, theirs):
        kept.put(key)
    assert drive(kept.store.clear("backlog")) == 2
    assert kept.has(*ours, theirs) == [False, False, True]


def test_what_is_posted_is_kept_at_once():
    kept, told = Kept(), []
    assert kept.store.post("k", stored(), lambda: told.append(kept.has("k")))
    assert told == [[True]]


def test_memory_always_works():
    kept = Kept()
    assert kept.store.fault is None
    assert drive(kept.store.ping()) is None
    drive(kept.store.aclose())
