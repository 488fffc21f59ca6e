"""What the control routes show: states and figures collected from the parts; no secrets."""

from __future__ import annotations

import time
from collections.abc import Callable

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.money import NANO
from tiergate.core import cooldown
from tiergate.core.catalog import Deployment
from tiergate.core.cooldown import Book
from tiergate.pipeline.spend import Spend
from tiergate.ports import Clock
from tiergate.telemetry import Metrics
from tiergate.telemetry.families import BudgetRow
from tiergate.transport import Transport
from tiergate.web.inference import Serving


class GatewayInsight:
    """Implements `web.control.Insight`."""

    def __init__(
        self,
        serving: Callable[[], Serving],
        book: Book,
        spend: Spend,
        metrics: Metrics,
        transport: Transport,
        clock: Clock,
        dropped: Callable[[], int],
        started: int,
    ) -> None:
        self._serving = serving
        self._book = book
        self._spend = spend
        self._metrics = metrics
        self._transport = transport
        self._clock = clock
        self._dropped = dropped
        self._started = started

    def readiness(self) -> tuple[bool, JsonObject]:
        """The gateway serves as soon as it listens; cooling deployments do not make it unready."""
        connections, idle = self._transport.stats()
        settings = self._serving().settings
        parts: JsonObject = {
            "status": "healthy",
            "db": "Not connected",
            "budgets": "memory" if settings.budgets else "none",
            "upstream_connections": connections,
            "upstream_connections_idle": idle,
        }
        return True, parts

    def deployments(self) -> list[JsonObject]:
        """Describe each deployment."""
        now = self._clock()
        return [self._describe(d, now) for d in self._serving().settings.deployments]

    def _describe(self, deployment: Deployment, now: float) -> JsonObject:
        state = cooldown.state(self._book.marks.get(deployment.id), now).value
        info: JsonObject = {**deployment.info, "id": deployment.id}
        return {
            "model_name": deployment.alias,
            "model_info": info,
            "provider": deployment.provider,
            "model": deployment.model,
            "api_base": deployment.api_base,
            "state": "off" if deployment.off is not None else state,
            "off": deployment.off,
        }

    def spend(self) -> JsonObject:
        """Return the spend of the gateway since it started, in USD."""
        return {
            "spend": self._spend.total / NANO,
            "spend_nano_usd": self._spend.total,
            "since": self._started,
        }

    def provider_budgets(self) -> JsonObject:
        """Return LiteLLM's form of the provider budgets."""
        spent = self._spend.provider_spend()
        limits = {
            row.name: row for row in self._spend.rows(time.time()) if row.scope == "provider"
        }
        providers: dict[str, Json] = {}
        for name in sorted({*spent, *limits}):
            row = limits.get(name)
            providers[name] = {
                "budget_limit": row.limit / NANO if row is not None else None,
                "time_period": row.window if row is not None else None,
                "spend": spent.get(name, 0) / NANO,
                "budget_reset_at": row.resets_at if row is not None else None,
            }
        return {"providers": providers}

    def budgets(self) -> list[JsonObject]:
        """Return every budget."""
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
            }
            for row in self._spend.rows(time.time())
        ]

    def metrics(self) -> bytes:
        """Return the Prometheus page."""
        rows = (
            BudgetRow(
                row.scope,
                row.name,
                row.window,
                row.limit / NANO,
                row.spent / NANO,
                row.held / NANO,
            )
            for row in self._spend.rows(time.time())
        )
        return self._metrics.render(rows, self._dropped())

    def started(self) -> int:
        """Return the Unix time of the start."""
        return self._started
