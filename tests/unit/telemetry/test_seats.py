"""Which numbers a request belongs to, and that there are never too many of them."""

from __future__ import annotations

from dataclasses import replace

from support.metrics_page import KEY
from support.records import DEPLOYMENT, SERVED
from tiergate.core.caller import Caller
from tiergate.core.metrics_plan import MetadataLabel, MetricsPlan
from tiergate.telemetry.counts import ANYBODY, Counts, SeriesKey, Who
from tiergate.telemetry.seats import LONGEST_VALUE, OTHER, Seat, Seats, cut, others, who_of

PLAN = MetricsPlan(metadata=(MetadataLabel("squad", ("squad",)),), most_series=2, most_timed=1)


def seats(plan: MetricsPlan = PLAN) -> tuple[Seats, Counts]:
    counts = Counts()
    made = Seats(counts)
    made.configure(plan)
    return made, counts


def at(made: Seats, record) -> Seat:
    return made.of(record, record.asked, DEPLOYMENT)


def by(number: int, **more):
    return replace(
        SERVED, caller=Caller(name="k", key=f"{number:02d}", alias=f"a{number}"), **more
    )


def test_a_caller_is_told_by_key_team_and_user():
    assert who_of(KEY, "", ()) == Who("", "ab" * 32, "bot", "t1", "core", "u1", "u@x.y")


def test_the_same_caller_has_the_same_seat():
    made, counts = seats()
    one, two = at(made, by(1)), at(made, by(1))
    assert one.series is two.series
    assert len(counts.series) == 1


def test_a_key_that_was_changed_is_shown_with_its_new_names():
    made, _ = seats()
    before = by(1)
    after = replace(before, caller=replace(before.caller, alias="renamed"))
    assert at(made, before).key.who.key_alias == "a1"
    assert at(made, after).key.who.key_alias == "renamed"


def test_whoever_finds_no_room_is_counted_as_other():
    made, counts = seats()
    for number in range(50):
        at(made, by(number))
    assert len(counts.series) == 3
    assert {key.who.key for key in counts.series} == {"00", "01", OTHER}
    assert at(made, by(30)).series is at(made, by(40)).series


def test_the_alias_and_the_deployment_are_told_even_without_room():
    made, _ = seats()
    found = [at(made, by(number)).key for number in range(9)][-1]
    assert (found.asked, found.names.id) == ("cheap", "dep-b")


def test_histograms_have_a_bound_of_their_own():
    made, counts = seats()
    for number in range(2):
        made.times(at(made, by(number)).key)
    assert {key.who.key for key in counts.times} == {"00", OTHER}


def test_end_users_are_told_only_where_that_is_asked_for():
    made, _ = seats()
    record = by(1, user="somebody")
    assert at(made, record).key.who.end_user == ""
    made.configure(MetricsPlan(end_users=True))
    assert at(made, record).key.who.end_user == "somebody"
    assert at(made, replace(record, user=None)).key.who.end_user == ""


def test_added_labels_are_part_of_who_calls():
    made, _ = seats()
    found = at(made, by(1, labels=(("squad", "blue"),))).key
    assert found.who.labels == (("squad", "blue"),)
    assert others(PLAN).labels == (("squad", OTHER),)


def test_what_is_remembered_of_callers_is_bounded_too():
    made, _ = seats(MetricsPlan(end_users=True, most_series=2))
    for number in range(1000):
        at(made, by(1, user=str(number)))
    assert len(made._known) <= 8


def test_values_are_short_and_can_be_shown():
    assert cut("x" * 500) == "x" * (LONGEST_VALUE - 3) + "..."
    assert cut("a\nb\x00c") == "abc"
    assert cut("Jürgen Ä") == "Jürgen Ä"


def test_a_request_that_nobody_served_has_a_seat_without_names():
    made, counts = seats()
    seat = made.of(SERVED, "cheap", None)
    assert seat.key == SeriesKey(ANYBODY, "cheap", seat.key.names)
    assert seat.key.names.id == ""
    assert counts.series[seat.key] is seat.series
