"""In which budgets a call counts: those of its deployment, its caller, its tags and its ticket.

What is fixed by the configuration is worked out once; the rest is looked up by name. Whether a
budget can bear a call is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from zoneinfo import ZoneInfo

from tiergate.base.remembering import remember
from tiergate.base.values import Position
from tiergate.core.budget import Budget, BudgetId, budget_id
from tiergate.core.caller import Caller
from tiergate.core.catalog import (
    NO_LIMIT,
    BudgetRule,
    Deployment,
    EachBudget,
    ScopeKind,
    Settings,
)
from tiergate.core.slices import Slices
from tiergate.core.window import Period, Total, read_period
from tiergate.ports import Inbound

GATEWAY = "gateway"
_MOST_NAMES = 20_000
"""Budgets of tickets and users remembered; forgotten ones are made again when they are needed."""

_WIDEST_FIRST = (
    ScopeKind.GATEWAY,
    ScopeKind.ALIAS,
    ScopeKind.PROVIDER,
    ScopeKind.DEPLOYMENT,
)
"""Where several budgets refuse, the caller is told of the one that binds most calls."""

_NARROW = (ScopeKind.PROVIDER, ScopeKind.DEPLOYMENT)
_COUNTED = Position("", 0)


@dataclass(frozen=True, slots=True)
class _Each:
    """A budget for every name of a scope."""

    budget: EachBudget
    period: Period


@dataclass(slots=True)
class Scopes:
    """The budgets of one configuration.

    Attributes:
        fixed: The budgets of the file, and one that only counts for each provider, so that what
            was spent is known without any limit; together they are the whole gateway's.
    """

    slices: Slices
    fixed: tuple[Budget, ...] = ()
    _by_id: Mapping[BudgetId, Budget] = field(default_factory=lambda: MappingProxyType({}))
    _tags: Mapping[str, BudgetId] = field(default_factory=lambda: MappingProxyType({}))
    _each: tuple[_Each, ...] = ()
    _named: dict[tuple[ScopeKind, str], Budget] = field(
        default_factory=dict[tuple[ScopeKind, str], Budget]
    )
    _callers: dict[str, tuple[Caller, tuple[BudgetId, ...]]] = field(
        default_factory=dict[str, tuple[Caller, tuple[BudgetId, ...]]]
    )

    @staticmethod
    def of(slices: Slices, settings: Settings, zone: ZoneInfo) -> Scopes:
        """Work out the budgets of a configuration."""
        budgets = [Budget(rule, read_period(rule.period, zone)) for rule in settings.budgets]
        providers = dict.fromkeys(d.provider for d in settings.deployments)
        budgets += [_counting(ScopeKind.PROVIDER, name) for name in providers]
        tags = {
            budget.rule.name: budget.id for budget in budgets if budget.rule.scope is ScopeKind.TAG
        }
        return Scopes(
            slices,
            tuple(budgets),
            {budget.id: budget for budget in budgets},
            tags,
            tuple(_Each(e, read_period(e.period, zone)) for e in settings.each_budgets),
        )

    def touched(self, deployment: Deployment) -> tuple[BudgetId, ...]:
        """Return the budgets that every call of a deployment counts in; widest first."""
        names = {
            ScopeKind.GATEWAY: GATEWAY,
            ScopeKind.ALIAS: deployment.alias,
            ScopeKind.PROVIDER: deployment.provider,
            ScopeKind.DEPLOYMENT: deployment.id,
        }
        capped = [budget_id(scope, names[scope]) for scope in _WIDEST_FIRST]
        found = [name for name in capped if name in self._by_id]
        found.append(_counting(ScopeKind.PROVIDER, deployment.provider).id)
        return tuple(found)

    def narrow(self, deployment: Deployment) -> tuple[BudgetId, ...]:
        """Return those with a limit whose exhaustion only bars this deployment."""
        found = (self._by_id[name] for name in self.touched(deployment))
        return tuple(b.id for b in found if b.rule.capped and b.rule.scope in _NARROW)

    def refuse_unpriced(self, deployment: Deployment) -> None:
        """Raise where a limit would have to count a model that has no price.

        Raises:
            ValueError: It names model and budget.
        """
        for name in self.touched(deployment):
            if self._by_id[name].rule.capped:
                raise ValueError(
                    f"{deployment.model} has no price, and the budget {name} has to count it"
                )

    def all(self, inbound: Inbound, touched: tuple[BudgetId, ...]) -> tuple[BudgetId, ...]:
        """Return every budget that a call of this request counts in."""
        caller = inbound.caller
        found = touched
        if caller.budgets:
            found += self._of_caller(caller)
        if self._tags:
            found += tuple(
                self._tags[tag] for tag in dict.fromkeys(inbound.tags) if tag in self._tags
            )
        for each in self._each:
            name = _name(each.budget.scope, inbound)
            if name:
                found += (self._of_name(each, name),)
        return found

    def limits_of(self, inbound: Inbound) -> Iterator[BudgetRule]:
        """Yield the limits that a request brings with it: of its key, user, team, tags, ticket."""
        for budget in inbound.caller.budgets:
            if budget.rule.capped:
                yield budget.rule
        for tag in inbound.tags:
            if tag in self._tags:
                yield self._by_id[self._tags[tag]].rule
        for each in self._each:
            if name := _name(each.budget.scope, inbound):
                yield each.budget.rule(name)

    def rule(self, name: BudgetId) -> BudgetRule:
        """Return the rule of a budget of the configuration.

        Raises:
            KeyError: It is none of the configuration.
        """
        return self._by_id[name].rule

    def _of_caller(self, caller: Caller) -> tuple[BudgetId, ...]:
        known = self._callers.get(caller.key)
        if known is None or known[0] is not caller:
            known = (caller, tuple(budget.id for budget in caller.budgets))
            remember(self._callers, caller.key, known, _MOST_NAMES)
        self._ensure(caller.budgets)
        return known[1]

    def _of_name(self, each: _Each, name: str) -> BudgetId:
        key = (each.budget.scope, name)
        budget = self._named.get(key)
        if budget is None:
            budget = Budget(each.budget.rule(name), each.period)
            remember(self._named, key, budget, _MOST_NAMES)
        self._ensure((budget,))
        return budget.id

    def _ensure(self, budgets: Iterable[Budget]) -> None:
        for budget in budgets:
            self.slices.ensure(budget)


def _name(scope: ScopeKind, inbound: Inbound) -> str:
    match scope:
        case ScopeKind.TICKET:
            return inbound.purpose.ticket
        case ScopeKind.END_USER:
            return inbound.user or ""
        case ScopeKind.USER:
            return inbound.caller.user
        case ScopeKind.TEAM:
            return inbound.caller.team
        case ScopeKind.KEY:
            return inbound.caller.key
        case _:
            return ""


def _counting(scope: ScopeKind, name: str) -> Budget:
    """Return a budget without a limit: it counts what was ever spent."""
    rule = BudgetRule(
        scope=scope, name=name, limit=NO_LIMIT, window="none", period="none", source=_COUNTED
    )
    return Budget(rule, Total())
