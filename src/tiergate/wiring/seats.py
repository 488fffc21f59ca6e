"""Gives each worker the sockets that it is to listen on."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence


def seats(held: Sequence[socket.socket]) -> tuple[socket.socket, ...]:
    """Return sockets for a worker: its own on Linux, the shared ones elsewhere.

    Args:
        held: What `reserve` has returned.

    Raises:
        OSError: None can be had.
    """
    if sys.platform != "linux":
        return tuple(held)
    return tuple(open_seat(sock) for sock in held)


def open_seat(beside: socket.socket) -> socket.socket:
    """Bind another socket to the address of one; it does not listen yet.

    Raises:
        OSError: It is not possible.
    """
    seat = socket.socket(beside.family, socket.SOCK_STREAM)
    try:
        seat.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        seat.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if beside.family is socket.AF_INET6:
            only = beside.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
            seat.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        seat.setblocking(False)
        seat.bind(beside.getsockname()[:2])
    except OSError:
        seat.close()
        raise
    return seat
