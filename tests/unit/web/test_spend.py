"""LiteLLM's spend and budget routes: what is asked of the ledger, and who may see it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from support.asking import answer, told
from support.ledger import DAY, NOON, MemoryLedger, entry
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.web.spend import SpendRoutes

USD = 10**9
KEY = "ab" * 32
OTHER = "cd" * 32
HOLDER = Caller(name="build", key=KEY)
NOVEMBER = "start_date=2026-11-01&end_date=2026-11-30"

RECORDS = (
    entry(1, key=KEY, key_name="build", user="u1", team="red", cost=USD, tags=("ci", "x")),
    entry(2, key=OTHER, key_name="chat", user="u2", team="blue", cost=2 * USD, tags=("x",),
          provider="openai", model="gpt-5", end_user="customer-7"),
    entry(3, cost=4 * USD),
    entry(4, key=KEY, key_name="build-2", wall=NOON - 40 * DAY, cost=8 * USD),
)  # fmt: skip
BUDGETS = (
    {"scope": "alias", "name": "frontier", "limit_usd": 300, "spent_usd": 7, "held_usd": 0,
     "window": "monthly", "resets_at": "2026-12-01T00:00:00Z"},
    {"scope": "provider", "name": "anthropic", "limit_usd": 1000, "window": "monthly"},
)  # fmt: skip


async def budgets():
    return BUDGETS


@pytest.fixture
def ledger():
    return MemoryLedger(list(RECORDS))


@pytest.fixture
def ask(ledger):
    routes = SpendRoutes(ledger, budgets, lambda: NOON).routes()

    def go(path: str, query: str = "", **given):
        return answer(told(routes, path, query, **given))

    return go


def test_logs_of_days_are_summed_unless_records_are_asked_for(ask):
    (day, *idle) = ask("/spend/logs", "start_date=2026-11-24&end_date=2026-11-25")
    assert (day["spend"], day[KEY], day["users"]["u2"]) == (7, 1, 2)
    assert [each["spend"] for each in idle] == [0]

    records = ask("/spend/logs", f"{NOVEMBER}&summarize=false")
    assert [each["request_id"] for each in records] == ["call-3", "call-2", "call-1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("request_id=call-2", ["call-2"]),
        ("user_id=u1", ["call-1"]),
        (f"api_key={OTHER}", ["call-2"]),
        ("", ["call-4", "call-3", "call-2", "call-1"]),
        ("limit=1", ["call-4"]),
    ],
)
def test_logs_are_filtered_as_litellm_does(ask, query, found):
    assert [each["request_id"] for each in ask("/spend/logs", query)] == found


def test_a_key_sees_its_own_logs_only(ask):
    found = ask("/spend/logs", caller=HOLDER)
    assert {each["api_key"] for each in found} == {KEY}
    with pytest.raises(Refused, match="its own records only"):
        ask("/spend/logs", f"api_key={OTHER}", caller=HOLDER)
    assert ask("/spend/logs", "request_id=call-2", caller=HOLDER) == []


def test_no_other_route_is_for_keys(ledger):
    routes = SpendRoutes(ledger, budgets, lambda: NOON).routes()
    assert [route.path for route in routes if route.keys] == ["/spend/logs"]


def test_tags_count_in_each(ask):
    assert ask("/spend/tags") == [
        {"individual_request_tag": "x", "log_count": 2, "total_spend": 3},
        {"individual_request_tag": "ci", "log_count": 1, "total_spend": 1},
    ]


def test_keys_are_called_what_they_were_called_last(ask):
    found = ask("/spend/keys")
    assert [(k["token"], k["key_alias"], k["spend"]) for k in found] == [
        (KEY, "build-2", 9),
        (OTHER, "chat", 2),
    ]


def test_users_have_their_spend(ask):
    assert [(u["user_id"], u["spend"]) for u in ask("/spend/users")] == [("u2", 2), ("u1", 1)]
    assert [u["user_id"] for u in ask("/spend/users", "user_id=u1")] == ["u1"]


def test_the_global_lists_are_of_the_last_thirty_days(ask):
    assert [(k["api_key"], k["total_spend"]) for k in ask("/global/spend/keys")] == [
        ("", 4),
        (OTHER, 2),
        (KEY, 1),
    ]
    assert ask("/global/spend/models") == [
        {"model": "claude-opus-4-6", "total_spend": 5},
        {"model": "gpt-5", "total_spend": 2},
    ]
    assert ask("/global/spend/teams")["teams"] == ["Unassigned", "blue", "red"]
    assert ask("/global/spend/provider") == [
        {"provider": "anthropic", "spend": 5},
        {"provider": "openai", "spend": 2},
    ]


def test_lists_are_cut_where_that_is_asked_for(ask):
    assert len(ask("/global/spend/keys", "limit=1")) == 1
    assert len(ask("/global/spend/models", "limit=1")) == 1


def test_activity_is_by_day(ask):
    found = ask("/global/activity", NOVEMBER)
    assert (found["sum_api_requests"], found["daily_data"][0]["date"]) == (3, "Nov 24")


@pytest.mark.parametrize(("by", "members"), [("team", "teams"), ("customer", "customers")])
def test_the_report_is_by_day_for_teams_and_customers(ask, by, members):
    (day,) = ask("/global/spend/report", f"{NOVEMBER}&group_by={by}")
    assert sum(each["total_spend"] for each in day[members]) == 7


@pytest.mark.parametrize(
    ("query", "member", "name", "cost"),
    [
        ("group_by=api_key", "api_key", "", 4),
        (f"api_key={KEY}", "api_key", KEY, 1),
        ("internal_user_id=u2", "internal_user_id", "u2", 2),
        ("team_id=red", "team_id", "red", 1),
        ("customer_id=customer-7", "customer", "customer-7", 2),
    ],
)
def test_the_report_of_one_subject_has_its_models(ask, query, member, name, cost):
    found = ask("/global/spend/report", f"{NOVEMBER}&{query}")
    assert (found[0][member], found[0]["total_cost"]) == (name, cost)
    assert sum(m["total_cost"] for m in found[0]["model_details"]) == cost


def test_a_report_by_something_else_is_refused_with_what_there_is(ask):
    with pytest.raises(Refused, match="choose team, customer or api_key"):
        ask("/global/spend/report", f"{NOVEMBER}&group_by=colour")


def test_money_is_exact_to_the_nano(ledger, ask):
    ledger.records = [entry(1, cost=123_456_789_012_345_678_901)]
    (found,) = ask("/spend/logs")
    assert found["spend"] == Decimal("123456789012.345678901")


def test_budgets_are_listed_in_litellms_form(ask):
    assert [b["budget_id"] for b in ask("/budget/list")] == [
        "alias:frontier",
        "provider:anthropic",
    ]
    (found,) = ask("/budget/info", method="POST", body={"budgets": ["alias:frontier", "none"]})
    assert (found["max_budget"], found["spend"]) == (300, 7)


@pytest.mark.parametrize("body", [{}, {"budgets": []}, {"budgets": "alias:frontier"}])
def test_budget_info_says_what_it_wants(ask, body):
    with pytest.raises(Refused, match="must be a list of budget ids"):
        ask("/budget/info", method="POST", body=body)


@pytest.mark.parametrize("verb", ["new", "update", "delete"])
def test_budgets_are_not_made_by_these_routes(ask, verb):
    with pytest.raises(Refused, match="/key/generate"):
        ask(f"/budget/{verb}", method="POST", body={"max_budget": 1})


def test_a_ledger_that_is_away_is_a_503(ledger, ask):
    ledger.down = "The database does not answer."
    with pytest.raises(Refused) as caught:
        ask("/spend/logs")
    assert caught.value.status == 503
