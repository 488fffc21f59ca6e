"""The arithmetic of the report: percentiles, medians with their spread, and paired ratios.

It knows numbers only; which number means what is said in `record`.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure measured in several rounds: the median, with the least and the greatest."""

    median: float
    least: float
    greatest: float
    rounds: int


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that `percent` of all values do not exceed.

    Raises:
        ValueError: no values, or a percent outside 0 to 100.
    """
    if not values:
        raise ValueError("a percentile of no values")
    if not 0 <= percent <= 100:
        raise ValueError(f"a percentile lies between 0 and 100, not {percent}")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(values: Sequence[float]) -> Spread:
    """Median, least and greatest of a figure's rounds.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("a spread of no values")
    return Spread(statistics.median(values), min(values), max(values), len(values))


def paired_ratio(subject: Mapping[int, float], baseline: Mapping[int, float]) -> Spread | None:
    """Subject over baseline, taken round by round; None where they share no usable round.

    Both are maps from round number to figure. The two were measured one right after the other, so
    dividing inside a round cancels what the machine did to both, which a ratio of medians keeps.
    """
    shared = [number for number in sorted(subject) if baseline.get(number, 0.0) > 0]
    if not shared:
        return None
    return spread([subject[number] / baseline[number] for number in shared])
