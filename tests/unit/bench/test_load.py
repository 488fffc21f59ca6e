import json

import pytest
from bench import load, wire
from bench.client import Target
from bench.load import LoadFailedError, LoadRun, WrkCounts
from bench.wire import Dialect

NO_FAILURES = {"refused": 0, "broken": 0, "late": 0}


def wrk_line(**changes: int) -> str:
    counts = {"calls": 100, "microseconds": 2_000_000, "bytes": 120_000, "refused": 0}
    return "BENCH " + json.dumps({**counts, "broken": 0, "late": 0, **changes}) + "\n"


def target(port: int) -> Target:
    return Target(port, Dialect.OPENAI, wire.chat_body("plain-openai", 2_048))


def test_the_counts_are_read_from_among_wrks_own_lines():
    counts = load.parse_wrk("Running 2s test\n" + wrk_line(late=3) + "Requests/sec: 50\n")

    assert counts == WrkCounts(100, 2.0, 120_000, {**NO_FAILURES, "late": 3})


def test_output_without_counts_is_a_failure():
    with pytest.raises(LoadFailedError, match="unable to connect"):
        load.parse_wrk("unable to connect to 127.0.0.1:1 Connection refused")


def test_a_clean_run_has_its_rate():
    run = load.judge_wrk(WrkCounts(100, 2.0, 120_000, NO_FAILURES), answer_bytes=1_200)

    assert run == LoadRun(calls=100, seconds=2.0)
    assert run.rate == 50


@pytest.mark.parametrize("kind", ["refused", "broken", "late"])
def test_one_failed_call_fails_the_run(kind):
    counts = WrkCounts(100, 2.0, 120_000, {**NO_FAILURES, kind: 1})

    with pytest.raises(LoadFailedError, match=f"of 100 calls: 1 {kind}"):
        load.judge_wrk(counts, answer_bytes=1_200)


def test_a_run_without_calls_fails():
    with pytest.raises(LoadFailedError, match="not one call"):
        load.judge_wrk(WrkCounts(0, 2.0, 0, NO_FAILURES), answer_bytes=1_200)


@pytest.mark.parametrize("received", [90_000, 150_000])
def test_answers_of_another_size_fail_the_run(received):
    with pytest.raises(LoadFailedError, match="were expected"):
        load.judge_wrk(WrkCounts(100, 2.0, received, NO_FAILURES), answer_bytes=1_200)


@pytest.mark.parametrize("calls", [1, 3, 50])
def test_a_counted_run_makes_exactly_its_calls(upstream_port, calls):
    run = load.run_counted(target(upstream_port), connections=4, calls=calls)

    assert run.calls == calls
    assert run.seconds > 0


def test_a_wrong_answer_fails_a_counted_run(upstream_port, monkeypatch):
    monkeypatch.setattr(wire, "plain_answer", lambda _: b"{}")

    with pytest.raises(LoadFailedError, match="status 200"):
        load.run_counted(target(upstream_port), connections=2, calls=10)


def test_a_server_that_is_not_there_fails_a_counted_run():
    with pytest.raises(LoadFailedError, match="refused"):
        load.run_counted(target(1), connections=2, calls=10)
