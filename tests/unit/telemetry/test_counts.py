"""The plain numbers behind the metrics page."""

from __future__ import annotations

import pytest

from support.attempts import deployment
from tiergate.telemetry.counts import NOBODY, SECONDS, Buckets, Names, Times


@pytest.mark.parametrize(
    ("value", "place"), [(0.0, 0), (1.0, 0), (1.01, 1), (2.0, 1), (9.0, 2), (float("inf"), 2)]
)
def test_a_value_falls_into_the_first_bucket_that_holds_it(value, place):
    buckets = Buckets((1.0, 2.0))
    buckets.add(value)
    assert [n > 0 for n in buckets.counts] == [place == i for i in range(3)]
    assert buckets.total == value


def test_a_bucket_keeps_the_last_call_that_fell_into_it():
    buckets = Buckets((1.0, 2.0))
    for call_id, seconds in (("a", 0.5), ("b", 0.7), ("c", 9.0)):
        buckets.mark(call_id, seconds, 100.0)
    assert (buckets.counts, buckets.total) == ([2, 0, 1], pytest.approx(10.2))
    assert buckets.marks == {0: ("b", 0.7, 100.0), 2: ("c", 9.0, 100.0)}


def test_names_are_those_of_the_deployment_and_hold_no_secret():
    names = Names.of(deployment("cheap", "a", provider="openai"))
    assert names == Names("cheap", "m-a", "a", "http://upstream.invalid", "openai")
    assert Names("", "", "", "", "") == NOBODY


def test_each_deployment_has_buckets_of_its_own():
    one, other = Times(), Times()
    one.latency.add(1.0)
    assert sum(other.latency.counts) == 0
    assert one.latency.bounds == SECONDS
