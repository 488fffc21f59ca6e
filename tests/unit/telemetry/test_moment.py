"""What holds now in one worker, and over all of them."""

from __future__ import annotations

import pytest

from tiergate.telemetry.counts import Names
from tiergate.telemetry.moment import Health, Moment

CHEAP = Names("cheap", "m", "d1", "http://upstream.invalid", "openai")


def seen(*healths: Health) -> Moment:
    """What so many workers see together."""
    whole = Moment()
    for health in healths:
        one = Moment()
        one.see(CHEAP, health)
        whole.add(one)
    return whole


@pytest.mark.parametrize(
    ("workers", "whole"),
    [
        ((), Health.HEALTHY),
        ((Health.HEALTHY, Health.HEALTHY), Health.HEALTHY),
        ((Health.HEALTHY, Health.PARTIAL), Health.PARTIAL),
        ((Health.HEALTHY, Health.OUT), Health.PARTIAL),
        ((Health.PARTIAL, Health.OUT), Health.PARTIAL),
        ((Health.OUT, Health.OUT), Health.OUT),
    ],
)
def test_a_deployment_is_out_only_where_every_worker_sees_it_so(workers, whole):
    assert seen(*workers).health(CHEAP) is whole


def test_the_figures_are_those_of_litellm():
    assert [health.value for health in Health] == [0, 1, 2]


def test_what_waits_is_added_and_the_oldest_counts():
    whole = Moment(waiting=2, oldest=50.0)
    whole.add(Moment(waiting=3, oldest=20.0))
    whole.add(Moment())
    assert (whole.waiting, whole.oldest) == (5, 20.0)


def test_stores_are_down_as_often_as_workers_miss_them():
    whole = Moment(stores=("budgets", "ledger"), down={"ledger": 1})
    whole.add(Moment(stores=("budgets", "ledger", "cache"), down={"ledger": 1, "cache": 1}))
    assert whole.stores == ("budgets", "ledger", "cache")
    assert whole.down == {"ledger": 2, "cache": 1}
