"""A gateway under a service manager: what systemd hears of its life, over a real socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.stage import Providers, gateway_of, usual

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

ALIVE = "WATCHDOG=1"
FLEETS = pytest.mark.parametrize(
    "arguments", [(), ("--num_workers", "2")], ids=["one process", "two workers"]
)


class Manager:
    """The service manager's end of the socket, which is read at once as systemd does."""

    def __init__(self) -> None:
        self.place = f"@tiergate-service-{os.getpid()}"
        self.senders: set[int] = set()
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._sock.setblocking(False)
        self._sock.bind("\0" + self.place[1:])
        asyncio.get_running_loop().add_reader(self._sock, self._read)

    def close(self) -> None:
        """Hear no more."""
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()

    async def hear(self, seconds: float = 10.0) -> str:
        """The next datagram."""
        return await asyncio.wait_for(self._heard.get(), seconds)

    async def hear_of(self, word: str) -> str:
        """The next datagram that is no sign of life; it must begin with a word."""
        while (found := await self.hear()) == ALIVE:
            pass
        assert found.startswith(word), found
        return found

    def _read(self) -> None:
        data, notes, _, _ = self._sock.recvmsg(4096, socket.CMSG_SPACE(12))
        self.senders.add(int.from_bytes(notes[0][2][:4], "little"))
        self._heard.put_nowait(data.decode())


@pytest_asyncio.fixture(loop_scope="module")
async def manager() -> AsyncIterator[Manager]:
    made = Manager()
    yield made
    made.close()


@FLEETS
async def test_start_reload_and_end_are_told_by_the_main_process_alone(
    manager: Manager, providers: Providers, folder: Path, arguments: tuple[str, ...]
) -> None:
    env = {"NOTIFY_SOCKET": manager.place}
    gateway = gateway_of(usual(providers), folder, arguments=arguments, env=env)
    await gateway.start()
    assert await manager.hear() == "READY=1"
    for text in (None, "model_lisst: []\n"):  # a good file, and a bad one
        if text is not None:
            gateway.write_config(text)
        gateway.reload_signal()
        assert (await manager.hear_of("RELOADING=1")).split("\n")[1].startswith("MONOTONIC_USEC=")
        assert await manager.hear() == "READY=1"
    gateway.signal(signal.SIGTERM)
    told = await manager.hear_of("STOPPING=1")
    assert told.split("\n")[1] == "EXTEND_TIMEOUT_USEC=50000000", "30 s, and 20 s to spare"
    main = gateway.pid
    assert await gateway.ended() == 0
    assert manager.senders == {main}


@FLEETS
async def test_signs_of_life_come_twice_as_often_as_they_must(
    manager: Manager, providers: Providers, folder: Path, arguments: tuple[str, ...]
) -> None:
    env = {"NOTIFY_SOCKET": manager.place, "WATCHDOG_USEC": "400000"}
    async with gateway_of(usual(providers), folder, arguments=arguments, env=env) as gateway:
        assert await manager.hear() == "READY=1", "before it is ready nobody asks for signs"
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for _ in range(5):
            assert await manager.hear(2.0) == ALIVE
        assert loop.time() - begun < 5 * 0.4
        os.kill(gateway.pid, signal.SIGSTOP)
        try:
            for _ in range(5):  # what was on its way
                await manager.hear(0.6)
            pytest.fail("one that stands still goes on to give signs")
        except TimeoutError:
            pass
        finally:
            os.kill(gateway.pid, signal.SIGCONT)
        assert await manager.hear() == ALIVE
