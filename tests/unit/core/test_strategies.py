"""The odds that each strategy gives."""

from __future__ import annotations

import pytest

from support.attempts import deployment
from tiergate.base.values import DeploymentId
from tiergate.core.catalog import Deployment, RouterPolicy, Strategy
from tiergate.core.load import Load
from tiergate.core.strategies import Sight, minds_limits, odds, pick

A, B, C = DeploymentId("a"), DeploymentId("b"), DeploymentId("c")


def several(**values: tuple[object, object, object]) -> tuple[Deployment, ...]:
    return tuple(
        deployment("cheap", name, **{key: value[index] for key, value in values.items()})
        for index, name in enumerate("abc")
    )


def sight(load: Load | None = None, prices: tuple[int | None, ...] = (), **_: object) -> Sight:
    by_id = dict(zip("abc", prices, strict=False))
    return Sight(load or Load(), lambda d: by_id.get(d.id), now=100)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"weight": (9, 1, 0)}, (0.9, 0.1, 0)),
        ({"weight": (1, None, None), "rpm": (1, 9, 9)}, (1, 0, 0)),
        ({"rpm": (900, 100, None)}, (0.9, 0.1, 0)),
        ({"tpm": (1, 1, 2)}, (0.25, 0.25, 0.5)),
        ({"weight": (0, 0, 0)}, (1 / 3, 1 / 3, 1 / 3)),
        ({"weight": (1, 3, 9), "order": (1, 1, 2)}, (0.25, 0.75, 0)),
        ({"order": (None, 2, None)}, (0, 1, 0)),
    ],
)
def test_shuffle_goes_by_weight_then_rpm_then_tpm(
    fields: dict[str, tuple[object, object, object]], expected: tuple[float, ...]
) -> None:
    given = odds(RouterPolicy(), several(**fields), sight())

    assert given == pytest.approx(expected)


def test_least_busy_takes_the_fewest_calls_in_flight() -> None:
    load = Load()
    load.begun(A, 100)
    policy = RouterPolicy(strategy=Strategy.LEAST_BUSY)

    assert odds(policy, several(), sight(load)) == pytest.approx((0, 0.5, 0.5))


def test_latency_takes_the_fastest_and_tries_the_unknown_first() -> None:
    load = Load()
    policy = RouterPolicy(strategy=Strategy.LATENCY)
    load.measured(A, 1, 100, stream=False)
    load.measured(B, 2, 100, stream=False)
    assert odds(policy, several(), sight(load)) == (0, 0, 1)

    load.measured(C, 1.05, 100, stream=False)
    assert odds(policy, several(), sight(load)) == (1, 0, 0)
    wider = RouterPolicy(strategy=Strategy.LATENCY, latency_buffer=0.1)
    assert odds(wider, several(), sight(load)) == (0.5, 0, 0.5)


def test_usage_takes_the_fewest_tokens_of_this_minute() -> None:
    load = Load()
    policy = RouterPolicy(strategy=Strategy.USAGE)
    load.used(A, 10, 100)
    load.used(B, 5, 100)
    load.used(C, 99, 30)

    assert odds(policy, several(), sight(load)) == (0, 0, 1)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((3, 2, 2), (0, 0.5, 0.5)),
        ((3, None, None), (1, 0, 0)),
        ((None, None, None), (1 / 3, 1 / 3, 1 / 3)),
    ],
)
def test_cost_takes_the_lowest_known_price(
    prices: tuple[int | None, ...], expected: tuple[float, ...]
) -> None:
    policy = RouterPolicy(strategy=Strategy.COST)

    assert odds(policy, several(), sight(prices=prices)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("dice", "index"), [(0.0, 0), (0.249, 0), (0.25, 2), (0.999, 2), (1.0, 2)]
)
def test_chance_picks_in_proportion(dice: float, index: int) -> None:
    assert pick((0.25, 0.0, 0.75), lambda: dice) == index


def test_one_candidate_needs_no_dice() -> None:
    def forbidden() -> float:
        raise AssertionError

    assert pick((1.0,), forbidden) == 0


def test_limits_are_minded_by_usage_and_cost_only() -> None:
    assert [s for s in Strategy if minds_limits(s)] == [Strategy.USAGE, Strategy.COST]
