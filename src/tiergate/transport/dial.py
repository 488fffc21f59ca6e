"""Opens connections: name, TCP, proxy tunnel, TLS, each step with its own fault; keeps none.

Only the socket level of the event loop is used. That tells the steps apart, closes the socket
whatever happens, and allows the race between addresses (RFC 8305, "happy eyeballs") that uvloop
lacks: its `create_connection` takes no `happy_eyeballs_delay` (seen in uvloop 0.23).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Sequence
from itertools import chain, zip_longest

from tiergate.transport.faults import Fault, TransportError, reason
from tiergate.transport.proxies import Proxy
from tiergate.transport.target import Target
from tiergate.transport.tls import Contexts, Session

_STAGGER_SECONDS = 0.25  # RFC 8305, section 5: the recommended delay between attempts
_MAX_REPLY_BYTES = 16 * 1024
_HEAD_END = b"\r\n\r\n"
# A model may think for minutes without a byte, longer than many NAT tables remember.
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))

_Where = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, _Where]


class Dialler:
    """Opens connections within a time.

    Args:
        seconds: Most time for one connection, all steps together.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._contexts = Contexts()

    async def open(
        self, target: Target, proxy: Proxy | None
    ) -> tuple[socket.socket, Session | None]:
        """Connect to a target.

        Returns:
            The connected socket and, for `https`, the TLS session on it, handshake done.

        Raises:
            TransportError: DNS, CONNECT, PROXY or TLS, by the step that failed.
        """
        attempt = _Attempt(target, proxy)
        session = None
        if target.scheme == "https":
            session = self._contexts.session(target.host, target.verify)
        try:
            async with asyncio.timeout(self._seconds):
                return await attempt.run(session), session
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that DNS cannot hold
            timed_out = isinstance(error, TimeoutError) and error.errno is None
            what = f"not done within {self._seconds:g} s" if timed_out else reason(error)
            raise attempt.failed(what) from None
        finally:
            attempt.over()


class _Attempt:
    """The steps to one connection; knows the step it is at, to name it when it fails."""

    def __init__(self, target: Target, proxy: Proxy | None) -> None:
        self._target = target
        self._proxy = proxy
        self._fault = Fault.DNS
        self._failure = ""
        self._sock: socket.socket | None = None

    async def run(self, session: Session | None) -> socket.socket:
        loop = asyncio.get_running_loop()
        target, proxy = self._target, self._proxy
        if proxy is None:
            host, port, peer = target.host, target.port, "it"
        else:
            host, port, peer = proxy.host, proxy.port, f"its proxy {proxy}"
        self._at(Fault.DNS, f"no address was found for {peer}")
        addresses = await _resolve(loop, host, port)
        self._at(Fault.CONNECT, f"no connection to {peer}")
        sock = self._sock = await _first_connected(loop, addresses)
        if session is not None:
            if proxy is not None:
                self._at(Fault.PROXY, f"no tunnel through {peer}")
                await loop.sock_sendall(sock, proxy.connect_head(target))
                self._judge(await _head_of_reply(loop, sock))
                self._proxy = None  # from here on it is the target that answers
            self._at(Fault.TLS, "no TLS session")
            await _shake_hands(loop, sock, session)
        self._sock = None
        return sock

    def failed(self, what: str) -> TransportError:
        return TransportError(self._fault, f"{self._target}: {self._failure}: {what}")

    def over(self) -> None:
        """Close the socket, unless it was handed out."""
        if self._sock is not None:
            self._sock.close()

    def _at(self, fault: Fault, failure: str) -> None:
        self._fault = fault if self._proxy is None else Fault.PROXY
        self._failure = failure

    def _judge(self, reply: bytes) -> None:
        """Go on only if the proxy has opened the tunnel."""
        version, _, rest = reply.partition(b" ")
        status = rest[:3]
        if not version.startswith(b"HTTP/1.") or not status.isdigit() or _HEAD_END not in reply:
            raise self.failed("its reply is not HTTP")
        if status == b"407":
            raise self.failed("it asks for a user name and password (status 407)")
        if not status.startswith(b"2"):
            raise self.failed(f"it refused with status {status.decode('ascii')}")
        if not reply.endswith(_HEAD_END):  # in TLS the client speaks first
            raise self.failed("it sent more than its reply")


async def _shake_hands(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, session: Session
) -> None:
    try:
        while not session.handshake():
            await loop.sock_sendall(sock, session.reply())
            session.receive(await loop.sock_recv(sock, 65536))
    except ssl.SSLError:
        with contextlib.suppress(OSError):  # tell the peer why, if that needs no waiting
            sock.send(session.reply())
        raise
    await loop.sock_sendall(sock, session.reply())


async def _head_of_reply(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> bytes:
    reply = b""
    while _HEAD_END not in reply and len(reply) < _MAX_REPLY_BYTES:
        part = await loop.sock_recv(sock, 4096)
        if not part:
            break
        reply += part
    return reply


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> Sequence[_Address]:
    with contextlib.suppress(socket.gaierror):  # an address needs no thread and no name server
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def _first_connected(
    loop: asyncio.AbstractEventLoop, addresses: Sequence[_Address]
) -> socket.socket:
    """Connect to whichever address answers first, each getting a short head start on the next.

    Raises:
        OSError: None did; its number is that of the first that failed.
    """
    if len(addresses) == 1:
        return await _connect(loop, addresses[0])
    ahead = _interleaved(addresses)
    attempts: list[asyncio.Task[socket.socket]] = []
    pending: set[asyncio.Task[socket.socket]] = set()
    refusal: int | None = None
    try:
        while ahead or pending:
            if ahead:
                attempt = loop.create_task(_connect(loop, ahead.pop(0)))
                attempts.append(attempt)
                pending.add(attempt)
            done, pending = await asyncio.wait(
                pending,
                timeout=_STAGGER_SECONDS if ahead else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for attempt in done:
                error = attempt.exception()
                if error is None:
                    attempts.remove(attempt)
                    return attempt.result()
                if refusal is None and isinstance(error, OSError):
                    refusal = error.errno
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_discard)
    # A new error: one of the tasks' own would refer to this frame, and this frame to the tasks.
    raise OSError(refusal, os.strerror(refusal or errno.EHOSTUNREACH))


def _discard(attempt: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that came second."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def _interleaved(addresses: Sequence[_Address]) -> list[_Address]:
    """The families in turn, beginning with that of the first address (RFC 8305, section 4)."""
    families: dict[int, list[_Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in turns if address is not None]


async def _connect(loop: asyncio.AbstractEventLoop, address: _Address) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            option: int | None = getattr(socket, name, None)  # macOS lacks TCP_KEEPIDLE
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        await loop.sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock
