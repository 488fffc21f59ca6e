"""The two things the server needs below HTTP: a free port, and a way to drop connections."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

_Address: TypeAlias = tuple[str, int]

_DESCRIPTORS = Path("/dev/fd")


def pick_port(host: str) -> int:
    """A port of the host that was free a moment ago."""
    with socket.create_server((host, 0), family=_family(host)) as probe:
        port: int = probe.getsockname()[1]
        return port


def refuse_taken_port(host: str, port: int) -> None:
    """Make sure that nobody listens on the port.

    The server itself sets SO_REUSEPORT and would silently share the port with another program
    that does so too; then each would get some of the calls.

    Raises:
        OSError: the port is taken, or the address is not of this machine.
    """
    with socket.create_server((host, port), family=_family(host)):
        pass


def drop_connection(caller: str, server: str) -> bool:
    """Shut one TCP connection of this process in both directions, in the middle of anything.

    RSGI has no call for this, and an answer that just ends would look complete. So the socket is
    looked up among the process's descriptors by the addresses of its two ends.

    Args:
        caller: `host:port` of the caller.
        server: `host:port` of our end.

    Returns:
        Whether the connection was found.
    """
    wanted = (_address(server), _address(caller))
    return _shut(lambda own, peer: (own, peer) == wanted) > 0


def drop_connections_of(port: int) -> int:
    """Shut all connections that callers have to a port of this process; tell how many."""
    return _shut(lambda own, _: own[1] == port)


def _shut(chosen: Callable[[_Address, _Address], bool]) -> int:
    """Shut the chosen ones of the process's connected internet sockets."""
    entries = [int(entry.name) for entry in _DESCRIPTORS.iterdir()]
    return sum(_shut_if(descriptor, chosen) for descriptor in entries)


def _shut_if(descriptor: int, chosen: Callable[[_Address, _Address], bool]) -> bool:
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        copy = os.dup(descriptor)
    except OSError:
        return False  # closed meanwhile by another thread
    with socket.socket(fileno=copy) as found:
        if found.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        try:
            if not chosen(found.getsockname()[:2], found.getpeername()[:2]):
                return False
            found.shutdown(socket.SHUT_RDWR)
        except OSError:
            return False  # not connected, or not any more
        return True


def _address(text: str) -> _Address:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
