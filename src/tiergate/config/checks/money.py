"""Checks of budgets: sums that cannot both hold, and spending that cannot be counted."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from tiergate.base.values import AliasName
from tiergate.config.budgets import GATEWAY, Budget, show_usd
from tiergate.config.checks.subject import Subject
from tiergate.config.deployment import ModelEntry
from tiergate.config.prices import complete
from tiergate.core.catalog import ScopeKind

_CALENDAR_SECONDS: Final = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
"""Lengths by which windows are compared: a month is as good as 30 days here."""


def check_money(subject: Subject) -> None:
    """Look at sums of budgets, at models without a price, and at providers nobody uses."""
    for cap in subject.budgets:
        if cap.rule.scope in (ScopeKind.GATEWAY, ScopeKind.PROVIDER):
            _sums(cap, subject)
    _unused_providers(subject)
    _memory_only(subject)
    for entry in subject.entries:
        _priced(entry, subject)


def _length(period: str) -> str:
    """Return what windows are compared by: a length in seconds where there is one."""
    kind, _, what = period.partition(":")
    return str(_CALENDAR_SECONDS.get(what, what)) if kind == "calendar" else what or kind


def _sums(cap: Budget, subject: Subject) -> None:
    """Warn when the aliases that a cap binds may together spend more than it allows."""
    bound = _aliases_under(cap, subject)
    budgets = [
        budget
        for budget in subject.budgets
        if budget.rule.scope is ScopeKind.ALIAS
        and budget.rule.name in bound
        and _length(budget.rule.period) == _length(cap.rule.period)
    ]
    total = sum(budget.rule.limit for budget in budgets)
    if total <= cap.rule.limit:
        return
    whose = "of the gateway" if cap.rule.scope is ScopeKind.GATEWAY else f"of {cap.rule.name}"
    amounts = " + ".join(show_usd(b.rule.limit).removesuffix(" USD") for b in budgets)
    names = ", ".join(budget.rule.name for budget in budgets)
    subject.findings.warning(
        "sums-above-cap",
        cap.at,
        f"the budgets of {names} add up to {amounts} = {show_usd(total)}, which is more than "
        f"the {show_usd(cap.rule.limit)} {whose} that bind them",
        "The cap ends calls before the aliases have spent their budgets.",
    )


def _aliases_under(cap: Budget, subject: Subject) -> AbstractSet[AliasName]:
    """Return the aliases whose every deployment in use counts in the cap."""
    serving = [entry.deployment for entry in subject.entries if entry.deployment.off is None]
    if cap.rule.scope is ScopeKind.GATEWAY:
        return {made.alias for made in serving}
    outside = {made.alias for made in serving if made.provider != cap.rule.name}
    return {made.alias for made in serving} - outside


def _memory_only(subject: Subject) -> None:
    """Say that budgets are forgotten at a restart, as long as no store keeps them."""
    if subject.budgets:
        subject.findings.warning(
            "budgets-in-memory",
            subject.budgets[0].at,
            "budgets hold, but what was spent is kept in the memory of this process: a restart "
            "forgets it, and several gateways count apart",
            "Run one gateway, and set the provider's own limit beside it.",
        )


def _unused_providers(subject: Subject) -> None:
    used = {entry.deployment.provider for entry in subject.entries}
    for budget in subject.budgets:
        if budget.rule.scope is ScopeKind.PROVIDER and budget.rule.name not in used:
            subject.findings.notice(
                "unused-budget", budget.at, f"no deployment uses {budget.rule.name}"
            )


def _priced(entry: ModelEntry, subject: Subject) -> None:
    """Refuse a model without a price under a budget: its spending would count as nothing."""
    made = entry.deployment
    if complete(made.price) or subject.prices.has_price(made.provider, entry.price_model):
        return
    budget = next((b for b in subject.budgets if _applies(b, entry)), None)
    if budget is None:
        return
    scope = "the gateway" if budget.rule.name == GATEWAY else f"{budget.rule.name}"
    subject.findings.error(
        "no-price",
        entry.model_at,
        f'"{made.model}" has no price, and the budget of {scope} at {budget.at.position} '
        "has to count it",
        "Write input_cost_per_token and output_cost_per_token (USD), or pricing: free.",
    )


def _applies(budget: Budget, entry: ModelEntry) -> bool:
    made, name = entry.deployment, budget.rule.name
    match budget.rule.scope:
        case ScopeKind.GATEWAY:
            return True
        case ScopeKind.ALIAS:
            return made.alias == name
        case ScopeKind.PROVIDER:
            return made.provider == name
        case ScopeKind.DEPLOYMENT:
            return made.id == name
