"""Compares `backlog.config.json` with what the gateway itself is told; changes nothing.

The YAML wins where both speak of one thing, and a warning names both places. The address and the
key by which the toolkit calls are held against the listener and the master key.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tiergate.config.findings import Findings
from tiergate.config.section import Spot
from tiergate.config.tree import MapNode, Node, ScalarNode, find, same
from tiergate.core.catalog import Access

DEFAULT_PORT: Final = 4000
"""Where the gateway listens if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Toolkit:
    """Where the toolkit's file is, and where the toolkit should find the gateway.

    Attributes:
        file: `--backlog`; None takes the file beside the configuration, if there is one.
        port: The port of the listener; 0 means any, and is compared with nothing.
        looked_for: False where that file must not be read, since it is to be made.
    """

    file: Path | None = None
    port: int = DEFAULT_PORT
    looked_for: bool = True


BESIDE: Final = Toolkit()
"""Nothing is said of the toolkit: its file is looked for, and the usual port compared."""

_BOTH: Final = (
    (("providerPromptCaching",), ("litellm_settings", "enable_anthropic_prompt_caching")),
    (("stablePrefixMinTokens",), ("litellm_settings", "prompt_caching_min_tokens")),
    (("responseCache", "enabled"), ("litellm_settings", "cache")),
    (("responseCache", "ttlSeconds"), ("litellm_settings", "cache_params", "ttl")),
    (("responseCache", "backend"), ("litellm_settings", "cache_params", "type")),
    (("responseCache", "namespace"), ("litellm_settings", "cache_params", "namespace")),
    (
        ("semanticCache", "threshold"),
        ("litellm_settings", "cache_params", "similarity_threshold"),
    ),
)
"""Settings that have a place in both files: under `llmOps.cachePolicy`, and in the YAML."""


@dataclass(frozen=True, slots=True)
class Against:
    """What the toolkit's file is compared with.

    Attributes:
        root: The gateway's YAML.
        access: Its master key.
        environ: The environment variables.
        look_up: False for `--no-env`.
        port: The port of the listener.
        in_memory: Whether nothing outlives the process (`state_dir: ":memory:"`).
    """

    root: MapNode
    access: Access
    environ: Mapping[str, str]
    look_up: bool
    port: int = DEFAULT_PORT
    in_memory: bool = False


def check_conflicts(cache_policy: Spot | None, against: Against, findings: Findings) -> None:
    """Warn of settings that have one value here and another in the YAML."""
    if cache_policy is None or not isinstance(cache_policy.node, MapNode):
        return
    for path, yaml_path in _BOTH:
        ours = find(cache_policy.node, path)
        theirs = find(against.root, yaml_path)
        if ours is None or theirs is None or same(ours.node, theirs.node):
            continue
        spot = cache_policy
        for part in path:
            spot = spot.inside(part, ours.position, ours.node)
        findings.warning(
            "conflicting-files",
            spot.at,
            f"is {_shown(ours.node)}, and {'.'.join(yaml_path)} at {theirs.position} is "
            f"{_shown(theirs.node)}, which wins",
            "Write the same in both files, or take one out.",
        )


def check_address(spot: Spot | None, against: Against, findings: Findings) -> None:
    """Hold `gateway.baseURL` against the listener."""
    text = _text(spot)
    if spot is None or not text:
        return
    parts = split_address(text)
    if parts is None:
        findings.mistake(
            "wrong-type",
            spot.at,
            "is no address of a gateway",
            f"Write http://localhost:{against.port or DEFAULT_PORT}, for instance.",
        )
        return
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if not _is_loopback(host):
        if against.access.master_key is None:
            findings.warning(
                "base-url-differs",
                spot.at,
                f"calls the host {host}, and a gateway without a master key listens on loopback "
                "only",
                "Set general_settings.master_key, or call localhost.",
            )
        return
    if parts.scheme == "https":
        findings.warning(
            "base-url-differs", spot.at, "says https, and the gateway speaks http", "Write http."
        )
    elif against.port and port != against.port:
        findings.warning(
            "base-url-differs",
            spot.at,
            f"calls port {port}, and the gateway listens on port {against.port}",
            f"Start it with --port {port}, or write port {against.port} here.",
        )


def split_address(text: str) -> SplitResult | None:
    """Return the parts of a gateway's address; None if it is none."""
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if known else None


def check_key(spot: Spot | None, against: Against, findings: Findings) -> None:
    """Hold the key that `gateway.apiKeyEnv` names against the master key."""
    name = _text(spot)
    if spot is None or not name or not against.look_up:
        return
    value = against.environ.get(name, "").strip()
    master = against.access.master_key
    if not value:
        if master is not None:
            findings.notice(
                "key-not-compared",
                spot.at,
                f"the variable {name} is not set where the gateway runs, so its key is not "
                "compared with the master key",
            )
    elif master is None:
        findings.notice(
            "key-not-compared", spot.at, f"{name} holds a key, and the gateway asks for none"
        )
    elif value != master.value:
        findings.warning(
            "api-key-differs",
            spot.at,
            f"{name} holds another key than the master key",
            "If it is no virtual key of this gateway, calls are answered with 401.",
        )


def _shown(node: Node) -> str:
    return node.text[:60] if isinstance(node, ScalarNode) else "something else"


def _text(spot: Spot | None) -> str:
    node = spot.node if spot is not None else None
    value = node.value if isinstance(node, ScalarNode) else None
    return value.strip() if isinstance(value, str) else ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
