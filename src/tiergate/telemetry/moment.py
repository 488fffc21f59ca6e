"""What holds in one worker at the moment of a scrape, and what it is over all workers.

Unlike the counts it does not grow: a worker that has ended has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tiergate.telemetry.counts import Names


class Health(Enum):
    """How one worker sees a deployment; the values are LiteLLM's figures."""

    HEALTHY = 0
    PARTIAL = 1
    """It has failed lately, or its cooldown is over and nobody knows yet whether it serves."""
    OUT = 2
    """It cools down."""


@dataclass(slots=True)
class Moment:
    """What holds now.

    Attributes:
        states: By deployment, how many workers see it healthy, partly out, and out.
        waiting: Records of calls that are not in the ledger yet.
        oldest: Unix time of the oldest of them; 0 without one.
        down: By store, how many workers it does not answer.
        stores: The stores there are.
    """

    states: dict[Names, tuple[int, int, int]] = field(
        default_factory=dict[Names, tuple[int, int, int]]
    )
    waiting: int = 0
    oldest: float = 0.0
    down: dict[str, int] = field(default_factory=dict[str, int])
    stores: tuple[str, ...] = ()

    def see(self, names: Names, health: Health) -> None:
        """Note how this worker sees a deployment."""
        before = self.states.get(names, (0, 0, 0))
        healthy, partial, out = (
            number + (each is health) for number, each in zip(before, Health, strict=True)
        )
        self.states[names] = (healthy, partial, out)

    def add(self, more: Moment) -> None:
        """Add what holds in another worker."""
        for names, (healthy, partial, out) in more.states.items():
            before = self.states.get(names, (0, 0, 0))
            self.states[names] = (before[0] + healthy, before[1] + partial, before[2] + out)
        self.waiting += more.waiting
        if more.oldest and (not self.oldest or more.oldest < self.oldest):
            self.oldest = more.oldest
        for store, number in more.down.items():
            self.down[store] = self.down.get(store, 0) + number
        self.stores = tuple(dict.fromkeys((*self.stores, *more.stores)))

    def health(self, names: Names) -> Health:
        """Return how a deployment is over all workers: out only where every one sees it so."""
        healthy, partial, out = self.states.get(names, (0, 0, 0))
        if out and not healthy and not partial:
            return Health.OUT
        return Health.PARTIAL if partial or out else Health.HEALTHY
