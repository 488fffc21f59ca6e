"""One log line per request and per failed attempt; never prompts, answers or keys."""

from __future__ import annotations

import logging

from tiergate.base.errors import Failure
from tiergate.base.money import format_usd
from tiergate.base.values import Dialect, Operation
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Deployment
from tiergate.core.record import CallRecord, Outcome

LOG = logging.getLogger("tiergate.calls")


class CallLog:
    """Implements `ports.Observer` by logging.

    Successes are at DEBUG (nothing is formatted when that is off), failures at INFO, cooldowns at
    WARNING.
    """

    def began(self) -> None:
        """Nothing is known yet."""

    def ended(self, record: CallRecord) -> None:
        """Log the request."""
        level = logging.DEBUG if record.outcome is Outcome.SUCCESS else logging.INFO
        if not LOG.isEnabledFor(level):
            return
        LOG.log(
            level,
            "call",
            extra={
                "call_id": record.call_id,
                "alias": record.asked,
                "deployment": record.deployment.id if record.deployment else "",
                "outcome": record.outcome.value,
                "status": record.status,
                "failure": record.failure.value if record.failure else "",
                "cost_usd": format_usd(record.cost) if record.cost is not None else "",
                "cache": record.cache,
                "seconds": f"{record.seconds:.3f}",
                "why": record.why,
            },
        )

    def declined(self, record: CallRecord) -> None:
        """What it cost is in the record of the request."""

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Log a request that was refused before it was understood."""
        del wall
        LOG.info(
            "refused",
            extra={"dialect": dialect.value, "operation": operation.value, "status": status},
        )

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """Log a failed attempt."""
        if LOG.isEnabledFor(logging.INFO):
            LOG.info(
                "attempt failed",
                extra={
                    "deployment": deployment.id,
                    "failure": failure.kind.value,
                    "status": failure.status,
                },
            )

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """Log a cooldown."""
        LOG.warning(
            "cooling",
            extra={
                "deployment": deployment.id,
                "alias": deployment.alias,
                "seconds": f"{seconds:.1f}",
                "failure": failure.kind.value,
            },
        )

    def alerted(self, alert: BudgetAlert) -> None:
        """Log a mark that a budget has passed."""
        LOG.warning(
            "budget mark passed",
            extra={
                "scope": alert.scope.value,
                "budget": alert.name,
                "mark": alert.mark if alert.mark == "soft" else f"{alert.mark}%",
                "spent_usd": format_usd(alert.spent),
                "limit_usd": format_usd(alert.limit) if alert.limit is not None else "",
                "window": alert.window,
            },
        )
