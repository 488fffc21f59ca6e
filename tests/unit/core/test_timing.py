"""Time limits and waits."""

from __future__ import annotations

import pytest

from support.attempts import deployment, failure
from tiergate.core.catalog import RouterPolicy
from tiergate.core.timing import Limits, backoff, fits, limits, longest_silence, ran_out, share

FOREVER = float("inf")


@pytest.mark.parametrize(
    ("following", "timed_out", "seconds"),
    [(0, False, 12), (0, True, 12), (1, False, 9), (5, False, 9), (1, True, 6), (3, True, 3)],
)
def test_the_time_left_is_shared(following: int, timed_out: bool, seconds: float) -> None:
    assert share(12, following, timed_out=timed_out) == seconds


def test_a_plain_call_is_bounded_by_its_share() -> None:
    one = deployment("cheap", "a", stream_timeout=1.0)

    assert limits(RouterPolicy(), one, 100, 130, FOREVER, stream=False) == Limits(
        130, None, callers_own=False
    )


def test_a_deployments_own_timeout_takes_the_place_of_the_share() -> None:
    one = deployment("cheap", "a", timeout=600.0)

    assert limits(RouterPolicy(), one, 100, 130, FOREVER, stream=False).total_until == 700


@pytest.mark.parametrize(("callers", "own"), [(120, True), (130, False), (131, False)])
def test_the_callers_limit_is_named_when_it_is_the_tightest(callers: float, own: bool) -> None:
    given = limits(RouterPolicy(), deployment("cheap", "a"), 100, 130, callers, stream=False)

    assert given == Limits(min(callers, 130), None, callers_own=own)


@pytest.mark.parametrize(
    ("router", "own", "until", "silence"),
    [(None, None, 130, 6000), (5.0, None, 105, 5), (5.0, 2.0, 102, 2), (None, 60.0, 130, 60)],
)
def test_stream_timeout_bounds_first_content_and_silence(
    router: float | None, own: float | None, until: float, silence: float
) -> None:
    one = deployment("cheap", "a", stream_timeout=own)
    policy = RouterPolicy(stream_timeout=router)

    assert limits(policy, one, 100, 130, FOREVER, stream=True) == Limits(
        until, silence, callers_own=False
    )


@pytest.mark.parametrize(
    ("total", "own", "silence"), [(30, None, 600), (900, None, 900), (30, 1200.0, 1200)]
)
def test_without_stream_timeout_the_silence_allowed_is_generous(
    total: float, own: float | None, silence: float
) -> None:
    policy = RouterPolicy(request_timeout=total)

    assert longest_silence(policy, deployment("cheap", "a", timeout=own)) == silence


def test_a_backoff_doubles_and_is_spread() -> None:
    assert [backoff(n, 1000, lambda: 0.5) for n in (1, 2, 3, 6, 7, 99)] == [
        0.25,
        0.5,
        1,
        8,
        8,
        8,
    ]
    assert backoff(1, 1000, lambda: 0.0) == 0.125
    assert backoff(1, 1000, lambda: 0.999) == pytest.approx(0.375, abs=0.001)


def test_a_backoff_takes_a_quarter_of_the_time_left_at_most() -> None:
    assert backoff(9, 4, lambda: 0.5) == 1
    assert backoff(9, -1, lambda: 0.5) == 0


@pytest.mark.parametrize(
    ("wait", "left", "fit"), [(3, 5, True), (4, 5, False), (60, 900, True), (61, 900, False)]
)
def test_a_pause_fits_when_time_for_an_attempt_is_left(
    wait: float, left: float, fit: bool
) -> None:
    assert fits(wait, left) is fit


def test_a_providers_own_quick_408_is_not_a_time_limit_reached() -> None:
    limit = Limits(130, None, callers_own=False)

    assert ran_out(failure("timeout"), limit, 129.99)
    assert not ran_out(failure("timeout"), limit, 101)
    assert not ran_out(failure("500"), limit, 131)
