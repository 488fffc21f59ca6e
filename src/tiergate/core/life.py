"""When a gateway asks for no more calls, and how long it takes to stop. Waits for nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

LEAVING = "the gateway is about to stop"
NO_PROVIDER = "no deployment of any alias can be called now"


class Need(Enum):
    """Something whose loss may make a gateway unready."""

    STORES = "stores"
    """The stores that budgets, rate limits and keys are kept in."""
    PROVIDERS = "providers"
    """At least one deployment that is not cooling down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How a gateway stops, and when it says that it is not ready.

    Attributes:
        drain_timeout: Seconds that calls under way may take when it stops.
        drain_delay: Seconds that it goes on taking calls after it was told to stop, and says that
            it is not ready, so that a load balancer can look away first.
        unready_when: What it is not ready without.
    """

    drain_timeout: float = 30.0
    drain_delay: float = 0.0
    unready_when: frozenset[Need] = frozenset()

    @property
    def longest_leave(self) -> float:
        """Seconds from the word to stop until the last call is cut."""
        return self.drain_delay + self.drain_timeout


def reasons(
    life: Life, *, leaving: bool, stores_down: Sequence[str], providers_down: bool
) -> tuple[str, ...]:
    """Return why no call should be sent to a gateway; empty where it is ready.

    Args:
        life: What was configured.
        leaving: It was told to stop.
        stores_down: What is wrong with the stores, in words.
        providers_down: No deployment of any alias can be called.
    """
    found: list[str] = [LEAVING] if leaving else []
    if Need.STORES in life.unready_when:
        found += stores_down
    if Need.PROVIDERS in life.unready_when and providers_down:
        found.append(NO_PROVIDER)
    return tuple(found)
