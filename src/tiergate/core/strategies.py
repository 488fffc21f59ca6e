"""Which of the eligible deployments gets the call, as odds; who is eligible is routing's matter.

Each strategy gives every candidate a weight; chance picks in proportion. So what `explain`
prints and what happens are the same numbers. The rules are LiteLLM's (`routing_strategy`),
except where a docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from tiergate.core.catalog import Deployment, RouterPolicy, Strategy
from tiergate.core.load import Load


@dataclass(frozen=True, slots=True)
class Sight:
    """What a strategy may look at.

    Attributes:
        load: Calls in flight, latency and use of each deployment.
        price: nano-USD per million input and output tokens together; None where unknown.
        now: The instant of the choice, in seconds.
        stream: Whether the call is a stream; latency is measured apart for streams.
    """

    load: Load
    price: Callable[[Deployment], int | None]
    now: float
    stream: bool = False


def odds(
    policy: RouterPolicy, candidates: Sequence[Deployment], sight: Sight
) -> tuple[float, ...]:
    """Return the chance of each candidate, in their order; the sum is 1.

    Only the lowest `order` level present takes part; the others have no chance yet.
    """
    level = min((d.order for d in candidates if d.order is not None), default=None)
    if level is None:
        return _shares(_weights(policy, candidates, sight))
    first = [d for d in candidates if d.order == level]
    shares = iter(_shares(_weights(policy, first, sight)))
    return tuple(next(shares) if d.order == level else 0.0 for d in candidates)


def pick(chances: Sequence[float], dice: Callable[[], float]) -> int:
    """Return the index that chance picks.

    Args:
        chances: What `odds` gave.
        dice: Gives a number from 0 (included) to 1 (excluded).
    """
    if len(chances) == 1:
        return 0
    left = dice()
    last = 0
    for index, chance in enumerate(chances):
        if chance <= 0:
            continue
        last = index
        left -= chance
        if left < 0:
            break
    return last  # the last one with a chance, should rounding leave a crumb


def minds_limits(strategy: Strategy) -> bool:
    """Tell whether `rpm` and `tpm` are limits under this strategy, or only weights."""
    return strategy in (Strategy.USAGE, Strategy.COST)


def _weights(
    policy: RouterPolicy, candidates: Sequence[Deployment], sight: Sight
) -> tuple[float, ...]:
    match policy.strategy:
        case Strategy.SIMPLE_SHUFFLE:
            return _shuffle(candidates)
        case Strategy.LEAST_BUSY:
            return _lowest([sight.load.in_flight(d.id) for d in candidates])
        case Strategy.LATENCY:
            return _fastest(policy.latency_buffer, candidates, sight)
        case Strategy.USAGE:
            return _lowest([sight.load.minute(d.id, sight.now).tokens for d in candidates])
        case Strategy.COST:
            return _cheapest([sight.price(d) for d in candidates])
        case _:
            assert_never(policy.strategy)


def _shuffle(candidates: Sequence[Deployment]) -> tuple[float, ...]:
    """By `weight`, else `rpm`, else `tpm`, else even; a missing value counts 0."""
    weights = tuple(float(d.weight or 0) for d in candidates)
    if any(weights):
        return weights
    weights = tuple(float(d.rpm or 0) for d in candidates)
    if any(weights):
        return weights
    weights = tuple(float(d.tpm or 0) for d in candidates)
    return weights if any(weights) else _even(len(candidates))


def _fastest(buffer: float, candidates: Sequence[Deployment], sight: Sight) -> tuple[float, ...]:
    """Lowest mean latency, those within the buffer alike; a deployment without samples goes first.

    A buffer of 0.1 takes everything up to 10 % above the lowest (`lowest_latency_buffer`).
    """
    means = [sight.load.latency(d.id, sight.now, stream=sight.stream) or 0.0 for d in candidates]
    limit = min(means) * (1 + max(0.0, buffer))
    return tuple(1.0 if mean <= limit else 0.0 for mean in means)


def _cheapest(prices: Sequence[int | None]) -> tuple[float, ...]:
    """Lowest price; unknown prices only where none is known (LiteLLM: 5 USD per token)."""
    known = [price for price in prices if price is not None]
    if not known:
        return _even(len(prices))
    lowest = min(known)
    return tuple(1.0 if price == lowest else 0.0 for price in prices)


def _lowest(values: Sequence[int]) -> tuple[float, ...]:
    lowest = min(values)
    return tuple(1.0 if value == lowest else 0.0 for value in values)


def _even(count: int) -> tuple[float, ...]:
    return (1.0,) * count


def _shares(weights: tuple[float, ...]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple(weight / total for weight in weights)
