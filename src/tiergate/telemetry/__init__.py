"""Sinks: metrics, webhooks, logs. They are told what happened; nothing waits for them."""

from __future__ import annotations

from tiergate.telemetry.calls import CallLog
from tiergate.telemetry.logs import configure_logging
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.webhook import Webhooks

__all__ = ["CallLog", "Metrics", "Webhooks", "configure_logging"]
