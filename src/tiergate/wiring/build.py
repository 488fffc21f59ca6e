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

from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Catalog, Settings
from tiergate.core.cost import cost_if_known
from tiergate.core.load import Load
from tiergate.core.phases import EscalationPolicy
from tiergate.core.routing import Routes, View
from tiergate.pipeline.attempt import Attempts
from tiergate.pipeline.cooldowns import Cooldowns
from tiergate.pipeline.counting import Counting
from tiergate.pipeline.engine import Engine
from tiergate.pipeline.escalations import EscalationBook, Escalations
from tiergate.pipeline.guarding import GuardedEngine
from tiergate.pipeline.parts import Parts
from tiergate.pipeline.prefix_watch import PrefixWatch, WatchedEngine
from tiergate.ports import Observer
from tiergate.pricing import PriceList, UsageMeter, count_messages, estimate_prompt, ordered
from tiergate.providers.codec import ProviderCodec
from tiergate.telemetry.calls import CallLog
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.reports import Report
from tiergate.transport import Transport
from tiergate.web.access import Gate
from tiergate.web.cache_routes import CacheRoutes
from tiergate.web.control import Control
from tiergate.web.data_plane import ControlHandler, DataPlane
from tiergate.web.escalations import EscalationRoutes
from tiergate.web.guard_routes import GuardRoutes
from tiergate.web.inference import Inference, Serving
from tiergate.web.prefix_routes import PrefixRoutes
from tiergate.wiring.adapters import Poster, Way, output_bound
from tiergate.wiring.alarms import AlarmBell
from tiergate.wiring.answers import Answers
from tiergate.wiring.callbacks import Sinks
from tiergate.wiring.dashboard import OpenCalls, Views, dashboard_of, sighting
from tiergate.wiring.fallbacks import Fallbacks
from tiergate.wiring.fetching import Fetcher
from tiergate.wiring.guards import Guards
from tiergate.wiring.insight import GatewayInsight
from tiergate.wiring.keys import Keys, rules_of
from tiergate.wiring.money import Means, Money
from tiergate.wiring.observers import Observers
from tiergate.wiring.readiness import Readiness
from tiergate.wiring.routes import ledger_routes
from tiergate.wiring.scrape import Scraper, Sources
from tiergate.wiring.siblings import Siblings
from tiergate.wiring.state import State
from tiergate.wiring.work import request_rules

LOG = logging.getLogger("tiergate")


