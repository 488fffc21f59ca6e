"""Money of the calls: holds before an attempt, settlement after it, and what has been spent.

It decides what a call may cost at most, in which budgets it counts, and what a caller is told
when one refuses. How holds are kept is the store's matter; what follows from a refusal is decided
by `core.plan`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from zoneinfo import ZoneInfo

from tiergate.base.values import DeploymentId, NanoUsd, Operation, Usage
from tiergate.core.budget import Budget, BudgetId, Hold, Standing, budget_id
from tiergate.core.catalog import BudgetRule, Deployment, ScopeKind, Settings
from tiergate.core.cost import Price, ceiling, cost
from tiergate.core.window import read_period
from tiergate.pipeline.overspent import named, refusal, utc_text
from tiergate.ports import BudgetStop, BudgetStore, Clock, HoldToken, Inbound
from tiergate.wire.members import BodyError, Members

HOLD_SECONDS = 7200.0
"""After this time a hold is charged in full; longer than any call that is still alive."""

DEFAULT_OUTPUT_TOKENS = 4096
"""Output that is held for where nobody sets a limit and the model's own is not known."""

_WIDEST_FIRST = (
    ScopeKind.GATEWAY,
    ScopeKind.ALIAS,
    ScopeKind.PROVIDER,
    ScopeKind.DEPLOYMENT,
)
"""Where several budgets refuse, the caller is told of the one that binds most calls."""


