"""A trouble is told once, and once when it is over; events are told once an hour."""

from __future__ import annotations

from tiergate.core import alarms
from tiergate.core.alarms import AGAIN, CALM, AlarmKind, Board, Subject

DOWN = Subject(AlarmKind.OUTAGE, "provider x")
SLOW = Subject(AlarmKind.SLOW, "alias cheap")


def test_a_trouble_is_news_once():
    board = Board()
    assert board.quiet
    assert board.raised(DOWN, 0.0)
    assert not board.raised(DOWN, 5.0)
    assert board.troubled(DOWN)


def test_a_trouble_is_over_when_its_subject_was_well_for_a_while():
    board = Board()
    board.raised(DOWN, 0.0)
    assert board.over(10 * CALM) == [], "it was never well"

    board.well(DOWN, 100.0)
    board.well(DOWN, 130.0)

    assert board.over(100.0 + CALM - 1) == []
    assert board.over(100.0 + CALM) == [(DOWN, 100.0)]
    assert board.quiet
    assert board.raised(DOWN, 500.0), "the next one is news again"


def test_a_night_of_going_up_and_down_is_one_trouble():
    board = Board()
    news = 0
    for minute in range(480):
        news += board.raised(DOWN, minute * 60.0)
        board.well(DOWN, minute * 60.0 + 30.0)
        assert board.over(minute * 60.0 + 59.0) == []
    assert news == 1
    assert len(board.over(480 * 60.0 + CALM)) == 1


def test_what_is_well_without_trouble_is_nothing():
    board = Board()
    board.well(DOWN, 1.0)
    assert board.over(1000.0) == []


def test_an_event_is_told_once_an_hour_with_what_came_in_between():
    board = Board()
    assert board.happened(SLOW, 0.0) == 0
    assert board.happened(SLOW, 10.0) is None
    assert board.happened(SLOW, 20.0) is None
    assert board.happened(SLOW, AGAIN) == 2
    assert board.quiet


def test_events_of_many_subjects_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(alarms, "MOST_SUBJECTS", 3)
    board = Board()
    for number in range(10):
        board.happened(Subject(AlarmKind.DRIFT, f"k{number}"), float(number))
    assert len(board._events) == 3
    assert board.happened(Subject(AlarmKind.DRIFT, "k9"), 10.0) is None


def test_troubles_of_what_is_gone_are_forgotten():
    board = Board()
    kept = Subject(AlarmKind.OUTAGE, "alias cheap")
    board.raised(DOWN, 0.0)
    board.raised(kept, 0.0)

    board.forget(AlarmKind.OUTAGE, frozenset({"alias cheap"}))

    assert not board.troubled(DOWN)
    assert board.troubled(kept)
