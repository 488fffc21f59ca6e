"""The socket side: waiting for room, standstill, and how it is closed."""

from __future__ import annotations

import asyncio

import pytest

from tiergate.front import ClientGoneError
from tiergate.front.flow import HIGH_WATER, Flow


class Socket:
    def __init__(self) -> None:
        self.options: list[tuple[object, ...]] = []

    def setsockopt(self, *option: object) -> None:
        self.options.append(option)


class Transport:
    """Records what is done to it."""

    def __init__(self, peer: object = ("127.0.0.1", 9)) -> None:
        self.done: list[object] = []
        self.unsent = 0
        self.extra = {"peername": peer, "socket": Socket()}

    def set_write_buffer_limits(self, high: int) -> None:
        self.done.append(high)

    def get_extra_info(self, name: str) -> object:
        return self.extra.get(name)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def can_write_eof(self) -> bool:
        return "sslcontext" not in self.extra

    def __getattr__(self, name: str) -> object:
        return lambda: self.done.append(name)


def opened(transport: Transport) -> Flow:
    flow = Flow(asyncio.get_running_loop())
    flow.open(transport)
    transport.done.clear()
    return flow


async def test_little_may_wait_for_the_client() -> None:
    transport = Transport()
    Flow(asyncio.get_running_loop()).open(transport)
    assert transport.done == [HIGH_WATER] == [64 * 1024]


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        (("127.0.0.1", 9), "127.0.0.1:9"),
        (("::1", 9, 0, 0), "[::1]:9"),
        (None, ""),
        ("", ""),
    ],
)
async def test_the_peer_is_written_as_host_and_port(peer, client) -> None:
    assert opened(Transport(peer)).client == client


async def test_reading_is_paused_and_resumed_once() -> None:
    transport = Transport()
    flow = opened(transport)
    flow.resume_reading()
    flow.pause_reading()
    flow.pause_reading()
    flow.resume_reading()
    flow.resume_reading()
    assert transport.done == ["pause_reading", "resume_reading"]


async def test_after_the_end_reading_is_left_alone() -> None:
    transport = Transport()
    flow = opened(transport)
    flow.pause_reading()
    flow.eof = True
    flow.resume_reading()
    assert transport.done == ["pause_reading"]


async def test_all_who_wait_for_room_are_woken() -> None:
    flow = opened(Transport())
    flow.pause()
    waiting = [asyncio.create_task(flow.writable()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    flow.resume()
    await waiting[1]
    assert waiting[0].cancelled()


async def test_who_is_woken_when_there_is_no_room_again_waits_on() -> None:
    flow = opened(Transport())
    flow.pause()
    waiting = asyncio.create_task(flow.writable())
    await asyncio.sleep(0)
    flow.resume()
    flow.pause()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    flow.resume()
    await waiting


async def test_who_waits_for_a_client_that_goes_gets_an_error() -> None:
    flow = opened(Transport())
    flow.pause()
    waiting = asyncio.create_task(flow.writable())
    await asyncio.sleep(0)
    flow.lost()
    with pytest.raises(ClientGoneError):
        await waiting
    assert not flow.is_open


async def test_a_standstill_is_bytes_that_do_not_move() -> None:
    transport = Transport()
    flow = opened(transport)
    assert not flow.is_stalled(0, 10)
    transport.unsent = 5
    assert not flow.is_stalled(100, 10)
    assert not flow.is_stalled(109, 10)
    assert flow.is_stalled(110, 10)


async def test_bytes_that_move_are_no_standstill() -> None:
    transport = Transport()
    flow = opened(transport)
    for now in range(0, 100, 10):
        transport.unsent = 100 - now
        assert not flow.is_stalled(now, 10)
    for now in range(100, 200, 10):  # as much as before, but others have gone
        flow.resume()
        assert not flow.is_stalled(now, 10)


async def test_after_an_abort_nothing_is_written() -> None:
    transport = Transport()
    flow = opened(transport)
    flow.write(b"a")
    flow.abort(reset=False)
    flow.write(b"b")
    assert transport.done == [b"a", "abort"]
    assert transport.extra["socket"].options == []


async def test_a_reset_is_asked_of_the_socket() -> None:
    transport = Transport()
    opened(transport).abort(reset=True)
    assert len(transport.extra["socket"].options) == 1
    assert transport.done == ["abort"]


async def test_half_is_closed_where_that_is_possible() -> None:
    transport = Transport()
    flow = opened(transport)
    flow.close_half()
    transport.extra["sslcontext"] = object()
    flow.close_half()
    flow.close()
    assert transport.done == ["write_eof", "close"]


async def test_without_a_socket_nothing_happens() -> None:
    flow = Flow(asyncio.get_running_loop())
    flow.pause_reading()
    flow.write(b"x")
    flow.close_half()
    flow.close()
    flow.abort(reset=True)
    assert flow.unsent == 0
    assert not flow.is_open
