"""Steps on the record that workers share, and what a worker makes of the record."""

from __future__ import annotations

from support.attempts import failure
from tiergate.base.errors import FailureClass
from tiergate.base.values import DeploymentId
from tiergate.core import cooldown
from tiergate.core.cooldown import Mark, Rule, State, state
from tiergate.core.shared_marks import (
    FORGOTTEN_AFTER,
    LONGEST_AHEAD,
    Record,
    Step,
    lengthened,
    play,
    taken,
)

A, B = DeploymentId("a"), DeploymentId("b")
RULE = Rule(allowed_fails=3, cooldown_time=60)
NOON = 1_800_000_000.0
AHEAD = NOON - 500.0
"""What a worker's own clock lacks to Unix time: it began 500 s before noon."""


def fails(at: float, name: DeploymentId = A, word: str = "500", rule: Rule = RULE) -> Step:
    def change(mark: Mark | None, now: float) -> Mark | None:
        return cooldown.failed(mark, rule, failure(word), now)

    return Step(name, at, at + AHEAD, change, fails=True)


def succeeds(at: float, name: DeploymentId = A) -> Step:
    return Step(name, at, at + AHEAD, lambda mark, now: cooldown.succeeded(mark, RULE, now))


def probes(at: float, name: DeploymentId = A) -> Step:
    def change(mark: Mark | None, now: float) -> Mark | None:
        return cooldown.probed(mark, RULE, now)

    return Step(name, at, at + AHEAD, change, probes=True)


def after(*steps: Step) -> Record:
    """The record after steps that were told one by one."""
    record = Record()
    for step in steps:
        record = play(record, [step], step.wall).record
    return record


def test_failures_of_several_workers_add_up():
    three = after(fails(500), fails(501), fails(502))
    assert state(three.marks[A], NOON + 2) is State.READY

    played = play(three, [fails(503)], NOON + 3)

    assert played.record.marks == {A: Mark(until=NOON + 63, cause=FailureClass.UPSTREAM)}
    assert played.began == (60.0,)
    assert played.record.number == 4


def test_only_the_step_that_begins_a_cooldown_is_told_of_it():
    steps = [fails(500 + n / 10) for n in range(6)]

    assert play(Record(), steps, NOON).began == (0, 0, 0, 60, 0, 0)


def test_a_step_that_is_made_twice_counts_once():
    """A store may have written what it did not answer."""
    once = after(fails(500), fails(501))

    assert play(once, [fails(501)], NOON + 1).record is once


def test_what_changes_nothing_is_not_written():
    record = after(fails(500))

    assert play(record, [succeeds(501)], NOON + 1).record is record
    assert play(record, [], NOON + 1).record is record


def test_of_all_probes_one_is_admitted():
    cooled = after(*(fails(500 + n) for n in range(4)))

    early = play(cooled, [probes(560)], NOON + 60)
    assert early.admitted == (False,)
    first = play(cooled, [probes(563), probes(563.1)], NOON + 63)
    assert first.admitted == (True, False)
    assert play(first.record, [probes(564)], NOON + 64).admitted == (False,)


def test_a_probe_of_what_is_well_by_now_is_admitted_as_a_call():
    cooled = after(*(fails(500 + n) for n in range(4)), probes(563), succeeds(564))

    played = play(cooled, [probes(565)], NOON + 65)

    assert (played.admitted, played.record.marks) == ((True,), {})


def test_a_success_of_one_ends_the_probing_for_all():
    assert after(*(fails(500 + n) for n in range(4)), probes(563), succeeds(564)).marks == {}


def test_a_worker_gets_the_record_on_its_own_clock():
    record = after(*(fails(501 + n, B) for n in range(4)), fails(550), probes(564, B))

    assert taken(record, 570.0, NOON + 70) == {
        A: Mark(fails=((550.0, FailureClass.UPSTREAM),)),
        B: Mark(until=564.0, probe_until=624.0, cause=FailureClass.UPSTREAM),
    }


def test_a_record_of_a_machine_whose_clock_is_wrong_keeps_nothing_away_for_ever():
    wild = Record(
        1,
        {
            A: Mark(until=NOON + 10 * LONGEST_AHEAD),
            B: Mark(fails=((NOON + 99, FailureClass.TIMEOUT),)),
        },
    )

    marks = taken(wild, 500.0, NOON)

    assert marks[A].until == 500 + LONGEST_AHEAD
    assert marks[B].fails == ((500.0, FailureClass.TIMEOUT),)


def test_what_nobody_asks_any_more_is_forgotten():
    record = after(fails(500, B), *(fails(500.5 + n) for n in range(4)))

    soon = play(record, [fails(562)], NOON + 62).record
    assert set(soon.marks) == {A}  # B's failure is older than a minute
    late = play(record, [fails(600, B)], NOON + 64 + FORGOTTEN_AFTER).record
    assert set(late.marks) == set()  # nor does a step of a day ago leave anything


def test_a_cooldown_that_ends_later_than_before_is_longer():
    cool = Mark(until=60.0)

    assert lengthened(None, cool, 10.0) == 50
    assert lengthened(Mark(until=50.0), cool, 10.0) == 50
    assert lengthened(cool, cool, 10.0) == 0
    assert lengthened(cool, None, 10.0) == 0
    assert lengthened(None, cool, 60.0) == 0
