"""LiteLLM's shapes, made from sums and records."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

from support.ledger import DAY, NOON, MemoryLedger, entry
from tiergate.core.exact_json import encode
from tiergate.core.ledger import Bucket, Filter, Group
from tiergate.web import spend_forms as forms

USD = 10**9


def rows(records, *groups: Group, bucket: Bucket | None = None):
    return asyncio.run(MemoryLedger(list(records)).spend(groups, Filter(), bucket=bucket))


def plain(value):
    return json.loads(encode(value), parse_float=Decimal)


def test_a_log_row_has_the_columns_of_litellms_table():
    columns = (
        "request_id call_type api_key spend total_tokens prompt_tokens completion_tokens "
        "startTime endTime completionStartTime model model_id model_group custom_llm_provider "
        "api_base user metadata cache_hit cache_key request_tags team_id end_user "
        "requester_ip_address session_id status messages response"
    )
    assert sorted(forms.log(entry())) == sorted(columns.split())


def test_a_log_row_says_what_was_used():
    found = plain(
        forms.log(
            entry(wall=NOON, key="ab" * 32, cache_read=100, tags=("x",), cost=1_000_001, seconds=2)
        )
    )
    assert found["spend"] == Decimal("0.001000001")
    assert (found["prompt_tokens"], found["total_tokens"]) == (1100, 1300)
    assert (found["startTime"], found["endTime"]) == (
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T12:00:02.000Z",
    )
    assert (found["api_key"], found["request_tags"]) == ("ab" * 32, ["x"])
    assert found["call_type"] == "acompletion"


def test_whatever_did_not_succeed_is_a_failure_in_litellms_words():
    for status in ("failure", "refused", "cancelled", "declined", "lost"):
        found = plain(forms.log(entry(status=status)))
        assert (found["status"], found["metadata"]["status"]) == ("failure", status)


def test_daily_logs_sum_by_key_user_and_model_and_leave_no_day_out():
    records = [
        entry(1, key="k1", user="u1", cost=USD),
        entry(2, key="k2", user="u1", model="m2", cost=2 * USD),
        entry(3, wall=NOON + 2 * DAY, key="k1", user="u2", cost=4 * USD),
    ]
    found = plain(
        forms.daily_logs(
            rows(records, Group.KEY, Group.USER, Group.MODEL, bucket=Bucket.DAY),
            NOON + 2.5 * DAY,
        )
    )
    assert found == [
        {
            "startTime": "2026-11-24",
            "spend": 3,
            "users": {"u1": 3},
            "models": {"m2": 2, "claude-opus-4-6": 1},
            "k1": 1,
            "k2": 2,
        },
        {"startTime": "2026-11-25", "spend": 0, "users": {}, "models": {}},
        {
            "startTime": "2026-11-26",
            "spend": 4,
            "users": {"u2": 4},
            "models": {"claude-opus-4-6": 4},
            "k1": 4,
        },
    ]


def test_a_report_by_day_has_groups_with_their_models():
    records = [entry(1, team="a", cost=USD), entry(2, team="", cost=2 * USD)]
    found = plain(
        forms.report_by_day(
            rows(records, Group.TEAM, Group.MODEL, Group.KEY, bucket=Bucket.DAY), "team"
        )
    )
    (day,) = found
    assert day["group_by_day"] == "2026-11-24T00:00:00+00:00"
    assert [(t["team_name"], t["total_spend"]) for t in day["teams"]] == [
        ("Unassigned", 2),
        ("a", 1),
    ]
    assert day["teams"][1]["metadata"] == [
        {"model": "claude-opus-4-6", "spend": 1, "total_tokens": 1200, "api_key": ""}
    ]


def test_teams_are_listed_by_falling_spend():
    records = [
        entry(1, team="a", cost=USD),
        entry(2, team="b", cost=3 * USD),
        entry(3, wall=NOON + DAY, team="a", cost=USD),
    ]
    found = plain(forms.teams(rows(records, Group.TEAM, bucket=Bucket.DAY)))
    assert found == {
        "daily_spend": [{"date": "2026-11-24", "b": 3, "a": 1}, {"date": "2026-11-25", "a": 1}],
        "teams": ["b", "a"],
        "total_spend_per_team": [
            {"team_id": "b", "total_spend": 3},
            {"team_id": "a", "total_spend": 2},
        ],
    }


def test_activity_counts_calls_and_tokens_by_day():
    found = plain(forms.activity(rows([entry(1), entry(2)], bucket=Bucket.DAY)))
    assert found == {
        "daily_data": [{"date": "Nov 24", "api_requests": 2, "total_tokens": 2400}],
        "sum_api_requests": 2,
        "sum_total_tokens": 2400,
    }


def test_a_budget_is_named_by_scope_and_name():
    row = {"scope": "alias", "name": "frontier", "limit_usd": 300, "window": "monthly"}
    found = forms.budget(row)
    assert (found["budget_id"], found["max_budget"], found["budget_duration"]) == (
        "alias:frontier",
        300,
        "monthly",
    )
