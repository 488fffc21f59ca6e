"""Opens the sockets that a server listens on; says clearly why it cannot."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Sequence

BACKLOG = 2048
_TRIES = 5
"""Several addresses are to have the same chosen port, which may be taken on one of them."""

_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})

Address = tuple[socket.AddressFamily, str]


async def listen(host: str, port: int, *, reuse_port: bool) -> tuple[socket.socket, ...]:
    """Listen on all addresses of a host.

    Args:
        host: An address or a name. `::` takes IPv4 too, where the system can do that.
        port: 0 lets the system choose, the same one for all addresses.
        reuse_port: Share the port with other processes that do so too.

    Raises:
        OSError: It is not possible; the text says why and what to do.
    """
    addresses = await _resolve(host)
    for tries_left in reversed(range(_TRIES)):
        try:
            return _open_all(addresses, host, port, reuse_port=reuse_port)
        except OSError as exc:
            if port or not tries_left or exc.errno != errno.EADDRINUSE or len(addresses) == 1:
                raise
    raise AssertionError("unreachable")


async def _resolve(host: str) -> Sequence[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as exc:
        raise OSError(
            exc.errno, f"cannot listen on {host}: there is no such host ({exc.strerror})"
        ) from None
    known = dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found)
    return [known for known in known if known[0] in {socket.AF_INET, socket.AF_INET6}]


def _open_all(
    addresses: Sequence[Address], host: str, port: int, *, reuse_port: bool
) -> tuple[socket.socket, ...]:
    """Open a socket per address; one that this machine does not have is passed over."""
    opened: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for address in addresses:
            try:
                sock = _open(address, port, reuse_port=reuse_port, alone=len(addresses) == 1)
            except OSError as exc:
                if exc.errno not in _NOT_HERE:
                    raise
                missing = exc
            else:
                opened.append(sock)
                port = port or sock.getsockname()[1]
        if missing is not None and not opened:
            raise missing
    except OSError as exc:
        for sock in opened:
            sock.close()
        raise OSError(exc.errno, f"cannot listen on {host}:{port}: {_why(exc)}") from None
    return tuple(opened)


def _open(address: Address, port: int, *, reuse_port: bool, alone: bool) -> socket.socket:
    family, host = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # where it would let two servers share a port
            # Else a restart would have to wait for the connections of the last run to expire.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if alone else 1)
        sock.setblocking(False)
        sock.bind((host, port))
        sock.listen(BACKLOG)  # binding alone does not find out about every other listener
    except BaseException:
        sock.close()
        raise
    return sock


def _why(exc: OSError) -> str:
    match exc.errno:
        case errno.EADDRINUSE:
            return "another program listens there. Stop it, or choose another port"
        case errno.EACCES:
            return "this user may not. Choose a port above 1023"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case _:
            return exc.strerror or type(exc).__name__
