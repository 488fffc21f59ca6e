"""Ports are checked before use, and one connection of many can be dropped."""

from __future__ import annotations

import socket

import pytest

from tiergate.mock.sockets import (
    drop_connection,
    drop_connections_of,
    pick_port,
    refuse_taken_port,
)


def text_of(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def test_a_picked_port_is_free() -> None:
    port = pick_port("127.0.0.1")
    refuse_taken_port("127.0.0.1", port)
    assert port > 0


def test_a_taken_port_is_refused_even_if_it_could_be_shared() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            refuse_taken_port("127.0.0.1", taken.getsockname()[1])


def test_only_the_connection_named_is_dropped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = listener.getsockname()
        with (
            socket.create_connection(server) as one,
            listener.accept()[0] as one_end,
            socket.create_connection(server) as other,
            listener.accept()[0] as other_end,
        ):
            assert drop_connection(text_of(one.getsockname()), text_of(server))
            assert one.recv(1) == b""
            other_end.sendall(b"x")
            assert other.recv(1) == b"x"
            with pytest.raises(BrokenPipeError):
                one_end.sendall(b"x")


def test_a_connection_that_is_gone_is_not_found() -> None:
    assert not drop_connection("127.0.0.1:1", "127.0.0.1:2")
    assert not drop_connection("[::1]:1", "[::1]:2")


def test_all_connections_to_a_port_are_dropped_and_no_others() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_server(("127.0.0.1", 0)) as neighbour,
        socket.create_connection(listener.getsockname()) as one,
        listener.accept()[0],
        socket.create_connection(listener.getsockname()) as two,
        listener.accept()[0],
        socket.create_connection(neighbour.getsockname()) as other,
        neighbour.accept()[0] as other_end,
    ):
        assert drop_connections_of(listener.getsockname()[1]) == 2
        assert (one.recv(1), two.recv(1)) == (b"", b"")
        other_end.sendall(b"x")
        assert other.recv(1) == b"x"
