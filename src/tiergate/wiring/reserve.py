"""Takes a port for several workers: found free for sure, and kept while workers come and go.

On Linux each worker has a listening socket of its own on the port (SO_REUSEPORT), among which the
system spreads connections; between them the port is held by sockets that are bound and do not
listen. Elsewhere that option does not spread connections (macOS gives all of them to one socket),
so there the workers share one listening socket.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

from tiergate.front.listen import listen
from tiergate.wiring.seats import open_seat


async def reserve(host: str, port: int) -> tuple[socket.socket, ...]:
    """Take a port on all addresses of a host.

    Returns:
        A socket per address, which children inherit; see `seats.seats`.

    Raises:
        OSError: It cannot be had; the text says why.
    """
    # No other program listens there: these sockets share with nobody.
    alone = await listen(host, port, reuse_port=False)
    held = _hold(alone) if sys.platform == "linux" else alone
    for sock in held:
        sock.set_inheritable(True)
    return held


def _hold(alone: Sequence[socket.socket]) -> tuple[socket.socket, ...]:
    """Replace listening sockets by bound ones without giving the port away in between."""
    held: list[socket.socket] = []
    try:
        for sock in alone:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder = open_seat(sock)
            # From here on only who asks for SO_REUSEPORT may listen: another gateway that is
            # started before the first worker listens finds the port taken.
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            held.append(holder)
    except OSError:
        for sock in held:
            sock.close()
        raise
    finally:
        for sock in alone:
            sock.close()
    return tuple(held)
