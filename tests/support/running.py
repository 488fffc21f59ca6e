"""A whole gateway in this process, called through its RSGI face; providers are scripted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from support.rsgi import Proto, Scope
from tiergate.base.jsontypes import Json
from tiergate.core.catalog import Deployment, Settings
from tiergate.mock import MockServer
from tiergate.pricing import PriceList
from tiergate.wiring.build import Gateway

PRICES = PriceList()
"""Reading it takes a moment: once for all tests."""


def gateway(settings: Settings, *, on_loopback: bool = True) -> Gateway:
    """A gateway of these settings."""
    return Gateway(settings, {}, PRICES, on_loopback=on_loopback)


def at(mock: MockServer, deployments: Sequence[Deployment]) -> tuple[Deployment, ...]:
    """The same deployments, served by a scripted provider."""
    for one in deployments:
        object.__setattr__(one, "api_base", mock.url)
    return tuple(deployments)


async def call(
    made: Gateway,
    path: str,
    body: Json = None,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Proto:
    """Make a request; POST when there is a body."""
    data = b"" if body is None else json.dumps(body).encode()
    proto = Proto([data])
    scope = Scope(method or ("GET" if body is None else "POST"), path, headers or {})
    await made.plane().__rsgi__(scope, proto)
    return proto
