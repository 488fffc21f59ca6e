"""A transaction is kept, forgotten, or given up with its connection."""

from __future__ import annotations

import pytest

from tiergate.stores.sql_session import SqlFaultError, SqlValueError, marks, quoted, transaction


class Told:
    """A session that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, seconds, *, write):
        self.told.append((seconds, write))

    def commit(self):
        self.told.append("commit")

    def rollback(self):
        self.told.append("rollback")


def test_what_is_done_inside_is_kept():
    session = Told()
    with transaction(session, 2.0, write=True):
        session.told.append("work")

    assert session.told == [(2.0, True), "work", "commit"]


@pytest.mark.parametrize("error", [ZeroDivisionError, SqlValueError, KeyboardInterrupt])
def test_what_fails_inside_is_forgotten(error):
    session = Told()
    with pytest.raises(error), transaction(session, 2.0, write=False):
        raise error

    assert session.told == [(2.0, False), "rollback"]


def test_a_session_that_failed_is_asked_for_nothing_more():
    session = Told()
    with pytest.raises(SqlFaultError), transaction(session, 2.0, write=True):
        raise SqlFaultError("gone")

    assert session.told == [(2.0, True)]


def test_marks_and_quotes():
    assert marks(3) == "?, ?, ?"
    assert quoted(("user", "key")) == '"user", "key"'
