"""The bytes of the page: what both parsers of the Prometheus project read."""

from __future__ import annotations

import math

import pytest

from support.metrics_page import samples_of
from tiergate.core.metrics_plan import MetricGroup, MetricsPlan
from tiergate.telemetry.counts import Buckets
from tiergate.telemetry.exposition import (
    PIECE_LINES,
    Family,
    bare,
    counter,
    gauge,
    histogram,
    selected,
    written,
)


def text(*families: Family, openmetrics: bool = False) -> bytes:
    return b"".join(written(families, openmetrics=openmetrics))


def calls() -> Family:
    family = counter("x_calls", "Calls", ("who", "what"))
    family.add(("a", "1"), 2)
    family.add(("b", "1"), 3, ("call-7", 1.0, 1_790_000_000.25))
    return family


def seconds(*values: float) -> Buckets:
    buckets = Buckets((0.5, 1.0))
    for at, value in enumerate(values):
        buckets.mark(f"call-{at}", value, 1_790_000_000.0)
    return buckets


@pytest.mark.parametrize("openmetrics", [False, True])
def test_counters_gauges_and_histograms_are_read_back(openmetrics):
    up = gauge("x_up", "Up")
    up.add((), 1)
    took = histogram("x_seconds", "Seconds", ("who",))
    took.observe(("a",), seconds(0.1, 0.7, 9.0))
    page = samples_of(text(calls(), up, took, openmetrics=openmetrics), openmetrics=openmetrics)

    assert [(s.labels, s.value) for s in page["x_calls_total"]] == [
        ({"who": "a", "what": "1"}, 2),
        ({"who": "b", "what": "1"}, 3),
    ]
    assert page["x_up"][0].value == 1
    assert [(s.labels["le"], s.value) for s in page["x_seconds_bucket"]] == [
        ("0.5", 1), ("1.0", 2), ("+Inf", 3),
    ]  # fmt: skip
    assert page["x_seconds_count"][0].value == 3
    assert page["x_seconds_sum"][0].value == pytest.approx(9.8)


def test_openmetrics_shows_calls_as_examples_and_ends_with_its_mark():
    took = histogram("x_seconds", "Seconds")
    took.observe((), seconds(0.1, 9.0))
    written_page = text(calls(), took, openmetrics=True)
    page = samples_of(written_page, openmetrics=True)

    assert written_page.endswith(b"# EOF\n")
    example = page["x_calls_total"][1].exemplar
    assert (example.labels, example.value) == ({"call_id": "call-7"}, 1.0)
    assert float(example.timestamp) == 1_790_000_000.25
    examples = [s.exemplar and s.exemplar.labels["call_id"] for s in page["x_seconds_bucket"]]
    assert examples == ["call-0", None, "call-1"]


def test_the_text_format_has_no_examples():
    assert b"call-7" not in text(calls())


def test_an_id_that_is_too_long_for_an_example_is_left_out():
    family = counter("x_calls", "Calls")
    family.add((), 1, ("x" * 122, 1.0, 1.0))
    assert b"xxx" not in text(family, openmetrics=True)
    family.add((), 1, ("x" * 121, 1.0, 1.0))
    assert samples_of(text(family, openmetrics=True), openmetrics=True)["x_calls_total"]


def test_signs_that_would_break_a_line_are_escaped():
    family = counter("x", 'a "b"\nc\\d', ("name",))
    family.add(('a"b\\c\nd',), 1)
    family.marks[('a"b\\c\nd',)] = ('i"d', 1.0, 1.0)
    for openmetrics in (False, True):
        page = samples_of(text(family, openmetrics=openmetrics), openmetrics=openmetrics)
        assert page["x_total"][0].labels == {"name": 'a"b\\c\nd'}
        assert page["x_total"][0].exemplar is None


@pytest.mark.parametrize(
    ("number", "shown"), [(math.inf, "+Inf"), (-math.inf, "-Inf"), (1.5, "1.5"), (7, "7")]
)
def test_numbers_are_written_as_prometheus_reads_them(number, shown):
    family = gauge("x", "X")
    family.add((), number)
    assert text(family).endswith(f"x {shown}\n".encode())


def test_a_large_page_comes_in_pieces():
    family = counter("x_calls", "Calls", ("who",))
    for number in range(3 * PIECE_LINES):
        family.add((str(number),), 1)
    pieces = list(written([family]))
    assert len(pieces) == 4
    assert all(piece.count(b"\n") <= PIECE_LINES + 1 for piece in pieces)
    assert len(samples_of(b"".join(pieces))["x_calls_total"]) == 3 * PIECE_LINES


def test_what_is_added_twice_under_the_same_labels_is_summed_up():
    family = counter("x", "X", ("who",))
    family.add(("a",), 1)
    family.add(("a",), 2)
    assert family.numbers == {("a",): 3}
    took = histogram("y", "Y")
    one, two = seconds(0.1), seconds(0.2, 9.0)
    took.observe((), one)
    took.observe((), two)
    assert took.buckets[()].counts == [2, 0, 1]
    assert (one.counts, two.counts) == ([1, 0, 0], [1, 0, 1]), "what is added stays as it is"


# ------------------------------------------------------------------ what a configuration leaves


def kept(plan: MetricsPlan, family: Family | None = None) -> Family | None:
    return selected(family or calls(), plan)


def test_a_metric_that_is_left_out_is_not_there():
    assert kept(MetricsPlan(without=frozenset({"x_calls"}))) is None


def test_a_label_that_is_left_out_is_summed_over():
    left = kept(MetricsPlan(without_labels=frozenset({"who"})))
    assert (left.labels, left.numbers) == (("what",), {("1",): 5})
    assert left.marks == {("1",): ("call-7", 1.0, 1_790_000_000.25)}


def test_histograms_are_summed_over_too():
    took = histogram("x_seconds", "Seconds", ("who",))
    took.observe(("a",), seconds(0.1))
    took.observe(("b",), seconds(0.1, 9.0))
    left = kept(MetricsPlan(without_labels=frozenset({"who"})), took)
    assert left.buckets[()].counts == [2, 0, 1]


def test_with_groups_only_their_metrics_and_labels_are_left():
    group = MetricGroup(frozenset({"x_calls"}), frozenset({"what", "unknown"}))
    plan = MetricsPlan(groups=(group,))
    assert kept(plan).labels == ("what",)
    assert kept(plan, gauge("x_up", "Up")) is None
    whole = MetricsPlan(groups=(MetricGroup(frozenset({"x_calls"})),))
    assert kept(whole).labels == ("who", "what")


def test_leaving_out_wins_over_groups():
    group = MetricGroup(frozenset({"x_calls"}), frozenset({"what", "who"}))
    plan = MetricsPlan(groups=(group,), without_labels=frozenset({"who"}))
    assert kept(plan).labels == ("what",)
    assert kept(MetricsPlan(groups=(group,), without=frozenset({"x_calls"}))) is None


def test_counters_are_named_without_their_ending():
    assert bare("litellm_guardrail_requests_total") == "litellm_guardrail_requests"
