import pytest
from bench import paced, wire
from bench.client import Target
from bench.load import LoadFailedError
from bench.paced import PacedRun
from bench.wire import Dialect
from hypothesis import given
from hypothesis import strategies as st


def target(port: int) -> Target:
    return Target(port, Dialect.OPENAI, wire.chat_body("plain-openai", 2_048))


@given(st.integers(1, 2_000), st.integers(0, 3), st.integers())
def test_one_call_leaves_in_each_slot(rate, seconds, seed):
    leaving = paced.departures(rate, seconds, seed)

    assert [int(instant * rate + 1e-9) for instant in leaving] == list(range(rate * seconds))


def test_the_same_seed_gives_the_same_departures():
    assert paced.departures(100, 1, 7) == paced.departures(100, 1, 7)
    assert paced.departures(100, 1, 7) != paced.departures(100, 1, 8)


def test_every_lane_gets_its_rate_and_every_call_is_answered(upstream_port):
    lanes = (target(upstream_port), target(upstream_port))

    runs = paced.run_paced(lanes, rate=100, seconds=0.5, seed=1)

    assert [len(run.latencies_us) for run in runs] == [50, 50]
    assert all(run.offered == 100 and 0 < run.achieved <= 100 for run in runs)
    assert all(min(run.latencies_us) > 0 for run in runs)


def test_a_wrong_answer_fails_the_run(upstream_port, monkeypatch):
    monkeypatch.setattr(wire, "plain_answer", lambda _: b"{}")

    with pytest.raises(LoadFailedError, match="a paced call failed"):
        paced.run_paced((target(upstream_port),), rate=100, seconds=0.1, seed=1)


def test_calls_that_pile_up_fail_the_run(upstream_port, monkeypatch):
    monkeypatch.setattr(paced, "_OPEN_CALLS_MOST", 0)

    with pytest.raises(LoadFailedError, match="more than can be served"):
        paced.run_paced((target(upstream_port),), rate=100, seconds=0.1, seed=1)


def test_a_latency_is_a_percentile_of_the_calls():
    run = PacedRun(latencies_us=(5.0, 1.0, 3.0), lag_us=(0.0,), offered=1.0, achieved=1.0)

    assert (run.latency(50), run.latency(99)) == (3.0, 5.0)
