"""Questions carry their values beside the text, and say what an index needs to hear."""

from __future__ import annotations

import sqlite3

import pytest

from tiergate.core.catalog import ScopeKind
from tiergate.core.ledger import Filter, Group, Mark, ScopeSum
from tiergate.stores.sql_questions import (
    COLUMNS,
    entries_question,
    range_question,
    spend_question,
    total_question,
)
from tiergate.stores.sql_schema import Part, bring_up_to_date
from tiergate.stores.sqlite import SqliteSession

EVIL = "x'); DROP TABLE tiergate_ledger; --"


@pytest.fixture
def session():
    made = SqliteSession(sqlite3.connect(":memory:", isolation_level=None))
    bring_up_to_date(made, Part.LEDGER, "DB")
    yield made
    made.close()


def plan(session, question) -> str:
    rows = session.execute(f"EXPLAIN QUERY PLAN {question.sql}", question.values)
    return " ".join(str(row[3]) for row in rows)


@pytest.mark.parametrize("group", Group)
def test_no_value_stands_in_the_text(session, group):
    which = Filter(since=1.5, until=2.5, equal=((group, EVIL),), call_id=EVIL)

    for question in (
        spend_question([group], which, None),
        range_question(which),
        entries_question(which, 3, Mark(4), newest=True),
    ):
        assert "DROP" not in question.sql
        assert question.sql.count("?") == len(question.values)
        session.execute(question.sql, question.values)


@pytest.mark.parametrize("scope", ScopeKind)
def test_every_scope_can_be_summed(session, scope):
    question = total_question(ScopeSum(scope, "name", 1.0, None))

    assert session.execute(question.sql, question.values) == [(0,)]
    assert ("name" in question.values) == (scope is not ScopeKind.GATEWAY)


@pytest.mark.parametrize("name", ["key", "user", "team", "end_user", "ticket"])
def test_a_budget_of_one_among_many_is_summed_by_its_index(session, name):
    question = total_question(ScopeSum(ScopeKind(name), "one", 1.0, 2.0))

    assert f"USING INDEX tiergate_ledger_{name}" in plan(session, question)


def test_a_window_a_call_and_a_tag_are_found_by_their_indexes(session):
    window = total_question(ScopeSum(ScopeKind.ALIAS, "cheap", 1.0, 2.0))
    call = entries_question(Filter(call_id="c"), 1, None, newest=False)
    tag = total_question(ScopeSum(ScopeKind.TAG, "t", 1.0, 2.0))

    assert "tiergate_ledger_booked" in plan(session, window)
    assert "tiergate_ledger_call" in plan(session, call)
    assert "tiergate_ledger_tags_tag" in plan(session, tag)


def test_an_empty_value_means_those_without_one():
    key = range_question(Filter(equal=((Group.KEY, ""),)))
    tag = range_question(Filter(equal=((Group.TAG, ""),)))

    assert key.sql.endswith(' WHERE "key" = ?')
    assert key.values == ("",)
    assert "NOT IN" in tag.sql
    assert tag.values == ()


def test_everything_is_asked_for_without_a_condition():
    assert "WHERE" not in range_question(Filter()).sql
    assert "WHERE" not in entries_question(Filter(), 1, None, newest=False).sql
    assert "tags" not in COLUMNS
