"""A place becomes the client that it means; nothing connects before it is used."""

from __future__ import annotations

import ssl

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import SSLConnection

from tiergate.base.values import Secret
from tiergate.stores.redis_client import connect_redis
from tiergate.stores.redis_place import RedisPlace


def settings(client) -> dict[str, object]:
    return client.connection_pool.connection_kwargs


async def test_one_server_by_its_parts():
    client = connect_redis(
        RedisPlace(host="h", port=7, db=3, username="u", password=Secret("pw")), 1.5
    )

    assert isinstance(client, Redis)
    given = settings(client)
    assert [given[k] for k in ("host", "port", "db", "username", "password")] == [
        "h",
        7,
        3,
        "u",
        "pw",
    ]
    assert given["socket_timeout"] == given["socket_connect_timeout"] == 1.5
    await client.aclose()


async def test_one_server_by_its_url():
    client = connect_redis(RedisPlace(url=Secret("redis://u:p%40w@h:7/3")), 1.5)

    given = settings(client)
    assert [given[k] for k in ("host", "port", "db", "username", "password")] == [
        "h",
        7,
        3,
        "u",
        "p@w",
    ]
    assert given["socket_timeout"] == 1.5
    await client.aclose()


@pytest.mark.parametrize("url", ["http://u:pw@h/0", "redis://u:pw@h:port/0", "u:pw@h"])
def test_a_url_that_cannot_be_read_is_not_repeated(url):
    with pytest.raises(ValueError, match="redis://USER:PASSWORD@HOST") as caught:
        connect_redis(RedisPlace(url=Secret(url)), 1.0)
    assert "pw" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "place",
    [
        RedisPlace(host="h", ssl=True),
        RedisPlace(url=Secret("rediss://h:7/0")),
    ],
)
async def test_tls_checks_the_certificate(place):
    client = connect_redis(place, 1.0)
    connection = client.connection_pool.make_connection()

    assert isinstance(connection, SSLConnection)
    assert connection.ssl_context.cert_reqs is ssl.CERT_REQUIRED
    assert connection.check_hostname
    await client.aclose()


async def test_tls_need_not_check_the_certificate():
    client = connect_redis(RedisPlace(host="h", ssl=True, verify=False), 1.0)
    connection = client.connection_pool.make_connection()

    assert connection.ssl_context.cert_reqs is ssl.CERT_NONE
    assert not connection.check_hostname
    await client.aclose()


async def test_tls_may_trust_authorities_of_its_own():
    client = connect_redis(RedisPlace(url=Secret("rediss://h/0"), ca_file="own.pem"), 1.0)

    assert client.connection_pool.make_connection().ssl_context.ca_certs == "own.pem"
    await client.aclose()


async def test_a_cluster():
    place = RedisPlace(startup_nodes=(("a", 1), ("b", 2)), password=Secret("pw"), ssl=True)

    client = connect_redis(place, 1.0)

    assert isinstance(client, RedisCluster)
    assert sorted(client.nodes_manager.startup_nodes) == ["a:1", "b:2"]
    await client.aclose()


@pytest.mark.parametrize("tls", [False, True])
async def test_sentinels_have_a_login_of_their_own(tls):
    place = RedisPlace(
        sentinel_nodes=(("a", 1),), sentinel_password=Secret("theirs"), service_name="main",
        db=4, username="u", password=Secret("masters"), ssl=tls,
    )  # fmt: skip

    client = connect_redis(place, 1.0)

    (sentinel,) = client._sentinel.sentinels
    assert settings(sentinel)["password"] == "theirs"
    assert settings(client._master)["password"] == "masters"
    assert settings(client._master)["db"] == 4
    for one in (sentinel, client._master):
        made = one.connection_pool.make_connection()
        assert isinstance(made, SSLConnection) == tls
    await client.aclose()
