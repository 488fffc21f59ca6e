"""Money of the calls: holds before an attempt, settlement after it.

It decides what a call may cost at most and what a caller is told when a budget refuses. In which
budgets a call counts is `pipeline.scopes`' matter, how holds are kept is `pipeline.leasing`'s,
how fast a caller may go is `pipeline.rates`'; what follows from a refusal is decided by
`core.plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from zoneinfo import ZoneInfo

from tiergate.base.errors import Refused
from tiergate.base.remembering import remember
from tiergate.base.values import AliasName, DeploymentId, NanoUsd, Usage
from tiergate.core.budget import Budget, BudgetId, Hold
from tiergate.core.caller import Caller, RateLimits
from tiergate.core.catalog import Deployment, ScopeKind, Settings
from tiergate.core.cost import Order, Price, ceiling, cost, cost_if_known, is_certain
from tiergate.core.routing import Over
from tiergate.core.slice import Short
from tiergate.pipeline.books import Books
from tiergate.pipeline.holding import (
    DEFAULT_OUTPUT_TOKENS,
    HOLD_SECONDS,
    Bound,
    Holding,
    nothing_special,
    ours,
    stopped,
    unknown,
)
from tiergate.pipeline.leasing import Leasing
from tiergate.pipeline.output import output_limit
from tiergate.pipeline.overspent import named, refusal
from tiergate.pipeline.rates import Claim, Kind, Rates, Taken
from tiergate.pipeline.scopes import Scopes
from tiergate.ports import BudgetStop, Clock, Decision, HoldToken, Inbound, Pending

_MOST_CALLERS = 10_000
_MOST_GONE = 1000


class Spend:
    """Implements `ports.Accounts`.

    Args:
        leasing: The slices in which money is held.
        estimate: The most prompt tokens that a request can have at a deployment.
        wall: Unix seconds.
        bound: The most output tokens that a deployment gives where neither caller nor file sets a
            limit; None where that is not known, and `DEFAULT_OUTPUT_TOKENS` are held for.
        rates: The rate limits; None where nothing is limited.
        books: Journal and ledger; None keeps no books.
        order: What a request asks for beside tokens, as far as it changes the price.
    """

    def __init__(
        self,
        leasing: Leasing,
        estimate: Callable[[Inbound, Deployment], int],
        wall: Clock,
        bound: Callable[[Deployment], int | None] = unknown,
        *,
        rates: Rates | None = None,
        books: Books | None = None,
        order: Callable[[Inbound, Deployment], Order] = nothing_special,
    ) -> None:
        self.leasing = leasing
        self._estimate = estimate
        self._wall = wall
        self._bound_output = bound
        self._rates = rates
        self._books = books
        self._order = order
        self._scopes = Scopes(leasing.slices)
        self._bound: Mapping[DeploymentId, Bound] = MappingProxyType({})
        self._gone: dict[DeploymentId, Bound] = {}
        self._prices: Mapping[DeploymentId, Price | None] = MappingProxyType({})
        self._own: Mapping[DeploymentId, tuple[BudgetId, ...]] = MappingProxyType({})
        self._first: Mapping[AliasName, Deployment] = MappingProxyType({})
        self._limits: dict[str, tuple[Caller, tuple[Claim, ...]]] = {}

    def configure(self, settings: Settings, priced: Mapping[DeploymentId, Price | None]) -> None:
        """Take over a configuration; budgets that are still there go on with what is spent.

        Args:
            settings: What the file says.
            priced: The price of every deployment, None where there is none.

        Raises:
            ValueError: A budget applies to a deployment that has no price.
        """
        scopes = Scopes.of(self.leasing.slices, settings, ZoneInfo(settings.budget_timezone))
        bound: dict[DeploymentId, Bound] = {}
        own: dict[DeploymentId, tuple[BudgetId, ...]] = {}
        for deployment in settings.deployments:
            price = priced.get(deployment.id)
            if price is None:
                scopes.refuse_unpriced(deployment)
            elif not price.free and (narrow := scopes.narrow(deployment)):
                own[deployment.id] = narrow
            counts = price is not None and not price.free
            bound[deployment.id] = Bound(
                price if counts else None,
                scopes.touched(deployment) if counts else (),
                deployment.default_max_tokens
                or self._bound_output(deployment)
                or DEFAULT_OUTPUT_TOKENS,
                self._own_limits(deployment),
            )
        self.leasing.configure(scopes.fixed)
        self._scopes = scopes
        self._keep_gone(bound)
        self._bound, self._own = bound, own
        self._first = {d.alias: d for d in reversed(settings.deployments)}
        self._prices = dict(priced)

    # ------------------------------------------------------------------ requests

    def admit(self, inbound: Inbound) -> Decision:
        """Count a request in the rate limits of its caller; see `ports.Accounts.admit`."""
        caller = inbound.caller
        if not caller.limits or self._rates is None:
            return None
        claims = self._claims_of(caller, self._rates)
        tokens = 0
        if any(claim.kind is Kind.TOKENS for claim in claims):
            deployment = self._first.get(inbound.alias)
            tokens = self._most_tokens(inbound, deployment) if deployment is not None else 0
        return self._rates.try_take(claims, tokens)

    def leave(self, admission: HoldToken | None, tokens: int) -> None:
        """End what `admit` gave; see `ports.Accounts.leave`."""
        if isinstance(admission, Taken) and self._rates is not None:
            self._rates.end(admission, tokens)

    def limit_headers(self, admission: HoldToken | None) -> list[tuple[str, str]]:
        """Return the `x-ratelimit-*` headers for a caller that has limits."""
        if isinstance(admission, Taken) and self._rates is not None:
            return self._rates.headers(admission)
        return []

    # ------------------------------------------------------------------ attempts

    def hold(
        self,
        inbound: Inbound,
        deployment: Deployment,
        now: float,  # noqa: ARG002 - the port's monotonic time; windows need Unix time
    ) -> Decision:
        """Set aside the most the attempt can cost; see `ports.Accounts.hold`."""
        bound = self._bound.get(deployment.id) or self._gone.get(deployment.id)
        if bound is None:
            return None
        if bound.claims:
            return Pending(lambda: self._hold_all(inbound, deployment, bound))
        return self._hold_money(inbound, deployment, bound)

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
        holding = ours(hold)
        amount = self._cost(holding, deployment, usage)
        if holding is not None:
            used = usage.prompt_total + usage.output if usage is not None else 0
            self._end(holding, amount or 0, used)
        return amount

    def release(
        self,
        hold: HoldToken | None,
        now: float,  # noqa: ARG002 - see `hold`
    ) -> None:
        """Give a hold back: the attempt cost nothing."""
        holding = ours(hold)
        if holding is not None:
            self._end(holding, 0, 0)

    def entered(self, hold: HoldToken | None) -> tuple[float, bool]:
        """Return when a hold was made, and whether its cost is a bound; see `ports.Accounts`."""
        holding = ours(hold)
        return (0.0, False) if holding is None else (holding.booked, holding.bounded)

    def over(self, deployment: Deployment) -> Over | None:
        """Say why a budget of the deployment or its provider is used up; None when it is not."""
        names = self._own.get(deployment.id)
        if names is None:
            return None
        now = self._wall()
        for name in names:
            standing = self.leasing.slices.used_up(name, now)
            if standing is not None:
                rule = standing.budget.rule
                return Over(f"{named(rule)} is used up", refusal(standing, 0, now))
        return None

    # ------------------------------------------------------------------ what others ask

    @property
    def limits_deployments(self) -> bool:
        """Whether a provider or a deployment has a budget, so that routing must ask `over`."""
        return bool(self._own)

    @property
    def budgets(self) -> Sequence[Budget]:
        """The budgets of the configuration, those that only count included."""
        return self._scopes.fixed

    def price_view(self, deployment: Deployment) -> int | None:
        """Return nano-USD for a million input and a million output tokens; None if unknown."""
        price = self._prices.get(deployment.id)
        return None if price is None else price.rates.input + price.rates.output

    # ------------------------------------------------------------------ inside

    def _hold_money(
        self, inbound: Inbound, deployment: Deployment, bound: Bound
    ) -> Holding | BudgetStop | Pending | None:
        price = bound.price
        if price is None:
            return self._unpriced(inbound, deployment)
        output = output_limit(inbound, deployment, bound.output_tokens)
        order = self._order(inbound, deployment)
        amount = ceiling(self._estimate(inbound, deployment), output, price, order)
        budgets = self._scopes.all(inbound, bound.budgets)
        wall = self._wall()
        found = self.leasing.try_hold(budgets, amount, wall, wall + HOLD_SECONDS)
        if isinstance(found, Hold):
            return self._holding(inbound, deployment, found, wall, price)
        if isinstance(found, Short):
            short = found
            return Pending(lambda: self._wait(inbound, deployment, budgets, short, price))
        return stopped(found, amount, wall)

    def _unpriced(self, inbound: Inbound, deployment: Deployment) -> BudgetStop | None:
        """Refuse a model without a price where a limit of the caller would have to count it.

        Limits of the file are looked at before the start; those of keys, tags and tickets are not
        known then.
        """
        if self._prices.get(deployment.id) is not None:
            return None  # it is free, and somebody said so
        limit = next(self._scopes.limits_of(inbound), None)
        if limit is None:
            return None
        message = (
            f"{deployment.alias} cannot be used under {named(limit)}: the model has no price, so "
            "that what it costs could not be counted. Its prices can be written in the gateway's "
            "file (input_cost_per_token, output_cost_per_token, or pricing: free)."
        )
        return BudgetStop(limit.scope, Refused(400, message, code="model_not_priced"))

    async def _wait(
        self,
        inbound: Inbound,
        deployment: Deployment,
        budgets: Sequence[BudgetId],
        short: Short,
        price: Price,
    ) -> Holding | BudgetStop:
        found = await self.leasing.hold(budgets, short, self._wall(), HOLD_SECONDS)
        wall = self._wall()
        if isinstance(found, Hold):
            return self._holding(inbound, deployment, found, wall, price)
        return stopped(found, short.amount, wall)

    async def _hold_all(
        self, inbound: Inbound, deployment: Deployment, bound: Bound
    ) -> Holding | BudgetStop | None:
        """Take a deployment's own rate limits, then its money; both or nothing."""
        rates = self._rates
        if rates is None:
            return None
        taken: HoldToken | BudgetStop | Pending | None
        taken = rates.try_take(bound.claims, self._most_tokens(inbound, deployment))
        if isinstance(taken, Pending):
            taken = await taken.wait()
        if not isinstance(taken, Taken):
            return taken if isinstance(taken, BudgetStop) else None
        kept = False
        try:
            money: HoldToken | BudgetStop | Pending | None
            money = self._hold_money(inbound, deployment, bound)
            if isinstance(money, Pending):
                money = await money.wait()
            if isinstance(money, BudgetStop):
                return money
            held = money if isinstance(money, Holding) else Holding(None, 0, self._wall())
            held.taken = taken
            kept = True
            return held
        finally:
            if not kept:
                rates.cancel(taken)

    def _holding(
        self, inbound: Inbound, deployment: Deployment, hold: Hold, wall: float, price: Price
    ) -> Holding:
        books = self._books
        number = books.begin(inbound, deployment, hold, wall) if books is not None else 0
        return Holding(hold, number, wall, price)

    def _end(self, holding: Holding, amount: int, tokens: int) -> None:
        if holding.money is not None:
            self.leasing.slices.settle(holding.money, amount)
            if self._books is not None:
                self._books.settled(holding.number, amount)
        if holding.taken is not None and self._rates is not None:
            self._rates.end(holding.taken, tokens)

    def _keep_gone(self, bound: Mapping[DeploymentId, Bound]) -> None:
        """Remember deployments that a new configuration does not have.

        Requests that began before it may still try them, and are held for in the budgets that
        both configurations have.
        """
        gone = {name: one for name, one in self._bound.items() if name not in bound}
        self._gone = {n: one for n, one in (self._gone | gone).items() if n not in bound}
        for name in list(self._gone)[:-_MOST_GONE]:
            del self._gone[name]
        knows = self.leasing.slices.knows
        for name, one in self._gone.items():
            budgets = tuple(budget for budget in one.budgets if knows(budget))
            self._gone[name] = replace(one, budgets=budgets)

    def _own_limits(self, deployment: Deployment) -> tuple[Claim, ...]:
        if self._rates is None or (deployment.rpm is None and deployment.tpm is None):
            return ()
        limits = RateLimits(rpm=deployment.rpm, tpm=deployment.tpm)
        return self._rates.claims(ScopeKind.DEPLOYMENT, deployment.id, limits)

    def _claims_of(self, caller: Caller, rates: Rates) -> tuple[Claim, ...]:
        known = self._limits.get(caller.key)
        if known is None or known[0] is not caller:
            found: list[Claim] = []
            for prefix, limits in caller.limits:
                scope, _, name = prefix.partition(":")
                found += rates.claims(ScopeKind(scope), name, limits)
            known = (caller, tuple(found))
            remember(self._limits, caller.key, known, _MOST_CALLERS)
        return known[1]

    def _most_tokens(self, inbound: Inbound, deployment: Deployment) -> int:
        bound = self._bound.get(deployment.id)
        otherwise = bound.output_tokens if bound is not None else DEFAULT_OUTPUT_TOKENS
        output = output_limit(inbound, deployment, otherwise)
        return self._estimate(inbound, deployment) + output

    def _cost(
        self, holding: Holding | None, deployment: Deployment, usage: Usage | None
    ) -> NanoUsd | None:
        if usage is None:
            money = holding.money if holding is not None else None
            return money.amount if money is not None else None
        if holding is None or holding.price is None:
            return cost_if_known(usage, self._prices.get(deployment.id))
        holding.bounded = not is_certain(usage, holding.price)
        return cost(usage, holding.price)
