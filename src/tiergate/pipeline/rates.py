"""Rate limits: requests and tokens per minute, and requests at the same time.

The arithmetic is that of budgets in other units (`core.slices`): a request is held before it is
made and settled after it, so a limit holds over all workers and replicas. Whose limits a request
touches is told; what a caller is answered is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tiergate.base.errors import Refused
from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, BudgetId, Hold, Standing
from tiergate.core.caller import RateLimits
from tiergate.core.catalog import BudgetRule, OnStoreFailure, ScopeKind
from tiergate.core.slice import Short, Unreachable
from tiergate.core.window import Rolling, Total
from tiergate.pipeline.leasing import Leasing
from tiergate.ports import BudgetStop, Clock, Pending

MINUTE = 60
HOLD_SECONDS = 7200.0

_NOWHERE = Position("", 0)


class Kind(Enum):
    """What is limited."""

    REQUESTS = "rpm"
    TOKENS = "tpm"
    PARALLEL = "parallel"


_WORDS = {
    Kind.REQUESTS: "requests per minute",
    Kind.TOKENS: "tokens per minute",
    Kind.PARALLEL: "requests at the same time",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One limit that a request touches."""

    id: BudgetId
    kind: Kind
    scope: ScopeKind
    name: str
    limit: int


@dataclass(slots=True)
class Taken:
    """What a request has of its limits until it ends."""

    holds: list[tuple[Claim, Hold]]


class Rates:
    """All rate limits of a worker.

    Args:
        leasing: The slices that requests and tokens are held in.
        wall: Unix seconds.
    """

    def __init__(self, leasing: Leasing, wall: Clock) -> None:
        self._leasing = leasing
        self._wall = wall

    def claims(self, scope: ScopeKind, name: str, limits: RateLimits) -> tuple[Claim, ...]:
        """Return what the limits of somebody mean; made once, not per request."""
        found: list[Claim] = []
        for kind, limit in (
            (Kind.REQUESTS, limits.rpm),
            (Kind.TOKENS, limits.tpm),
            (Kind.PARALLEL, limits.parallel),
        ):
            if limit is not None:
                budget = _budget(scope, name, kind, limit)
                self._leasing.slices.ensure(budget)
                found.append(Claim(budget.id, kind, scope, name, limit))
        return tuple(found)

    def try_take(self, claims: Sequence[Claim], tokens: int) -> Taken | BudgetStop | Pending:
        """Hold a request in all its limits or in none.

        Args:
            claims: The limits.
            tokens: The most tokens it can use.
        """
        now = self._wall()
        taken = Taken([])
        for claim in claims:
            found = self._try(claim, tokens, now)
            if isinstance(found, Hold):
                taken.holds.append((claim, found))
                continue
            self._give_back(taken)
            if isinstance(found, Short):
                return Pending(lambda: self._take(claims, tokens))
            return _stop(claim, found, tokens, now)
        return taken

    def end(self, taken: Taken, tokens: int) -> None:
        """End a request: it was made, and used so many tokens."""
        for claim, hold in taken.holds:
            match claim.kind:
                case Kind.REQUESTS:
                    self._leasing.settle(hold, 1)
                case Kind.TOKENS:
                    self._leasing.settle(hold, tokens)
                case Kind.PARALLEL:
                    self._leasing.release(hold)

    def cancel(self, taken: Taken) -> None:
        """End a request that was never made."""
        self._give_back(taken)

    def headers(self, taken: Taken) -> list[tuple[str, str]]:
        """Return the usual `x-ratelimit-*` headers: those of the tightest limit of each kind."""
        now = self._wall()
        tightest: dict[Kind, tuple[int, int, float]] = {}
        for claim, hold in taken.holds:
            if claim.kind is Kind.PARALLEL:
                continue
            left, ends = self._leasing.left_of(hold)
            until = max(0.0, ends - now)
            known = tightest.get(claim.kind)
            if known is None or left < known[0]:
                tightest[claim.kind] = (left, claim.limit, until)
        found: list[tuple[str, str]] = []
        for kind, word in ((Kind.REQUESTS, "requests"), (Kind.TOKENS, "tokens")):
            if kind in tightest:
                left, limit, until = tightest[kind]
                found += [
                    (f"x-ratelimit-limit-{word}", str(limit)),
                    (f"x-ratelimit-remaining-{word}", str(left)),
                    (f"x-ratelimit-reset-{word}", f"{math.ceil(until)}s"),
                ]
        return found

    # ------------------------------------------------------------------ inside

    async def _take(self, claims: Sequence[Claim], tokens: int) -> Taken | BudgetStop:
        taken = Taken([])
        try:
            for claim in claims:
                now = self._wall()
                found = self._try(claim, tokens, now)
                if isinstance(found, Short):
                    found = await self._leasing.hold([claim.id], found, now, HOLD_SECONDS)
                if not isinstance(found, Hold):
                    self._give_back(taken)
                    return _stop(claim, found, tokens, self._wall())
                taken.holds.append((claim, found))
        except BaseException:
            self._give_back(taken)
            raise
        return taken

    def _try(self, claim: Claim, tokens: int, now: float) -> Hold | Standing | Short | Unreachable:
        amount = tokens if claim.kind is Kind.TOKENS else 1
        if not self._leasing.slices.knows(claim.id):
            limits = _budget(claim.scope, claim.name, claim.kind, claim.limit)
            self._leasing.slices.ensure(limits)
        return self._leasing.try_hold([claim.id], amount, now, now + HOLD_SECONDS)

    def _give_back(self, taken: Taken) -> None:
        for _, hold in taken.holds:
            self._leasing.release(hold)
        taken.holds.clear()


