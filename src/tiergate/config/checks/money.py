"""Checks of budgets: sums that cannot both hold, and spending that cannot be counted."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, assert_never

from tiergate.base.values import AliasName
from tiergate.config.budgets import Budget
from tiergate.config.caps import show_usd
from tiergate.config.checks.subject import Subject
from tiergate.config.deployment import ModelEntry
from tiergate.config.findings import At
from tiergate.config.prices import complete
from tiergate.core.catalog import BudgetRule, EachBudget, ScopeKind, StoreKind

_CALENDAR_SECONDS: Final = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
"""Lengths by which windows are compared: a month is as good as 30 days here."""


def check_money(subject: Subject) -> None:
    """Look at sums of budgets, at models without a price, and at providers nobody uses."""
    for cap in subject.budgets.named:
        if cap.rule.scope in (ScopeKind.GATEWAY, ScopeKind.PROVIDER):
            _sums(cap, subject)
    _unused_providers(subject)
    _memory_only(subject)
    _out_of_reach(subject)
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
        for budget in subject.budgets.named
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
    """Say that budgets are forgotten at a restart, where the file asks for that."""
    budgets = subject.budgets
    if (budgets.named or budgets.each) and subject.stores.plan.kind is StoreKind.MEMORY:
        subject.findings.warning(
            "budgets-in-memory",
            subject.stores.at,
            "there are budgets, and what is spent is kept in the memory of each process: a "
            "restart forgets it, and several workers or gateways count apart",
            "Name a folder that stays, or leave state_dir out.",
        )


def _out_of_reach(subject: Subject) -> None:
    """Mention caps of single tags, tickets and users that the gateway's own cap comes before."""
    caps = [b.rule for b in subject.budgets.named if b.rule.scope is ScopeKind.GATEWAY]
    narrow: list[tuple[BudgetRule | EachBudget, At]] = [
        (b.rule, b.at) for b in subject.budgets.named if b.rule.scope is ScopeKind.TAG
    ]
    narrow += [(each.budget, each.at) for each in subject.budgets.each]
    for cap in caps:
        for rule, at in narrow:
            if rule.limit > cap.limit and _length(rule.period) == _length(cap.period):
                subject.findings.notice(
                    "out-of-reach",
                    at,
                    f"{show_usd(rule.limit)} cannot be spent: the gateway's own cap is "
                    f"{show_usd(cap.limit)} for the same time",
                )


def _unused_providers(subject: Subject) -> None:
    used = {entry.deployment.provider for entry in subject.entries}
    for budget in subject.budgets.named:
        if budget.rule.scope is ScopeKind.PROVIDER and budget.rule.name not in used:
            subject.findings.notice(
                "unused-budget", budget.at, f"no deployment uses {budget.rule.name}"
            )


def _priced(entry: ModelEntry, subject: Subject) -> None:
    """Refuse a model without a price under a budget: its spending would count as nothing."""
    made = entry.deployment
    if complete(made.price) or subject.prices.has_price(made.provider, entry.price_model):
        return
    found = _first_over(entry, subject)
    if found is None:
        return
    scope, at = found
    subject.findings.error(
        "no-price",
        entry.model_at,
        f'"{made.model}" has no price, and the budget of {scope} at {at.position} has to count it',
        "Write input_cost_per_token and output_cost_per_token (USD), or pricing: free.",
    )


def _first_over(entry: ModelEntry, subject: Subject) -> tuple[str, At] | None:
    """Return the first budget that calls of a deployment may count in, and its place."""
    for budget in subject.budgets.named:
        if _applies(budget, entry):
            rule = budget.rule
            name = "the gateway" if rule.scope is ScopeKind.GATEWAY else rule.name
            return name, budget.at
    for each in subject.budgets.each:
        return f"each {each.budget.scope.value.replace('_', ' ')}", each.at
    return None


def _applies(budget: Budget, entry: ModelEntry) -> bool:
    """Whether calls of a deployment may count in a budget; any call may carry any tag."""
    made, name = entry.deployment, budget.rule.name
    match budget.rule.scope:
        case ScopeKind.ALIAS:
            return made.alias == name
        case ScopeKind.PROVIDER:
            return made.provider == name
        case ScopeKind.DEPLOYMENT:
            return made.id == name
        case (
            ScopeKind.GATEWAY
            | ScopeKind.TAG
            | ScopeKind.TICKET
            | ScopeKind.END_USER
            | ScopeKind.KEY
            | ScopeKind.USER
            | ScopeKind.TEAM
        ):
            return True
        case _:
            assert_never(budget.rule.scope)
