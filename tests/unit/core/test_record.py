"""How an answer ended."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Failure, FailureClass
from tiergate.core.record import Outcome, ended_as

BROKEN = Failure(FailureClass.CONNECTION, 502, "It broke.")


@pytest.mark.parametrize(
    ("failure", "left", "outcome"),
    [
        (None, False, Outcome.SUCCESS),
        (BROKEN, False, Outcome.FAILURE),
        (None, True, Outcome.CANCELLED),
        (BROKEN, True, Outcome.CANCELLED),
    ],
)
def test_a_caller_who_left_comes_before_what_broke(failure, left, outcome):
    assert ended_as(failure, left=left) is outcome
