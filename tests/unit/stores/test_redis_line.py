"""One connection to Redis: answers in order, whole, whatever the network did to their pieces."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.redis_words import written
from tiergate.base.values import Secret
from tiergate.ports import StoreDownError
from tiergate.stores.redis_line import Address, RedisLine, address_of
from tiergate.stores.redis_place import RedisPlace
from tiergate.stores.redis_words import RedisSaidError, command_of, get_command, set_command


@pytest.mark.parametrize(
    ("place", "address"),
    [
        (RedisPlace(host="h", port=1, db=2), Address("h", 1, None, None, None, None, 2)),
        (
            RedisPlace(url=Secret("redis://u:p%40@h:7/4")),
            Address("h", 7, None, None, "u", Secret("p@"), 4),
        ),
        (
            RedisPlace(url=Secret("redis://h")),
            Address("h", 6379, None, None, None, None, 0),
        ),
        (
            RedisPlace(url=Secret("unix:///run/r.sock")),
            Address("localhost", 6379, "/run/r.sock", None, None, None, 0),
        ),
        (RedisPlace(startup_nodes=(("h", 1),)), None),
        (RedisPlace(sentinel_nodes=(("h", 1),), service_name="s"), None),
        (RedisPlace(url=Secret("redis://h/0?protocol=3")), None),
        (RedisPlace(url=Secret("redis://h/x")), None),
        (RedisPlace(url=Secret("redis://h:port")), None),
        (RedisPlace(url=Secret("http://h")), None),
    ],
)
def test_a_single_server_has_an_address_and_others_are_left_to_the_library(place, address):
    assert address_of(place) == address


@pytest.mark.parametrize(
    "place", [RedisPlace(host="h", ssl=True), RedisPlace(url=Secret("rediss://h"))]
)
def test_tls_checks_the_certificate_unless_told_otherwise(place):
    checked = address_of(place)
    assert checked is not None and checked.tls is not None and checked.tls.check_hostname
    blind = RedisPlace(host="h", ssl=True, verify=False)
    unchecked = address_of(blind)
    assert unchecked is not None and unchecked.tls is not None
    assert not unchecked.tls.check_hostname


class Script:
    """A server that answers each command with the next pieces of a script.

    No pieces close the connection; None says nothing at all.
    """

    def __init__(self, *answers: Sequence[bytes] | None) -> None:
        self._answers = list(answers)
        self.got = b""
        self.accepted = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.append(task)
        while data := await reader.read(65536):
            self.got += data
            pieces = self._answers.pop(0) if self._answers else None
            if pieces is not None and not pieces:
                break
            for piece in pieces or ():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()


@asynccontextmanager
async def line(
    *answers: Sequence[bytes] | None, **more: object
) -> AsyncIterator[tuple[RedisLine, Script]]:
    script = Script(*answers)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    place = RedisPlace(host="127.0.0.1", port=port, **more)
    address = address_of(place)
    assert address is not None
    asked = RedisLine(address)
    try:
        yield asked, script
    finally:
        await asked.aclose()
        await asyncio.gather(*script.tasks, return_exceptions=True)
        server.close()
        await server.wait_closed()


async def test_an_answer_in_pieces_is_one_answer():
    whole = written(b"x" * 5000)
    pieces = [whole[at : at + 700] for at in range(0, len(whole), 700)]
    async with line(pieces) as (redis, script):
        assert await redis.execute_command("GET", "k") == b"x" * 5000
        assert script.got == command_of(("GET", "k"))


async def test_many_who_ask_at_once_share_a_connection_and_get_their_own():
    answers = [[b"".join(written(n) for n in range(30))]]
    async with line(*answers) as (redis, script):
        found = await asyncio.gather(*(redis.execute_command("GET", str(n)) for n in range(30)))
        assert found == list(range(30))
        assert script.accepted == 1


async def test_the_login_comes_first():
    async with line(
        [b"+OK\r\n"], [b"+OK\r\n"], [b"$-1\r\n"], username="u", password=Secret("p"), db=3
    ) as (redis, script):
        assert await redis.execute_command("GET", "k") is None
        assert script.got == b"".join(
            map(command_of, [("AUTH", "u", "p"), ("SELECT", 3), ("GET", "k")])
        )


async def test_a_login_that_is_refused_is_said_and_tried_again_later():
    async with line([b"-WRONGPASS no\r\n"], [b"+OK\r\n"], [b":1\r\n"], password=Secret("p")) as (
        redis,
        script,
    ):
        with pytest.raises(StoreDownError, match="WRONGPASS"):
            await redis.execute_command("GET", "k")
        assert await redis.execute_command("GET", "k") == 1
        assert script.accepted == 2


async def test_an_error_of_redis_is_raised_and_the_connection_goes_on():
    async with line([b"-ERR no\r\n"], [b":1\r\n"]) as (redis, script):
        with pytest.raises(RedisSaidError, match="ERR no"):
            await redis.execute_command("NO")
        assert await redis.execute_command("GET", "k") == 1
        assert script.accepted == 1


async def test_a_connection_that_breaks_is_told_and_made_anew():
    async with line([], [b":2\r\n"]) as (redis, script):
        with pytest.raises(StoreDownError, match="broke"):
            await redis.execute_command("GET", "k")
        assert await redis.execute_command("GET", "k") == 2
        assert script.accepted == 2


async def test_one_that_gives_up_does_not_take_the_next_one_s_answer():
    async with line([b":0\r\n"], None, [b":1\r\n:2\r\n"]) as (redis, script):
        assert await redis.execute_command("GET", "z") == 0
        first = asyncio.ensure_future(redis.execute_command("GET", "a"))
        while not script.got.endswith(command_of(("GET", "a"))):
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await redis.execute_command("GET", "b") == 2


async def test_another_protocol_breaks_the_connection():
    async with line([b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as (redis, _):
        with pytest.raises(StoreDownError):
            await redis.execute_command("GET", "k")


async def test_an_answer_that_nobody_asked_for_breaks_the_connection():
    async with line([b":1\r\n:2\r\n"], [b":3\r\n"]) as (redis, script):
        assert await redis.execute_command("GET", "a") == 1
        # What was too much may come together with the answer, or after it.
        with contextlib.suppress(StoreDownError):
            while script.accepted == 1:
                await asyncio.sleep(0)
                if redis._wire is None or redis._wire.over:
                    break
        assert await redis.execute_command("GET", "b") == 3
        assert script.accepted == 2


async def test_nobody_listens():
    redis = RedisLine(Address("127.0.0.1", 1, None, None, None, None, 0))
    with pytest.raises(StoreDownError, match="cannot be connected to"):
        await redis.execute_command("GET", "k")
    await redis.aclose()


async def test_a_socket_file_works_too(tmp_path: Path):
    script = Script([b":5\r\n"])
    path = str(tmp_path / "s")
    server = await asyncio.start_unix_server(script.serve, path)
    address = address_of(RedisPlace(url=Secret(f"unix://{path}")))
    assert address is not None
    redis = RedisLine(address)
    assert await redis.execute_command("GET", "k") == 5
    await redis.aclose()
    await asyncio.gather(*script.tasks)
    server.close()
    await server.wait_closed()


async def test_after_closing_who_waits_is_told():
    async with line([b":1\r\n"], None) as (redis, _):
        assert await redis.execute_command("GET", "a") == 1
        waiting = asyncio.ensure_future(redis.execute_command("GET", "b"))
        await asyncio.sleep(0)
        await redis.aclose()
        with pytest.raises(StoreDownError):
            await waiting


async def test_what_is_posted_is_told_in_the_order_of_all_that_was_asked():
    async with line([b":0\r\n"], [b"+OK\r\n-ERR full\r\n:3\r\n"]) as (redis, script):
        told: list[object] = []
        assert not redis.post(
            command_of(("SET", "early", "v")), told.append
        )  # nothing is connected yet
        await redis.execute_command("GET", "a")
        script.got = b""
        assert redis.post(command_of(("SET", "b", "v")), told.append)
        assert redis.post(command_of(("SET", "c", "v")), told.append)
        assert await redis.execute_command("GET", "d") == 3
        sent = b"".join(map(command_of, [("SET", "b", "v"), ("SET", "c", "v"), ("GET", "d")]))
        while len(script.got) < len(sent):  # the script may have answered before it read all
            await asyncio.sleep(0)
        assert script.got == sent
        assert [None if fault is None else str(fault) for fault in told] == [None, "ERR full"]


async def test_what_is_posted_needs_no_further_question():
    async with line([b":0\r\n"], [b"+OK\r\n"]) as (redis, script):
        await redis.execute_command("GET", "a")
        done = asyncio.get_running_loop().create_future()
        assert redis.post(command_of(("SET", "b", "v")), done.set_result)
        assert await asyncio.wait_for(done, 5) is None
        assert script.got.endswith(command_of(("SET", "b", "v")))


async def test_a_connection_that_breaks_tells_what_was_posted():
    async with line([b":0\r\n"], []) as (redis, _):
        await redis.execute_command("GET", "a")
        done = asyncio.get_running_loop().create_future()
        assert redis.post(command_of(("SET", "b", "v")), done.set_result)
        assert isinstance(await asyncio.wait_for(done, 5), StoreDownError)


async def test_a_silent_redis_is_given_up_and_asked_anew(monkeypatch):
    monkeypatch.setattr("tiergate.stores.redis_line._SILENT_SECONDS", 0.05)
    async with line([b":0\r\n"], None, [b":1\r\n"]) as (redis, script):
        await redis.execute_command("GET", "a")
        done = asyncio.get_running_loop().create_future()
        assert redis.post(command_of(("SET", "b", "v")), done.set_result)
        fault = await asyncio.wait_for(done, 5)
        assert "no answer for 0.05 seconds" in str(fault)
        assert await redis.execute_command("GET", "b") == 1
        assert script.accepted == 2


async def test_what_is_said_in_one_turn_of_the_loop_goes_out_as_one():
    async with line([b":0\r\n"], [b"+OK\r\n:1\r\n:2\r\n"], []) as (redis, script):
        await redis.execute_command("GET", "a")
        told: list[object] = []
        assert redis.post(set_command("b", b"v", 5), told.append)
        one = redis.begin(get_command("c"), 5.0)
        other = redis.begin(get_command("d"), 5.0)
        assert one is not None and other is not None
        assert [await one, await other, told] == [1, 2, [None]]  # the script had one read for all
        assert len(script._answers) == 1


async def test_nothing_is_begun_without_a_connection():
    async with line([b":0\r\n"], []) as (redis, _):
        assert redis.begin(get_command("a"), 1.0) is None
        await redis.execute_command("GET", "a")
        begun = redis.begin(get_command("b"), 1.0)
        assert begun is not None
        with pytest.raises(StoreDownError, match="broke"):
            await begun
        assert redis.begin(get_command("c"), 1.0) is None


async def test_a_question_that_finds_nothing_and_one_that_is_refused():
    async with line([b":0\r\n"], [b"$-1\r\n"], [b"-LOADING\r\n"]) as (redis, _):
        await redis.execute_command("GET", "a")
        begun = redis.begin(get_command("b"), 1.0)
        assert begun is not None and await begun is None
        begun = redis.begin(get_command("c"), 1.0)
        assert begun is not None
        with pytest.raises(RedisSaidError, match="LOADING"):
            await begun


async def test_an_answer_that_comes_too_late_is_nobody_s():
    async with line([b":0\r\n"], None, [b":1\r\n:2\r\n"]) as (redis, script):
        await redis.execute_command("GET", "a")
        late = redis.begin(get_command("b"), 0.02)
        assert late is not None
        with pytest.raises(StoreDownError, match="no answer in time"):
            await late
        begun = redis.begin(get_command("c"), 5.0)
        assert begun is not None and await begun == 2
        assert script.accepted == 1


async def test_each_of_many_has_its_own_time():
    async with line([b":0\r\n"], None, None, None) as (redis, _):
        await redis.execute_command("GET", "a")
        loop = asyncio.get_running_loop()
        begun: list[tuple[float, asyncio.Future[object]]] = []
        for number in range(3):
            future = redis.begin(get_command(str(number)), 0.05)
            assert future is not None
            begun.append((loop.time(), future))
            await asyncio.sleep(0.03)
        for since, future in begun:
            with pytest.raises(StoreDownError):
                await future
            assert 0.04 < loop.time() - since < 1.0


async def test_who_has_an_answer_is_not_told_of_time():
    async with line([b":0\r\n"], [b":1\r\n"], [b":2\r\n"]) as (redis, _):
        await redis.execute_command("GET", "a")
        one = redis.begin(get_command("b"), 0.02)
        assert one is not None and await one == 1
        await asyncio.sleep(0.04)
        assert redis._wire is not None and redis._wire._limit is None
        other = redis.begin(get_command("c"), 0.02)
        assert other is not None and await other == 2


async def test_a_nothing_that_nobody_asked_for_breaks_the_connection_too():
    async with line([b":1\r\n"], [b":3\r\n"]) as (redis, script):
        assert await redis.execute_command("GET", "a") == 1
        wire = redis._wire
        assert wire is not None
        wire.data_received(b"$-1\r\n")
        assert wire.over
        assert await redis.execute_command("GET", "b") == 3
        assert script.accepted == 2
