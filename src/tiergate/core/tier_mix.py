"""How calls and cost are spread over the tiers, and how they were meant to be spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tiergate.base.values import AliasName
from tiergate.core.ledger import SpendRow


@dataclass(frozen=True, slots=True)
class Tier:
    """One alias in the mix; shares are parts of 1.

    Attributes:
        alias: Its name.
        target: The share of calls it was meant to have; None where none was named.
        calls: Calls that it served.
        cost: nano-USD.
        call_share: Of the calls of all tiers with a target; None where there were no calls.
        cost_share: Of the cost of all tiers with a target; None where there was none.
    """

    alias: str
    target: float | None
    calls: int
    cost: int
    call_share: float | None
    cost_share: float | None

    @property
    def off(self) -> float:
        """How far the share of calls is from the target: positive is above; 0 without either."""
        if self.target is None or self.call_share is None:
            return 0.0
        return self.call_share - self.target


def mix(rows: Iterable[SpendRow], targets: Sequence[tuple[AliasName, float]]) -> tuple[Tier, ...]:
    """Return the real mix.

    Args:
        rows: The ledger's sums by the alias that served.
        targets: The share of calls that each tier should have (`Settings.traffic_shares`).
            Without any, the shares are of all aliases.

    Returns:
        The tiers with a target in their order, then the others by falling number of calls.
    """
    served = [row for row in rows if row.keys[0]]
    calls = {row.keys[0]: row.calls for row in served}
    costs = {row.keys[0]: row.cost for row in served}
    wanted = {str(alias): part for alias, part in targets}
    counted = set(wanted) or set(calls)
    all_calls = sum(number for alias, number in calls.items() if alias in counted)
    all_cost = sum(number for alias, number in costs.items() if alias in counted)
    others = sorted((a for a in calls if a not in wanted), key=lambda alias: -calls[alias])

    def tier(alias: str) -> Tier:
        number, cost = calls.get(alias, 0), costs.get(alias, 0)
        known = alias in counted
        return Tier(
            alias=alias,
            target=wanted.get(alias),
            calls=number,
            cost=cost,
            call_share=number / all_calls if known and all_calls else None,
            cost_share=cost / all_cost if known and all_cost else None,
        )

    return tuple(tier(alias) for alias in (*wanted, *others))
