"""When a gateway asks for no more calls."""

from __future__ import annotations

import pytest

from tiergate.core.life import LEAVING, NO_PROVIDER, Life, Need, reasons

BOTH = frozenset(Need)
DOWN = ("the budget store does not answer",)


@pytest.mark.parametrize(
    ("needs", "leaving", "stores", "providers_down", "found"),
    [
        ((), False, (), False, ()),
        ((), False, DOWN, True, ()),
        (BOTH, False, (), False, ()),
        ((Need.STORES,), False, DOWN, True, DOWN),
        ((Need.PROVIDERS,), False, DOWN, True, (NO_PROVIDER,)),
        (BOTH, True, DOWN, True, (LEAVING, *DOWN, NO_PROVIDER)),
        ((), True, DOWN, True, (LEAVING,)),
    ],
)
def test_it_is_unready_for_what_it_was_told_to_need(needs, leaving, stores, providers_down, found):
    life = Life(unready_when=frozenset(needs))
    told = reasons(life, leaving=leaving, stores_down=stores, providers_down=providers_down)
    assert told == found


def test_taking_leave_takes_the_delay_and_the_timeout_at_most():
    assert Life(drain_timeout=20.0, drain_delay=5.0).longest_leave == 25.0
