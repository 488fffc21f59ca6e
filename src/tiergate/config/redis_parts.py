"""Reads what one place says of a Redis: a section of the file, or the environment.

A place may say where the server is, how to log in there, or both. Which place wins is decided in
`redis_place`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.base.values import Position, Secret
from tiergate.config.addresses import split_address
from tiergate.config.findings import At
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.config.tree import ScalarNode, to_json

Nodes = tuple[tuple[str, int], ...]

_MOST_PORT: Final = 65_535
_URL_FORM: Final = "Write redis://HOST:PORT/DB, or rediss:// for TLS."
_NODES_FORM: Final = "Write a list such as [{host: HOST, port: PORT}]."
_KUBERNETES_PORT: Final = re.compile(r"tcp://[^/]*:([0-9]{1,5})")
"""What Kubernetes puts into REDIS_PORT beside a service named redis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a place says of a Redis; None where it says nothing.

    Attributes:
        at: The place of its address, or of the first thing it says.
        label: The place in words for people: `router_settings.redis_host`, `REDIS_URL`.
        unread: The address is in a variable that is not looked up.
    """

    at: At
    label: str
    url: Secret | None = None
    host: str | None = None
    port: int | None = None
    db: int | None = None
    username: str | None = None
    password: Secret | None = None
    ssl: bool | None = None
    nodes: Nodes = ()
    sentinels: Nodes = ()
    sentinel_password: Secret | None = None
    service: str | None = None
    verify: bool | None = None
    ca_file: str | None = None
    unread: bool = False

    @property
    def names_server(self) -> bool:
        """Whether the place says where the server is."""
        return bool(self.url or self.host or self.nodes or self.sentinels or self.unread)


@dataclass(frozen=True, slots=True)
class Keys:
    """The names that the parts of an address have in a section; the first that is given counts."""

    prefix: str = ""
    nodes: tuple[str, ...] = ("startup_nodes", "redis_startup_nodes")

    def of(self, part: str) -> str:
        """Return the name of a part."""
        return f"{self.prefix}{part}"


PLAIN: Final = Keys()
ROUTER: Final = Keys("redis_", ())

_BESIDE_URL: Final = ("host", "port", "db", "username", "password", "ssl")


def read_section(section: Section, keys: Keys, reader: Reader) -> Parts | None:
    """Return what a section says of a Redis; None where it says nothing at all.

    Args:
        section: `router_settings`, `coordination_redis` or `cache_params`.
        keys: How the parts are named there.
        reader: Where findings go.
    """
    spots = {part: section.take(keys.of(part)) for part in ("url", *_BESIDE_URL)}
    nodes = section.take_first(*keys.nodes) if keys.nodes else None
    others = {part: section.take(part) for part in _OTHERS} if keys.nodes else {}
    where = [spots["url"], nodes, others.get("sentinel_nodes"), spots["host"]]
    given = [s for s in (*where, *spots.values(), *others.values()) if s is not None]
    if not given:
        return None
    url = spots["url"]
    if url is not None:
        _alone(url, spots, reader)
    typed = reader.typed
    return Parts(
        at=given[0].at,
        label=given[0].at.path,
        url=_url(typed.secret(url), given[0].at, reader),
        host=typed.text(spots["host"]),
        port=_port(spots["port"], reader),
        db=typed.whole(spots["db"]),
        username=typed.name(spots["username"]),
        password=typed.firm.secret(spots["password"]),
        ssl=typed.flag(spots["ssl"]),
        nodes=_nodes(nodes, reader),
        sentinels=_nodes(others.get("sentinel_nodes"), reader),
        sentinel_password=typed.secret(others.get("sentinel_password")),
        service=typed.name(others.get("service_name")),
        verify=_verify(typed.name(others.get("ssl_cert_reqs"))),
        ca_file=typed.text(others.get("ssl_ca_certs")),
        unread=any(spot.unresolved for spot in where if spot is not None),
    )


_OTHERS: Final = (
    "sentinel_nodes",
    "sentinel_password",
    "service_name",
    "ssl_cert_reqs",
    "ssl_ca_certs",
)


def read_environment(environ: Mapping[str, str], reader: Reader) -> Parts | None:
    """Return what the REDIS_ variables say, by LiteLLM's names; None where they say nothing.

    REDIS_URL wins over REDIS_CLUSTER_NODES, that over REDIS_SENTINEL_NODES, that over REDIS_HOST,
    as in LiteLLM (`litellm/_redis.py`). Programs beside the gateway may need the others.
    """

    def of(name: str) -> str | None:
        value = environ.get(f"REDIS_{name}", "").strip()
        return value or None

    order = ("URL", "CLUSTER_NODES", "SENTINEL_NODES", "HOST")
    named = next((name for name in order if of(name)), None)
    logins = ("PASSWORD", "USERNAME", "DB", "SSL", "SERVICE_NAME", "SENTINEL_PASSWORD")
    first = named or next((name for name in logins if of(name)), None)
    if first is None:
        return None
    label = f"REDIS_{first}"
    at = At(label, Position("environment", 0))
    password, sentinel = of("PASSWORD"), of("SENTINEL_PASSWORD")
    return Parts(
        at=at,
        label=label,
        url=_url(_secret(of("URL")), at, reader) if named == "URL" else None,
        host=of("HOST") if named == "HOST" else None,
        port=_env_number("PORT", _env_port(of("PORT")), _MOST_PORT, reader)
        if named == "HOST"
        else None,
        db=_env_number("DB", of("DB"), 1_000_000, reader),
        username=of("USERNAME"),
        password=_secret(password),
        ssl=_env_flag(of("SSL")),
        nodes=_env_nodes(of("CLUSTER_NODES"), at, reader) if named == "CLUSTER_NODES" else (),
        sentinels=_env_nodes(of("SENTINEL_NODES"), at, reader)
        if named == "SENTINEL_NODES"
        else (),
        sentinel_password=_secret(sentinel),
        service=of("SERVICE_NAME"),
        verify=_verify(of("SSL_CERT_REQS")),
        ca_file=of("SSL_CA_CERTS"),
    )


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _alone(url: Spot, spots: Mapping[str, Spot | None], reader: Reader) -> None:
    """Refuse what stands beside a whole address; LiteLLM passes over it without a word."""
    for part in _BESIDE_URL:
        spot = spots[part]
        if spot is not None:
            reader.findings.error(
                "conflicting-values",
                spot.at,
                f"stands beside {url.at.path} at {url.position}, which is the whole address",
                "Keep one of the two.",
            )


def _url(url: Secret | None, at: At, reader: Reader) -> Secret | None:
    """Return an address that a Redis client understands; it is never quoted: it is a secret."""
    if url is None:
        return None
    fault = _fault_of(url.value.strip())
    if fault:
        reader.findings.error("bad-address", at, fault, _URL_FORM)
        return None
    return Secret(url.value.strip())


def _fault_of(url: str) -> str:
    parts = split_address(url)
    if isinstance(parts, str):
        return parts
    if parts.scheme == "unix":
        return "" if parts.path else "names no socket"
    if parts.scheme not in ("redis", "rediss"):
        return "does not begin with redis:// or rediss://"
    if "," in parts.netloc:
        return "names several hosts; a cluster is named by startup_nodes or REDIS_CLUSTER_NODES"
    return "" if parts.hostname else "names no host"


def _port(spot: Spot | None, reader: Reader) -> int | None:
    port = reader.typed.whole(spot, least=1)
    if port is not None and port > _MOST_PORT and spot is not None:
        reader.typed.firm.refuse(spot, f"a port of at most {_MOST_PORT}")
        return None
    return port


def _env_port(text: str | None) -> str | None:
    found = _KUBERNETES_PORT.fullmatch(text) if text else None
    return found[1] if found else text


def _env_number(name: str, text: str | None, most: int, reader: Reader) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text) <= most:
        return int(text)
    reader.findings.error(
        "wrong-type",
        At(f"REDIS_{name}", Position("environment", 0)),
        f"expected a whole number of at most {most}",
        "Set it to a number, or unset it.",
    )
    return None


def _env_flag(text: str | None) -> bool | None:
    return None if text is None else text.lower() in ("true", "1", "yes", "on")


def _verify(text: str | None) -> bool | None:
    """Return whether certificates are checked; redis-py's words are none, optional, required."""
    return None if text is None else text.lower() not in ("none", "optional", "false")


