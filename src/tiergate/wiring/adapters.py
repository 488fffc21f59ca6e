"""Fit shells to ports: transport to `Upstreams` and `Post`, host table to `config.hosts.Hosts`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from tiergate.base.values import DeploymentId, Dialect
from tiergate.config.hosts import HostMatch
from tiergate.core.catalog import Deployment
from tiergate.ports import Exchange
from tiergate.providers import hosts
from tiergate.providers.facts import facts_for
from tiergate.transport import Target, Transport, TransportError

_MOST_REPLY = 64 * 1024


def output_bound(deployment: Deployment) -> int | None:
    """Return the most output tokens of a deployment where nobody sets a limit, if known.

    Anthropic's dialect demands a limit, so the codec writes one; elsewhere it is the model's own.
    """
    facts = facts_for(deployment.provider, deployment.model)
    if deployment.dialect is Dialect.ANTHROPIC:
        return deployment.default_max_tokens or facts.default_output_tokens
    return facts.max_output_tokens


class Way:
    """Implements `ports.Upstreams`: each deployment's address is worked out once."""

    def __init__(self, transport: Transport, deployments: Iterable[Deployment]) -> None:
        self._transport = transport
        self._targets: dict[DeploymentId, Target] = {
            d.id: Target.from_url(d.api_base, verify=d.verify) for d in deployments
        }

    async def send(self, deployment: Deployment, head: bytes, body: bytes) -> Exchange:
        """Write a request to a deployment; see `ports.Upstreams.send`."""
        return await self._transport.send(self._targets[deployment.id], head, body)


class HostTable:
    """Implements `config.hosts.Hosts` with the table in `providers.hosts`."""

    def split_model(self, text: str) -> HostMatch | None:
        """Return the host and model that a model text means."""
        found = hosts.split_model(text)
        if found is None:
            return None
        host, model = found
        return HostMatch(
            provider=host.name,
            dialect=host.dialect,
            model=model,
            default_base=host.default_base,
            key_variables=tuple(host.key_variables),
            base_variables=tuple(host.base_variables),
            key_optional=host.key_optional,
        )

    def nearest(self, prefix: str) -> tuple[str, ...]:
        """Return host names like `prefix`, best first."""
        return hosts.nearest_hosts(prefix)

    def planned(self, prefix: str) -> bool:
        """Tell whether LiteLLM knows the host and Tiergate does not yet."""
        return hosts.planned_host(prefix) is not None

    def canonical(self, name: str) -> str | None:
        """Return the canonical name of a host."""
        found = hosts.find_host(name)
        return found.name if found is not None else None


class Poster:
    """Sends records of callbacks through the transport; implements `telemetry.posting.Post`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        """POST a body; return the status.

        Raises:
            OSError: No answer came.
        """
        target, head = post_head(url, headers, body)
        try:
            exchange = await self._transport.send(target, head, body)
            try:
                await exchange.read(_MOST_REPLY)
            finally:
                exchange.close()
        except TransportError as exc:
            raise ConnectionError(str(exc)) from None
        return exchange.status


def post_head(url: str, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[Target, bytes]:
    """Return whom a POST goes to, and what comes before its body."""
    target = Target.from_url(url)
    parts = urlsplit(url)
    path = parts.path or "/"
    line = f"POST {path}?{parts.query}" if parts.query else f"POST {path}"
    lines = [f"{line} HTTP/1.1", f"host: {target.authority}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return target, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