class Gateway:
    """One gateway in one event loop.

    Args:
        settings: What the configuration means.
        environ: The process's environment (proxies).
        prices: The price list; read once, kept over reloads.
        on_loopback: Whether only this machine reaches the gateway (then metrics are open).
        state: What outlives the process; without one nothing does.
        siblings: The other workers, if this is one of several.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        prices: PriceList,
        *,
        on_loopback: bool,
        state: State | None = None,
        siblings: Siblings | None = None,
    ) -> None:
        self._on_loopback = on_loopback
        self._siblings = siblings
        self._clock = time.monotonic
        self._prices = prices
        self._prefix = secrets.token_hex(8)
        self._ids = itertools.count(1)
        self._transport = Transport(environ=environ, clock=self._clock)
        self._load = Load()
        self._calls: OpenCalls = {}
        self._money = Money(
            state if state is not None else State.in_memory(),
            Means(estimate_prompt, output_bound, ordered),
            self._alerted,
        )
        self._metrics = Metrics()
        self._answers = Answers(self._money.state.directory, self._metrics, self._clock)
        post, counts = Poster(self._transport), self._metrics.counts
        self._sinks = Sinks(post, counts, self._money.state.directory, self._clock)
        self._bell = AlarmBell(post, counts, self._money.state.documents, self._clock)
        self._prefixes = PrefixWatch(counts.prefixes, self._clock, time.time, self._bell.drifted)
        self._log = CallLog()
        self._escalations = EscalationBook(
            self._money.state.documents, time.time, lambda: self.new_id("")
        )
        self._cooldowns = Cooldowns(
            self._money.state.shared,
            self._clock,
            time.time,
            self._cooled,
            self._bell.alarms.learned,
        )
        self._fallbacks = Fallbacks(
            self._money.state.documents, time.time, lambda: self.new_id("")
        )
        self._guards = Guards(Fetcher(self._transport), self._metrics.counts, self._clock)
        self._started = int(time.time())
        self._keys: Keys | None = None
        self.leaving = False
        """Whether it was told to stop: it serves on, and says that it is not ready."""
        self._scraper = Scraper(
            Sources(
                metrics=self._metrics,
                marks=self._cooldowns.marks,
                money=self._money,
                clock=self._clock,
                wall=time.time,
                cache_fault=lambda: self._answers.fault,
                caches=lambda: self._answers.store is not None,
                rules=lambda: self._keys.ring.rules if self._keys is not None else None,
                siblings=siblings,
            )
        )
        self.serving = self._serve(settings)

    # ------------------------------------------------------------------ life

    def plane(self) -> DataPlane:
        """Return the RSGI application."""
        inference = Inference(
            lambda: self.serving, self._clock, time.time, lambda: self.new_id(""), self._calls
        )
        readiness = Readiness(
            settings=lambda: self.serving.settings,
            marks=self._cooldowns.marks,
            money=self._money,
            transport=self._transport,
            clock=self._clock,
            leaving=lambda: self.leaving,
            keys_down=lambda: self._keys is not None and self._keys.down,
            cache_fault=lambda: self._answers.fault,
            siblings=self._siblings,
        )
        insight = GatewayInsight(
            lambda: self.serving, self._money, self._scraper.page, readiness, self._started
        )
        escalations = EscalationRoutes(self._escalations, self._escalation_policy)
        routes = [
            *escalations.routes(),
            *self._fallbacks.routes(),
            *CacheRoutes(self._answers.opened).routes(),
            *GuardRoutes(lambda: self._guards.installed, lambda: self.new_id("")).routes(),
            *PrefixRoutes(self._scraper.prefixes).routes(),
            *(self._keys.routes() if self._keys is not None else ()),
            *ledger_routes(
                self._money.state.ledger,
                insight.budgets,
                time.time,
                self.serving.settings.budget_timezone,
            ),
        ]
        pages = self._dashboard(readiness)
        control = Control(lambda: self.serving, insight, lambda: self.new_id(""), routes, pages)
        return DataPlane(inference.handle, control.handle)

    async def start(self) -> None:
        """Take over what dead workers left, and begin the work beside the calls."""
        await self._money.start()
        await self._bell.start()
        await self._cooldowns.start()
        await self._fallbacks.start()
        if self._keys is not None:
            self._keys.start()

    def reload(self, settings: Settings) -> None:
        """Serve new settings from the next request on; requests under way keep the old ones."""
        self.serving = self._serve(settings)
        known = frozenset(DeploymentId(d.id) for d in settings.deployments)
        self._load.forget(known)
        self._cooldowns.forget(known)

    @property
    def place(self) -> str:
        """Where it keeps what outlives it, in words for people."""
        return self._money.state.place

    def in_flight(self) -> int:
        """Return the number of requests under way."""
        return self._metrics.counts.in_flight

    def report(self) -> Report:
        """Return the figures of this worker."""
        seen = sighting(
            self.serving.settings.deployments,
            self._cooldowns.marks,
            self._load,
            self._calls,
            self._clock,
            time.time,
        )
        return replace(self._scraper.report(), sighting=seen)

    def inherit(self, report: Report) -> None:
        """Count on from the figures of the worker whose place this one takes."""
        self._metrics.inherit(report)

    def new_id(self, start: str) -> str:
        """Return a fresh id: random per process, counted within it."""
        return f"{start}{self._prefix}{next(self._ids):010x}"

    async def aclose(self) -> None:
        """Send what the sinks still hold, then close the connections."""
        if self._keys is not None:
            await self._keys.aclose()
        await self._fallbacks.aclose()
        await self._cooldowns.aclose()
        await self._guards.aclose()
        await self._answers.aclose()
        await self._bell.aclose()
        await self._sinks.aclose()
        await self._money.aclose()
        await self._transport.aclose()

    # ------------------------------------------------------------------ one configuration

    def _serve(self, settings: Settings) -> Serving:
        """Build everything that a configuration defines."""
        installed = self._guards.build(settings)  # both may refuse, and then all stays as it is
        self._sinks.configure(settings)
        catalog = Catalog.of(settings)
        routes = Routes(settings.router, catalog)
        priced = self._prices.of(settings.deployments)
        spend = self._money.spend
        spend.configure(settings, priced)
        self._metrics.configure(settings, spend.price_view)
        self._bell.configure(settings, priced.get)
        codec = ProviderCodec(time.time, self.new_id)
        codec.learn(settings.deployments)
        way = Way(self._transport, settings.deployments)
        view = View(marks=self._cooldowns.marks, load=self._load, price=spend.price_view)
        if spend.limits_deployments:
            view = replace(view, over=spend.over)
        observer = self._observing = self._observer()
        engine = Engine(
            Parts(
                routes=routes,
                attempts=Attempts(codec, way, self._clock, time.time, UsageMeter()),
                accounts=spend,
                cooldowns=self._cooldowns,
                load=self._load,
                view=view,
                observer=observer,
                clock=self._clock,
                dice=random.Random(os.urandom(16)).random,  # noqa: S311 - load balancing
                escalations=self._escalations_of(settings),
            )
        )
        guarded = settings.access.metrics_auth
        rules = request_rules(settings, catalog)
        key_rules = rules_of(settings, rules.names)
        if self._keys is None:
            self._keys = Keys(
                self._money.state.documents, self._money.standings.amounts, key_rules, time.time
            )
        else:
            self._keys.configure(key_rules)
        front = self._answers.in_front_of(
            WatchedEngine(engine, self._prefixes, priced.get),
            settings,
            catalog,
            spend,
            observer,
            lambda deployment, usage: cost_if_known(usage, priced.get(deployment.id)),
        )
        front = self._sinks.in_front_of(front, settings)
        front = self._guards.in_front_of(front, installed, catalog, observer)
        self._fallbacks.govern(routes)
        return Serving(
            gate=Gate(settings.access.master_key, self._keys.ring),
            access=settings.access,
            rules=rules,
            engine=front,
            counting=Counting(routes, codec, way, view, count_messages, self._clock),
            settings=settings,
            metrics_guarded=not self._on_loopback if guarded is None else guarded,
            caching=settings.cache is not None,
            guards=front if isinstance(front, GuardedEngine) else None,
            telling=self._sinks.rules(settings),
        )

    def _dashboard(self, readiness: Readiness) -> ControlHandler | None:
        if self._keys is None:
            return None
        views = Views(
            serving=lambda: self.serving,
            money=self._money,
            marks=self._cooldowns.marks,
            load=self._load,
            calls=self._calls,
            clock=self._clock,
            prices=self._prices,
            report=self.report,
            faults=readiness.faults,
            cache=self._answers.opened,
            keys=self._keys.desk,
            fallbacks=self._fallbacks.book,
            siblings=self._siblings,
        )
        return dashboard_of(views).handle

    def _escalations_of(self, settings: Settings) -> Escalations | None:
        policy = settings.work.escalation if settings.work is not None else None
        return Escalations(policy, self._escalations, time.time) if policy is not None else None

    def _escalation_policy(self) -> EscalationPolicy | None:
        work = self.serving.settings.work
        return work.escalation if work is not None else None

    def _alerted(self, alert: BudgetAlert) -> None:
        """Tell of a mark that a budget has passed."""
        self._log.alerted(alert)
        self._sinks.callbacks.alerted(alert)
        self._bell.budget(alert)

    def _cooled(self, deployment: DeploymentId, failure: Failure, seconds: float) -> None:
        """Tell of a cooldown that has begun; one of all workers does."""
        for each in self.serving.settings.deployments:
            if each.id == deployment:
                self._observing.cooled(each, failure, seconds)

    def _observer(self) -> Observer:
        """Collect the sinks that this configuration has."""
        sinks: list[Observer] = [self._metrics, self._log]
        if self._money.books is not None:
            sinks.append(self._money.books)
        if self._sinks.callbacks.any:
            sinks.append(self._sinks.callbacks)
        if self._bell.on:
            sinks.append(self._bell.alarms)
        return Observers(sinks)