def _nodes(spot: Spot | None, reader: Reader) -> Nodes:
    """Return hosts and ports of a list, or of a text that holds one as JSON."""
    if spot is None or spot.unresolved:
        return ()
    value: Json = to_json(spot.node)
    if isinstance(spot.node, ScalarNode) and isinstance(value, str):
        value = _json(value)
    found = _pairs(value)
    if not found:
        reader.findings.error("bad-address", spot.at, "is no list of hosts and ports", _NODES_FORM)
    return found


def _env_nodes(text: str | None, at: At, reader: Reader) -> Nodes:
    found = _pairs(_json(text or ""))
    if not found:
        reader.findings.error(
            "bad-address",
            at,
            "is no JSON list of hosts and ports",
            'Write it as [{"host": "HOST", "port": PORT}].',
        )
    return found


def _json(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return None
    return value


def _pairs(value: Json) -> Nodes:
    """Return `{host, port}` mappings, `[host, port]` lists or `host:port` texts as pairs.

    Empty when one of them is none of these.
    """
    if not isinstance(value, list):
        return ()
    found = [_pair(each) for each in value]
    pairs = tuple(pair for pair in found if pair is not None)
    return pairs if len(pairs) == len(found) else ()


def _pair(value: Json) -> tuple[str, int] | None:
    host: Json = None
    port: Json = None
    match value:
        case {"host": host, "port": port}:
            pass
        case [host, port]:
            pass
        case str():
            host, _, port = value.rpartition(":")
        case _:
            pass
    if isinstance(port, str) and port.isascii() and port.isdigit():
        port = int(port)
    if not isinstance(host, str) or not host or isinstance(port, bool):
        return None
    return (host, port) if isinstance(port, int) and 0 < port <= _MOST_PORT else None
