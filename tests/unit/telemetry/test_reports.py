"""Numbers of several workers: carried whole, added up, and no label lost."""

from __future__ import annotations

import copy
from dataclasses import fields, replace

import msgspec
import pytest

from tiergate.core.prefix_figures import LastDrift, PrefixFigures
from tiergate.core.sighting import Seen, Sighting, UnderWay
from tiergate.telemetry.counts import (
    SECONDS,
    Buckets,
    Counts,
    Gains,
    Left,
    Names,
    Series,
    SeriesKey,
    Served,
    Times,
    TimesKey,
    Who,
)
from tiergate.telemetry.moment import Moment
from tiergate.telemetry.reports import Others, Report, add, pack_report, total, unpack_report

CHEAP = Names("cheap", "m", "d1", "http://upstream.invalid", "openai")
BOT = Who(key="ab", key_alias="bot", labels=(("squad", "blue"),))
KEY = SeriesKey(BOT, "cheap", CHEAP)
TIMED = TimesKey(BOT, "cheap", CHEAP, "flex")


def prefix_figures(number: int) -> PrefixFigures:
    drift = LastDrift(5.0, "system", 1, "changed", 7, "timestamp")
    sums = (number * (at + 1) for at in range(10))
    return PrefixFigures("name", *sums, {"system": number}, drift)


def buckets(bounds: tuple[float, ...], number: int) -> Buckets:
    made = Buckets(bounds)
    for _ in range(number):
        made.add(0.5)
    return made


def times(number: int) -> Times:
    made = Times()
    for field in fields(Times):
        each: Buckets = getattr(made, field.name)
        setattr(made, field.name, buckets(each.bounds, number))
    return made


def series(number: int) -> Series:
    return Series(
        ends={("/v1/messages", 200, ""): number},
        failures={("/v1/messages", 500, "server"): number},
        attempts={(500, "server"): number},
        steps={(429, "rate_limit"): number},
        missteps={(0, "not_called"): number},
        served={"": Served(*(number * (at + 1) for at in range(8)))},
        gains={"response": Gains(number, 2 * number, 3 * number)},
        misses=number,
    )


def counted(number: int = 1) -> Counts:
    """Counts with something in every field."""
    return Counts(
        series={KEY: series(number)},
        times={TIMED: times(number)},
        cooldowns={(CHEAP, 429): number},
        broken={CHEAP: number},
        escalations={("cheap", "frontier"): number},
        upgrades={("cheap", "frontier"): number},
        upgrade_costs={("cheap", "frontier"): number},
        left={CHEAP: Left(5, 6, 7.0)},
        lookups={("cheap", "miss"): number},
        compared={("cheap", "near"): number},
        prefixes={("key", "cheap", "draft"): prefix_figures(number)},
        guard_requests={("pii", "pre_call", "success"): number},
        guard_errors={("pii", "pre_call", "timeout"): number},
        guard_findings={("pii", "pre_call", "mask"): number},
        guard_seconds={("pii", "pre_call", "success", ""): buckets(SECONDS, number)},
        callback_failures={"langfuse": number},
        callback_drops={"langfuse": number},
        in_flight=number,
    )


def moment(number: int = 1) -> Moment:
    return Moment({CHEAP: (number, 0, number)}, number, 9.0, {"ledger": number}, ("ledger",))


def test_the_example_has_something_in_every_field():
    """A field that is added to the counts must be added here, and be carried and added up."""
    assert all(getattr(counted(), field.name) for field in fields(Counts))
    assert all(getattr(series(1), field.name) for field in fields(Series))
    assert all(getattr(series(1).served[""], field.name) for field in fields(Served))
    assert all(getattr(times(1), field.name).total for field in fields(Times))
    assert all(getattr(moment(), field.name) for field in fields(Moment))
    (figures,) = counted().prefixes.values()
    assert all(getattr(figures, field.name) for field in fields(PrefixFigures))


def test_a_report_survives_whole():
    call = UnderWay("c", 5.0, "cheap", "chat", True, "bot", "T-1", "plan")
    seen = Sighting(7, (call,), 1, (Seen("d1", "cooling", 65.0, "timeout", 4, 1),))
    report = Report(counted(3), moment(2), seen)
    assert unpack_report(pack_report(report)) == report


def test_packing_changes_nothing():
    counts = counted(3)
    before = copy.deepcopy(counts)
    pack_report(Report(counts))
    assert counts == before


def test_the_sum_of_two_is_the_sum_of_every_number():
    whole = total([Report(counted(2), moment(2)), Report(counted(3), moment(3))])
    assert whole == Report(counted(5), moment(5))


def test_of_what_a_provider_said_the_newest_counts():
    one, two = Counts(left={CHEAP: Left(5, 5, 10.0)}), Counts(left={CHEAP: Left(4, 4, 9.0)})
    add(one, two)
    assert one.left == {CHEAP: Left(5, 5, 10.0)}
    add(two, one)
    assert two.left == {CHEAP: Left(5, 5, 10.0)}


def test_labels_that_one_worker_alone_has_are_kept():
    other = CHEAP._replace(id="d2")
    one, two = counted(), Counts(broken={other: 2})
    add(one, two)
    assert one.broken == {CHEAP: 1, other: 2}


def test_adding_changes_none_of_the_parts():
    parts = [Report(counted(2)), Report(counted(3))]
    total(parts)
    assert [part.counts for part in parts] == [counted(2), counted(3)]


def test_one_that_has_ended_has_no_calls_under_way_and_holds_nothing():
    ended = Report(counted(3), moment(), Sighting(7)).without_calls()
    assert ended == Report(replace(counted(3), in_flight=0))


def test_callers_and_deployments_are_written_once_however_often_they_are_named():
    rows = {SeriesKey(BOT, f"alias-{at}", CHEAP): Series(misses=1) for at in range(100)}
    packed = pack_report(Report(Counts(series=rows)))
    assert packed.count(b"upstream.invalid") == 1
    assert packed.count(b"squad") == 1
    assert len(packed) < 40 * 100


def test_examples_of_calls_stay_in_their_worker():
    counts = Counts(times={TIMED: Times()})
    counts.times[TIMED].latency.mark("call-7", 0.5, 1.0)
    assert b"call-7" not in pack_report(Report(counts))


def wire(callers: list[Who], names: list[Names], times: list[object]) -> bytes:
    """A report as it is carried, with histograms of one's own."""
    counts, moment = msgspec.to_builtins(Counts()), msgspec.to_builtins(Moment())
    return msgspec.msgpack.encode([callers, names, [], times, {}, counts, moment, None])


def test_the_form_on_the_wire_is_the_one_that_the_next_test_breaks():
    assert unpack_report(wire([BOT], [CHEAP], [[0, "cheap", 0, "", {}]])).counts.times


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"counts": {"requests": 1}}),
        wire([], [], [[0, "cheap", 0, "", {}]]),
        wire([BOT], [CHEAP], [[0, "cheap", 0, "", {9: [[1], 1.0]}]]),
    ],
)
def test_something_else_is_an_error(data):
    with pytest.raises(msgspec.MsgspecError):
        unpack_report(data)


def test_a_histogram_with_other_buckets_is_an_error():
    counts = counted()
    counts.times[TIMED].latency = buckets(SECONDS[:-1], 1)
    with pytest.raises(msgspec.MsgspecError):
        unpack_report(pack_report(Report(counts)))


def test_others_are_counted_by_state():
    others = Others((), serving=2, silent=1, ended=0)
    assert others.states() == {"serving": 2, "silent": 1, "ended": 0}
