"""What may be spent, what is held, and what follows when a provider charges more."""

from __future__ import annotations

from datetime import UTC

import pytest

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Budgets, Hold, HoldState, Standing, budget_id
from tiergate.core.catalog import NO_LIMIT, BudgetRule, ScopeKind
from tiergate.core.window import Span, read_period

LATER = 10_000.0
ALL = budget_id(ScopeKind.GATEWAY, "gateway")
CHEAP = budget_id(ScopeKind.ALIAS, "cheap")


def budget(limit, period="rolling:100", scope=ScopeKind.GATEWAY, name="gateway"):
    rule = BudgetRule(
        scope=scope,
        name=name,
        limit=NanoUsd(limit),
        window=period,
        period=period,
        source=Position("config.yaml", 1),
    )
    return Budget(rule, read_period(period, UTC))


def one(limit, period="rolling:100"):
    budgets = Budgets()
    budgets.configure([budget(limit, period)])
    return budgets


def sums(budgets, name=ALL, now=1000.0):
    standing = budgets.standing(name, now)
    return standing.settled, standing.held


def test_a_hold_is_taken_and_settled():
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(60), 1000.0, LATER)

    assert isinstance(hold, Hold)
    assert sums(budgets) == (0, 60)

    budgets.settle(hold, NanoUsd(25))

    assert sums(budgets) == (25, 0)
    assert budgets.open_holds == 0


def test_a_released_hold_costs_nothing():
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(60), 1000.0, LATER)
    budgets.release(hold)

    assert sums(budgets) == (0, 0)


def test_what_is_held_is_not_there_for_others():
    budgets = one(100)
    budgets.try_hold([ALL], NanoUsd(60), 1000.0, LATER)

    refused = budgets.try_hold([ALL], NanoUsd(41), 1000.0, LATER)

    assert isinstance(refused, Standing)
    assert (refused.settled, refused.held, refused.left) == (0, 60, 40)
    assert isinstance(budgets.try_hold([ALL], NanoUsd(40), 1000.0, LATER), Hold)


def test_two_hundred_calls_against_a_cap_of_ten_admit_exactly_ten():
    budgets = one(100)
    answers = [budgets.try_hold([ALL], NanoUsd(10), 1000.0, LATER) for _ in range(200)]

    assert sum(isinstance(each, Hold) for each in answers) == 10


def test_a_hold_is_taken_in_all_budgets_or_in_none():
    budgets = Budgets()
    budgets.configure([budget(100), budget(30, scope=ScopeKind.ALIAS, name="cheap")])

    refused = budgets.try_hold([ALL, CHEAP], NanoUsd(31), 1000.0, LATER)

    assert isinstance(refused, Standing)
    assert refused.budget.id == CHEAP
    assert sums(budgets, ALL) == sums(budgets, CHEAP) == (0, 0)

    budgets.try_hold([ALL, CHEAP], NanoUsd(30), 1000.0, LATER)

    assert sums(budgets, ALL) == sums(budgets, CHEAP) == (0, 30)


def test_a_limit_of_nothing_admits_nothing_that_may_cost_anything():
    budgets = one(0)

    assert isinstance(budgets.try_hold([ALL], NanoUsd(1), 1000.0, LATER), Standing)


def test_a_cost_above_the_hold_is_booked_as_it_is_and_nothing_more_is_admitted():
    budgets = one(1_500_000)
    hold = budgets.try_hold([ALL], NanoUsd(1_500_000), 1000.0, LATER)
    budgets.settle(hold, NanoUsd(2_000_000))

    refused = budgets.try_hold([ALL], NanoUsd(0), 1000.0, LATER)

    assert isinstance(refused, Standing)
    assert (refused.settled, refused.left) == (2_000_000, -500_000)


def test_a_new_window_begins_with_nothing_spent():
    budgets = one(100)
    budgets.settle(budgets.try_hold([ALL], NanoUsd(100), 1000.0, LATER), NanoUsd(100))

    assert isinstance(budgets.try_hold([ALL], NanoUsd(1), 1099.9, LATER), Standing)
    assert isinstance(budgets.try_hold([ALL], NanoUsd(100), 1100.0, LATER), Hold)


def test_a_hold_is_settled_into_the_window_in_which_it_was_taken():
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(80), 1000.0, LATER)
    fresh = budgets.try_hold([ALL], NanoUsd(100), 1100.0, LATER)
    budgets.settle(hold, NanoUsd(80))

    assert isinstance(fresh, Hold)
    assert sums(budgets, now=1100.0) == (0, 100)


def test_asking_begins_no_window():
    budgets = one(100)

    assert budgets.standing(ALL, 500.0).span is None
    assert isinstance(budgets.try_hold([ALL], NanoUsd(1), 1000.0, LATER), Hold)
    assert budgets.standing(ALL, 1000.0).span == Span(1000, 1100)


def test_after_the_end_a_budget_stands_at_nothing_before_anybody_calls():
    budgets = one(100)
    budgets.settle(budgets.try_hold([ALL], NanoUsd(100), 1000.0, LATER), NanoUsd(100))

    standing = budgets.standing(ALL, 1250.0)

    assert (standing.settled, standing.held, standing.span) == (0, 0, Span(1200, 1300))


