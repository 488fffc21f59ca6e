"""One worker's part of one budget: what is left of it, and when nobody needs it any more."""

from __future__ import annotations

from datetime import UTC

import pytest

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.slice import (
    FEW_SECONDS,
    IDLE_SECONDS,
    NAMED_IDLE_SECONDS,
    NOWHERE,
    Slice,
)
from tiergate.core.window import Span, read_period

NOW = 1_795_000_000.0


def part(**more) -> Slice:
    rule = BudgetRule(
        scope=ScopeKind.ALIAS, name="cheap", limit=NanoUsd(1000), window="daily",
        period="calendar:day", source=Position("c.yaml", 1),
    )  # fmt: skip
    budget = Budget(rule, read_period("calendar:day", UTC))
    given = {"span": Span(0, None), "until": 0.0, "budget": budget, "lease": "w.1", **more}
    return Slice(**given)


def test_what_is_spent_and_what_is_held_is_not_left():
    assert part(granted=100, settled=30, held=20).left == 50
    assert part(granted=100, settled=130).left == -30, "a provider may charge more than was held"


def test_a_slice_knows_its_window_once_it_has_one():
    assert not part(span=NOWHERE).known
    assert part(span=Span(0, 0)).known, "it is this very value that stands for no window"


@pytest.mark.parametrize(
    ("fixed", "many", "seconds"),
    [
        (True, False, IDLE_SECONDS),
        (True, True, IDLE_SECONDS),
        (False, False, NAMED_IDLE_SECONDS),
        (False, True, FEW_SECONDS),
    ],
)
def test_a_slice_is_idle_after_a_time_that_depends_on_who_named_it(fixed, many, seconds):
    one = part(changed=False, told=NOW)
    assert not one.unused(NOW + seconds, fixed=fixed, many=many)
    assert one.unused(NOW + seconds + 1, fixed=fixed, many=many)


@pytest.mark.parametrize("busy", [{"changed": True}, {"held": 1}, {"waits": [5]}])
def test_a_slice_with_something_to_tell_to_hold_or_to_wait_for_is_never_idle(busy):
    one = part(**{"changed": False, "told": NOW, **busy})
    assert not one.unused(NOW + 10 * IDLE_SECONDS, fixed=False, many=True)


def test_two_slices_are_never_the_same_whatever_they_have():
    one, other = part(), part()
    assert one != other
    assert len({one, other}) == 2
