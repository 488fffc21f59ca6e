"""The numbers that strategies look at."""

from __future__ import annotations

from tiergate.base.values import DeploymentId
from tiergate.core.load import LATENCY_LIFE, LATENCY_SAMPLES, Load, MinuteUse

A = DeploymentId("a")
B = DeploymentId("b")


def test_calls_in_flight_are_counted_up_and_down() -> None:
    load = Load()
    load.begun(A, 0)
    load.begun(A, 0)
    load.ended(A)

    assert (load.in_flight(A), load.in_flight(B)) == (1, 0)
    load.ended(A)
    load.ended(A)
    assert load.in_flight(A) == 0


def test_the_use_of_a_minute_ends_with_the_minute() -> None:
    load = Load()
    load.begun(A, 60)
    load.used(A, 500, 119.9)

    assert load.minute(A, 119.9) == MinuteUse(1, 500)
    assert load.minute(A, 120) == MinuteUse()
    assert load.minute(B, 119.9) == MinuteUse()
    load.used(A, 7, 120)
    assert load.minute(A, 120) == MinuteUse(0, 7)


def test_latency_is_the_mean_of_the_last_samples() -> None:
    load = Load()
    for number in range(LATENCY_SAMPLES + 5):
        load.measured(A, float(number), 10, stream=False)

    assert load.latency(A, 11, stream=False) == 9.5
    assert load.latency(A, 11, stream=True) is None
    assert load.latency(B, 11, stream=False) is None


def test_old_samples_say_nothing() -> None:
    load = Load()
    load.measured(A, 5, 0, stream=True)
    load.measured(A, 1, LATENCY_LIFE, stream=True)

    assert load.latency(A, LATENCY_LIFE, stream=True) == 1
    assert load.latency(A, 3 * LATENCY_LIFE, stream=True) is None


def test_deployments_that_are_gone_are_forgotten_but_not_their_calls() -> None:
    load = Load()
    for name in (A, B):
        load.begun(name, 0)
        load.measured(name, 1, 0, stream=False)
    load.forget(frozenset({B}))

    assert load.minute(A, 0) == MinuteUse()
    assert load.latency(A, 0, stream=False) is None
    assert load.in_flight(A) == 1
    assert load.minute(B, 0) == MinuteUse(1, 0)
    assert load.latency(B, 0, stream=False) == 1
