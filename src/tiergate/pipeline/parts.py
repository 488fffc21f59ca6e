"""What an engine is made of, and how a request ends that nothing could serve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tiergate.base.errors import Failure, Refused
from tiergate.core.load import Load
from tiergate.core.plan import GiveUp
from tiergate.core.routing import Routes, View
from tiergate.pipeline.attempt import Attempts
from tiergate.pipeline.cooldowns import Cooldowns
from tiergate.pipeline.escalations import Escalations
from tiergate.ports import Accounts, Clock, Dice, Observer

Sleep = Callable[[float], Awaitable[None]]


class GaveUp(Exception):  # noqa: N818 - the end of a request, told in the caller's shape
    """Nothing could serve the request. `error` is what the caller is told."""

    def __init__(self, end: GiveUp, why: str) -> None:
        super().__init__("every attempt failed")
        self.error: Failure | Refused = end.error
        self.retry_after = end.retry_after
        self.retries = end.retries
        self.fallbacks = end.fallbacks
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an engine is made of.

    Attributes:
        routes: The aliases, made ready.
        attempts: Makes single attempts.
        accounts: Holds and settles money.
        cooldowns: The cooldown marks.
        load: What this process has seen of each deployment.
        view: The routing view over marks, load and budgets.
        observer: Is told what happened (metrics, records, logs).
        clock: Monotonic seconds, the event loop's own.
        dice: Chance.
        escalations: Admits calls of the escalation alias; None where there is none.
    """

    routes: Routes
    attempts: Attempts
    accounts: Accounts
    cooldowns: Cooldowns
    load: Load
    view: View
    observer: Observer
    clock: Clock
    dice: Dice
    escalations: Escalations | None = None
    sleep: Sleep = asyncio.sleep
