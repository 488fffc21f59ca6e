"""Vectors in any Redis: what is read of its answers. What Redis does is in the battery."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tiergate.ports import Remembered, StoreDownError
from tiergate.stores.meanings_redis import MOST_COMPARED, RedisVectors, items_of, pairs_of

Args = tuple[bytes | str | int, ...]


class Told:
    """Implements `RedisClient` with answers by command."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers
        self.asked: list[Args] = []

    async def execute_command(self, *args: bytes | str | int) -> object:
        self.asked.append(args)
        answer = self.answers.get(str(args[0]))
        if isinstance(answer, BaseException):
            raise answer
        return answer() if isinstance(answer, Callable) else answer

    async def aclose(self) -> None:
        answer = self.answers.get("CLOSE")
        if isinstance(answer, BaseException):
            raise answer


def question(key: str) -> Remembered:
    return Remembered(key=key, space="n", partition="n:p", sides=(), expires=100.0)


def test_both_forms_of_a_hash_are_read():
    assert pairs_of([b"a", b"1", b"b", b"2"]) == [(b"a", b"1"), (b"b", b"2")]
    assert pairs_of({b"a": b"1"}) == [(b"a", b"1")]
    assert pairs_of(None) == []
    assert items_of(b"no list") == []


async def test_what_is_not_ours_is_taken_out():
    told = Told(HGETALL=[b"a", b"other", b"b", b"v1\xc1"])
    assert await RedisVectors("here", told).nearest("n:p", (1.0,), 8, 0.0) == []
    assert told.asked[-1] == ("HDEL", "n:meaning:p", b"a", b"b")


async def test_a_full_partition_makes_room_and_never_of_the_new_one():
    told = Told(HLEN=MOST_COMPARED + 1, PTTL=-1)
    told.answers["HRANDFIELD"] = lambda: [told.asked[0][2], b"old"]
    await RedisVectors("here", told).add(question("n:k"), (1.0,), 0.0)
    assert told.asked[-1] == ("HDEL", "n:meaning:p", b"old")
    assert ("PEXPIRE", "n:meaning:p", 100_000) in told.asked


async def test_the_life_of_a_partition_is_never_shortened():
    told = Told(HLEN=1, PTTL=200_000)
    await RedisVectors("here", told).add(question("n:k"), (1.0,), 0.0)
    assert "PEXPIRE" not in {args[0] for args in told.asked}


async def test_an_error_says_where():
    down = Told(HGETALL=OSError("refused"), SCAN=[b"0"], CLOSE=OSError("refused"))
    store = RedisVectors("here", down)
    with pytest.raises(StoreDownError, match="here: refused"):
        await store.nearest("n:p", (1.0,), 8, 0.0)
    with pytest.raises(StoreDownError, match="another shape"):
        await store.clear("n")
    with pytest.raises(StoreDownError, match="here: refused"):
        await store.aclose()
