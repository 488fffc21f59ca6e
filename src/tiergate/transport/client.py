"""Sends requests to providers; it decides nothing about them and never sends one twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tiergate.transport.connection import SLICE, Connection
from tiergate.transport.dial import Dialler
from tiergate.transport.exchange import Exchange
from tiergate.transport.faults import Fault, TransportError, reason
from tiergate.transport.pool import Pool
from tiergate.transport.proxies import Proxies
from tiergate.transport.secure import SecureConnection
from tiergate.transport.target import Target

_PROXY_AUTHENTICATION_REQUIRED = 407


class Transport:
    """The HTTP/1.1 client of one event loop.

    It has no time limits of its own but the one for opening a connection: the caller's deadline
    cancels `send`, `read` or `next`, and a cancelled call closes its connection at once. It
    repeats nothing: whether a failed request may be sent again is the caller's decision.

    Args:
        max_idle_per_target: Idle connections kept per target.
        idle_seconds: A connection idle for longer is closed, not used again.
        connect_seconds: Most time to open one connection (name, TCP, proxy, TLS).
        max_header_bytes: Most bytes of an answer's head.
        environ: Where `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are looked up.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        max_idle_per_target: int = 64,
        idle_seconds: float = 50.0,
        connect_seconds: float = 10.0,
        max_header_bytes: int = 65536,
        environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self._max_header_bytes = max_header_bytes
        self._proxies = Proxies(environ)
        self._dialler = Dialler(connect_seconds)
        self._pool = Pool(
            max_idle_per_target=max_idle_per_target, idle_seconds=idle_seconds, clock=clock
        )

    async def send(self, target: Target, head: bytes, body: bytes) -> Exchange:
        """Send a request and wait for the head of its answer; interim (1xx) answers are skipped.

        Args:
            target: Where to.
            head: The complete head: request line with the path alone, `Host`, `Content-Length`,
                up to and with the empty line.
            body: The whole body; may be empty.

        Returns:
            The exchange, to be read to its end or closed. If the answer came before the whole
            body was sent, the rest is not sent.

        Raises:
            TransportError: No connection, or no answer that can be read.
        """
        connection = self._pool.take(target)
        if connection is None:
            connection = await self._open(target)
        if connection.proxy is not None:
            head = connection.proxy.absolute_form(target, head)
        if len(body) <= SLICE:
            exchange = connection.begin(head + body)
        else:
            exchange = connection.begin(head)
            await connection.upload(exchange, body)
        await exchange.answered()
        if connection.proxy is not None and exchange.status == _PROXY_AUTHENTICATION_REQUIRED:
            exchange.close()
            raise TransportError(
                Fault.PROXY,
                f"{target}: its proxy {connection.proxy} asks for a user name and password "
                "(status 407)",
            )
        return exchange

    def stats(self) -> tuple[int, int]:
        """How many connections are open, and how many of them idle."""
        return self._pool.stats()

    async def aclose(self) -> None:
        """Close idle connections, break off the rest, and return when the sockets are gone.

        Exchanges in course fail with CLOSED_EARLY.
        """
        await self._pool.close()

    async def _open(self, target: Target) -> Connection:
        if self._pool.closing:
            raise TransportError(Fault.CONNECT, f"{target}: no connection: the gateway is closing")
        proxy = self._proxies.route(target)
        loop = asyncio.get_running_loop()
        sock, session = await self._dialler.open(target, proxy)
        most = self._max_header_bytes
        if session is not None:
            connection = SecureConnection(self._pool, target, loop, most, session)
        else:
            connection = Connection(self._pool, target, loop, most)
            connection.proxy = proxy
        try:
            await loop.create_connection(lambda: connection, sock=sock)
        except OSError as error:
            sock.close()
            raise TransportError(
                Fault.CONNECT, f"{target}: no connection: {reason(error)}"
            ) from None
        self._pool.add(connection)
        return connection
