"""A port is taken for sure, and stays taken while nobody listens."""

from __future__ import annotations

import socket

import pytest

from tiergate.front.listen import listen
from tiergate.wiring.reserve import reserve
from tiergate.wiring.seats import seats


async def close(*groups) -> None:
    for group in groups:
        for sock in group:
            sock.close()


async def test_a_reserved_port_is_taken_for_everybody_else():
    held = await reserve("127.0.0.1", 0)
    port = held[0].getsockname()[1]
    try:
        with pytest.raises(OSError, match="another program listens there"):
            await listen("127.0.0.1", port, reuse_port=False)
        with pytest.raises(OSError, match="another program listens there"):
            await reserve("127.0.0.1", port)
    finally:
        await close(held)


async def test_a_port_that_somebody_listens_on_cannot_be_reserved():
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(OSError, match="another program listens there"),
    ):
        await reserve("127.0.0.1", other.getsockname()[1])


async def test_children_inherit_what_is_reserved():
    held = await reserve("127.0.0.1", 0)
    assert all(sock.get_inheritable() for sock in held)
    await close(held)


async def test_workers_listen_side_by_side_and_the_port_outlives_them():
    held = await reserve("127.0.0.1", 0)
    port = held[0].getsockname()[1]
    one, two = seats(held), seats(held)
    try:
        for sock in (*one, *two):
            sock.listen()
        for _ in range(20):
            socket.create_connection(("127.0.0.1", port)).close()
        await close(one, two)
        with pytest.raises(OSError, match="another program listens there"):
            await reserve("127.0.0.1", port)
        three = seats(held)
        three[0].listen()
        socket.create_connection(("127.0.0.1", port)).close()
        await close(three)
    finally:
        await close(held, one, two)
