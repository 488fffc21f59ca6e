"""Makes the `bench` package importable, and gives a running upstream to who needs one."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from bench import upstream
from bench.processes import free_ports

# The benchmark reads /proc and pins processes to cores, which only Linux has.
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


@pytest.fixture
def upstream_port() -> Iterator[int]:
    """The port of the scripted upstream, served by a thread for the length of a test."""
    (port,) = free_ports(1)
    loop = asyncio.new_event_loop()
    task = loop.create_task(upstream.serve(port))

    def serve() -> None:
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    _wait_for(port)
    yield port
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)


def _wait_for(port: int) -> None:
    for _ in range(1_000):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
        except OSError:
            threading.Event().wait(0.005)
        else:
            return
    pytest.fail("the upstream did not start")
