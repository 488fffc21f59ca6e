"""Who calls: nobody has limits, rights or budgets that nobody gave."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from tiergate.core.caller import LOCAL, MASTER, NO_LIMITS, Caller, RateLimits


@pytest.mark.parametrize("limits", [{"rpm": 1}, {"tpm": 1}, {"parallel": 1}, {"rpm": 0}])
def test_any_limit_is_a_limit_even_one_of_nothing(limits):
    assert RateLimits(**limits).any


def test_without_numbers_nothing_is_limited():
    assert not RateLimits().any
    assert RateLimits() == NO_LIMITS


def test_a_caller_is_no_administrator_unless_it_is_said():
    plain = Caller(name="build")
    assert not plain.admin
    assert (plain.budgets, plain.limits, plain.tags, plain.aliases) == ((), (), (), None)
    assert MASTER.admin
    assert LOCAL.admin


def test_the_master_key_and_nobody_have_no_hash():
    """An empty hash tells the ledger that no virtual key was used."""
    assert (MASTER.key, LOCAL.key) == ("", "")


def test_what_callers_share_cannot_be_changed_through_one_of_them():
    one = Caller(name="one")
    with pytest.raises(TypeError):
        one.metadata["note"] = "x"  # type: ignore[index]
    with pytest.raises(TypeError):
        one.budget_fallbacks["cheap"] = ()  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        one.admin = True  # type: ignore[misc]
