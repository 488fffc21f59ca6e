"""What is asked of Redis for answers, and what becomes of what it says.

The battery (tests/battery/stores/test_answers.py) asks real servers of every kind.
"""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tiergate.core.caching import digest
from tiergate.ports import StoreDownError
from tiergate.stores.answers_redis import RedisAnswers
from tiergate.stores.redis_line import RedisLine
from tiergate.stores.redis_place import RedisPlace

PLACE = RedisPlace(host="h", port=1)
KEY = f"ns:{digest(b'1')}"


class Client:
    """Writes down what it is asked, and says what a script holds."""

    def __init__(self, *told: object) -> None:
        self.asked: list[tuple[object, ...]] = []
        self._told = list(told)
        self.closed = False

    async def execute_command(self, *args: bytes | str | int) -> object:
        self.asked.append(args)
        told = self._told.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    async def aclose(self) -> None:
        self.closed = True


async def test_an_answer_has_its_end_in_redis():
    client = Client(b"OK", b"data", None)
    store = RedisAnswers(PLACE, client)
    await store.write(KEY, b"data", 2.5)
    assert await store.read(KEY) == b"data"
    assert await store.read(KEY) is None
    assert client.asked == [("SET", KEY, b"data", "PX", 2500), ("GET", KEY), ("GET", KEY)]


async def test_clearing_looks_at_every_page_and_takes_only_answers():
    pages = [[b"7", [KEY.encode(), b"ns:budgets"]], [b"0", [b"ns:x", KEY.encode()]]]
    client = Client(pages[0], 1, pages[1], 0)
    assert await RedisAnswers(PLACE, client).clear("ns") == 1
    scans = [args for args in client.asked if args[0] == "SCAN"]
    assert [args[1] for args in scans] == [0, b"7"]
    assert {args for args in client.asked if args[0] == "UNLINK"} == {("UNLINK", KEY)}


@pytest.mark.parametrize(
    "fault",
    [StoreDownError("closed"), RedisConnectionError("gone"), OSError("no route")],
)
async def test_every_fault_is_told_with_the_place(fault):
    with pytest.raises(StoreDownError, match="Redis at h:1: "):
        await RedisAnswers(PLACE, Client(fault)).ping()


async def test_an_answer_of_another_shape_is_a_fault():
    with pytest.raises(StoreDownError, match="another shape"):
        await RedisAnswers(PLACE, Client(b"OK")).clear("ns")


async def test_a_single_server_is_asked_directly_and_others_by_the_library():
    assert isinstance(RedisAnswers(PLACE)._client, RedisLine)
    cluster = RedisAnswers(RedisPlace(startup_nodes=(("h", 1),)))
    assert not isinstance(cluster._client, RedisLine)
    client = Client()
    await RedisAnswers(PLACE, client).aclose()
    assert client.closed
