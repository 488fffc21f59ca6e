"""Where a server listens, and what it says when it cannot."""

from __future__ import annotations

import errno
import socket

import pytest

from tiergate.front.listen import listen


def close(sockets) -> None:
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
async def test_an_address_is_one_socket_on_a_chosen_port(host) -> None:
    sockets = await listen(host, 0, reuse_port=False)
    assert [sock.getsockname()[0] for sock in sockets] == [host]
    assert sockets[0].getsockname()[1] > 0
    close(sockets)


async def test_localhost_is_all_its_addresses_on_one_port() -> None:
    sockets = await listen("localhost", 0, reuse_port=False)
    names = [sock.getsockname() for sock in sockets]
    assert {name[0] for name in names} <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in {name[0] for name in names}
    assert len({name[1] for name in names}) == 1
    close(sockets)


async def test_the_ipv6_wildcard_takes_ipv4_too() -> None:
    sockets = await listen("::", 0, reuse_port=False)
    with socket.create_connection(("127.0.0.1", sockets[0].getsockname()[1]), 5):
        pass
    close(sockets)


async def test_a_taken_port_is_said_to_be_taken() -> None:
    sockets = await listen("127.0.0.1", 0, reuse_port=False)
    port = sockets[0].getsockname()[1]
    with pytest.raises(
        OSError, match=f"cannot listen on 127.0.0.1:{port}: another program"
    ) as info:
        await listen("127.0.0.1", port, reuse_port=False)
    assert info.value.errno == errno.EADDRINUSE
    close(sockets)


async def test_a_port_is_not_shared_unless_both_ask() -> None:
    sockets = await listen("127.0.0.1", 0, reuse_port=True)
    port = sockets[0].getsockname()[1]
    with pytest.raises(OSError, match="another program"):
        await listen("127.0.0.1", port, reuse_port=False)
    more = await listen("127.0.0.1", port, reuse_port=True)
    close(sockets + more)


async def test_a_port_that_was_used_a_moment_ago_can_be_listened_on() -> None:
    (first,) = await listen("127.0.0.1", 0, reuse_port=False)
    port = first.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        first.setblocking(True)
        first.accept()[0].close()  # the server closes first, and has to wait
        assert client.recv(1) == b""
    first.close()
    close(await listen("127.0.0.1", port, reuse_port=False))


async def test_an_address_of_another_machine_is_said_to_be_that() -> None:
    with pytest.raises(OSError, match="this machine has no such address"):
        await listen("192.0.2.1", 0, reuse_port=False)


async def test_an_unknown_host_is_said_to_be_unknown() -> None:
    with pytest.raises(OSError, match="there is no such host"):
        await listen("no-such-host.invalid", 0, reuse_port=False)
