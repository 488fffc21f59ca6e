"""Rules of budgets: what has a limit, and the budget that each name of a scope gets."""

from __future__ import annotations

import pytest

from tiergate.base.values import NanoUsd, Position, Secret
from tiergate.core.rules import (
    NO_LIMIT,
    BudgetRule,
    EachBudget,
    OnStoreFailure,
    RedisPlan,
    ScopeKind,
    StorePlan,
)

AT = Position("config.yaml", 7)


def rule(limit: int) -> BudgetRule:
    return BudgetRule(
        scope=ScopeKind.ALIAS,
        name="cheap",
        limit=NanoUsd(limit),
        window="monthly",
        period="calendar:month",
        source=AT,
    )


@pytest.mark.parametrize("limit", [0, 1, NO_LIMIT - 1])
def test_a_limit_of_nothing_is_a_limit(limit):
    assert rule(limit).capped


def test_what_only_counts_has_none():
    assert not rule(NO_LIMIT).capped


@pytest.mark.parametrize("failure", OnStoreFailure)
@pytest.mark.parametrize("scope", [ScopeKind.TICKET, ScopeKind.END_USER])
def test_each_name_gets_everything_that_was_written_for_all(scope, failure):
    each = EachBudget(
        scope=scope,
        limit=NanoUsd(20),
        window="20d",
        period="rolling:1728000",
        source=AT,
        on_store_failure=failure,
    )
    assert each.rule("T-1") == BudgetRule(
        scope=scope,
        name="T-1",
        limit=NanoUsd(20),
        window="20d",
        period="rolling:1728000",
        source=AT,
        on_store_failure=failure,
    )


def test_secrets_of_stores_are_not_shown():
    place = RedisPlan(password=Secret("hidden-1"), sentinel_password=Secret("hidden-2"))
    plan = StorePlan(
        database_url=Secret("postgresql://u:hidden-3@h/d"),
        redis=RedisPlan(url=Secret("redis://:hidden-4@h")),
    )
    assert "hidden" not in repr(place) + repr(plan) + str(plan)
