"""What the documents in Redis do without a server; the rest is in tests/battery/stores."""

from __future__ import annotations

import socket
import time

import pytest

from support.documents import counting
from tiergate.base.values import Secret
from tiergate.ports import Documents, StoreDownError
from tiergate.stores.redis_documents import RedisDocuments
from tiergate.stores.redis_place import RedisPlace


def no_chance() -> float:
    return 0.0


async def test_nobody_there_is_told_without_the_password():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken, and nobody listens
        port = taken.getsockname()[1]
        place = RedisPlace(url=Secret(f"redis://:hidden@127.0.0.1:{port}/0"))
        store: Documents = RedisDocuments(place, no_chance)

        with pytest.raises(StoreDownError, match=f"Redis at 127.0.0.1:{port}: ") as caught:
            await store.read(["a"])

    assert "hidden" not in str(caught.value)
    await store.aclose()


async def test_a_server_that_says_nothing_is_waited_for_as_long_as_said():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        place = RedisPlace(host="127.0.0.1", port=silent.getsockname()[1])
        store = RedisDocuments(place, no_chance, seconds=0.2)

        start = time.monotonic()
        with pytest.raises(StoreDownError, match=r"did not answer within 0\.2 seconds"):
            await store.update(["a"], counting("a"))

    assert 0.15 < time.monotonic() - start < 1.0
    await store.aclose()


class OtherShape:
    """A client whose server speaks another language."""

    async def execute_command(self, *args):
        return "PONG"

    async def aclose(self):
        """Nothing is open."""


async def test_an_answer_of_another_shape_is_a_failure_of_the_store():
    store = RedisDocuments(RedisPlace(), no_chance, client=OtherShape())

    with pytest.raises(StoreDownError, match="another shape"):
        await store.read(["a"])


class Losing:
    """A client whose documents somebody else changes each time."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.keys: set[bytes | str] = set()

    async def execute_command(self, name, *args):
        if name == "HMGET":
            self.keys.add(args[0])
            return [b"0"]
        self.keys.update(args[2:4])
        self.losses -= 1
        return None if self.losses < 0 else [b"%d" % self.losses]

    async def aclose(self):
        """Nothing is open."""


async def test_a_lost_race_is_run_again_with_what_was_written_meanwhile():
    client = Losing(6)
    pauses = []

    def chance() -> float:
        pauses.append(1)
        return 0.0

    store = RedisDocuments(RedisPlace(namespace="mine"), chance, client=client)

    assert await store.update(["a"], counting("a")) == 1
    assert len(pauses) == 6
    assert client.keys == {"{mine}:documents", "{mine}:document-keys"}, "one slot of a cluster"
