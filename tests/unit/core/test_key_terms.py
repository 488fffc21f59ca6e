"""From fields of a request to records: what they set, clear, and leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.keys import NOW, key_rules
from tiergate.base.errors import Refused
from tiergate.core.key_defaults import KeyBounds, KeyDefaults
from tiergate.core.key_terms import (
    changed_holder,
    changed_key,
    made_key,
    read_members,
    window_warnings,
)
from tiergate.core.keys import Holder, HolderKind, KeyRecord, Member, Terms
from tiergate.core.rules import OnStoreFailure

BLANK = KeyRecord(hash="ab" * 32, masked="sk-...wxyz", author="master")
DEFAULTS = KeyDefaults(
    given=KeyBounds(
        max_budget=5_000_000_000, window="daily", period="calendar:day", lifetime=60.0, rpm=7
    ),
    models=("cheap",),
    team="core",
    user="ann",
)


def made(rules=None, **body) -> KeyRecord:
    return made_key(body, BLANK, rules or key_rules(), NOW)


def changed(record: KeyRecord, **body) -> KeyRecord:
    return changed_key(body, record, key_rules(), NOW + 10)


def refusal(call, *args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    assert caught.value.status == 400
    return caught.value


def test_a_key_without_fields_may_do_everything_and_has_no_end():
    key = made()
    assert (key.terms, key.expires, key.created, key.updated) == (Terms(), None, NOW, NOW)


def test_every_field_of_a_key_is_read():
    key = made(
        models=["cheap", "gpt-4"],
        max_budget=10.5,
        budget_duration="monthly",
        soft_budget=8,
        max_parallel_requests=3,
        rpm_limit=60,
        tpm_limit=1000,
        tags=["ci", "ci"],
        metadata={"owner": "build"},
        blocked=True,
        on_store_failure="refuse",
        key_alias="build",
        duration="30d",
        user_id="ann",
        team_id="core",
        budget_fallbacks={"frontier": ["balanced", "cheap"], "cheap": []},
        key_type="llm_api",
    )
    assert key.terms == Terms(
        models=("cheap", "gpt-4"),
        max_budget=10_500_000_000,
        window="monthly",
        period="calendar:month",
        soft_budget=8_000_000_000,
        parallel=3,
        rpm=60,
        tpm=1000,
        tags=("ci",),
        metadata={"owner": "build"},
        blocked=True,
        on_store_failure=OnStoreFailure.REFUSE,
    )
    assert (key.alias, key.user, key.team) == ("build", "ann", "core")
    assert key.expires == NOW + 30 * 86_400
    assert key.chains == (("frontier", ("balanced", "cheap")),)


def test_a_change_leaves_what_it_does_not_name():
    key = made(max_budget=10, rpm_limit=5, key_alias="build", duration="1h")
    after = changed(key, rpm_limit=6)
    assert (after.terms.max_budget, after.terms.rpm) == (10_000_000_000, 6)
    assert (after.alias, after.expires, after.created) == ("build", key.expires, NOW)
    assert after.updated == NOW + 10


@pytest.mark.parametrize("value", [None, "-1"])
def test_null_takes_limits_away(value):
    key = made(max_budget=10, budget_duration="30d", duration="1h", models=["cheap"], user_id="a")
    after = changed(
        key, max_budget=None, budget_duration=None, duration=value, models=None, user_id=None
    )
    assert (after.terms.max_budget, after.terms.period, after.expires) == (None, "none", None)
    assert (after.terms.models, after.user) == ((), "")


def test_a_new_expiry_counts_from_the_change():
    assert changed(made(duration="1h"), duration="1h").expires == NOW + 10 + 3600


def test_defaults_stand_where_the_request_says_nothing_and_null_says_nothing():
    key = made(key_rules(DEFAULTS), max_budget=None)
    assert (key.terms.max_budget, key.terms.period, key.terms.rpm) == (
        5_000_000_000,
        "calendar:day",
        7,
    )
    assert (key.terms.models, key.team, key.user) == (("cheap",), "core", "ann")
    assert key.expires == NOW + 60
    own = made(key_rules(DEFAULTS), max_budget=1, models=["frontier"], team_id="other")
    assert (own.terms.max_budget, own.terms.models, own.team) == (
        1_000_000_000,
        ("frontier",),
        "other",
    )


def test_bounds_hold_for_new_keys_and_for_changes():
    rules = key_rules(KeyDefaults(most=KeyBounds(rpm=10)))
    assert made(rules).terms.rpm == 10
    assert refusal(made, rules, rpm_limit=11).code == "over_upper_bound"
    refusal(changed_key, {"rpm_limit": 11}, BLANK, rules, NOW)
    assert changed_key({"tags": []}, BLANK, rules, NOW).terms.rpm is None, "not looked at"


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        ({"models": ["gpt-5"]}, "models", "There is no alias `gpt-5`"),
        ({"models": ["no-default-models"]}, "models", "all-team-models"),
        ({"max_budget": -1}, "max_budget", "amount in USD"),
        ({"budget_duration": "sometimes"}, "budget_duration", "is not a budget window"),
        ({"budget_duration": True}, "budget_duration", "must be a text"),
        ({"budget_duration": "3mo"}, "budget_duration", "several calendar months"),
        ({"duration": "soon"}, "duration", "is not a length of time"),
        ({"duration": "1mo"}, "duration", "has no fixed length"),
        ({"duration": "0s"}, "duration", "longer than nothing"),
        ({"duration": 30}, "duration", "must be a text"),
        ({"tags": "ci"}, None, "tags"),
        ({"metadata": {"tags": "ci"}}, None, "metadata.tags"),
        ({"metadata": {"x": "y" * 40_000}}, "metadata", "longer than"),
        ({"on_store_failure": "maybe"}, "on_store_failure", "refuse, allow_leased, allow"),
        ({"budget_fallbacks": {"frontier": ["gpt-5"]}}, "budget_fallbacks", "`gpt-5`"),
        ({"budget_fallbacks": {"gpt-5": ["cheap"]}}, "budget_fallbacks", "`gpt-5`"),
        ({"budget_fallbacks": ["cheap"]}, "budget_fallbacks", "JSON object"),
        ({"key_type": "management"}, "key_type", "llm_api"),
    ],
)
def test_what_cannot_be_meant_is_refused(body, param, says):
    told = refusal(made, **body)
    assert says in told.message
    if param is not None:
        assert told.param == param


def test_minutes_where_months_may_be_meant_are_told():
    assert "month is 1mo" in window_warnings({"budget_duration": "1m"}, key_rules())[0]
    assert window_warnings({"budget_duration": "1mo"}, key_rules()) == ()
    assert window_warnings({}, key_rules()) == ()


def test_users_and_teams_are_changed_by_their_own_fields():
    user = Holder(kind=HolderKind.USER, id="ann", created=NOW)
    body = {"user_alias": "Ann", "user_email": "ann@example.org", "models": ["no-default-models"]}
    after = changed_holder(body, user, key_rules(), NOW + 1)
    assert (after.alias, after.email, after.updated) == ("Ann", "ann@example.org", NOW + 1)
    assert after.terms.models == ("no-default-models",)
    team = Holder(kind=HolderKind.TEAM, id="core")
    body = {"team_alias": "Core", "members_with_roles": [{"user_id": "ann", "role": "admin"}]}
    after = changed_holder(body, team, key_rules(), NOW)
    assert (after.alias, after.members) == ("Core", (Member("ann", "admin"),))
    refusal(changed_holder, {"models": ["no-default-models"]}, team, key_rules(), NOW)


def test_members_are_one_or_many_each_once():
    one = {"user_id": "ann"}
    assert read_members(one, "member") == (Member("ann", "user"),)
    again = [one, {"user_id": "bob"}, {"user_id": "ann", "role": "admin"}]
    assert read_members(again, "member") == (Member("ann", "admin"), Member("bob", "user"))
    for wrong in ("ann", [{}], {"user_id": "ann", "role": "owner"}, {"user_id": ["x"]}):
        refusal(read_members, wrong, "member")


def test_guardrails_are_names_of_the_file_wherever_they_stand():
    rules = replace(key_rules(), guardrails=("pii", "secrets"))
    record = made(rules, guardrails=["pii", "pii", "secrets"])
    assert record.terms.guardrails == ("pii", "secrets")
    assert made(rules, metadata={"guardrails": ["pii"]}).terms.metadata["guardrails"] == ["pii"]
    again = changed_key({"guardrails": None}, record, rules, NOW)
    assert again.terms.guardrails == ()


@pytest.mark.parametrize("body", [{"guardrails": ["x"]}, {"metadata": {"guardrails": ["x"]}}])
def test_a_guardrail_that_is_not_there_is_refused(body):
    told = refusal(made, replace(key_rules(), guardrails=("pii",)), **body)
    assert (told.status, told.code) == (400, "unknown_guardrail")
    assert "pii" in told.message
