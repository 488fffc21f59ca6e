"""How many retries there are."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from support.attempts import deployment
from tiergate.base.errors import FailureClass
from tiergate.base.values import AliasName
from tiergate.core.catalog import FailureCounts, RouterPolicy
from tiergate.core.retries import MOST_ASKED, allowed, named

ONE = deployment("cheap", "a")
POLICY = RouterPolicy(
    num_retries=2,
    retry_policy=FailureCounts(rate_limit=3, bad_request=1),
    alias_retry_policy=MappingProxyType({AliasName("cheap"): FailureCounts(rate_limit=5)}),
)


@pytest.mark.parametrize(
    ("kind", "asked", "number"),
    [
        (FailureClass.UPSTREAM, None, 2),
        (FailureClass.UPSTREAM, 0, 0),
        (FailureClass.UPSTREAM, 7, 7),
        (FailureClass.UPSTREAM, -1, 0),
        (FailureClass.UPSTREAM, 1000, MOST_ASKED),
        (FailureClass.RATE_LIMIT, None, 5),
        (FailureClass.RATE_LIMIT, 1, 1),
        (FailureClass.BAD_REQUEST, None, 1),
        (FailureClass.BAD_REQUEST, 9, 1),
        (FailureClass.CONTEXT_WINDOW, 9, 0),
        (FailureClass.CONTENT_POLICY, None, 0),
        (FailureClass.CALLER_TIMEOUT, 9, 0),
    ],
)
def test_the_number_of_retries(kind: FailureClass, asked: int | None, number: int) -> None:
    assert allowed(POLICY, ONE, kind, asked) == number


def test_a_deployments_own_number_comes_before_the_routers() -> None:
    own = deployment("cheap", "a", num_retries=4)

    assert allowed(POLICY, own, FailureClass.UPSTREAM, None) == 4
    assert allowed(POLICY, own, FailureClass.RATE_LIMIT, None) == 5


def test_an_aliass_numbers_come_before_those_of_all() -> None:
    assert named(POLICY, AliasName("cheap"), FailureClass.RATE_LIMIT) == 5
    assert named(POLICY, AliasName("cheap"), FailureClass.BAD_REQUEST) == 1
    assert named(POLICY, AliasName("other"), FailureClass.RATE_LIMIT) == 3
    assert named(POLICY, AliasName("cheap"), FailureClass.UPSTREAM) is None
