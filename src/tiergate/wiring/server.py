"""Listen, serve, reload and drain: the life of one gateway process.

What is served is made in `build`; this module carries it through signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from tiergate.web.data_plane import DataPlane

LOG = logging.getLogger("tiergate.server")

_BACKLOG = 2048
_POLL_SECONDS = 0.02
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen, and how patient to be.

    Attributes:
        drain_seconds: How long requests in flight may take after SIGTERM.
        header_seconds: How long a client may take to send its request head.
        max_head_bytes: What the HTTP layer buffers for a request head; above it answers 431.
    """

    host: str
    port: int
    drain_seconds: float = 30.0
    header_seconds: float = 30.0
    max_head_bytes: int = 256 * 1024


class PortTakenError(Exception):
    """The address cannot be listened on; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the process does beside serving."""

    reload: Callable[[], None]
    """Called for SIGHUP, and by the file watch."""
    in_flight: Callable[[], int]
    """Requests that have begun and not ended."""
    ready: Callable[[], None]
    """Called once when the port answers."""


@contextlib.asynccontextmanager
async def listening(plane: DataPlane, listener: Listener) -> AsyncGenerator[asyncio.Task[None]]:
    """Serve while the block runs; gives the task that serves.

    Raises:
        PortTakenError: Nothing was served.
    """
    _check_port(listener)
    server = Server(
        plane,
        address=listener.host,
        port=listener.port,
        websockets=False,
        http=HTTPModes.http1,
        backlog=_BACKLOG,
        log_enabled=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(listener.header_seconds * 1000),
            max_buffer_size=listener.max_head_bytes,
        ),
    )
    serving = asyncio.get_running_loop().create_task(server.serve())
    try:
        await _wait_until_listening(listener, serving)
        yield serving
    finally:
        server.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(serving, STOP_SECONDS)


async def serve(plane: DataPlane, listener: Listener, hooks: Hooks) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Raises:
        PortTakenError: Nothing was served.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hooks.reload)
    async with listening(plane, listener) as serving:
        # What is alive now lives as long as the process: keep the collector from walking over it.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)
        hooks.ready()
        stopped = loop.create_task(stop.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        await _drain(listener, hooks)


async def _drain(listener: Listener, hooks: Hooks) -> None:
    """Let requests in flight finish. New ones are still answered: balancers need a moment."""
    waiting = hooks.in_flight()
    if waiting:
        LOG.info("draining", extra={"in_flight": waiting, "seconds": listener.drain_seconds})
    loop = asyncio.get_running_loop()
    end = loop.time() + listener.drain_seconds
    while hooks.in_flight() and loop.time() < end:  # noqa: ASYNC110 - nobody else needs an event for this
        await asyncio.sleep(_POLL_SECONDS)


def _check_port(listener: Listener) -> None:
    """Try the address first: a taken port must be an error, not a second silent listener."""
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listener.host, listener.port))
        except OSError as exc:
            raise PortTakenError(
                f"cannot listen on {listener.host}:{listener.port}: {exc.strerror}. "
                "Choose another with --port."
            ) from None


async def _wait_until_listening(listener: Listener, serving: asyncio.Task[None]) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listener.host, listener.host)  # noqa: S104 - compared, not bound
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, listener.port)
        except OSError:
            await asyncio.sleep(_POLL_SECONDS)
            continue
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return
    serving.result()
