"""Who is told what happens to the calls."""

from __future__ import annotations

from typing import Protocol

from tiergate.base.errors import Failure
from tiergate.base.values import Dialect, Operation
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Deployment
from tiergate.core.record import CallRecord


class Observer(Protocol):
    """Is told what happens, as it happens; must be quick and must not raise."""

    def began(self) -> None:
        """A request has been read."""
        ...

    def ended(self, record: CallRecord) -> None:
        """A request is over."""
        ...

    def declined(self, record: CallRecord) -> None:
        """An attempt was paid for and did not serve; `record.part` counts such attempts."""
        ...

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """A request was refused before it was understood (access, shape, size, model)."""
        ...

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """An attempt failed; another may follow."""
        ...

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """A deployment has begun to cool."""
        ...

    def alerted(self, alert: BudgetAlert) -> None:
        """A budget has passed one of its marks; told once over all workers and replicas."""
        ...
