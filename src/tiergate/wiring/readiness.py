"""What a load balancer and an operator are told about a gateway's health; it calls nobody.

Stores are known from the exchanges that go on beside the calls, providers from the calls
themselves: asking costs nothing, and a probe every second changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tiergate import __version__
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import DeploymentId
from tiergate.core import cooldown
from tiergate.core.catalog import Deployment, Settings
from tiergate.core.cooldown import Mark, State
from tiergate.core.life import reasons
from tiergate.ports import Clock
from tiergate.transport import Transport
from tiergate.wiring.money import Money
from tiergate.wiring.siblings import Siblings

OFF = "off"
_COOLING: Final = frozenset({State.COOLING.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Looks at the parts of a gateway.

    Attributes:
        settings: Gives the configuration in force.
        marks: The cooldown marks of the deployments.
        money: The stores.
        transport: The connections to providers.
        clock: The clock of the marks, seconds.
        leaving: Tells whether the gateway was told to stop.
        keys_down: Tells whether the store of keys does not answer.
        cache_fault: Says what is wrong with the cache, if anything is.
        siblings: The other workers, if it is one of several.
    """

    settings: Callable[[], Settings]
    marks: Mapping[DeploymentId, Mark]
    money: Money
    transport: Transport
    clock: Clock
    leaving: Callable[[], bool]
    keys_down: Callable[[], bool]
    cache_fault: Callable[[], str | None]
    siblings: Siblings | None = None

    def readiness(self) -> tuple[bool, JsonObject]:
        """Tell whether calls should be sent here, and the state of the parts."""
        settings = self.settings()
        connections, idle = self.transport.stats()
        stores = self._stores_down()
        live = [d for d in settings.deployments if d.off is None]
        counts = self._counts(live)
        silent = [alias for alias, states in counts.items() if states.keys() == _COOLING]
        why = reasons(
            settings.life,
            leaving=self.leaving(),
            stores_down=stores,
            providers_down=bool(counts) and len(silent) == len(counts),
        )
        faults = [*stores, *self._other_faults()]
        faults += [f"no deployment of alias {alias} can be called now" for alias in silent]
        parts: JsonObject = {
            "status": "unhealthy" if why else "degraded" if faults else "healthy",
            "db": "connected" if self.money.state.ledger is not None else "Not connected",
            "cache": settings.cache.kind.value if settings.cache is not None else None,
            "version": __version__,
            "draining": self.leaving(),
            "unready": list[Json](why),
            "budgets": self.money.state.kind.value if settings.budgets else "none",
            "state": self.money.state.place,
            "faults": list[Json](faults),
            "upstream_connections": connections,
            "upstream_connections_idle": idle,
        }
        if self.siblings is not None:
            parts["workers"] = self.siblings.workers
            parts["workers_serving"] = self.siblings.alive
        return not why, parts

    def aliases(self) -> JsonObject:
        """Return how many deployments of each alias are in which state."""
        counts = self._counts(self.settings().deployments)
        return {alias: dict[str, Json](states) for alias, states in counts.items()}

    def faults(self) -> list[str]:
        """Say which stores and caches do not work now, a sentence each without a full stop."""
        return [*self._stores_down(), *self._other_faults()]

    def _stores_down(self) -> list[str]:
        """Say which stores do not answer; calls go on as far as each budget allows."""
        found: list[str] = []
        for what, leasing in (("budget", self.money.leasing), ("rate limit", self.money.pace)):
            if leasing.down is not None:
                found.append(f"the {what} store does not answer: {leasing.down[1]}")
        if found:
            return found
        found += [f"the {name} does not answer: {why}" for name, why in self._watched()]
        if not found and self.keys_down():
            found.append("the key store does not answer")
        return found

    def _watched(self) -> list[tuple[str, str]]:
        return list(self.money.watch.down.items())

    def _other_faults(self) -> list[str]:
        found: list[str] = []
        books = self.money.books
        if books is not None and books.fault is not None:
            found.append(books.fault)
        cache = self.cache_fault()
        if cache is not None:
            found.append(f"the cache does not answer: {cache}")
        return found

    def state(self, deployment: Deployment) -> str:
        """Return the state of one deployment: `off`, or that of its mark."""
        if deployment.off is not None:
            return OFF
        return cooldown.state(self.marks.get(deployment.id), self.clock()).value

    def why_cooling(self, deployment: Deployment) -> str:
        """Say for how long a deployment is set aside yet, and after which failures."""
        mark = self.marks.get(deployment.id)
        if mark is None:
            return ""
        cause = f" after failures of the kind `{mark.cause.value}`" if mark.cause else ""
        return f"cooling down for {max(0.0, mark.until - self.clock()):.1f} s more{cause}"

    def _counts(self, deployments: Sequence[Deployment]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for deployment in deployments:
            states = found.setdefault(deployment.alias, {})
            state = self.state(deployment)
            states[state] = states.get(state, 0) + 1
        return found