def _budget(scope: ScopeKind, name: str, kind: Kind, limit: int) -> Budget:
    """Return a limit as a budget whose unit is requests or tokens.

    While its store does not answer it lets requests through: a rate limit protects from haste,
    not from a bill.
    """
    per_minute = kind is not Kind.PARALLEL
    rule = BudgetRule(
        scope=scope,
        name=f"{name}#{kind.value}",
        limit=NanoUsd(limit),
        window="minute" if per_minute else "none",
        period=f"rolling:{MINUTE}" if per_minute else "none",
        source=_NOWHERE,
        on_store_failure=OnStoreFailure.ALLOW,
        lapses=not per_minute,
    )
    return Budget(rule, Rolling(MINUTE) if per_minute else Total())


def _stop(claim: Claim, why: Standing | Unreachable, tokens: int, now: float) -> BudgetStop:
    whose = _whose(claim)
    headers: list[tuple[str, str]] = []
    if isinstance(why, Unreachable):
        message = f"The rate limits of {whose} cannot be checked: their store does not answer."
        return BudgetStop(claim.scope, Refused(503, message, code="budget_store_unavailable"))
    message = f"{whose[0].upper()}{whose[1:]} may make {claim.limit} {_WORDS[claim.kind]}"
    if claim.kind is Kind.TOKENS:
        message = (
            f"{whose[0].upper()}{whose[1:]} may use {claim.limit} tokens per minute; "
            f"{why.settled + why.held} are used or held, and this call may need {tokens}"
        )
    ends = why.span.end if why.span is not None else None
    if ends is not None:
        wait = max(1, math.ceil(ends - now))
        message += f". The limit resets in {wait} s."
        headers.append(("retry-after", str(wait)))
    else:
        message += ", and has as many under way. Try again when one has ended."
        headers.append(("retry-after", "1"))
    refused = Refused(
        429,
        message,
        code="rate_limit_exceeded",
        type="rate_limit_error",
        anthropic_type="rate_limit_error",
        headers=tuple(headers),
        details=(
            ("scope", claim.scope.value),
            ("limit_kind", claim.kind.value),
            ("limit", claim.limit),
        ),
    )
    return BudgetStop(claim.scope, refused)


def _whose(claim: Claim) -> str:
    match claim.scope:
        case ScopeKind.KEY:
            return "this key"
        case ScopeKind.DEPLOYMENT:
            return f"the deployment {claim.name}"
        case _:
            return f"the {claim.scope.value.replace('_', ' ')} {claim.name}"
