"""What records mean together: aliases, budgets, limits, tags; and when nothing is let in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.keys import BALANCED, CHEAP, FRONTIER, NOW, key_rules
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller, RateLimits
from tiergate.core.key_defaults import KeyDefaults
from tiergate.core.key_meaning import caller_of, unknown_key
from tiergate.core.keys import Holder, HolderKind, KeyRecord, Terms
from tiergate.core.rules import OnStoreFailure
from tiergate.core.window import Calendar, Rolling, Total

KEY = KeyRecord(hash="ab" * 32, masked="sk-...wxyz", user="ann", team="core")
USER = Holder(kind=HolderKind.USER, id="ann")
TEAM = Holder(kind=HolderKind.TEAM, id="core")


def terms(holder, **changes):
    return replace(holder, terms=replace(holder.terms, **changes))


def caller(key=KEY, user=USER, team=TEAM, rules=None) -> Caller:
    found = caller_of(key, user, team, rules or key_rules(), NOW)
    assert isinstance(found, Caller), found
    return found


def refused(key=KEY, user=USER, team=TEAM, now=NOW) -> Refused:
    found = caller_of(key, user, team, key_rules(), now)
    assert isinstance(found, Refused)
    return found


def test_a_caller_has_the_name_of_its_key_and_never_the_key():
    assert caller().name == "sk-...wxyz"
    assert caller(replace(KEY, alias="build")).name == "build"
    assert not caller().admin


def test_a_caller_is_known_by_the_names_of_its_key_its_team_and_its_user():
    team = replace(terms(TEAM, metadata={"squad": "blue"}), alias="Core team")
    found = caller(replace(KEY, alias="build"), replace(USER, email="ann@x.y"), team)
    assert (found.alias, found.team_alias, found.email) == ("build", "Core team", "ann@x.y")
    assert found.team_metadata == {"squad": "blue"}
    alone = caller(replace(KEY, user="", team=""), None, None)
    assert (alone.alias, alone.team_alias, alone.email, dict(alone.team_metadata)) == (
        "", "", "", {},
    )  # fmt: skip


def test_key_user_and_team_are_always_counted():
    budgets = caller().budgets
    assert [b.id for b in budgets] == [
        f"key:{KEY.hash}",
        "user:ann",
        "team:core",
    ]
    assert all(b.period == Total() and not b.rule.capped for b in budgets)
    alone = caller(replace(KEY, user="", team=""), None, None)
    assert [b.rule.scope.value for b in alone.budgets] == ["key"]


def test_caps_and_windows_are_those_of_their_records():
    key = terms(KEY, max_budget=7, window="30d", period="rolling:2592000")
    team = terms(TEAM, max_budget=0, window="monthly", period="calendar:month")
    first, second, third = caller(key, team=team).budgets
    assert (first.id, first.rule.limit, first.period) == (
        f"key:{KEY.hash}",
        7,
        Rolling(2_592_000),
    )
    assert not second.rule.capped
    assert (third.id, third.rule.limit, third.rule.window) == ("team:core", 0, "monthly")
    assert isinstance(third.period, Calendar)
    assert first.rule.on_store_failure is OnStoreFailure.ALLOW_LEASED
    strict = terms(KEY, on_store_failure=OnStoreFailure.REFUSE)
    assert caller(strict).budgets[0].rule.on_store_failure is OnStoreFailure.REFUSE


def test_every_user_without_a_cap_of_their_own_has_the_files_one():
    rules = key_rules(KeyDefaults(user_budget=9, user_window="daily", user_period="calendar:day"))
    for user in (USER, None):  # a user that nobody made is a user all the same
        budget = caller(user=user, rules=rules).budgets[1]
        assert (budget.id, budget.rule.limit, budget.rule.window) == ("user:ann", 9, "daily")
    own = caller(user=terms(USER, max_budget=20), rules=rules).budgets[1]
    assert (own.rule.limit, own.rule.window) == (20, "none")
    window = terms(USER, window="weekly", period="calendar:week")
    assert caller(user=window, rules=rules).budgets[1].rule.window == "weekly"
    assert not caller(team=TEAM, rules=rules).budgets[2].rule.capped


@pytest.mark.parametrize(
    ("key", "team", "allowed"),
    [
        ((), (), None),
        (("cheap", "gpt-4"), (), {CHEAP, BALANCED}),
        ((), ("cheap",), {CHEAP}),
        (("cheap", "frontier"), ("cheap", "balanced"), {CHEAP}),
        (("all-team-models",), ("frontier",), {FRONTIER}),
        (("all-proxy-models",), ("frontier",), {FRONTIER}),
        (("all-proxy-models",), ("all-proxy-models",), None),
        (("frontier",), ("cheap",), set()),
        (("gone",), (), set()),
    ],
)
def test_a_key_may_use_what_it_and_its_team_both_have(key, team, allowed):
    found = caller(terms(KEY, models=key), team=terms(TEAM, models=team)).aliases
    assert found == (None if allowed is None else frozenset(allowed))


def test_the_models_of_a_user_hold_for_keys_without_a_team():
    user = terms(USER, models=("cheap",))
    assert caller(user=user).aliases is None
    assert caller(replace(KEY, team=""), user, None).aliases == {CHEAP}
    nothing = terms(USER, models=("no-default-models",))
    assert caller(replace(KEY, team=""), nothing, None).aliases == frozenset()


def test_limits_stand_beside_their_scopes_and_only_where_there_are_any():
    found = caller(terms(KEY, rpm=5, parallel=0), team=terms(TEAM, tpm=9)).limits
    assert found == (
        (f"key:{KEY.hash}", RateLimits(rpm=5, parallel=0)),
        ("team:core", RateLimits(tpm=9)),
    )


def test_tags_of_all_three_and_of_metadata_travel_with_every_call():
    key = terms(KEY, tags=("ci", "x"), metadata={"tags": ["noted"], "owner": "b"})
    found = caller(key, team=terms(TEAM, tags=("x", "team")))
    assert found.tags == ("ci", "x", "noted", "team")
    assert found.metadata["owner"] == "b"


def test_chains_name_aliases_and_lose_those_that_are_gone():
    key = replace(KEY, chains=(("frontier", ("gpt-4", "balanced", "gone")), ("lost", ("cheap",))))
    assert dict(caller(key).budget_fallbacks) == {FRONTIER: (BALANCED,)}


def test_soft_budgets_are_told_by_the_budgets_they_are_for():
    found = caller(terms(KEY, soft_budget=5, max_budget=7), team=terms(TEAM, soft_budget=6))
    assert [budget.rule.soft for budget in found.budgets] == [5, None, 6]


def test_a_key_is_refused_from_the_instant_it_expires():
    key = replace(KEY, expires=NOW)
    told = refused(key)
    assert (told.status, told.code) == (401, "expired_key")
    assert isinstance(caller_of(key, USER, TEAM, key_rules(), NOW - 0.001), Caller)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"key": terms(KEY, blocked=True)}, "key_blocked"),
        ({"user": terms(USER, blocked=True)}, "user_blocked"),
        ({"team": terms(TEAM, blocked=True)}, "team_blocked"),
        ({"team": None}, "team_not_found"),
    ],
)
def test_what_is_blocked_or_lost_its_team_is_refused(parts, code):
    told = refused(**parts)
    assert (told.status, told.code) == (403, code)


def test_an_unknown_key_is_refused_without_a_guess_at_it():
    assert (unknown_key().status, unknown_key().code) == (401, "invalid_api_key")


def test_terms_say_nothing_of_their_own():
    assert caller(terms(KEY, models=())).aliases is None
    assert Terms() == KEY.terms


def test_guardrails_of_all_three_and_of_metadata_bind_every_call():
    noted = {"guardrails": ["d", 5]}
    found = caller(
        terms(KEY, guardrails=("a",), metadata=noted),
        terms(USER, guardrails=("b",)),
        terms(TEAM, guardrails=("c", "a")),
    )
    assert found.guardrails == ("a", "d", "b", "c")
    assert caller().guardrails == ()
