"""What the control routes show: states and figures collected from the parts; no secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.money import NANO
from tiergate.core.catalog import Deployment
from tiergate.core.cooldown import State
from tiergate.web.inference import Serving
from tiergate.wiring.money import Money
from tiergate.wiring.readiness import Readiness


class Page(Protocol):
    """Makes the Prometheus page."""

    async def __call__(self, *, openmetrics: bool) -> bytes:
        """Return it, in the format of OpenMetrics if that is asked for."""
        ...


class GatewayInsight:
    """Implements `web.control.Insight`."""

    def __init__(
        self,
        serving: Callable[[], Serving],
        money: Money,
        page: Page,
        readiness: Readiness,
        started: int,
    ) -> None:
        self._serving = serving
        self._money = money
        self._page = page
        self._readiness = readiness
        self._started = started

    def readiness(self) -> tuple[bool, JsonObject]:
        """Tell whether calls should be sent here, and the state of the parts."""
        return self._readiness.readiness()

    def details(self) -> tuple[bool, JsonObject]:
        """Tell the same, with the deployments of each alias by state."""
        ready, parts = self._readiness.readiness()
        return ready, {**parts, "aliases": self._readiness.aliases()}

    def deployments(self) -> list[JsonObject]:
        """Describe each deployment."""
        return [self._describe(d) for d in self._serving().settings.deployments]

    def _describe(self, deployment: Deployment) -> JsonObject:
        info: JsonObject = {**deployment.info, "id": deployment.id}
        state = self._readiness.state(deployment)
        found: JsonObject = {
            "model_name": deployment.alias,
            "model_info": info,
            "provider": deployment.provider,
            "model": deployment.model,
            "api_base": deployment.api_base,
            "state": state,
            "off": deployment.off,
        }
        if state == State.COOLING.value:
            found["error"] = self._readiness.why_cooling(deployment)
        elif deployment.off is not None:
            found["error"] = f"switched off: {deployment.off}"
        return found

    async def spend(self) -> JsonObject:
        """Return what was spent since the ledger began, in USD."""
        totals = await self._money.standings.totals(self._money.spend.budgets)
        return {
            "spend": totals.gateway / NANO,
            "spend_nano_usd": totals.gateway,
        }

    async def provider_budgets(self) -> JsonObject:
        """Return LiteLLM's form of the provider budgets."""
        money = self._money
        totals = await money.standings.totals(money.spend.budgets)
        rows = await money.standings.rows(money.spend.budgets)
        limits = {row.name: row for row in rows if row.scope == "provider"}
        providers: dict[str, Json] = {}
        for name in sorted({*totals.providers, *limits}):
            row = limits.get(name)
            providers[name] = {
                "budget_limit": row.limit / NANO if row is not None else None,
                "time_period": row.window if row is not None else None,
                "spend": (row.spent if row is not None else totals.providers[name]) / NANO,
                "spend_total": totals.providers.get(name, 0) / NANO,
                "budget_reset_at": row.resets_at if row is not None else None,
            }
        return {"providers": providers}

    async def budgets(self) -> list[JsonObject]:
        """Return every budget."""
        rows = await self._money.standings.rows(self._money.spend.budgets)
        return [
            {
                "scope": row.scope,
                "name": row.name,
                "limit_usd": row.limit / NANO,
                "spent_usd": row.spent / NANO,
                "held_usd": row.held / NANO,
                "window": row.window,
                "resets_at": row.resets_at,
                "forecast_usd": row.forecast / NANO if row.forecast is not None else None,
                "on_store_failure": row.on_store_failure,
            }
            for row in rows
        ]

    async def metrics(self, *, openmetrics: bool) -> bytes:
        """Return the Prometheus page."""
        return await self._page(openmetrics=openmetrics)

    def started(self) -> int:
        """Return the Unix time of the start."""
        return self._started
