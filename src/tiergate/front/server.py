"""The server: listens, counts, sweeps, drains. What a connection does is in `connection`."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Sequence

from tiergate.front.connection import Connection
from tiergate.front.heads import date_line
from tiergate.front.limits import Limits
from tiergate.front.listen import BACKLOG, listen
from tiergate.front.service import App, ErrorAnswer, Failed, Service

_LAST_WORDS_SECONDS = 2.0
"""How long a handler whose time is up may take to say so to its client."""
_LAST_SECONDS = 5.0
"""How long a handler that was cancelled may take to end."""


class Front:
    """An HTTP/1.1 server for one RSGI application.

    It belongs to the event loop in which `start` is called. After `aclose` it cannot be started
    again.

    Args:
        app: The `__rsgi__` of the application.
        limits: What clients may cost.
        error: Makes the answer to what is not HTTP, or too slow, or too large, or failed.
        failed: Told of failures of the application.
    """

    def __init__(self, app: App, limits: Limits, error: ErrorAnswer, failed: Failed) -> None:
        self._service = Service(app, limits, error, failed, date_line(time.time()))
        self._servers: list[asyncio.Server] = []
        self._sockets: tuple[socket.socket, ...] = ()
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The sockets that it listens on."""
        return self._sockets

    @property
    def port(self) -> int:
        """The port that it listens on; 0 if it does not."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else 0

    @property
    def in_flight(self) -> int:
        """Requests whose handler runs."""
        return self._service.in_flight

    @property
    def connections(self) -> int:
        """Open connections."""
        return self._service.connections

    async def start(
        self,
        host: str,
        port: int,
        *,
        ssl_context: ssl.SSLContext | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Listen on all addresses of a host, and serve.

        Args:
            host: An address or a name.
            port: 0 lets the system choose; see `port`.
            ssl_context: Serve HTTPS with it.
            reuse_port: Share the port with other processes (SO_REUSEPORT).

        Raises:
            OSError: It cannot listen there; the text says why and what to do.
        """
        sockets = await listen(host, port, reuse_port=reuse_port)
        await self.start_on(sockets, ssl_context=ssl_context)

    async def start_on(
        self, sockets: Sequence[socket.socket], *, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        """Listen on sockets that are bound already, and serve.

        Args:
            sockets: They belong to the server from now on.
            ssl_context: Serve HTTPS with it.

        Raises:
            OSError: It cannot listen on one of them.
        """
        loop = asyncio.get_running_loop()
        self._sockets = tuple(sockets)
        patience = self._service.limits.header_seconds if ssl_context is not None else None
        for sock in self._sockets:
            server = await loop.create_server(
                lambda: Connection(self._service, loop),
                sock=sock,
                backlog=BACKLOG,
                ssl=ssl_context,
                ssl_handshake_timeout=patience,
            )
            self._servers.append(server)
        self._sweep(loop)

    def leave(self) -> None:
        """Go on serving, but let every answer be the last one of its connection.

        Clients that keep connections then look for another server while this one is still there.
        """
        self._service.leaving = True

    async def drain(self, seconds: float) -> None:
        """Stop: listen no more, let requests under way end, then close what is left.

        Connections without a request are closed at once, the others with their answer. Handlers
        whose time is up are cancelled while their connections are open, so they can say so.

        Args:
            seconds: How long the requests may take.
        """
        self._stop_listening()
        self._service.draining = self._service.leaving = True
        for member in tuple(self._service.members):
            member.drain()
        await self._wait_until_left(seconds)
        late = [member for member in self._service.members if member.task is not None]
        for member in late:
            member.end()
        if late:
            await self._wait_until_left(_LAST_WORDS_SECONDS)
        await self.aclose()

    async def aclose(self) -> None:
        """Close everything at once, and end the handlers."""
        self._stop_listening()
        self._service.draining = self._service.leaving = True
        tasks: set[asyncio.Task[None]] = set()
        for member in tuple(self._service.members):
            if member.task is not None:
                tasks.add(member.task)
            member.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_SECONDS)
        await self._wait_until_left(_LAST_SECONDS)
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    async def _wait_until_left(self, seconds: float) -> None:
        """Wait until there are no connections, but not longer than told."""
        if not self._service.members:
            return
        left = asyncio.Event()
        self._service.left = left.set
        try:
            async with asyncio.timeout(seconds):
                await left.wait()
        except TimeoutError:
            pass
        finally:
            self._service.left = None

    def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._sockets = ()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what is done now and then for all connections: one timer, not one for each."""
        self._service.date = date_line(time.time())
        now = loop.time()
        for member in tuple(self._service.members):
            member.sweep(now)
        self._sweeper = loop.call_later(self._service.limits.sweep_seconds, self._sweep, loop)
