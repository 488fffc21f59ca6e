"""What the records of a key, its user and its team mean together: a caller, or a refusal.

The narrowest holds: a key may use the aliases that it and its team both have. Budgets and limits
of all three count, each for itself. Nothing is looked up here, and time is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Position
from tiergate.core.budget import Budget, budget_id
from tiergate.core.caller import Caller, RateLimits
from tiergate.core.catalog import NO_LIMIT, BudgetRule, ScopeKind
from tiergate.core.key_terms import ALL_MODELS, NO_MODELS, TEAM_MODELS, KeyRules
from tiergate.core.keys import Holder, HolderKind, KeyRecord, Terms
from tiergate.core.tags import parse_tags
from tiergate.core.window import read_period

_SOURCES = MappingProxyType(
    {
        ScopeKind.KEY: Position("key/generate", 0),
        ScopeKind.USER: Position("user/new", 0),
        ScopeKind.TEAM: Position("team/new", 0),
    }
)
"""Where such budgets come from: routes take the place of files."""

_SCOPES = MappingProxyType({HolderKind.USER: ScopeKind.USER, HolderKind.TEAM: ScopeKind.TEAM})


def caller_of(
    key: KeyRecord, user: Holder | None, team: Holder | None, rules: KeyRules, now: float
) -> Caller | Refused:
    """Return who presents a key, or why it is not let in.

    Args:
        key: The key.
        user: Its user; None where it names none, or one that nobody made: such a user has no
            limits but the file's for all users.
        team: Its team; None where it names none, or one that was deleted: then nothing is let in.
        rules: The rules of the configuration.
        now: Unix seconds.
    """
    refusal = _refusal(key, user, team, now)
    if refusal is not None:
        return refusal
    owner = user or (Holder(kind=HolderKind.USER, id=key.user) if key.user else None)
    holders = [holder for holder in (owner, team) if holder is not None]
    budgets = [key_budget(key, rules), *(holder_budget(each, rules) for each in holders)]
    all_terms = [key.terms, *(holder.terms for holder in holders)]
    return Caller(
        name=key.alias or key.masked,
        key=key.hash,
        user=key.user,
        team=key.team,
        aliases=_aliases(key, user, team, rules.names),
        tags=_tags(all_terms),
        metadata=key.terms.metadata,
        budgets=tuple(budgets),
        limits=tuple(
            (str(budget_id(budget.rule.scope, budget.rule.name)), limits)
            for budget, terms in zip(budgets, all_terms, strict=True)
            if (limits := _limits(terms)).any
        ),
        budget_fallbacks=_chains(key, rules.names),
        guardrails=_guardrails(all_terms),
        alias=key.alias,
        team_alias=team.alias if team is not None else "",
        email=user.email if user is not None else "",
        team_metadata=team.terms.metadata if team is not None else {},
    )


def key_budget(key: KeyRecord, rules: KeyRules) -> Budget:
    """Return the budget of a key; without a cap it only counts."""
    return _budget(ScopeKind.KEY, key.hash, key.terms, rules)


def holder_budget(holder: Holder, rules: KeyRules) -> Budget:
    """Return the budget of a user or team.

    A user without a cap of their own has that of `max_internal_user_budget`.
    """
    return _budget(_SCOPES[holder.kind], holder.id, effective_terms(holder, rules), rules)


def effective_terms(holder: Holder, rules: KeyRules) -> Terms:
    """Return the terms of a user or team, the file's cap for all users brought in."""
    terms, defaults = holder.terms, rules.defaults
    if (
        holder.kind is not HolderKind.USER
        or terms.max_budget is not None
        or defaults.user_budget is None
    ):
        return terms
    own = terms.period != "none"
    return replace(
        terms,
        max_budget=defaults.user_budget,
        window=terms.window if own else defaults.user_window,
        period=terms.period if own else defaults.user_period,
    )


def unknown_key() -> Refused:
    """Make the refusal of a key that nobody made, or that was deleted."""
    return Refused(
        401,
        "The gateway does not know this key: it was never made here, or it was deleted. Send a "
        "key of the gateway as `Authorization: Bearer KEY` or `x-api-key: KEY` (not a "
        "provider's key).",
        code="invalid_api_key",
        type="authentication_error",
    )


