"""Decides which Redis is shared: named once, anywhere, it serves whatever replicas share.

`coordination_redis` and `router_settings` must not name two servers. The cache may have one of
its own; where nobody else names one, the cache's is the shared one too. The environment comes
last. How one place is read is in `redis_parts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from tiergate.config.findings import At
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader, Sections
from tiergate.config.redis_parts import PLAIN, ROUTER, Parts, read_environment, read_section
from tiergate.config.section import Spot, as_section
from tiergate.config.tree import MapNode, ScalarNode
from tiergate.core.catalog import RedisPlan

_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""Braces would move the hash tag by which a cluster keeps all keys of the gateway together."""

_CACHE_TYPES: Final = frozenset({"redis", "redis-semantic", "redis-vss"})
_PORT: Final = 6379


@dataclass(frozen=True, slots=True)
class Found:
    """The shared Redis.

    Attributes:
        plan: Where it is.
        at: The place that names it.
    """

    plan: RedisPlan
    at: At


def read_redis(
    sections: Sections,
    environ: Mapping[str, str],
    reader: Reader,
    check: KeyCheck,
    *,
    look_up: bool,
) -> Found | None:
    """Return the Redis that workers and replicas share; None where nobody names one.

    Args:
        sections: The sections of the file.
        environ: The environment variables.
        reader: Where findings go.
        check: Reports keys that nobody reads.
        look_up: False for `--no-env`: the environment names nothing.
    """
    namespace = _namespace(sections, reader)
    coordination = _of_coordination(sections, reader, check)
    router = _of_router(sections, reader, check)
    cache, cache_at = _of_cache(sections, reader)
    environment = read_environment(environ, reader) if look_up else None
    own = [parts for parts in (coordination, router) if parts is not None and parts.names_server]
    _one_server(own, reader)
    named = own or [parts for parts in (cache, environment) if parts and parts.names_server]
    if not named:
        if look_up:
            _say_nothing_named([coordination, router], cache_at, reader)
        return None
    chosen = named[0]
    if chosen is environment:
        for parts in (cache, router, coordination):
            chosen = _completed(parts, chosen) if parts else chosen
    elif environment is not None and (
        not environment.names_server or _server(environment) == _server(chosen)
    ):
        chosen = _completed(chosen, environment)
    if own and cache is not None and cache.names_server and _server(cache) != _server(chosen):
        reader.findings.notice(
            "cache-redis-apart",
            cache.at,
            f"names another server than {chosen.label}, so it is the cache's own; budgets and "
            f"keys are in that of {chosen.label}",
        )
    if chosen.sentinels and not chosen.service:
        reader.findings.error(
            "missing-key",
            chosen.at,
            "names sentinels, and not the service that they watch over",
            "Write service_name, or set REDIS_SERVICE_NAME.",
        )
    prefix = _cache_prefix(sections) if named[0] is cache else ""
    return Found(replace(_plan(chosen, namespace), prefix=prefix), chosen.at)


def _cache_prefix(sections: Sections) -> str:
    """Return what stands before the keys of budgets in a Redis that only the cache names.

    As in LiteLLM, the cache's namespace is then that of everything: such a server may be one
    where each program has to keep to its own. `redis_namespace` says otherwise.
    """
    spot = sections.litellm.look("cache_params")
    inner = spot.node if spot is not None else None
    if sections.general.look("redis_namespace") is not None or not isinstance(inner, MapNode):
        return ""
    name = next((entry.node for entry in inner.entries if entry.key == "namespace"), None)
    text = name.text if isinstance(name, ScalarNode) and name.value is not None else ""
    return f"{text}:" if _NAMESPACE.fullmatch(text) else ""


def plan_of(parts: Parts, environment: Parts | None) -> RedisPlan:
    """Return the place that parts name, completed by what the environment says of that server."""
    if environment is not None and (
        not environment.names_server or _server(environment) == _server(parts)
    ):
        parts = _completed(parts, environment)
    return _plan(parts, RedisPlan().namespace)


def address_of(plan: RedisPlan) -> str:
    """Return where a Redis is, for people; never with a login."""
    if plan.url is not None:
        parts = urlsplit(plan.url.value)
        if parts.scheme == "unix":
            return parts.path
        return _shown(parts.hostname or "", parts.port or _PORT, parts.path.strip("/"))
    if plan.nodes:
        return f"the cluster of {', '.join(f'{host}:{port}' for host, port in plan.nodes)}"
    if plan.sentinels:
        sentinels = ", ".join(f"{host}:{port}" for host, port in plan.sentinels)
        return f"{plan.service} of the sentinels {sentinels}"
    if not plan.host:
        return "an address that could not be read"
    return _shown(plan.host, plan.port, str(plan.db or ""))


def _shown(host: str, port: int, db: str) -> str:
    return f"{host}:{port}/{db}" if db and db != "0" else f"{host}:{port}"


def _of_coordination(sections: Sections, reader: Reader, check: KeyCheck) -> Parts | None:
    return _inside(sections.general.take("coordination_redis"), reader, check)


