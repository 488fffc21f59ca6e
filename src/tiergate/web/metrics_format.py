"""Decides in which of its two formats a scraper gets the metrics page."""

from __future__ import annotations

from typing import Final

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_NAME: Final = "application/openmetrics-text"
_NEVER: Final = frozenset({"q=0", "q=0.0", "q=0.00", "q=0.000"})


def wants_openmetrics(accept: str) -> bool:
    """Tell whether an `Accept` header names OpenMetrics; who names nothing gets the text format.

    Prometheus names it when it is to store examples of calls.
    """
    for part in accept.lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        if name == _NAME:
            return _NEVER.isdisjoint(each.replace(" ", "") for each in parameters)
    return False


def metrics_type(openmetrics: bool) -> str:
    """Return the content type of a format."""
    return OPENMETRICS if openmetrics else TEXT
