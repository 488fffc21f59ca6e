"""What a request remembers while it stays in one alias: who has failed, who can be tried again.

It chooses nothing: it sorts candidates into untried and tried, and says how long to wait before
a second try.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId
from tiergate.core import cooldown, timing
from tiergate.core.catalog import Deployment
from tiergate.core.routing import View
from tiergate.core.trail import Waited

WAKE_MARGIN = 0.02
"""Seconds added to an obeyed Retry-After: a timer may wake early, a provider does not forget."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """A deployment that has failed and may be tried again, not before `ready_at`."""

    deployment: Deployment
    count: int
    ready_at: float


class Stay:
    """The attempts of one request in one alias.

    Attributes:
        calls: Attempts that were sent.
        timed_out: Whether the last attempt ran into its time limit.
        fallen: Deployments that have failed and may be tried again.
        barred: Deployments that this request does not call any more.
    """

    __slots__ = ("barred", "calls", "fallen", "timed_out")

    def __init__(self) -> None:
        self.calls = 0
        self.timed_out = False
        self.fallen: dict[DeploymentId, Fallen] = {}
        self.barred: set[DeploymentId] = set()

    def bar(self, deployment: Deployment) -> None:
        """Never call this deployment again in this alias."""
        self.barred.add(deployment.id)
        self.fallen.pop(deployment.id, None)

    def keep(self, deployment: Deployment, failure: Failure, now: float) -> None:
        """Remember a failure after which the deployment may be tried again."""
        before = self.fallen.get(deployment.id)
        self.fallen[deployment.id] = Fallen(
            deployment,
            1 if before is None else before.count + 1,
            now + max(0.0, failure.retry_after or 0.0),
        )

    def untried(self, candidates: Sequence[Deployment]) -> tuple[Deployment, ...]:
        """Return the candidates that this request has not called in this alias."""
        return tuple(d for d in candidates if d.id not in self.fallen and d.id not in self.barred)

    def again(self, candidates: Sequence[Deployment], now: float) -> tuple[Deployment, ...]:
        """Return the candidates for another try: ready ones, the least tried of them."""
        known = [self.fallen[d.id] for d in candidates if d.id in self.fallen]
        ready = [f for f in known if f.ready_at <= now]
        fewest = min((f.count for f in ready), default=0)
        return tuple(f.deployment for f in ready if f.count == fewest)

    def pause(
        self, view: View, now: float, left: float, least: float, dice: Callable[[], float]
    ) -> Waited | None:
        """Say how long to wait until a deployment can be tried again.

        There is no backoff after a timeout: the time has passed already. A cooldown longer than
        the pause is not waited for, nor a `Retry-After` that does not fit in the time left.

        Args:
            view: The present cooldowns and budgets.
            now: The instant.
            left: Seconds left for the request.
            least: Seconds to wait at least (`retry_after` of the file).
            dice: Gives a number from 0 to 1.

        Returns:
            The pause (0 seconds: none), or None when nobody can be tried again in this request.
        """
        if not self.timed_out:
            least = max(least, timing.backoff(self.calls, left, dice))
        best: Waited | None = None
        for fallen in self.fallen.values():
            told = fallen.ready_at > now + least
            wait = least
            if told:
                wait = fallen.ready_at - now + WAKE_MARGIN * (1 + dice())
            mark = view.marks.get(fallen.deployment.id)
            late = cooldown.seconds_until_open(mark, now + wait)
            if late > WAKE_MARGIN or view.over(fallen.deployment) is not None:
                continue
            wait += late
            if timing.fits(wait, left) and (best is None or wait < best.seconds):
                best = Waited(wait, told)
        return best
