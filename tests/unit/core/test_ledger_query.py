"""Words to questions: groups, conditions and times, and what is said of those that are none."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from support.ledger import NOON
from tiergate.core.ledger import Group
from tiergate.core.ledger_query import QueryError, read_groups, read_since, read_until, read_where

BERLIN = ZoneInfo("Europe/Berlin")


def at(*parts: int, zone=UTC) -> float:
    return datetime(*parts, tzinfo=zone).timestamp()


def test_groups_keep_their_order_and_are_taken_once():
    assert read_groups("key, alias,end-user,key") == (Group.KEY, Group.ALIAS, Group.END_USER)


def test_no_groups_is_none():
    assert read_groups("") == ()


def test_an_unknown_group_is_answered_with_those_there_are():
    with pytest.raises(QueryError, match="choose from alias, asked, provider"):
        read_groups("colour")


def test_conditions_may_hold_any_value():
    assert read_where(["ticket=A=1", "phase="]) == ((Group.TICKET, "A=1"), (Group.PHASE, ""))


def test_a_virtual_key_is_looked_up_by_its_hash():
    key = "sk-0123456789"
    assert read_where([f"key={key}"]) == (
        (Group.KEY, hashlib.sha256(key.encode()).hexdigest()),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "says"),
    [(["alias"], "GROUP=VALUE"), (["alias=a", "alias=b"], "two values"), (["x=1"], "no group")],
)
def test_a_condition_that_cannot_be_meant_is_refused(conditions, says):
    with pytest.raises(QueryError, match=says):
        read_where(conditions)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026", at(2026, 1, 1), at(2027, 1, 1)),
        ("2026-11", at(2026, 11, 1), at(2026, 12, 1)),
        ("2026-12", at(2026, 12, 1), at(2027, 1, 1)),
        ("2026-11-24", at(2026, 11, 24), at(2026, 11, 25)),
        ("2026-11-24T10:30", at(2026, 11, 24, 10, 30), at(2026, 11, 24, 10, 30)),
        ("2026-11-24T10:30+02:00", at(2026, 11, 24, 8, 30), at(2026, 11, 24, 8, 30)),
        ("24h", NOON - 86_400, NOON - 86_400),
        ("7d", NOON - 7 * 86_400, NOON - 7 * 86_400),
    ],
)
def test_days_months_and_years_are_meant_whole_and_instants_are_themselves(text, since, until):
    assert read_since(text, UTC, NOON) == since
    assert read_until(text, UTC, NOON) == until


def test_days_begin_at_midnight_of_the_zone_also_when_clocks_move():
    assert read_since("2026-10-25", BERLIN, NOON) == at(2026, 10, 24, 22)
    assert read_until("2026-10-25", BERLIN, NOON) == at(2026, 10, 25, 23), "a day of 25 hours"


@pytest.mark.parametrize("text", ["yesterday", "2026-13", "2026-02-30", "24", "9999", "-1d", ""])
def test_what_is_no_time_is_refused_with_what_would_be(text):
    with pytest.raises(QueryError, match="write a day"):
        read_since(text, UTC, NOON)
