"""What is held for one attempt, and what a deployment needs to be held for. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.core.budget import BudgetId, Hold, Standing
from tiergate.core.catalog import Deployment
from tiergate.core.cost import PLAIN, Order, Price
from tiergate.core.slice import Unreachable
from tiergate.pipeline.overspent import refusal, unreachable
from tiergate.pipeline.rates import Claim, Taken
from tiergate.ports import BudgetStop, HoldToken, Inbound

HOLD_SECONDS = 7200.0
"""After this time a hold is charged in full; longer than any call that is still alive."""

DEFAULT_OUTPUT_TOKENS = 4096
"""Output that is held for where nobody sets a limit and the model's own is not known."""


def unknown(_deployment: Deployment) -> int | None:
    """Stand for a bound of the output that nobody knows."""
    return None


# Not frozen: one is made for every attempt, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class Holding:
    """What is held for one attempt.

    Attributes:
        money: In the budgets; None where the model costs nothing, or has no price.
        number: Of the attempt in the journal; 0 without one.
        booked: Unix time of the hold.
        price: What the model costs, should the configuration have it no more at the end.
        taken: The deployment's own rate limits.
        bounded: The cost has a bound in it, because a price or a count is unknown.
    """

    money: Hold | None
    number: int
    booked: float
    price: Price | None = None
    taken: Taken | None = None
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A deployment that something is held for."""

    price: Price | None
    budgets: tuple[BudgetId, ...]
    output_tokens: int
    claims: tuple[Claim, ...]


def nothing_special(_inbound: Inbound, _deployment: Deployment) -> Order:
    """Stand for requests that ask for nothing beside tokens."""
    return PLAIN


def stopped(why: Standing | Unreachable, amount: int, now: float) -> BudgetStop:
    """Return what becomes of a call that a budget stops, for want of so many nano-USD."""
    if isinstance(why, Unreachable):
        return BudgetStop(why.budget.rule.scope, unreachable(why.budget.rule))
    return BudgetStop(why.budget.rule.scope, refusal(why, amount, now))


def ours(hold: HoldToken | None) -> Holding | None:
    """Return a token as what these accounts gave.

    Raises:
        TypeError: It is of others.
    """
    if hold is not None and not isinstance(hold, Holding):
        raise TypeError(f"{hold!r} is not a hold of these accounts")
    return hold
