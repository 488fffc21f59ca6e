"""Periods begin at midnight of the page's zone; addresses keep what they do not change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tiergate.base.errors import Refused
from tiergate.core.ledger import Filter, Group
from tiergate.ui.periods import (
    PERIODS,
    Period,
    address,
    choices,
    conditions_of,
    filter_of,
    period_of,
)
from tiergate.ui.rendering import Moment

NOW = Moment(datetime(2026, 11, 24, 12, 30, tzinfo=UTC).timestamp(), ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("word", "since"),
    [
        ("today", "2026-11-23T23:00:00+00:00"),
        ("7d", "2026-11-17T23:00:00+00:00"),
        ("30d", "2026-10-25T23:00:00+00:00"),
        ("month", "2026-10-31T23:00:00+00:00"),
    ],
)
def test_a_period_begins_at_midnight(word, since):
    found = period_of({"period": word}, NOW)
    assert found.since == datetime.fromisoformat(since).timestamp()


def test_all_has_no_beginning_and_nothing_asked_is_the_usual():
    assert period_of({"period": "all"}, NOW) == Period("all", None)
    assert period_of({}, NOW).word == "7d"
    assert period_of({}, NOW, "30d").word == "30d"


def test_another_word_is_refused_with_those_there_are():
    with pytest.raises(Refused, match="today, 7d, 30d, month, all"):
        period_of({"period": "soon"}, NOW)


def test_conditions_are_named_like_groups():
    query = {"period": "7d", "ticket": "T-1", "phase": "", "after": "3", "end-user": "anna"}
    assert conditions_of(query) == ((Group.TICKET, "T-1"), (Group.END_USER, "anna"))
    with pytest.raises(Refused, match="no group"):
        conditions_of({"tikcet": "T-1"})


def test_a_question_has_both():
    conditions = ((Group.TICKET, "T-1"),)
    assert filter_of(Period("x", 5.0), conditions) == Filter(since=5.0, equal=conditions)


def test_an_address_keeps_the_rest_and_never_what_was_said():
    query = {"period": "7d", "ticket": "a&b", "said": "key-blocked"}
    assert address("/ui/costs", query, {"by": "key", "period": ""}) == (
        "/ui/costs?ticket=a%26b&by=key"
    )
    assert address("/ui", {}, {}) == "/ui"


def test_each_period_can_be_chosen():
    found = choices("/ui", {"period": "today"}, Period("today", 0.0))
    assert [name for name, _, _ in found] == list(PERIODS.values())
    assert [link for _, link, chosen in found if chosen] == ["/ui?period=today"]
