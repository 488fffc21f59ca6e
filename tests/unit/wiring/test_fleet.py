"""Who is started when, and who tells which figures: a conversation with a clock of our own."""

from __future__ import annotations

import math

import pytest

from tiergate.wiring.fleet import (
    ANSWER_SECONDS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STEADY_SECONDS,
    Fleet,
    pause,
)
from tiergate.wiring.frames import Frame, Kind, Standing, split_family, split_number

ALL = frozenset(range(3))


def running(size: int = 3) -> Fleet:
    """A fleet that has served for long."""
    fleet = Fleet(size)
    for index in range(size):
        fleet.started(index, 0.0)
        fleet.ready(index, 0.0)
    return fleet


def family_of(parcels, asker: int, ask: int):
    """What the asker was told, as (standing, figures) of the others."""
    ((to, frame),) = [p for p in parcels if p[1].kind is Kind.FAMILY]
    number, body = split_number(frame.body)
    assert (to, number) == (asker, ask)
    return [(told.standing, told.figures) for told in split_family(body)]


def counts(parcels) -> dict[int, int]:
    """The number by which each worker is asked to report."""
    return {i: split_number(f.body)[0] for i, f in parcels if f.kind is Kind.COUNT}


def test_the_others_wait_until_the_first_serves():
    fleet = Fleet(3)
    assert fleet.due(0.0) == [0]
    fleet.started(0, 0.0)
    assert fleet.due(1e9) == []
    fleet.ready(0, 1.0)
    assert fleet.due(1.0) == [1, 2]
    assert not fleet.complete


def test_it_is_complete_once_all_have_served_together():
    fleet = running(2)
    assert (fleet.complete, fleet.serving) == (True, 2)
    fleet.ended(0, 5.0)
    assert (fleet.complete, fleet.serving) == (True, 1)


def test_one_that_served_for_long_is_replaced_at_once():
    fleet = running()
    fleet.ended(1, 100.0)
    assert fleet.due(100.0) == [1]


def test_one_that_dies_again_and_again_is_started_more_and_more_slowly():
    fleet, now, waits = running(1), 0.0, []
    for _ in range(10):
        fleet.ended(0, now)
        due = fleet.places[0].due
        assert due is not None
        waits.append(due - now)
        now = due
        fleet.started(0, now)
        fleet.ready(0, now)
    assert waits[:5] == [0.0, 0.5, 1.0, 2.0, 4.0]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_PAUSE
    fleet.ended(0, now + STEADY_SECONDS)
    assert fleet.due(now + STEADY_SECONDS) == [0]


def test_one_that_never_served_is_not_started_at_once():
    fleet = Fleet(1)
    fleet.started(0, 0.0)
    fleet.ended(0, 60.0)
    assert fleet.places[0].due == 60.0 + FIRST_PAUSE


@pytest.mark.parametrize("ends", [0, 1, 2, 5, 100, 10_000])
def test_a_pause_has_its_bounds(ends):
    assert 0.0 <= pause(ends) <= LONGEST_PAUSE


def test_a_successor_inherits_the_last_figures():
    fleet = running()
    fleet.reported(1, 0, b"old")
    fleet.ended(1, 50.0)
    assert fleet.started(1, 50.0) == [(1, Frame(Kind.INHERIT, b"old"))]
    assert Fleet(1).started(0, 0.0) == []


def test_all_that_live_are_told_how_many_serve():
    fleet = running()
    told = {i: split_number(f.body)[0] for i, f in fleet.ended(2, 9.0) if f.kind is Kind.ALIVE}
    assert told == {0: 2, 1: 2}


def test_a_scrape_gets_the_figures_of_all_others_when_the_last_has_told():
    fleet = running()
    asked = counts(fleet.asked(0, 77, b"zero", 1.0, ALL))
    assert set(asked) == {1, 2}
    assert fleet.reported(1, asked[1], b"one") == []
    answer = fleet.reported(2, asked[2], b"two")
    assert family_of(answer, 0, 77) == [(Standing.ANSWERED, b"one"), (Standing.ANSWERED, b"two")]
    assert fleet.next_instant() is None


def test_a_silent_one_is_waited_for_a_moment_and_stands_with_its_last_figures():
    fleet = running()
    fleet.reported(2, 0, b"earlier")
    asked = counts(fleet.asked(0, 1, b"zero", 1.0, ALL))
    fleet.reported(1, asked[1], b"one")
    assert fleet.overdue(1.0 + ANSWER_SECONDS / 2) == []
    assert fleet.next_instant() == 1.0 + ANSWER_SECONDS
    answer = fleet.overdue(1.0 + ANSWER_SECONDS)
    assert family_of(answer, 0, 1) == [(Standing.ANSWERED, b"one"), (Standing.SILENT, b"earlier")]
    assert fleet.reported(2, asked[2], b"too late") == []


def test_one_that_takes_no_frames_is_not_waited_for():
    fleet = running(2)
    answer = fleet.asked(0, 1, b"zero", 1.0, frozenset({0}))
    assert family_of(answer, 0, 1) == [(Standing.SILENT, b"")]


def test_one_that_dies_during_a_scrape_is_not_waited_for():
    fleet = running(2)
    fleet.reported(1, 0, b"last")
    fleet.asked(0, 5, b"zero", 1.0, ALL)
    assert family_of(fleet.ended(1, 1.1), 0, 5) == [(Standing.ENDED, b"last")]


def test_nobody_gathers_for_one_that_has_died():
    fleet = running(3)
    fleet.asked(0, 5, b"zero", 1.0, ALL)
    assert all(f.kind is Kind.ALIVE for _, f in fleet.ended(0, 1.1))
    assert fleet.overdue(math.inf) == []


def test_what_the_asker_showed_is_kept_for_its_successor():
    fleet = running(2)
    fleet.asked(0, 1, b"shown", 1.0, ALL)
    fleet.ended(0, 1.1)
    assert family_of(fleet.asked(1, 2, b"", 2.0, ALL), 1, 2) == [(Standing.ENDED, b"shown")]
    assert fleet.started(0, 2.0) == [(0, Frame(Kind.INHERIT, b"shown"))]