def _refusal(
    key: KeyRecord, user: Holder | None, team: Holder | None, now: float
) -> Refused | None:
    if key.expires is not None and now >= key.expires:
        return Refused(
            401,
            "This key has expired. Ask the administrator of the gateway for a new one.",
            code="expired_key",
            type="authentication_error",
        )
    if key.terms.blocked:
        return _blocked("This key is", code="key_blocked")
    if user is not None and user.terms.blocked:
        return _blocked("The user of this key is", code="user_blocked")
    if team is not None and team.terms.blocked:
        return _blocked("The team of this key is", code="team_blocked")
    if key.team and team is None:
        return Refused(
            403,
            "The team of this key was deleted. Ask the administrator for a new key.",
            code="team_not_found",
            type="permission_error",
        )
    return None


def _blocked(who: str, *, code: str) -> Refused:
    return Refused(
        403,
        f"{who} blocked. Ask the administrator of the gateway.",
        code=code,
        type="permission_error",
    )


def _aliases(
    key: KeyRecord, user: Holder | None, team: Holder | None, names: Mapping[str, AliasName]
) -> frozenset[AliasName] | None:
    """Return the aliases that a key may use; None means all.

    A user's `models` hold for keys without a team only (LiteLLM checks them for personal keys).
    A name that the configuration has lost since is passed over; it opens nothing.
    """
    allowed = _allowed(key.terms.models, names)
    if team is not None:
        allowed = _both(allowed, _allowed(team.terms.models, names))
    elif user is not None:
        allowed = _both(allowed, _allowed(user.terms.models, names))
    return allowed


def _allowed(
    models: tuple[str, ...], names: Mapping[str, AliasName]
) -> frozenset[AliasName] | None:
    if NO_MODELS in models:
        return frozenset()
    if not models or ALL_MODELS in models or TEAM_MODELS in models:
        return None
    return frozenset(names[name] for name in models if name in names)


def _both(
    one: frozenset[AliasName] | None, other: frozenset[AliasName] | None
) -> frozenset[AliasName] | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other


def _tags(all_terms: list[Terms]) -> tuple[str, ...]:
    """Return the tags of key, user and team; LiteLLM also takes those of `metadata.tags`."""
    found: dict[str, None] = {}
    for terms in all_terms:
        noted = parse_tags(terms.metadata.get("tags"), "metadata.tags")
        found |= dict.fromkeys((*terms.tags, *noted))
    return tuple(found)


def _guardrails(all_terms: list[Terms]) -> tuple[str, ...]:
    """Return the guards of key, user and team; LiteLLM also takes those of `metadata`."""
    found: dict[str, None] = {}
    for terms in all_terms:
        noted = terms.metadata.get("guardrails")
        found |= dict.fromkeys(terms.guardrails)
        found |= (
            {name: None for name in noted if isinstance(name, str)}
            if isinstance(noted, list)
            else {}
        )
    return tuple(found)


def _limits(terms: Terms) -> RateLimits:
    return RateLimits(rpm=terms.rpm, tpm=terms.tpm, parallel=terms.parallel)


def _chains(
    key: KeyRecord, names: Mapping[str, AliasName]
) -> Mapping[AliasName, tuple[AliasName, ...]]:
    return MappingProxyType(
        {
            names[alias]: tuple(dict.fromkeys(names[each] for each in chain if each in names))
            for alias, chain in key.chains
            if alias in names
        }
    )


def _budget(scope: ScopeKind, name: str, terms: Terms, rules: KeyRules) -> Budget:
    rule = BudgetRule(
        scope=scope,
        name=name,
        limit=NO_LIMIT if terms.max_budget is None else terms.max_budget,
        window=terms.window,
        period=terms.period,
        source=_SOURCES[scope],
        soft=terms.soft_budget,
        on_store_failure=terms.on_store_failure or rules.on_store_failure,
    )
    return Budget(rule, read_period(terms.period, rules.zone))
