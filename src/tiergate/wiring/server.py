"""Listen, serve, reload, take leave: the life of one gateway process.

What is served is made in `build`; this module carries it through signals.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.values import Dialect
from tiergate.core.life import Life
from tiergate.front import Front, Limits
from tiergate.web import wire
from tiergate.web.data_plane import DataPlane, dialect_of
from tiergate.wiring.leaving import Leaving

LOG = logging.getLogger("tiergate.server")


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen, and how patient to be.

    Attributes:
        header_seconds: How long a client may take to send its request head.
        max_head_bytes: What the HTTP layer buffers for a request head; above it answers 431.
        sockets: Bound sockets to listen on instead of opening any, for one worker of several.
    """

    host: str
    port: int
    header_seconds: float = 30.0
    max_head_bytes: int = 256 * 1024
    sockets: tuple[socket.socket, ...] = ()


class PortTakenError(Exception):
    """The address cannot be listened on; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the process does beside serving."""

    reload: Callable[[], None]
    """Called for SIGHUP, and by the file watch."""
    ready: Callable[[], None]
    """Called once when the port answers."""
    leave: Callable[[], Life]
    """Called once when the process is told to stop; says how long it may take."""


async def listen(plane: DataPlane, listener: Listener) -> Front:
    """Begin to serve.

    Raises:
        PortTakenError: Nothing is served.
    """
    limits = Limits(max_head_bytes=listener.max_head_bytes, header_seconds=listener.header_seconds)
    front = Front(plane.__rsgi__, limits, _error, _failed)
    try:
        if listener.sockets:
            await front.start_on(listener.sockets)
        else:
            await front.start(listener.host, listener.port)
    except OSError as exc:
        raise PortTakenError(f"{exc}. Choose another with --port.") from None
    return front


async def serve(plane: DataPlane, listener: Listener, hooks: Hooks, leaving: Leaving) -> bool:
    """Serve until SIGTERM or SIGINT, then take leave.

    Args:
        plane: What is served.
        listener: Where.
        hooks: What else is done.
        leaving: Is told by signals, and by whoever else wants an end.

    Returns:
        Whether calls under way had their time; False where a second signal cut it short.

    Raises:
        PortTakenError: Nothing was served.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.say)
    loop.add_signal_handler(signal.SIGHUP, hooks.reload)
    front = await listen(plane, listener)
    try:
        # What is alive now lives as long as the process: keep the collector from walking over it.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)
        hooks.ready()
        await leaving.begun.wait()
        if await _take_leave(front, hooks.leave(), leaving):
            return True
        LOG.warning("told twice to end: what is under way is cut")
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)  # a third one ends the process as any other
        return False
    finally:
        await front.aclose()


async def _take_leave(front: Front, life: Life, leaving: Leaving) -> bool:
    """Serve on for a while, then let requests under way end; False if told again to end."""
    front.leave()
    if life.drain_delay:
        LOG.info("leaving: calls are still taken", extra={"seconds": life.drain_delay})
        if await leaving.hurried_within(life.drain_delay):
            return False
    if front.in_flight:
        LOG.info("draining", extra={"requests": front.in_flight})
    drain = asyncio.ensure_future(front.drain(life.drain_timeout))
    hurried = asyncio.ensure_future(leaving.hurried.wait())
    try:
        await asyncio.wait({drain, hurried}, return_when=asyncio.FIRST_COMPLETED)
        return drain.done()
    finally:
        for task in (drain, hurried):
            task.cancel()
        await asyncio.gather(drain, hurried, return_exceptions=True)


def _error(
    status: int, path: str, headers: Sequence[tuple[str, str]], sentence: str
) -> tuple[list[tuple[str, str]], bytes]:
    """Put into the caller's shape what the server itself has to say."""
    names = {name for name, _ in headers}
    dialect = Dialect.ANTHROPIC if "anthropic-version" in names else dialect_of(path)
    error = wire.of_refused(Refused(status, sentence), dialect, "")
    return [wire.JSON_TYPE, *error.headers], error.body


def _failed(path: str, error: Exception | None) -> None:
    """Log a fault of our own; the caller has got a 500."""
    LOG.error("a request failed inside the gateway", extra={"path": path}, exc_info=error)
