"""The socket of one connection: bytes out, who waits for room, and when not to read.

It carries out; when to pause, when to close and how is the connection's decision.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import Callable

HIGH_WATER = 64 * 1024
"""Bytes written and not sent above which writers wait."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class ClientGoneError(ConnectionError):
    """Nobody is there to be answered: the client left, or broke the protocol."""

    def __init__(self) -> None:
        super().__init__("the client is gone")


class Flow:
    """The two directions of a connection.

    Attributes:
        client: `host:port` of the peer; `[host]:port` of IPv6.
        secure: It is TLS.
        eof: The client sends no more.
        paused: More bytes wait for the client than may.
        write: Writes bytes; drops them once nothing can be written any more.
    """

    __slots__ = (
        "_closed",
        "_loop",
        "_moved",
        "_reading",
        "_stalled_at",
        "_transport",
        "_unsent",
        "_waiters",
        "client",
        "eof",
        "paused",
        "secure",
        "write",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.client = ""
        self.secure = False
        self.eof = False
        self.paused = False
        self.write: Callable[[bytes], None] = _drop
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reading = True
        self._closed = False
        self._waiters: list[asyncio.Future[None]] = []
        self._moved = False
        self._unsent = 0
        self._stalled_at = math.inf

    def open(self, transport: asyncio.Transport) -> None:
        """The connection is there."""
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self.client = _address(transport.get_extra_info("peername"))
        self.secure = transport.get_extra_info("sslcontext") is not None
        self.write = transport.write
        self._transport = transport

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._transport is not None

    @property
    def unsent(self) -> int:
        """Bytes written that the system has not taken."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    # -- reading -----------------------------------------------------------------------------

    def pause_reading(self) -> None:
        """Let the client wait."""
        if self._reading and not self.eof and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if not self._reading and not self.eof and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()

    # -- writing -----------------------------------------------------------------------------

    def pause(self) -> None:
        """Too many bytes wait."""
        self.paused = True

    def resume(self) -> None:
        """There is room again."""
        self.paused = False
        self._moved = True
        self._wake()

    async def writable(self) -> None:
        """Wait until `paused` is over.

        Raises:
            ClientGoneError: Nothing can be written any more.
        """
        while self.paused and not self._closed:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if self._closed:
            raise ClientGoneError

    def is_stalled(self, now: float, patience: float) -> bool:
        """Tell whether bytes wait and the client has taken nothing for too long.

        Args:
            now: The event loop's time, seconds.
            patience: Seconds.
        """
        unsent = self.unsent
        if not unsent or unsent != self._unsent or self._moved:
            self._stalled_at = now + patience
        self._unsent, self._moved = unsent, False
        return now >= self._stalled_at

    # -- closing -----------------------------------------------------------------------------

    def close(self) -> None:
        """Close when all is sent."""
        if self._transport is not None:
            self._transport.close()

    def close_half(self) -> None:
        """Say that nothing more will be sent, when all is sent; TLS cannot say that."""
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def abort(self, *, reset: bool) -> None:
        """Close at once.

        Args:
            reset: Make sure that the client does not take it for a proper end.
        """
        self.silence()
        if self._transport is None:
            return
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if reset and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def lost(self) -> None:
        """The socket is gone."""
        self._transport = None
        self.silence()

    def silence(self) -> None:
        """Let nobody write any more."""
        self.write = _drop
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def _address(peer: object) -> str:
    """Write a peer's address."""
    if not isinstance(peer, tuple):
        return ""
    host, port = str(peer[0]), str(peer[1])  # pyright: ignore[reportUnknownArgumentType]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _drop(data: bytes) -> None:
    del data
