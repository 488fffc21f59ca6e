"""Listen, serve, reload and drain: the life of one gateway process.

What is served is made in `build`; this module carries it through signals.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.values import Dialect
from tiergate.front import Front, Limits
from tiergate.web import wire
from tiergate.web.data_plane import DataPlane, dialect_of

LOG = logging.getLogger("tiergate.server")


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
    ready: Callable[[], None]
    """Called once when the port answers."""


async def listen(plane: DataPlane, listener: Listener) -> Front:
    """Begin to serve.

    Raises:
        PortTakenError: Nothing is served.
    """
    limits = Limits(max_head_bytes=listener.max_head_bytes, header_seconds=listener.header_seconds)
    front = Front(plane.__rsgi__, limits, _error, _failed)
    try:
        await front.start(listener.host, listener.port)
    except OSError as exc:
        raise PortTakenError(f"{exc}. Choose another with --port.") from None
    return front


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
    front = await listen(plane, listener)
    try:
        # What is alive now lives as long as the process: keep the collector from walking over it.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)
        hooks.ready()
        await stop.wait()
        if front.in_flight:
            LOG.info("draining", extra={"requests": front.in_flight})
        await front.drain(listener.drain_seconds)
    finally:
        await front.aclose()


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
