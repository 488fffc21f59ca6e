"""Make a running gateway from settings: shells, engine, web; and swap the settings on reload.

What outlives a reload (connections, cooldown marks, load, spend, metrics) is in `Gateway`; what a
configuration defines is in `Serving` and is replaced whole.
"""

from __future__ import annotations

import itertools
import logging
import os
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace

from tiergate.base.values import DeploymentId
from tiergate.core.catalog import Catalog, Settings
from tiergate.core.cooldown import Book
from tiergate.core.load import Load
from tiergate.core.routing import Routes, View
from tiergate.pipeline.attempt import Attempts
from tiergate.pipeline.counting import Counting
from tiergate.pipeline.engine import Engine, Parts
from tiergate.pipeline.spend import Spend
from tiergate.ports import Observer
from tiergate.pricing import PriceList, count_messages, estimate_prompt
from tiergate.providers.codec import ProviderCodec
from tiergate.stores.memory import MemoryBudgets
from tiergate.telemetry import CallLog, Metrics, Webhooks
from tiergate.transport import Transport
from tiergate.web.access import Gate
from tiergate.web.control import Control
from tiergate.web.data_plane import DataPlane
from tiergate.web.inference import Inference, Serving
from tiergate.web.requests import RequestRules
from tiergate.wiring.adapters import Poster, Way, output_bound
from tiergate.wiring.insight import GatewayInsight
from tiergate.wiring.observers import Observers

LOG = logging.getLogger("tiergate")


class Gateway:
    """One gateway in one event loop.

    Args:
        settings: What the configuration means.
        environ: The process's environment (proxies).
        prices: The price list; read once, kept over reloads.
        on_loopback: Whether only this machine reaches the gateway (then metrics are open).
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        prices: PriceList,
        *,
        on_loopback: bool,
    ) -> None:
        self._on_loopback = on_loopback
        self._clock = time.monotonic
        self._prices = prices
        self._prefix = secrets.token_hex(8)
        self._ids = itertools.count(1)
        self._transport = Transport(environ=environ, clock=self._clock)
        self._book = Book()
        self._load = Load()
        self._budgets = MemoryBudgets()
        self._spend = Spend(self._budgets, estimate_prompt, time.time, output_bound)
        self._metrics = Metrics()
        self._webhooks = Webhooks(Poster(self._transport), self._clock)
        self._log = CallLog()
        self._started = int(time.time())
        self.serving = self._serve(settings)

    # ------------------------------------------------------------------ life

    def plane(self) -> DataPlane:
        """Return the RSGI application."""
        inference = Inference(
            lambda: self.serving, self._clock, time.time, lambda: self.new_id("")
        )
        insight = GatewayInsight(
            lambda: self.serving,
            self._book,
            self._spend,
            self._metrics,
            self._transport,
            self._clock,
            lambda: self._webhooks.dropped,
            self._started,
        )
        control = Control(lambda: self.serving, insight, lambda: self.new_id(""))
        return DataPlane(inference.handle, control.handle)

    def reload(self, settings: Settings) -> None:
        """Serve new settings from the next request on; requests under way keep the old ones."""
        self.serving = self._serve(settings)
        known = frozenset(DeploymentId(d.id) for d in settings.deployments)
        self._load.forget(known)
        for gone in [name for name in self._book.marks if name not in known]:
            del self._book.marks[gone]

    def in_flight(self) -> int:
        """Return the number of requests under way."""
        return self._metrics.counts.in_flight

    def new_id(self, start: str) -> str:
        """Return a fresh id: random per process, counted within it."""
        return f"{start}{self._prefix}{next(self._ids):010x}"

    async def aclose(self) -> None:
        """Send what the sinks still hold, then close the connections."""
        await self._webhooks.aclose()
        await self._transport.aclose()

    # ------------------------------------------------------------------ one configuration

    def _serve(self, settings: Settings) -> Serving:
        """Build everything that a configuration defines."""
        catalog = Catalog.of(settings)
        routes = Routes(settings.router, catalog)
        priced = self._prices.of(settings.deployments)
        self._spend.configure(settings, priced)
        self._metrics.configure(settings)
        self._webhooks.configure(settings.webhooks)
        codec = ProviderCodec(time.time, self.new_id)
        codec.learn(settings.deployments)
        way = Way(self._transport, settings.deployments)
        view = View(marks=self._book.marks, load=self._load, price=self._spend.price_view)
        if self._spend.limits_deployments:
            view = replace(view, over=self._spend.over)
        engine = Engine(
            Parts(
                routes=routes,
                attempts=Attempts(codec, way, self._clock, time.time),
                accounts=self._spend,
                book=self._book,
                load=self._load,
                view=view,
                observer=self._observer(settings),
                clock=self._clock,
                dice=random.Random(os.urandom(16)).random,  # noqa: S311 - load balancing
            )
        )
        guarded = settings.access.metrics_auth
        return Serving(
            gate=Gate(settings.access.master_key),
            access=settings.access,
            rules=RequestRules.of(catalog, settings.router, settings.environment_names),
            engine=engine,
            counting=Counting(routes, codec, way, view, count_messages, self._clock),
            settings=settings,
            metrics_guarded=not self._on_loopback if guarded is None else guarded,
        )

    def _observer(self, settings: Settings) -> Observer:
        """Collect the sinks that this configuration has."""
        sinks: list[Observer] = [self._metrics, self._log]
        if settings.webhooks:
            sinks.append(self._webhooks)
        return Observers(sinks)
