"""What is said to a Redis with the search module, and what is read of its answers.

No such server can be had here (docs/untested.md), so these are the commands as its manual has
them. What happens without the module is in the battery, over a real Redis.
"""

from __future__ import annotations

from array import array

import pytest
from redis.exceptions import ResponseError

from tiergate.core.meaning import Near
from tiergate.ports import Remembered, StoreDownError
from tiergate.stores.meanings_redisearch import SearchedVectors

Args = tuple[bytes | str | int, ...]
VECTOR = (0.6, 0.8)
BLOB = array("f", VECTOR).tobytes()


class Searching:
    """Implements `RedisClient`: a Redis that has the module, by its answers."""

    def __init__(self) -> None:
        self.asked: list[Args] = []
        self.found: object = [0]
        self.making: BaseException | None = None
        self.fault: BaseException | None = None

    async def execute_command(self, *args: bytes | str | int) -> object:
        self.asked.append(args)
        if args[0] == "FT.CREATE":
            if self.making is not None:
                raise self.making
            return b"OK"
        if self.fault is not None:
            raise self.fault
        return {"FT.SEARCH": self.found, "SCAN": [b"0", []], "HGETALL": []}.get(str(args[0]), 1)

    async def aclose(self) -> None:
        """Nothing is open."""


def store(client: Searching) -> SearchedVectors:
    return SearchedVectors("here", client, "idx", "n")


QUESTION = Remembered(
    key="n:k", space="n", partition="n:abc", sides=("on-a", "up-b"), expires=100.0
)


async def test_the_index_is_made_once_for_each_size_of_vectors():
    client = Searching()
    ours = store(client)
    await ours.add(QUESTION, VECTOR, 0.0)
    await ours.nearest("n:abc", VECTOR, 8, 5.0)
    made = [args for args in client.asked if args[0] == "FT.CREATE"]
    assert made == [
        (
            *("FT.CREATE", "idx-2", "ON", "HASH", "PREFIX", 1, "n:near:", "SCHEMA"),
            *("partition", "TAG", "expires", "NUMERIC", "vector", "VECTOR", "FLAT", 6),
            *("TYPE", "FLOAT32", "DIM", 2, "DISTANCE_METRIC", "COSINE"),
        )
    ]
    await ours.nearest("n:abc", (1.0, 0.0, 0.0), 8, 5.0)
    assert [args[1] for args in client.asked if args[0] == "FT.CREATE"] == ["idx-2", "idx-3"]


async def test_a_question_is_a_hash_that_redis_forgets_by_itself():
    client = Searching()
    await store(client).add(QUESTION, VECTOR, 40.0)
    _, keep, forget = client.asked
    assert keep[0] == "HSET"
    fields = dict(zip(keep[2::2], keep[3::2], strict=True))
    assert fields == {
        "partition": "abc",
        "key": "n:k",
        "sides": "on-a up-b",
        "expires": "100.0",
        "vector": BLOB,
    }
    assert forget == ("PEXPIRE", keep[1], 60_000)


async def test_a_search_is_filtered_by_partition_and_time():
    client = Searching()
    client.found = [
        *(2, b"n:near:1", [b"key", b"n:k", b"sides", b"on-a up-b", b"far", b"0.25"]),
        *(b"n:near:2", [b"key", b"n:l", b"far", b"0.5"]),
    ]
    found = await store(client).nearest("n:abc", VECTOR, 8, 5.0)
    assert found == [Near("n:k", 0.75, ("on-a", "up-b")), Near("n:l", 0.5, ())]
    asked = client.asked[-1]
    assert asked[:3] == (
        "FT.SEARCH",
        "idx-2",
        "(@partition:{abc} @expires:[(5.0 +inf])=>[KNN 8 @vector $v AS far]",
    )
    assert asked[3:7] == ("PARAMS", 2, "v", BLOB)
    assert asked[-2:] == ("DIALECT", 2)


async def test_an_index_that_another_worker_made_is_taken():
    client = Searching()
    client.making = ResponseError("Index already exists")
    assert await store(client).nearest("n:abc", VECTOR, 8, 5.0) == []
    assert client.asked[-1][0] == "FT.SEARCH"


async def test_without_the_module_the_partition_is_compared_here():
    client = Searching()
    client.making = ResponseError("unknown command 'FT.CREATE', with args beginning with:")
    ours = store(client)
    assert await ours.nearest("n:abc", VECTOR, 8, 5.0) == []
    await ours.nearest("n:abc", VECTOR, 8, 5.0)
    assert [args[0] for args in client.asked] == ["FT.CREATE", "HGETALL", "HGETALL"]
    await ours.aclose()


async def test_another_error_is_said_and_the_index_looked_for_again():
    client = Searching()
    ours = store(client)
    await ours.nearest("n:abc", VECTOR, 8, 5.0)
    client.fault = ResponseError("idx-2: no such index")
    with pytest.raises(StoreDownError, match="no such index"):
        await ours.nearest("n:abc", VECTOR, 8, 5.0)
    client.fault = None
    await ours.nearest("n:abc", VECTOR, 8, 5.0)
    assert [args[0] for args in client.asked].count("FT.CREATE") == 2
    client.making = ResponseError("out of memory")
    with pytest.raises(StoreDownError, match="out of memory"):
        await ours.nearest("n:abc", (1.0,), 8, 5.0)


async def test_clearing_goes_over_the_keys_of_both_forms():
    client = Searching()
    await store(client).clear("n")
    assert [args[3] for args in client.asked] == ["n:near:*", "n:meaning:*"]
