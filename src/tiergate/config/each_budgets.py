"""Reads the budgets that every name of a kind gets for itself: each ticket, each end user.

Budgets of single aliases, providers, deployments and tags are read in `budgets`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiergate.config.caps import Cap, CapReader, show_cap
from tiergate.config.durations import NO_WINDOW
from tiergate.config.findings import At
from tiergate.config.reading import Reader, Sections
from tiergate.core.catalog import EachBudget, OnStoreFailure, ScopeKind


@dataclass(frozen=True, slots=True)
class Each:
    """A budget for every name of a kind, with the place of its limit."""

    budget: EachBudget
    at: At


def read_each(
    sections: Sections, reader: Reader, caps: CapReader, general: Cap, on_failure: OnStoreFailure
) -> tuple[Each, ...]:
    """Return the budgets of tickets and of end users.

    Args:
        sections: The sections of the file.
        reader: Where findings and the report go.
        caps: Reads the caps.
        general: The cap of the gateway; its window is that of end users too.
        on_failure: What holds where a budget does not say.
    """
    end_users = _of_end_users(sections, caps, general)
    tickets = caps.mapping(sections.general.take("ticket_budget"), m_is_month=False)
    found: list[Each] = []
    for scope, cap in ((ScopeKind.END_USER, end_users), (ScopeKind.TICKET, tickets)):
        if cap.spot is None or cap.limit is None:
            continue
        # A ticket ends, so a total is what is usually meant: nothing is said of it.
        is_total = scope is ScopeKind.TICKET and not cap.windowed
        window = NO_WINDOW if is_total else caps.window_of(cap, cap.spot)
        budget = EachBudget(
            scope=scope,
            limit=cap.limit,
            window=window.text,
            period=window.period,
            source=cap.spot.position,
            on_store_failure=cap.on_failure or on_failure,
        )
        reader.show(
            f"budget of each {scope.value.replace('_', ' ')}",
            show_cap(budget.limit, window, budget.on_store_failure),
            cap.spot,
        )
        found.append(Each(budget, cap.spot.at))
    return tuple(found)


def _of_end_users(sections: Sections, caps: CapReader, general: Cap) -> Cap:
    """Read the cap of each end user, which LiteLLM never starts anew."""
    cap = caps.plain(
        sections.litellm.take("max_end_user_budget"),
        sections.litellm.take("max_end_user_budget_duration"),
    )
    if cap.windowed:
        return cap
    return replace(cap, window=general.window, windowed=general.windowed)
