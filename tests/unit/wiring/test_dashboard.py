"""What a worker tells of itself, and what the dashboard makes of the figures of all workers."""

from __future__ import annotations

import os

import pytest

from support.attempts import deployments
from tiergate.base.errors import FailureClass
from tiergate.base.values import AliasName, DeploymentId, Dialect, Operation
from tiergate.core.caller import Caller
from tiergate.core.cooldown import Mark
from tiergate.core.load import Load
from tiergate.core.purpose import Purpose
from tiergate.core.sighting import MOST_UNDER_WAY, Seen, UnderWay
from tiergate.ports import Inbound
from tiergate.telemetry.counts import ANYBODY, SECONDS, Buckets, Counts, Names, Times, TimesKey
from tiergate.ui.sights import Speed
from tiergate.wire.members import Members
from tiergate.wiring.dashboard import sighting, speeds, within

NOW, WALL = 1000.0, 1_790_000_000.0
ALL = deployments(cheap="a", balanced="b")


def inbound(call_id: str, wall: float) -> Inbound:
    return Inbound(
        call_id=call_id,
        received=0.0,
        wall=wall,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=True,
        include_usage=False,
        members=Members.read(b"{}"),
        caller=Caller(name="build"),
        purpose=Purpose(ticket="T-1", phase="plan"),
    )


def see(marks=None, load=None, calls=None, now=NOW):
    return sighting(ALL, marks or {}, load or Load(), calls or {}, lambda: now, lambda: WALL)


def test_a_worker_tells_the_calls_that_began_first():
    calls = {n: inbound(f"c-{n}", WALL - 99 + n) for n in range(MOST_UNDER_WAY + 20)}
    seen = see(calls=calls)
    assert (seen.worker, seen.calls, len(seen.under_way)) == (os.getpid(), 70, MOST_UNDER_WAY)
    assert seen.under_way[0] == UnderWay(
        "c-0", WALL - 99, "cheap", "chat", True, "build", "T-1", "plan"
    )


def test_a_cooldown_is_told_in_unix_time():
    marks, load = {}, Load()
    marks[DeploymentId("a")] = Mark(
        fails=((NOW - 5, FailureClass.TIMEOUT), (NOW - 90, FailureClass.TIMEOUT)),
        until=NOW + 42,
        cause=FailureClass.TIMEOUT,
    )
    load.begun(DeploymentId("a"), NOW)
    assert see(marks, load).deployments == (
        Seen("a", "cooling", WALL + 42, "timeout", 1, 1),
        Seen("b", "ready"),
    )


def test_what_a_worker_tells_does_not_change_while_nothing_happens():
    marks = {}
    marks[DeploymentId("a")] = Mark(until=NOW + 42, cause=FailureClass.UPSTREAM)
    first = sighting(ALL, marks, Load(), {}, lambda: NOW, lambda: WALL)
    later = sighting(ALL, marks, Load(), {}, lambda: NOW + 7.0004, lambda: WALL + 7.0001)
    assert first == later


def test_a_deployment_that_is_off_is_told_as_off():
    off = deployments(cheap="a")[0]
    object.__setattr__(off, "off", "for production")
    seen = sighting([off], {}, Load(), {}, lambda: NOW, lambda: WALL)
    assert seen.deployments == (Seen("a", "off"),)


@pytest.mark.parametrize(("part", "seconds"), [(0.5, 0.25), (0.95, 10.0), (1.0, 300.0)])
def test_a_part_of_the_answers_came_within_the_bound_of_its_bucket(part, seconds):
    buckets = Buckets(SECONDS)
    for value in [0.2] * 10 + [7.0] * 9 + [999.0]:
        buckets.add(value)
    assert within(buckets, part) == seconds


def test_without_answers_nothing_is_known():
    assert within(Buckets(SECONDS), 0.5) is None


def test_speeds_are_of_a_deployment_whoever_asked():
    counts = Counts()
    for asked, seconds in (("cheap", 0.2), ("auto", 4.0)):
        times = Times()
        times.latency.add(seconds)
        times.first.add(0.08)
        counts.times[TimesKey(ANYBODY, asked, Names(alias="cheap", id="a"), "")] = times
    counts.times[TimesKey(ANYBODY, "cheap", Names(), "")] = Times()
    assert speeds(counts) == {"a": Speed(answers=2, half=0.25, most=5.0, first_half=0.1)}
