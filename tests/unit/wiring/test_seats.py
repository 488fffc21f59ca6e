"""A worker's sockets: its own where the system spreads connections, shared ones elsewhere."""

from __future__ import annotations

import socket
import sys

import pytest

from tiergate.wiring.seats import open_seat, seats


def shared(family: socket.AddressFamily, host: str) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, 0))
    return sock


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_seat_has_the_same_address_and_does_not_listen_yet(family, host):
    with shared(family, host) as beside, open_seat(beside) as seat:
        assert seat.getsockname() == beside.getsockname()
        assert not seat.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def test_a_port_that_is_not_shared_gives_no_seat():
    with socket.create_server(("127.0.0.1", 0)) as alone, pytest.raises(OSError):
        open_seat(alone)


def test_elsewhere_workers_share_the_sockets(monkeypatch):
    with shared(socket.AF_INET, "127.0.0.1") as held:
        monkeypatch.setattr(sys, "platform", "darwin")
        assert seats([held]) == (held,)
