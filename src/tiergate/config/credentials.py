"""Finds out whom a deployment calls: host, model, address and key, each with its origin.

A key or address that the file does not give comes from the host's own environment variables,
whose names are LiteLLM's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tiergate.base.values import Secret
from tiergate.config.findings import At
from tiergate.config.hosts import HostMatch, Hosts
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.config.tree import ScalarNode

IN_FILE = "written in the file"
PUBLIC = "public address of the provider"


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the key and the address came from, in words; no values."""

    key: str
    base: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a deployment calls."""

    host: HostMatch
    api_base: str
    api_key: Secret | None
    model_at: At
    origins: Origins


def read_reach(
    params: Section,
    hosts: Hosts,
    environ: Mapping[str, str],
    reader: Reader,
    *,
    look_up: bool,
) -> Reach | None:
    """Return whom the deployment calls; None, with findings, when that cannot be said."""
    model = params.take("model")
    prefix = reader.typed.text(params.take("custom_llm_provider"))
    key_spot = params.take("api_key")
    base_spot = params.take_first("api_base", "base_url")
    host = _host(model, prefix, params, hosts, reader)
    key = _sendable_key(key_spot, reader)
    own_base = reader.typed.text(base_spot)
    if host is None or model is None:
        return None
    base, base_origin = own_base, origin_words(base_spot)
    if base is None:
        base, base_origin = _from_variables(host.base_variables, environ)
    given_base = base is not None or (base_spot is not None and base_spot.unresolved)
    if base is None:
        base, base_origin = host.default_base, PUBLIC
    key_origin = origin_words(key_spot)
    if key is None and key_spot is None:
        found, key_origin = _from_variables(host.key_variables, environ)
        key = Secret(found) if found else None
        needs_key = bool(host.key_variables) and not host.key_optional and not given_base
        if key is None and needs_key and look_up:
            reader.findings.error(
                "missing-api-key",
                At(f"{params.at.path}.api_key", params.position),
                f"no key for {host.provider}: the deployment gives none, and "
                f"{' and '.join(host.key_variables)} {_are(host.key_variables)} not set",
                f"Set {host.key_variables[0]}, or write api_key: os.environ/NAME.",
            )
    address = _address(base, base_spot, host, params, reader)
    if address is None:
        return None
    return Reach(host, address, key, model.at, Origins(key_origin or "none", base_origin))


def _are(names: tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"


def origin_words(spot: Spot | None) -> str:
    """Return where a value came from: a variable, the file, or nothing."""
    if spot is None:
        return ""
    if isinstance(spot.node, ScalarNode) and spot.node.reference is not None:
        return spot.node.reference
    return IN_FILE


def _from_variables(names: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str | None, str]:
    for name in names:
        value = environ.get(name, "").strip()
        if value:
            return value, name
    return None, ""


def _host(
    model: Spot | None, prefix: str | None, params: Section, hosts: Hosts, reader: Reader
) -> HostMatch | None:
    text = reader.typed.text(model, "provider/model")
    if text is None or model is None:
        if model is None:
            reader.findings.error(
                "missing-key",
                At(f"{params.at.path}.model", params.position),
                "is missing",
                "Write model: provider/model, such as anthropic/claude-haiku-4-5.",
            )
        return None
    if "*" in text:
        reader.findings.error(
            "wildcard",
            model.at,
            "wildcard models are not served, since callers name aliases only",
            "Write one entry for each alias.",
        )
        return None
    if prefix and not text.startswith(f"{prefix}/"):
        text = f"{prefix}/{text}"
    host = hosts.split_model(text)
    if host is None or not host.model:
        _say_no_host(text, model, hosts, reader)
        return None
    return host


def _say_no_host(text: str, model: Spot, hosts: Hosts, reader: Reader) -> None:
    prefix, slash, rest = text.partition("/")
    if slash and not rest:
        reader.findings.error("unknown-provider", model.at, "names no model after the provider")
        return
    if slash and hosts.planned(prefix):
        reader.findings.error(
            "planned-provider",
            model.at,
            f"the provider {prefix} is not served yet",
            "If it has an OpenAI-compatible address, write openai/MODEL with api_base.",
        )
        return
    if not slash and hosts.canonical(text) is not None:
        reader.findings.error(
            "unknown-provider",
            model.at,
            "names a provider and no model",
            f"Write {text}/MODEL.",
        )
        return
    near = hosts.nearest(prefix)
    if slash:
        advice = f"Did you mean `{near[0]}`? " if near else ""
        reader.findings.error(
            "unknown-provider",
            model.at,
            f'the provider "{prefix}" is not known',
            f"{advice}A host that speaks OpenAI is reached by openai/MODEL with api_base.",
        )
    else:
        reader.findings.error(
            "unknown-provider",
            model.at,
            f'no provider is known for the model "{text}"',
            f"Write provider/{text}, such as openai/{text}.",
        )


def _sendable_key(spot: Spot | None, reader: Reader) -> Secret | None:
    key = reader.typed.secret(spot)
    if key is None or spot is None:
        return None
    if any(not 32 < ord(char) < 127 for char in key.value):
        reader.findings.error(
            "bad-key-text",
            spot.at,
            "has a blank, a line break or another sign that no HTTP header carries",
        )
        return None
    return key


def _address(
    base: str | None, spot: Spot | None, host: HostMatch, params: Section, reader: Reader
) -> str | None:
    at = spot.at if spot is not None else At(f"{params.at.path}.api_base", params.position)
    if spot is not None and spot.unresolved:
        return host.default_base or ""
    if base is None:
        reader.findings.error(
            "missing-key",
            at,
            f"is missing, and {host.provider} has no public address",
            "Write api_base: http://HOST:PORT/v1.",
        )
        return None
    problem = _fault_of(base)
    if problem:
        reader.findings.error(
            "bad-address", at, problem, "Write it as https://HOST or http://HOST:PORT/PATH."
        )
        return None
    return base.strip().rstrip("/")


def _fault_of(base: str) -> str:
    """Return what is wrong with an address, without quoting it; empty when nothing is."""
    try:
        parts = urlsplit(base.strip())
        port = parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if not parts.hostname or port == 0:
        return "names no host" if not parts.hostname else "names port 0"
    if parts.query or parts.fragment:
        return "has a query or fragment, which cannot be continued with a path"
    return ""
