"""Joins what watches for troubles with the addresses that are told of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tiergate.base.values import DeploymentId
from tiergate.core.alarms import Alarm, AlarmKind, Subject
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Settings
from tiergate.core.cost import Price
from tiergate.core.drift import Difference
from tiergate.core.prefix_figures import PrefixKey
from tiergate.core.sink_plan import AlertPlan
from tiergate.pipeline.alarms import Alarms, Watched
from tiergate.ports import Clock, Documents
from tiergate.telemetry.alarm_sink import ONE_BY_ONE, PACE, AlarmSender, ChatSender
from tiergate.telemetry.counts import Counts
from tiergate.telemetry.outbox import Outbox, Tally
from tiergate.telemetry.payload import alert_payload, alert_sentence
from tiergate.telemetry.posting import Post

CHAT = "slack"
ADDRESS = "alerting_webhook"
"""Under these names failures are counted."""


class AlarmBell:
    """Watches the calls of one gateway, and tells whom the configuration names.

    Args:
        post: Sends requests.
        counts: Where failures are counted.
        documents: Shared with other workers: what was told is told once.
        clock: Monotonic seconds.
    """

    def __init__(self, post: Post, counts: Counts, documents: Documents, clock: Clock) -> None:
        self._post = post
        self._counts = counts
        self._clock = clock
        self._plan: AlertPlan | None = None
        self._boxes: dict[str, Outbox[Alarm]] = {}
        self.alarms = Alarms(documents, clock, time.time, self._tell)

    @property
    def on(self) -> bool:
        """Whether anybody is told."""
        return self._plan is not None

    def configure(
        self, settings: Settings, priced: Callable[[DeploymentId], Price | None]
    ) -> None:
        """Tell the addresses of this configuration from now on."""
        plan = self._plan = settings.sinks.alerts
        kinds = frozenset[AlarmKind]()
        if plan is not None:
            kinds = frozenset(AlarmKind if plan.address is not None else plan.chats)
        slow = plan.slow_seconds if plan is not None else 0.0
        self.alarms.configure(Watched(settings.deployments, kinds, slow, priced))

    async def start(self) -> None:
        """Take over what was told before this process began."""
        if self._plan is not None:
            await self.alarms.start()

    async def aclose(self) -> None:
        """Send what waits, as far as there is time for it."""
        await self.alarms.aclose()
        await asyncio.gather(*(box.aclose() for box in self._boxes.values()))

    def budget(self, alert: BudgetAlert) -> None:
        """A budget has passed a mark; this is told once over all workers."""
        if self._plan is None:
            return
        scope = f"{alert.scope.value} {alert.name}".rstrip()
        facts = alert_payload(alert)
        told = facts if isinstance(facts, dict) else {}
        self.alarms.raised(
            Alarm(
                Subject(AlarmKind.BUDGET, scope), alert_sentence(alert), facts=tuple(told.items())
            )
        )

    def drifted(self, key: PrefixKey, name: str, difference: Difference) -> None:
        """The prefix of prompts has changed."""
        if self._plan is not None:
            _, alias, phase = key
            self.alarms.drifted(name, alias, phase, difference)

    def _tell(self, alarm: Alarm) -> None:
        plan = self._plan
        if plan is None:
            return
        for url in plan.chats.get(alarm.subject.kind, ()):
            self._box(CHAT, url).put(alarm)
        if plan.address is not None:
            self._box(ADDRESS, plan.address).put(alarm)

    def _box(self, name: str, url: str) -> Outbox[Alarm]:
        """Return what waits for an address; made when the first alarm comes."""
        key = f"{name} {url}"
        box = self._boxes.get(key)
        if box is None:
            tally = Tally(name, self._counts.callback_failures, self._counts.callback_drops)
            if name == CHAT:
                box = Outbox(ChatSender(self._post, url), tally, self._clock, PACE)
            else:
                box = Outbox(AlarmSender(self._post, url), tally, self._clock, ONE_BY_ONE)
            self._boxes[key] = box
        return box
