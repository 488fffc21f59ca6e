"""How HTTP asks the ledger: days, numbers, and whose records one may see."""

from __future__ import annotations

import asyncio

import pytest

from support.ledger import DAY, NOON
from tiergate.base.errors import Refused
from tiergate.core.caller import LOCAL, MASTER, Caller
from tiergate.core.ledger import Filter, Group
from tiergate.core.ledger_query import QueryError
from tiergate.ports import StoreDownError
from tiergate.web.admin import Asked, Told
from tiergate.web.ledger_words import (
    days_of,
    guarded,
    number,
    own_records,
    required_days,
    within,
)

KEY = Caller(name="team-key", key="ab" * 32)
MIDNIGHT = NOON - DAY / 2


@pytest.mark.parametrize("caller", [MASTER, LOCAL])
def test_administrators_see_what_they_ask_for(caller):
    assert own_records(caller, {Group.KEY: "x"}) == ((Group.KEY, "x"),)
    assert own_records(caller, {}) == ()


def test_a_key_sees_its_own_records_whatever_it_asks():
    assert own_records(KEY, {Group.ALIAS: "a"}) == ((Group.ALIAS, "a"), (Group.KEY, KEY.key))
    assert own_records(KEY, {Group.KEY: KEY.key}) == ((Group.KEY, KEY.key),)


@pytest.mark.parametrize(
    ("caller", "conditions"), [(KEY, {Group.KEY: "cd" * 32}), (Caller(name="nobody"), {})]
)
def test_the_records_of_others_are_refused(caller, conditions):
    with pytest.raises(Refused) as caught:
        own_records(caller, conditions)
    assert caught.value.status == 403


def test_the_end_date_is_meant_whole():
    query = {"start_date": "2026-11-24", "end_date": "2026-11-24"}
    assert days_of(query, NOON) == (MIDNIGHT, MIDNIGHT + DAY)
    assert days_of({}, NOON) == (None, None)


@pytest.mark.parametrize(
    ("start", "end"), [("2026-11-24", "2026-11-23"), ("2000-01-01", "2026-11-24")]
)
def test_days_the_wrong_way_round_or_too_many_are_refused(start, end):
    with pytest.raises(Refused) as caught:
        days_of({"start_date": start, "end_date": end}, NOON)
    assert caught.value.status == 400


@pytest.mark.parametrize("query", [{}, {"start_date": "2026-11-24"}, {"end_date": "2026-11-24"}])
def test_required_days_are_asked_for_by_name(query):
    with pytest.raises(Refused, match="start_date=2026-11-01"):
        required_days(query, NOON)


def test_days_that_are_not_given_leave_another_filter_in_place():
    otherwise = Filter(since=1.0)
    assert within({}, NOON, otherwise) is otherwise
    assert within({"start_date": "2026-11-24"}, NOON, otherwise) == Filter(since=MIDNIGHT)


@pytest.mark.parametrize("text", ["0", "11", "-1", "ten", "1.0", "", "²", "9" * 30])
def test_a_number_out_of_bounds_is_refused_with_the_bounds(text):
    with pytest.raises(Refused, match="from 1 to 10"):
        number({"limit": text}, "limit", default=5, most=10)


def test_a_number_that_is_not_given_is_the_default():
    assert number({}, "limit", default=5, most=10) == 5
    assert number({"limit": "10"}, "limit", default=5, most=10) == 10


@pytest.mark.parametrize(
    ("fault", "status"),
    [(QueryError("no time"), 400), (StoreDownError("PostgreSQL is away."), 503)],
)
def test_what_the_ledger_cannot_do_is_answered_in_words(fault, status):
    async def handler(asked: Asked) -> Told:
        raise fault

    with pytest.raises(Refused) as caught:
        asyncio.run(guarded(handler)(Asked(method="GET", path="/x", caller=MASTER)))
    assert caught.value.status == status
    assert str(fault) in caught.value.message