def _unknown(_deployment: Deployment) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget as it is shown; money in nano-USD, `resets_at` in ISO 8601 (UTC).

    `resets_at` is None where the window has no end or has not begun.
    """

    scope: str
    name: str
    limit: int
    spent: int
    held: int
    window: str
    resets_at: str | None
    forecast: int | None


@dataclass(frozen=True, slots=True)
class _Bound:
    """A priced deployment that budgets apply to."""

    price: Price
    budgets: tuple[BudgetId, ...]
    output_tokens: int


class Spend:
    """Implements `ports.Accounts`.

    Args:
        store: Keeps the balances.
        estimate: The most prompt tokens that a request can have at a deployment.
        wall: Unix seconds.
        bound: The most output tokens that a deployment gives where neither caller nor file sets a
            limit; None where that is not known, and `DEFAULT_OUTPUT_TOKENS` are held for.
    """

    def __init__(
        self,
        store: BudgetStore,
        estimate: Callable[[Inbound, Deployment], int],
        wall: Clock,
        bound: Callable[[Deployment], int | None] = _unknown,
    ) -> None:
        self._store = store
        self._estimate = estimate
        self._wall = wall
        self._bound_output = bound
        self._bound: Mapping[DeploymentId, _Bound] = MappingProxyType({})
        self._prices: Mapping[DeploymentId, Price | None] = MappingProxyType({})
        self._earlier: Mapping[DeploymentId, Price | None] = MappingProxyType({})
        self._own: Mapping[DeploymentId, tuple[BudgetId, ...]] = MappingProxyType({})
        self._total = 0
        self._by_provider: dict[str, int] = {}

    def configure(self, settings: Settings, priced: Mapping[DeploymentId, Price | None]) -> None:
        """Take over a configuration; budgets that are still there go on with what is spent.

        Args:
            settings: What the file says.
            priced: The price of every deployment, None where there is none.

        Raises:
            ValueError: A budget applies to a deployment that has no price.
        """
        zone = ZoneInfo(settings.budget_timezone)
        budgets = [Budget(rule, read_period(rule.period, zone)) for rule in settings.budgets]
        scopes = {budget.id: budget.rule.scope for budget in budgets}
        bound: dict[DeploymentId, _Bound] = {}
        own: dict[DeploymentId, tuple[BudgetId, ...]] = {}
        for deployment in settings.deployments:
            touched = tuple(name for name in _touched(deployment) if name in scopes)
            price = priced.get(deployment.id)
            if not touched or (price is not None and price.free):
                continue
            if price is None:
                raise ValueError(
                    f"{deployment.model} has no price, and the budget {touched[0]} has to count it"
                )
            limit = deployment.default_max_tokens or self._bound_output(deployment)
            limit = limit or DEFAULT_OUTPUT_TOKENS
            bound[deployment.id] = _Bound(price, touched, limit)
            narrow = tuple(
                name
                for name in touched
                if scopes[name] in (ScopeKind.PROVIDER, ScopeKind.DEPLOYMENT)
            )
            if narrow:
                own[deployment.id] = narrow
        self._store.configure(budgets)
        self._bound, self._own = bound, own
        self._earlier, self._prices = self._prices, dict(priced)

    # ------------------------------------------------------------------ the calls

    def hold(
        self,
        inbound: Inbound,
        deployment: Deployment,
        now: float,  # noqa: ARG002 - the port's monotonic time; windows need Unix time
    ) -> HoldToken | BudgetStop | None:
        """Set aside the most the attempt can cost; see `ports.Accounts.hold`."""
        bound = self._bound.get(deployment.id)
        if bound is None:
            return None
        output = _output_limit(inbound, bound.output_tokens)
        amount = ceiling(self._estimate(inbound, deployment), output, bound.price)
        wall = self._wall()
        held = self._store.try_hold(bound.budgets, amount, wall, wall + HOLD_SECONDS)
        if isinstance(held, Hold):
            return held
        return BudgetStop(held.budget.rule.scope, refusal(held, amount, wall))

    def settle(
        self,
        hold: HoldToken | None,
        deployment: Deployment,
        usage: Usage | None,
        now: float,  # noqa: ARG002 - see `hold`
    ) -> NanoUsd | None:
        """Replace a hold by the true cost; see `ports.Accounts.settle`.

        Where the provider told no usage the hold is the cost: what was spent is not known, and
        that it was no more than this is.
        """
        amount = self._cost(hold, deployment, usage)
        if hold is not None:
            self._store.settle(_ours(hold), amount or NanoUsd(0))
        if amount:
            self._total += amount
            spent = self._by_provider
            spent[deployment.provider] = spent.get(deployment.provider, 0) + amount
        return amount

    def release(
        self,
        hold: HoldToken | None,
        now: float,  # noqa: ARG002 - see `hold`
    ) -> None:
        """Give a hold back: the attempt cost nothing."""
        if hold is not None:
            self._store.release(_ours(hold))

    def over(self, deployment: Deployment) -> str | None:
        """Say why a budget of the deployment or its provider is used up; None when it is not."""
        names = self._own.get(deployment.id)
        if names is None:
            return None
        now = self._wall()
        for name in names:
            standing = self._store.standing(name, now)
            if standing.left <= 0:
                return f"{named(standing.budget.rule)} is used up"
        return None

    def _cost(
        self, hold: HoldToken | None, deployment: Deployment, usage: Usage | None
    ) -> NanoUsd | None:
        if usage is None:
            return _ours(hold).amount if hold is not None else None
        price = self._prices.get(deployment.id) or self._earlier.get(deployment.id)
        return None if price is None else cost(usage, price)

    # ------------------------------------------------------------------ what is shown

    @property
    def total(self) -> int:
        """nano-USD spent since the start, with or without budgets."""
        return self._total

    def provider_spend(self) -> Mapping[str, int]:
        """Return nano-USD spent since the start by provider; together they are `total`."""
        return MappingProxyType(self._by_provider)

    def rows(self, now_wall: float) -> list[BudgetRow]:
        """Return every budget as it stands at a Unix time."""
        self._store.expire(now_wall)
        return [_row(standing, now_wall) for standing in self._store.standings(now_wall)]

    # ------------------------------------------------------------------ what routing asks

    @property
    def limits_deployments(self) -> bool:
        """Whether a provider or a deployment has a budget, so that routing must ask `over`."""
        return bool(self._own)

    def price_view(self, deployment: Deployment) -> int | None:
        """Return nano-USD for a million input and a million output tokens; None if unknown."""
        price = self._prices.get(deployment.id)
        return None if price is None else price.rates.input + price.rates.output


def _touched(deployment: Deployment) -> Iterable[BudgetId]:
    """Return the budgets that a call of a deployment counts in, if they exist; widest first."""
    names = {
        ScopeKind.GATEWAY: "gateway",
        ScopeKind.ALIAS: deployment.alias,
        ScopeKind.PROVIDER: deployment.provider,
        ScopeKind.DEPLOYMENT: deployment.id,
    }
    return [budget_id(scope, names[scope]) for scope in _WIDEST_FIRST]


def _ours(hold: HoldToken) -> Hold:
    if not isinstance(hold, Hold):
        raise TypeError(f"{hold!r} is not a hold of these accounts")
    return hold


_LIMITS = ("max_completion_tokens", "max_tokens")
"""Where both are given the larger counts: which one a host obeys is not known here."""

_CHOICES = ("n", "best_of")
"""How many answers the provider makes; each is paid for."""


def _output_limit(inbound: Inbound, otherwise: int) -> int:
    """Return the most tokens that the answer can have, all choices together."""
    if inbound.operation is Operation.EMBEDDING:
        return 0
    members, limit = inbound.members, -1
    for name in _LIMITS:
        if name in members:
            limit = max(limit, _number(members, name, -1))
    if limit < 0:
        limit = otherwise
    choices = 1
    for name in _CHOICES:
        if name in members:
            choices = max(choices, _number(members, name, 1))
    return limit * choices


def _number(members: Members, name: str, otherwise: int) -> int:
    """Return a member's whole number, rounded up (1e3 is one in JSON)."""
    try:
        given = members.get(name)
    except BodyError:  # a field that this dialect does not have, so nobody has checked it
        return otherwise
    return math.ceil(given) if isinstance(given, int | float) else otherwise


def _row(standing: Standing, now: float) -> BudgetRow:
    rule: BudgetRule = standing.budget.rule
    span = standing.span
    ends = span.end if span is not None else None
    return BudgetRow(
        scope=rule.scope.value,
        name=rule.name,
        limit=rule.limit,
        spent=standing.settled,
        held=standing.held,
        window=rule.window,
        resets_at=utc_text(ends) if ends is not None else None,
        forecast=standing.forecast(now),
    )
