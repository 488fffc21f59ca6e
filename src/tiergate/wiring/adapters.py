"""Fit shells to ports: the transport to `Upstreams`, the host table to `config.hosts.Hosts`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tiergate.base.values import DeploymentId
from tiergate.config.hosts import HostMatch
from tiergate.core.catalog import Deployment
from tiergate.ports import Exchange
from tiergate.providers import hosts
from tiergate.transport import Target, Transport


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
        )

    def nearest(self, prefix: str) -> tuple[str, ...]:
        """Return host names like `prefix`, best first."""
        return tuple(difflib.get_close_matches(prefix, hosts.known_prefixes(), n=3, cutoff=0.6))

    def planned(self, prefix: str) -> bool:
        """Tell whether LiteLLM knows the host and Tiergate does not yet."""
        return hosts.planned_host(prefix) is not None

    def canonical(self, name: str) -> str | None:
        """Return the canonical name of a host."""
        found = hosts.find_host(name)
        return found.name if found is not None else None