def _inside(spot: Spot | None, reader: Reader, check: KeyCheck) -> Parts | None:
    section = as_section(spot, reader.findings)
    if section is None:
        return None
    parts = read_section(section, PLAIN, reader)
    check.left(section)
    return parts


def _of_router(sections: Sections, reader: Reader, check: KeyCheck) -> Parts | None:
    """Return what the router's own keys say, completed by `cache_kwargs`."""
    parts = read_section(sections.router, ROUTER, reader)
    more = _inside(sections.router.take("cache_kwargs"), reader, check)
    if parts is None or more is None:
        return parts or more
    return _completed(parts, more)


def _of_cache(sections: Sections, reader: Reader) -> tuple[Parts | None, At | None]:
    """Return what `cache_params` says, and the place of a `type` that asks for Redis.

    The section is only looked at: what the cache itself does with it is reported elsewhere.
    """
    switch = sections.litellm.look("cache")
    spot = sections.litellm.look("cache_params")
    off = switch is not None and isinstance(switch.node, ScalarNode) and switch.node.value is False
    if off or spot is None or spot.empty:
        return None, None
    section = as_section(spot, reader.findings)
    if section is None:
        return None, None
    kind = section.take("type")
    word = kind.node.value if kind is not None and isinstance(kind.node, ScalarNode) else None
    if kind is not None and word not in _CACHE_TYPES:
        return None, None
    return read_section(section, PLAIN, reader), kind.at if kind else None


def _one_server(own: list[Parts], reader: Reader) -> None:
    if len(own) > 1 and _database(own[0]) != _database(own[1]):
        first, second = own
        reader.findings.error(
            "conflicting-values",
            second.at,
            f"names another Redis than {first.label} at {first.at.position}",
            "Keep one of the two: what replicas share is in one Redis.",
        )


def _say_nothing_named(given: list[Parts | None], cache_at: At | None, reader: Reader) -> None:
    for parts in given:
        if parts is not None and not reader.findings.failed:
            reader.findings.warning(
                "redis-not-named",
                parts.at,
                "there is no host, so no Redis is used",
                "Write a host or a URL, or set REDIS_HOST or REDIS_URL.",
            )
    if cache_at is not None:
        reader.findings.notice(
            "redis-not-named",
            cache_at,
            "names no server, so budgets, keys and the ledger are kept in a file and not in Redis",
            "To share them between machines write host and port, or set REDIS_URL.",
        )


def _server(parts: Parts) -> tuple[object, ...]:
    """Return what tells one server from another."""
    if parts.url is not None:
        split = urlsplit(parts.url.value)
        if split.scheme == "unix":
            return ("unix", split.path)
        return (split.hostname or "", split.port or _PORT)
    if parts.nodes:
        return ("nodes", frozenset(parts.nodes))
    if parts.sentinels:
        return ("sentinels", frozenset(parts.sentinels))
    return ((parts.host or "").lower(), parts.port or _PORT)


def _database(parts: Parts) -> tuple[object, ...]:
    """Return what tells one database of a server from another."""
    if parts.url is not None:
        return (*_server(parts), "", urlsplit(parts.url.value).path.strip("/") or "0")
    return (*_server(parts), parts.service or "", str(parts.db or 0))


def _completed(first: Parts, second: Parts) -> Parts:
    """Return two places as one; where both say something, the first counts."""
    address = first if first.names_server else second
    made = replace(
        first,
        at=address.at,
        label=address.label,
        url=address.url,
        host=address.host,
        port=address.port if address.port is not None else (first.port or second.port),
        nodes=address.nodes,
        sentinels=address.sentinels,
        unread=address.unread,
        db=second.db if first.db is None else first.db,
        username=first.username or second.username,
        password=first.password or second.password,
        ssl=second.ssl if first.ssl is None else first.ssl,
    )
    return replace(
        made,
        sentinel_password=first.sentinel_password or second.sentinel_password,
        service=first.service or second.service,
        verify=second.verify if first.verify is None else first.verify,
        ca_file=first.ca_file or second.ca_file,
    )


def _plan(parts: Parts, namespace: str) -> RedisPlan:
    tls = RedisPlan(
        verify=parts.verify is not False,
        ca_file=parts.ca_file,
        namespace=namespace,
        named_by=parts.label,
    )
    if parts.url is not None:
        return replace(tls, url=parts.url)
    return replace(
        tls,
        host="" if parts.nodes or parts.sentinels else parts.host or "",
        port=parts.port or _PORT,
        db=parts.db or 0,
        username=parts.username,
        password=parts.password,
        ssl=bool(parts.ssl),
        nodes=parts.nodes,
        sentinels=() if parts.nodes else parts.sentinels,
        sentinel_password=parts.sentinel_password,
        service=parts.service,
    )


def _namespace(sections: Sections, reader: Reader) -> str:
    spot = sections.general.take("redis_namespace")
    name = reader.typed.text(spot)
    default = RedisPlan().namespace
    if name is None or spot is None:
        return default
    if not _NAMESPACE.fullmatch(name):
        reader.findings.error(
            "unknown-value",
            spot.at,
            "is no name for the keys of a Redis",
            "Write letters, digits and . _ : - only, at most 64.",
        )
        return default
    reader.show("general_settings.redis_namespace", name, spot)
    return name
