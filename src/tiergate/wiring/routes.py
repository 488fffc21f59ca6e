"""Collects the administrative routes of a gateway from the parts that have them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tiergate.base.jsontypes import JsonObject
from tiergate.ports import Clock, Ledger
from tiergate.web.admin import Route
from tiergate.web.ledger_routes import LedgerRoutes
from tiergate.web.spend import SpendRoutes


def ledger_routes(
    ledger: Ledger | None,
    budgets: Callable[[], Awaitable[Sequence[JsonObject]]],
    now: Clock,
    timezone: str,
) -> list[Route]:
    """Return the routes that read the ledger; none where nothing outlives the process.

    Args:
        ledger: The records of calls.
        budgets: Every budget, as `/budgets` lists it.
        now: Unix seconds.
        timezone: Of the budgets, for reports by day.
    """
    if ledger is None:
        return []
    return [
        *SpendRoutes(ledger, budgets, now).routes(),
        *LedgerRoutes(ledger, now, timezone=timezone).routes(),
    ]
