"""In which budgets a call counts: none too few, and the widest first."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from support.attempts import deployment, settings
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation
from tiergate.core.budget import Budget
from tiergate.core.caller import MASTER, Caller
from tiergate.core.catalog import NO_LIMIT, BudgetRule, EachBudget, Position, ScopeKind
from tiergate.core.purpose import Purpose
from tiergate.core.slices import Slices
from tiergate.core.window import Calendar, Total, Unit
from tiergate.pipeline import scopes as module
from tiergate.pipeline.scopes import Scopes
from tiergate.ports import Inbound
from tiergate.wire.members import Members

AT = Position("c.yaml", 1)
A = deployment("cheap", "a", provider="anthropic")
B = deployment("frontier", "b", provider="openai")
ZONE = ZoneInfo("Europe/Berlin")


def rule(scope: ScopeKind, name: str, limit: int = 1000, period: str = "calendar:day"):
    return BudgetRule(
        scope=scope, name=name, limit=NanoUsd(limit), window="1d", period=period, source=AT
    )


def each(scope: ScopeKind, limit: int = 20) -> EachBudget:
    return EachBudget(scope=scope, limit=NanoUsd(limit), window="none", period="none", source=AT)


def inbound(**given: object) -> Inbound:
    values: dict = {
        "call_id": "id",
        "received": 0.0,
        "wall": 0.0,
        "dialect": Dialect.OPENAI,
        "operation": Operation.CHAT,
        "asked": "cheap",
        "alias": AliasName("cheap"),
        "stream": False,
        "include_usage": False,
        "members": Members.read(b"{}"),
        "caller": MASTER,
    }
    return Inbound(**{**values, **given})


def scopes(*rules: BudgetRule, all_=(A, B), each_budgets=()) -> Scopes:
    made = settings(all_, budgets=tuple(rules), each_budgets=tuple(each_budgets))
    return Scopes.of(Slices("w", "s"), made, ZONE)


def counted(found: Scopes, at=A, **given: object) -> list[str]:
    return list(found.all(inbound(**given), found.touched(at)))


ALL = (
    rule(ScopeKind.DEPLOYMENT, "a"),
    rule(ScopeKind.PROVIDER, "anthropic"),
    rule(ScopeKind.ALIAS, "cheap"),
    rule(ScopeKind.GATEWAY, "gateway"),
)


def test_a_call_counts_in_all_budgets_of_its_deployment_the_widest_first():
    assert counted(scopes(*ALL)) == [
        "gateway:gateway",
        "alias:cheap",
        "provider:anthropic",
        "deployment:a",
        "total:provider:anthropic",
    ]


def test_budgets_of_others_are_left_alone():
    assert counted(scopes(*ALL), at=B) == ["gateway:gateway", "total:provider:openai"]


def test_without_budgets_what_each_provider_has_cost_is_counted():
    found = scopes()
    assert counted(found) == ["total:provider:anthropic"]
    assert [budget.id for budget in found.fixed] == [
        "total:provider:anthropic",
        "total:provider:openai",
    ]
    assert not any(budget.rule.capped for budget in found.fixed)


def test_windows_are_those_of_the_configured_zone():
    (budget, *_) = scopes(rule(ScopeKind.ALIAS, "cheap")).fixed
    assert budget.period == Calendar(Unit.DAY, ZONE)


def test_each_tag_counts_once_and_tags_without_a_budget_do_not():
    found = scopes(rule(ScopeKind.TAG, "red"), rule(ScopeKind.TAG, "blue"))
    assert counted(found, tags=("blue", "x", "red", "blue")) == [
        "total:provider:anthropic",
        "tag:blue",
        "tag:red",
    ]


@pytest.mark.parametrize(
    ("scope", "given"),
    [
        (ScopeKind.TICKET, {"purpose": Purpose(ticket="N")}),
        (ScopeKind.END_USER, {"user": "N"}),
        (ScopeKind.USER, {"caller": Caller(name="c", user="N")}),
        (ScopeKind.TEAM, {"caller": Caller(name="c", team="N")}),
        (ScopeKind.KEY, {"caller": Caller(name="c", key="N")}),
    ],
)
def test_every_name_of_a_scope_has_a_budget_of_its_own(scope, given):
    found = scopes(each_budgets=[each(scope)])
    assert counted(found, **given)[1:] == [f"{scope.value}:N"]
    assert found.slices.knows(f"{scope.value}:N")
    assert counted(found) == ["total:provider:anthropic"], "whoever has no name is not bound"


def test_a_caller_brings_the_budgets_of_key_user_and_team():
    budgets = tuple(
        Budget(rule(scope, name, limit), Total())
        for scope, name, limit in (
            (ScopeKind.KEY, "k", 5),
            (ScopeKind.USER, "u", NO_LIMIT),
            (ScopeKind.TEAM, "t", 7),
        )
    )
    caller = Caller(name="c", key="k", budgets=budgets)
    found = scopes()
    assert counted(found, caller=caller)[1:] == ["key:k", "user:u", "team:t"]
    assert all(found.slices.knows(budget.id) for budget in budgets)


def test_a_key_that_was_changed_counts_in_its_new_budgets_at_once():
    found = scopes()
    first = Caller(name="c", key="k", budgets=(Budget(rule(ScopeKind.KEY, "k"), Total()),))
    moved = replace(first, budgets=(Budget(rule(ScopeKind.TEAM, "t"), Total()),))
    assert counted(found, caller=first)[1:] == ["key:k"]
    assert counted(found, caller=moved)[1:] == ["team:t"]
    assert counted(found, caller=first)[1:] == ["key:k"]


def test_a_budget_that_the_worker_let_go_of_is_known_again_when_it_is_needed():
    found = scopes(each_budgets=[each(ScopeKind.TICKET)])
    ticket = {"purpose": Purpose(ticket="T")}
    counted(found, **ticket)
    found.slices.sweep(1e12)
    found.slices.configure(())
    counted(found, **ticket)
    assert found.slices.knows("ticket:T")


def test_names_that_callers_make_up_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(module, "_MOST_NAMES", 3)
    found = scopes(each_budgets=[each(ScopeKind.TICKET)])
    for number in range(50):
        name = f"T-{number}"
        assert counted(found, purpose=Purpose(ticket=name))[1:] == [f"ticket:{name}"]
        assert len(found._named) <= 3


# ------------------------------------------------------------------ what the limits bar


def test_only_provider_and_deployment_bar_a_deployment_alone():
    found = scopes(*ALL)
    assert found.narrow(A) == ("provider:anthropic", "deployment:a")
    assert found.narrow(B) == ()


@pytest.mark.parametrize("one", ALL)
def test_a_model_without_a_price_is_refused_under_any_limit_of_the_file(one):
    with pytest.raises(ValueError, match=f"m-a has no price, and the budget {one.scope.value}:"):
        scopes(one).refuse_unpriced(A)


def test_a_model_without_a_price_may_be_counted_where_nothing_limits_it():
    scopes().refuse_unpriced(A)
    scopes(*ALL[:3]).refuse_unpriced(B)


def test_limits_that_a_request_brings_are_found_wherever_they_come_from():
    limited = Budget(rule(ScopeKind.KEY, "k", 5), Total())
    counting = Budget(rule(ScopeKind.USER, "u", NO_LIMIT), Total())
    found = scopes(
        rule(ScopeKind.TAG, "red"), *ALL, each_budgets=[each(ScopeKind.TICKET, limit=20)]
    )
    asked = inbound(
        caller=Caller(name="c", key="k", budgets=(counting, limited)),
        tags=("x", "red"),
        purpose=Purpose(ticket="T"),
    )
    assert [(r.scope, r.name, r.limit) for r in found.limits_of(asked)] == [
        (ScopeKind.KEY, "k", 5),
        (ScopeKind.TAG, "red", 1000),
        (ScopeKind.TICKET, "T", 20),
    ]
    assert list(found.limits_of(inbound())) == []


def test_rules_of_the_file_are_found_by_id():
    found = scopes(*ALL)
    assert found.rule(ALL[0].scope.value + ":a") is ALL[0]
    with pytest.raises(KeyError):
        found.rule("ticket:T")
