"""Tell several observers of one event; each sink stays ignorant of the others."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.base.errors import Failure
from tiergate.base.values import Dialect, Operation
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Deployment
from tiergate.core.record import CallRecord
from tiergate.ports import Observer


class Observers:
    """Implements `ports.Observer` for any number of sinks."""

    def __init__(self, sinks: Sequence[Observer]) -> None:
        self._sinks = tuple(sinks)

    def began(self) -> None:
        """Pass on."""
        for sink in self._sinks:
            sink.began()

    def ended(self, record: CallRecord) -> None:
        """Pass on."""
        for sink in self._sinks:
            sink.ended(record)

    def declined(self, record: CallRecord) -> None:
        """Pass on."""
        for sink in self._sinks:
            sink.declined(record)

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Pass on."""
        for sink in self._sinks:
            sink.refused(dialect, operation, status, wall)

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """Pass on."""
        for sink in self._sinks:
            sink.attempt_failed(deployment, failure)

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """Pass on."""
        for sink in self._sinks:
            sink.cooled(deployment, failure, seconds)

    def alerted(self, alert: BudgetAlert) -> None:
        """Pass on."""
        for sink in self._sinks:
            sink.alerted(alert)
