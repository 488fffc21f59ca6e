"""Which idle connection is used next, how old one may get, and how many are kept."""

from __future__ import annotations

import asyncio

import pytest

from tiergate.transport import Target
from tiergate.transport.connection import Connection
from tiergate.transport.pool import Pool

pytestmark = pytest.mark.usefixtures("nothing_left_behind")

TARGET = Target("http", "provider", 80)


class Wire(asyncio.Transport):
    """A transport that only knows whether it was aborted."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.aborted = False
        self._protocol = protocol

    def abort(self) -> None:
        self.aborted = True
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def write(self, data: bytes) -> None:
        pass


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pool(clock: Clock, *, max_idle: int = 64, idle_seconds: float = 50.0) -> Pool:
    return Pool(max_idle_per_target=max_idle, idle_seconds=idle_seconds, clock=clock)


def opened(keeper: Pool, target: Target = TARGET) -> Connection:
    connection = Connection(keeper, target, asyncio.get_running_loop(), 65536)
    connection.connection_made(Wire(connection))
    keeper.add(connection)
    return connection


async def test_the_most_recently_used_connection_is_taken_first(clock):
    kept = pool(clock)
    first, second = opened(kept), opened(kept)
    kept.released(first)
    kept.released(second)

    assert kept.stats() == (2, 2)
    assert kept.take(TARGET) is second
    assert kept.take(TARGET) is first
    assert kept.take(TARGET) is None
    assert kept.stats() == (2, 0)
    await kept.close()


async def test_targets_do_not_share_connections(clock):
    kept = pool(clock)
    kept.released(opened(kept))

    assert kept.take(Target("http", "provider", 80, verify=False)) is None
    assert kept.take(Target("https", "provider", 80)) is None
    await kept.close()


async def test_no_more_than_the_maximum_is_kept_per_target(clock):
    kept = pool(clock, max_idle=2)
    for _ in range(3):
        kept.released(opened(kept))
    kept.released(opened(kept, Target("http", "other", 80)))
    await asyncio.sleep(0)

    assert kept.stats() == (3, 3)
    await kept.close()


async def test_a_connection_may_be_idle_for_the_time_allowed_and_no_longer(clock):
    kept = pool(clock)
    old, young = opened(kept), opened(kept)
    kept.released(old)
    clock.now += 1
    kept.released(young)

    clock.now += 50
    assert kept.take(TARGET) is young
    assert kept.take(TARGET) is None
    await asyncio.sleep(0)
    assert kept.stats() == (1, 0)
    assert old._transport.aborted
    await kept.close()


async def test_meeting_one_old_connection_closes_all_below_it(clock):
    kept = pool(clock)
    for _ in range(5):
        kept.released(opened(kept))
    clock.now += 51

    assert kept.take(TARGET) is None
    await asyncio.sleep(0)
    assert kept.stats() == (0, 0)
    await kept.close()


async def test_old_connections_are_swept_without_a_call(clock):
    kept = pool(clock, idle_seconds=0.02)
    kept.released(opened(kept))
    assert kept._sweep_timer is not None

    clock.now += 1
    for _ in range(100):
        await asyncio.sleep(0.005)
        if kept.stats() == (0, 0):
            break

    assert kept.stats() == (0, 0)
    assert kept._sweep_timer is None  # nothing idle, nothing to wake up for
    assert kept._idle == {}
    await kept.close()


async def test_the_sweep_leaves_young_connections_and_comes_back(clock):
    kept = pool(clock, idle_seconds=0.02)
    kept.released(opened(kept))
    await asyncio.sleep(0.06)  # the clock stands still: nothing grows old

    assert kept.stats() == (1, 1)
    assert kept._sweep_timer is not None
    await kept.close()


async def test_a_connection_that_was_aborted_is_not_taken(clock):
    kept = pool(clock)
    connection = opened(kept)
    kept.released(connection)

    connection.abort()

    assert kept.take(TARGET) is None
    await asyncio.sleep(0)
    assert kept.stats() == (0, 0)
    await kept.close()


async def test_a_closed_pool_keeps_nothing(clock):
    kept = pool(clock)
    busy = opened(kept)
    await kept.close()

    late = opened(kept)
    kept.released(late)
    await asyncio.sleep(0)

    assert busy._transport.aborted
    assert late._transport.aborted
    assert kept.stats() == (0, 0)


async def test_a_connection_lost_before_it_was_added_is_not_counted(clock):
    kept = pool(clock)
    lost = Connection(kept, TARGET, asyncio.get_running_loop(), 65536)
    lost.connection_made(Wire(lost))
    lost.connection_lost(ConnectionResetError())

    kept.add(lost)

    assert kept.stats() == (0, 0)
    await kept.close()  # and is not waited for
