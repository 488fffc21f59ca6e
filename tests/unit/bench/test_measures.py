import pytest
from bench.measures import Pacer
from bench.record import Effort
from bench.scenarios import Pace

EFFORT = Effort(rounds=5, round_seconds=3.0, slow_calls=80, streams_held=1_000, starts=5)
FAST = Pacer(EFFORT, {"nginx": 20_000.0, "tiergate": 5_000.0})
MIXED = Pacer(EFFORT, {"nginx": 20_000.0, "tiergate": 1_200.0, "litellm": 50.0})


@pytest.mark.parametrize(
    ("pacer", "pace", "name", "rate"),
    [
        (FAST, Pace.OWN, "tiergate", 1_000),
        (FAST, Pace.SLOWEST, "nginx", 1_000),
        (MIXED, Pace.OWN, "nginx", 1_000),
        (MIXED, Pace.OWN, "tiergate", 600),
        (MIXED, Pace.OWN, "litellm", 25),
        (MIXED, Pace.SLOWEST, "nginx", 25),
    ],
)
def test_calls_leave_at_half_of_what_can_be_done_and_never_above_a_thousand(
    pacer, pace, name, rate
):
    assert pacer.paced_rate(pace, name) == rate


def test_a_slow_gateway_shows_in_the_run():
    assert not FAST.has_slow()
    assert MIXED.has_slow()


def test_a_slow_gateway_carries_few_streams():
    assert MIXED.streams_at_once("tiergate") == 40
    assert MIXED.streams_at_once("litellm") == 2


def test_a_round_of_streams_lasts_about_as_long_as_a_round():
    assert FAST.streams_per_round("tiergate", script_seconds=0.5) == 40 * 6
    assert MIXED.streams_per_round("litellm", script_seconds=0.5) == 2 * 6
    assert FAST.streams_per_round("tiergate", script_seconds=100.0) == 40
