"""Money of the calls, as the pipeline sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from tiergate.base.errors import Refused
from tiergate.base.values import NanoUsd, Usage
from tiergate.core.catalog import Deployment, ScopeKind
from tiergate.core.routing import Over
from tiergate.ports.calls import Inbound


class HoldToken(Protocol):
    """An open hold; opaque to everybody but the `Accounts` that gave it."""


@dataclass(frozen=True, slots=True)
class BudgetStop:
    """A budget or a rate limit refused; nothing was set aside anywhere.

    `refusal` is a 429 `budget_exceeded` with scope, name, limit, spent, held and reset, a 429
    `rate_limit_exceeded`, or a 503 `budget_store_unavailable`.
    """

    scope: ScopeKind
    refusal: Refused


@dataclass(frozen=True, slots=True)
class Pending:
    """A decision that must be waited for, because what the worker has leased does not reach.

    `wait` asks the store. Whoever is cancelled while it waits holds nothing.
    """

    wait: Callable[[], Awaitable[HoldToken | BudgetStop | None]]


Decision: TypeAlias = HoldToken | BudgetStop | Pending | None
"""A hold; a stop; a decision to wait for; None where nothing applies."""


class Accounts(Protocol):
    """Money of this gateway: holds before a call, settlement after it."""

    def admit(self, inbound: Inbound) -> Decision:
        """Count a request in the rate limits of its caller; None when it has none."""
        ...

    def leave(self, admission: HoldToken | None, tokens: int) -> None:
        """End what `admit` gave, with the tokens that were used in all."""
        ...

    def limit_headers(self, admission: HoldToken | None) -> list[tuple[str, str]]:
        """Return the `x-ratelimit-*` headers for a caller that has limits."""
        ...

    def hold(self, inbound: Inbound, deployment: Deployment, now: float) -> Decision:
        """Set aside the most the attempt can cost, in every budget it touches or in none.

        A deployment's own rate limits are decided with it. None when nothing applies.
        """
        ...

    def settle(
        self, hold: HoldToken | None, deployment: Deployment, usage: Usage | None, now: float
    ) -> NanoUsd | None:
        """Replace a hold by the true cost.

        Returns:
            The cost in nano-USD; None when the model has no price, or the provider told no usage
            and nothing was held.
        """
        ...

    def release(self, hold: HoldToken | None, now: float) -> None:
        """Give a hold back: the attempt cost nothing."""
        ...

    def entered(self, hold: HoldToken | None) -> tuple[float, bool]:
        """Return how a hold that is settled goes into the books.

        Returns:
            The Unix time that decides its windows (0 without a hold), and whether its cost has a
            bound in it, because a price or a count is unknown.
        """
        ...

    def over(self, deployment: Deployment) -> Over | None:
        """Say why a budget of the deployment or its provider is used up; None when it is not."""
        ...
