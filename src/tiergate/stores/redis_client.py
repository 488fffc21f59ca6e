"""Make the client of Redis's library that a place means: one server, a cluster, or sentinels.

What is kept in Redis is not known here.
"""

from __future__ import annotations

from typing import Any, Protocol

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from tiergate.stores.redis_place import RedisPlace

REDIS_FAULTS = (RedisError, RedisClusterException, OSError)
"""What the library raises where Redis cannot be reached, or refuses."""


class RedisClient(Protocol):
    """What is asked of Redis's library, whatever the place."""

    async def execute_command(self, *args: bytes | str | int) -> object:
        """Send a command; return its answer."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class _BehindSentinels:
    """A master, and the connections to the sentinels, which its client does not close."""

    def __init__(self, sentinel: Sentinel, master: RedisClient) -> None:
        self._sentinel = sentinel
        self._master = master

    async def execute_command(self, *args: bytes | str | int) -> object:
        """Send a command to the master of the moment."""
        return await self._master.execute_command(*args)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._master.aclose()
        for one in self._sentinel.sentinels:
            await one.aclose()


def connect_redis(place: RedisPlace, seconds: float) -> RedisClient:
    """Make a client; it connects when first used.

    Args:
        place: Where the Redis is.
        seconds: The most that connecting, or one answer, may take.

    Raises:
        ValueError: The URL cannot be read. Its text is not in the message.
    """
    if place.startup_nodes:
        return _cluster(place, seconds)
    if place.sentinel_nodes:
        return _behind_sentinels(place, seconds)
    if place.url is not None:
        return _at_url(place, place.url.value, seconds)
    return Redis(
        host=place.host,
        port=place.port,
        db=place.db,
        username=place.username,
        password=_password(place),
        ssl=place.ssl,
        ssl_cert_reqs=_checks(place),
        ssl_ca_certs=place.ca_file,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=_once_more(),
    )


def _cluster(place: RedisPlace, seconds: float) -> RedisClient:
    return RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in place.startup_nodes],
        username=place.username,
        password=_password(place),
        ssl=place.ssl,
        ssl_cert_reqs=_checks(place),
        ssl_ca_certs=place.ca_file,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
    )


def _behind_sentinels(place: RedisPlace, seconds: float) -> RedisClient:
    own = place.sentinel_password
    tls: dict[str, Any] = {**_tls(place, on=place.ssl)}
    sentinel = Sentinel(
        list(place.sentinel_nodes),
        sentinel_kwargs={
            "password": own.value if own is not None else None,
            "socket_timeout": seconds,
            "socket_connect_timeout": seconds,
            "ssl": place.ssl,
            **tls,
        },
    )
    master: RedisClient = sentinel.master_for(  # pyright: ignore[reportUnknownMemberType] - untyped keywords
        place.service_name or "",
        db=place.db,
        username=place.username,
        password=_password(place),
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=_once_more(),
        ssl=place.ssl,
        **tls,
    )
    return _BehindSentinels(sentinel, master)


def _at_url(place: RedisPlace, url: str, seconds: float) -> RedisClient:
    tls: dict[str, Any] = {**_tls(place, on=url.startswith("rediss:"))}
    try:
        return Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - untyped keywords
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=_once_more(),
            **tls,
        )
    except ValueError:
        raise ValueError(
            "The Redis URL cannot be read. It must look like"
            " redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// for TLS."
        ) from None


def _tls(place: RedisPlace, *, on: bool) -> dict[str, str | None]:
    """Return what the library wants to know of TLS; it refuses to be told without TLS."""
    if not on:
        return {}
    return {"ssl_cert_reqs": _checks(place), "ssl_ca_certs": place.ca_file}


def _password(place: RedisPlace) -> str | None:
    return place.password.value if place.password is not None else None


def _checks(place: RedisPlace) -> str:
    return "required" if place.verify else "none"


def _once_more() -> Retry:
    """Try again at once, one time: a connection that was idle may have died unseen."""
    return Retry(NoBackoff(), 1)