def test_a_clock_that_goes_back_does_not_bring_spent_money_back():
    budgets = one(100)
    budgets.settle(budgets.try_hold([ALL], NanoUsd(100), 1000.0, LATER), NanoUsd(100))
    budgets.settle(budgets.try_hold([ALL], NanoUsd(90), 1100.0, LATER), NanoUsd(90))

    assert isinstance(budgets.try_hold([ALL], NanoUsd(11), 1099.0, LATER), Standing)
    assert isinstance(budgets.try_hold([ALL], NanoUsd(11), 500.0, LATER), Standing)
    assert isinstance(budgets.try_hold([ALL], NanoUsd(10), 500.0, LATER), Hold)


def test_after_a_wrong_clock_the_budget_resets_with_the_right_one():
    budgets = one(100)
    budgets.settle(budgets.try_hold([ALL], NanoUsd(100), 900_000.0, LATER), NanoUsd(100))

    assert isinstance(budgets.try_hold([ALL], NanoUsd(1), 1000.0, LATER), Standing)
    assert isinstance(budgets.try_hold([ALL], NanoUsd(100), 1100.0, LATER), Hold)


def test_a_hold_past_its_expiry_is_charged_in_full():
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(60), 1000.0, 1050.0)

    assert budgets.expire(1049.0) == 0
    assert budgets.expire(1050.0) == 1
    assert budgets.expire(1051.0) == 0
    assert sums(budgets) == (60, 0)
    assert hold.state is HoldState.ASSUMED
    assert budgets.open_holds == 0


def test_the_true_cost_of_a_hold_past_its_expiry_replaces_the_assumed_one():
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(60), 1000.0, 1050.0)
    budgets.expire(1050.0)
    budgets.settle(hold, NanoUsd(20))

    assert sums(budgets) == (20, 0)


@pytest.mark.parametrize("expired", [False, True])
def test_a_hold_ends_once(expired):
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(60), 1000.0, 1050.0)
    if expired:
        budgets.expire(1050.0)
    budgets.settle(hold, NanoUsd(20))
    budgets.settle(hold, NanoUsd(20))
    budgets.release(hold)

    assert sums(budgets) == (20, 0)
    assert budgets.expire(LATER) == 0


def test_a_new_configuration_keeps_what_is_spent_under_the_new_limit():
    budgets = one(100)
    budgets.settle(budgets.try_hold([ALL], NanoUsd(60), 1000.0, LATER), NanoUsd(60))
    budgets.configure([budget(70)])

    assert sums(budgets) == (60, 0)
    assert isinstance(budgets.try_hold([ALL], NanoUsd(11), 1000.0, LATER), Standing)


def test_a_budget_with_another_window_begins_anew():
    budgets = one(100)
    budgets.settle(budgets.try_hold([ALL], NanoUsd(60), 1000.0, LATER), NanoUsd(60))
    budgets.configure([budget(100, "rolling:200")])

    assert sums(budgets) == (0, 0)


def test_an_open_hold_of_a_budget_that_is_gone_ends_without_harm():
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(60), 1000.0, LATER)
    budgets.configure([])
    budgets.settle(hold, NanoUsd(60))

    assert budgets.standings(1000.0) == []


def test_an_open_hold_is_settled_across_a_new_configuration():
    budgets = one(100)
    hold = budgets.try_hold([ALL], NanoUsd(60), 1000.0, LATER)
    budgets.configure([budget(100)])
    budgets.settle(hold, NanoUsd(50))

    assert sums(budgets) == (50, 0)


def test_a_forecast_goes_on_at_the_pace_so_far():
    budgets = one(1000)
    budgets.settle(budgets.try_hold([ALL], NanoUsd(30), 1000.0, LATER), NanoUsd(30))

    assert budgets.standing(ALL, 1010.0).forecast(1010.0) == 300
    assert budgets.standing(ALL, 1000.0).forecast(1000.0) == 3000
    assert budgets.standing(ALL, 1099.0).forecast(1099.0) == 30


def test_a_total_has_no_forecast_and_neither_has_a_window_that_has_not_begun():
    assert one(100, "none").standing(ALL, 1000.0).forecast(1000.0) is None
    assert one(100).standing(ALL, 1000.0).forecast(1000.0) is None


def test_an_unknown_budget_is_an_error_and_holds_nothing():
    budgets = one(100)

    with pytest.raises(KeyError):
        budgets.try_hold([ALL, CHEAP], NanoUsd(1), 1000.0, LATER)

    assert sums(budgets) == (0, 0)


@pytest.mark.parametrize("scope", [ScopeKind.KEY, ScopeKind.USER, ScopeKind.TEAM])
def test_a_key_a_user_and_a_team_have_one_budget_with_and_without_a_cap(scope):
    capped, counting = (budget(limit, "none", scope, "x") for limit in (5, NO_LIMIT))
    assert capped.id == counting.id == f"{scope.value}:x"


def test_what_only_counts_for_the_gateway_stands_beside_its_limit():
    assert budget(5).id == "gateway:gateway"
    assert budget(NO_LIMIT, "none").id == "total:gateway:gateway"
