"""Where a Redis is and how to log in: one server, a cluster, or a master that sentinels know.

A value; nothing connects here, and Redis's library is not needed to make one.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from tiergate.base.values import Secret

DEFAULT_PORT = 6379


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace:
    """Where to connect. The first of these that is given counts: cluster, sentinels, URL, host.

    Attributes:
        url: `redis://[USER[:PASSWORD]@]HOST[:PORT][/DB]`, `rediss://` for TLS, or
            `unix:///PATH`; not for clusters and sentinels.
        host: Without a URL.
        port: Without a URL.
        db: Without a URL; also of a master that sentinels know. Clusters have one database.
        username: Without a URL; also in clusters and behind sentinels.
        password: As `username`.
        ssl: TLS; as `username`. With a URL, `rediss://` says so.
        verify: TLS: whether the certificate and the name in it are checked.
        ca_file: TLS: a file with the authorities to trust; None: those of the system.
        startup_nodes: Some nodes of a cluster, each `(host, port)`.
        sentinel_nodes: Sentinels, each `(host, port)`.
        sentinel_password: Of the sentinels themselves.
        service_name: The master's name among the sentinels.
        namespace: Keeps gateways apart that share a server; all keys begin with it.
        prefix: In front of the namespace, for servers where every program has one of its own.
    """

    url: Secret | None = None
    host: str = "localhost"
    port: int = DEFAULT_PORT
    db: int = 0
    username: str | None = None
    password: Secret | None = None
    ssl: bool = False
    verify: bool = True
    ca_file: str | None = None
    startup_nodes: tuple[tuple[str, int], ...] = ()
    sentinel_nodes: tuple[tuple[str, int], ...] = ()
    sentinel_password: Secret | None = None
    service_name: str | None = None
    namespace: str = "tiergate"
    prefix: str = ""

    def __post_init__(self) -> None:
        """Refuse sentinels without the name to ask them for.

        Raises:
            ValueError: See above.
        """
        if self.sentinel_nodes and not self.service_name:
            raise ValueError("Redis sentinels need service_name, the name of their master")

    def __str__(self) -> str:
        """Return a name for messages, without passwords: `Redis at localhost:6379`."""
        if self.startup_nodes:
            return f"Redis cluster at {_listed(self.startup_nodes)}"
        if self.sentinel_nodes:
            nodes = _listed(self.sentinel_nodes)
            return f"Redis {self.service_name} behind sentinels at {nodes}"
        if self.url is None:
            return f"Redis at {self.host}:{self.port}"
        try:
            parts = urlsplit(self.url.value)
            host, port = parts.hostname, parts.port or DEFAULT_PORT
        except ValueError:
            return "Redis"
        return f"Redis at {host}:{port}" if host else f"Redis at {parts.path or 'localhost'}"


def _listed(nodes: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in nodes)
