"""Token counts: asks the provider where it can, else counts here.

A count costs nothing, is never retried or cooled for, and never fails because of a provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.core.catalog import Deployment
from tiergate.core.plan import Wish
from tiergate.core.routing import Routes, View, refusal, select
from tiergate.ports import Clock, Codec, Inbound, TransportError, Upstreams

LIMIT_SECONDS = 10.0
"""How long a provider may take to count before the gateway counts itself."""

BAD_REQUEST = 400
_MAX_BYTES = 64 * 1024


class Counting:
    """Counts the tokens of a Messages request.

    Args:
        routes: The aliases, made ready.
        codec: What the providers speak.
        upstreams: The way to them.
        view: The routing view (cooling deployments are not asked).
        estimate: Counts a request here: decoded body and model in, tokens out, erring upward.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        routes: Routes,
        codec: Codec,
        upstreams: Upstreams,
        view: View,
        estimate: Callable[[JsonObject, str], int],
        clock: Clock,
    ) -> None:
        self._routes = routes
        self._codec = codec
        self._upstreams = upstreams
        self._view = view
        self._estimate = estimate
        self._clock = clock

    async def count(self, inbound: Inbound, wish: Wish) -> bytes:
        """Return the answer's body: `{"input_tokens": N}`.

        Raises:
            Refused: The tags fit no deployment of the alias.
        """
        route = self._routes.of(inbound.alias)
        if route is None:  # reading the request has found it in the same configuration
            raise LookupError(inbound.alias)
        selection = select(route, wish.tags, self._view, self._clock())
        if not selection.candidates:
            refused = refusal(route, wish.tags, selection)
            if refused.status == BAD_REQUEST:
                raise refused
        for deployment in selection.candidates:
            if deployment.dialect is Dialect.ANTHROPIC:
                counted = await self._ask(inbound, deployment)
                if counted is not None:
                    return counted
                break
        body = {name: inbound.members.get(name) for name in inbound.members.names()}
        model = route.deployments[0].model if route.deployments else ""
        return msgspec.json.encode({"input_tokens": max(1, self._estimate(body, model))})

    async def _ask(self, inbound: Inbound, deployment: Deployment) -> bytes | None:
        """Ask a provider; None when it cannot or does not answer."""
        prepared = self._codec.prepare(inbound, deployment)
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                exchange = await self._upstreams.send(deployment, prepared.head, prepared.body)
                try:
                    body = await exchange.read(_MAX_BYTES)
                finally:
                    exchange.close()
        except (TimeoutError, TransportError):
            return None
        if exchange.status != 200:
            return None
        try:
            decoded: object = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return None
        return body if isinstance(decoded, dict) and "input_tokens" in decoded else None
