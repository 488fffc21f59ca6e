"""Plays: how the time of a request is shared among its attempts, and cooldowns over time."""

from __future__ import annotations

import pytest

from support.attempts import START, Play, deployment, deployments, general
from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import Chains, RouterPolicy
from tiergate.core.plan import Call, Machine, Wish
from tiergate.core.tags import RequestTags


def policy(seconds: float, retries: int, chains: Chains | None = None) -> RouterPolicy:
    return RouterPolicy(
        request_timeout=seconds,
        num_retries=retries,
        disable_cooldowns=True,
        chains=chains or Chains(),
    )


def limits(play: Play, wish: Wish, count: int) -> list[float]:
    """Seconds allowed to each attempt, when each one times out."""
    machine = Machine(play.routes, wish, START)
    now = START
    allowed: list[float] = []
    for _ in range(count):
        step = machine.next(play.view, now, play.dice)
        assert isinstance(step, Call)
        allowed.append(step.limits.total_until - now)
        now = step.limits.total_until
        machine.failed(Failure(FailureClass.TIMEOUT, 408, "timed out"), now)
    return allowed


CHEAP = Wish(alias=AliasName("cheap"))
PAIR = deployments(cheap="a", balanced="b")


def test_one_second_is_enough_for_two_calls_and_a_fallback() -> None:
    """`request_timeout: 1, num_retries: 1`: 0.75 s, then half of the rest, then all of it."""
    play = Play(PAIR, policy(1, 1, general(cheap="balanced")))

    assert limits(play, CHEAP, 3) == pytest.approx([0.75, 0.125, 0.125])
    assert play.ask("cheap", "timeout", "timeout", "ok in 0.05") == [
        "call a",
        "call a",
        "call b",
        "answered",
    ]
    assert play.now - START < 1


def test_the_only_attempt_has_all_the_time() -> None:
    play = Play(deployments(cheap="a"), policy(30, 0))

    assert limits(play, CHEAP, 1) == pytest.approx([30])


def test_the_last_retry_has_all_that_is_left() -> None:
    play = Play(deployments(cheap="a"), policy(30, 2))

    assert limits(play, CHEAP, 3) == pytest.approx([22.5, 3.75, 3.75])
    assert play.ask("cheap", "timeout", "timeout", "timeout")[-1] == "gave up 408"
    assert play.now == pytest.approx(START + 30)


def test_a_member_that_the_tags_rule_out_gets_no_share() -> None:
    frontier = deployment("frontier", "c", environments=("critical",))
    play = Play((*deployments(cheap="a"), frontier), policy(30, 0, general(cheap="frontier")))
    interactive = Wish(alias=AliasName("cheap"), tags=RequestTags(environments=("interactive",)))

    assert limits(play, interactive, 1) == pytest.approx([30])
    assert limits(play, CHEAP, 2) == pytest.approx([22.5, 7.5])


def test_max_fallbacks_bounds_the_shares() -> None:
    chains = general(cheap="balanced frontier")
    one = RouterPolicy(
        request_timeout=40, num_retries=0, disable_cooldowns=True, chains=chains, max_fallbacks=1
    )
    play = Play((*PAIR, *deployments(frontier="c")), one)

    assert limits(play, CHEAP, 2) == pytest.approx([30, 10])


def test_after_a_quick_failure_the_next_attempt_has_three_quarters_of_the_rest() -> None:
    play = Play(PAIR, policy(40, 1, general(cheap="balanced")))
    machine = Machine(play.routes, CHEAP, START)
    machine.next(play.view, START, play.dice)
    machine.failed(Failure(FailureClass.UPSTREAM, 500, "down"), START + 20)
    machine.next(play.view, START + 20, play.dice)

    step = machine.next(play.view, START + 20, play.dice)

    assert isinstance(step, Call)
    assert step.limits.total_until == pytest.approx(START + 35)


def test_a_deployments_own_timeout_is_not_shared_and_does_not_count() -> None:
    slow = deployment("cheap", "a", timeout=100.0)
    play = Play((slow, *deployments(balanced="b")), policy(8, 1, general(cheap="balanced")))

    assert limits(play, CHEAP, 4) == pytest.approx([100, 100, 6, 2])


def test_a_short_own_timeout_holds_for_each_attempt() -> None:
    quick = deployment("cheap", "a", timeout=2.0)
    play = Play((quick,), policy(30, 2))

    assert limits(play, CHEAP, 3) == pytest.approx([2, 2, 2])


def test_a_streams_first_content_is_bounded_by_stream_timeout() -> None:
    slow = deployment("cheap", "a", timeout=600.0, stream_timeout=1.0)
    play = Play((slow, *deployments(balanced="b")), policy(6000, 0, general(cheap="balanced")))
    machine = Machine(play.routes, Wish(alias=AliasName("cheap"), stream=True), START)

    step = machine.next(play.view, START, play.dice)

    assert isinstance(step, Call)
    assert step.limits.total_until == START + 1
    assert step.limits.silence == 1
    assert not step.limits.callers_own


def test_the_callers_own_limit_only_shortens() -> None:
    play = Play(deployments(cheap="a"), policy(30, 0))

    assert limits(play, Wish(alias=AliasName("cheap"), timeout=600), 1) == pytest.approx([30])
    assert limits(play, Wish(alias=AliasName("cheap"), timeout=1), 1) == pytest.approx([1])


def test_the_callers_own_limit_is_no_failure_of_the_deployment() -> None:
    own = RouterPolicy(request_timeout=30, allowed_fails=0, chains=general(cheap="balanced"))
    play = Play(PAIR, own)
    wish = Wish(alias=AliasName("cheap"), timeout=1)

    assert play.ask(wish, "timeout") == ["call a", "gave up 408"]
    assert play.now == START + 1
    assert play.book.marks == {}


def test_a_caller_without_time_is_told_408() -> None:
    play = Play(PAIR, policy(30, 0))

    assert play.ask(Wish(alias=AliasName("cheap"), timeout=0)) == ["gave up 408"]


def test_when_the_time_is_over_no_member_is_called() -> None:
    play = Play(PAIR, policy(10, 0, general(cheap="balanced")))

    assert play.ask("cheap", "500 in 9.995") == ["call a", "gave up 500"]


def test_a_retry_after_is_not_obeyed_beyond_the_callers_limit() -> None:
    play = Play(PAIR, policy(600, 1, general(cheap="balanced")))
    wish = Wish(alias=AliasName("cheap"), timeout=5)

    assert play.ask(wish, "429 after 10", "ok") == ["call a", "call b", "answered"]


# -------------------------------------------------------------------- cooldowns


def test_a_single_deployment_cools_after_allowed_fails_and_comes_back() -> None:
    """`allowed_fails: 1, cooldown_time: 5`: two calls, then the fallback at once, then a probe."""
    own = RouterPolicy(
        allowed_fails=1, cooldown_time=5, num_retries=0, chains=general(cheap="balanced")
    )
    play = Play(PAIR, own)
    for _ in range(2):
        assert play.ask("cheap", "500", "ok") == ["call a", "call b", "answered"]

    for _ in range(4):
        assert play.ask("cheap", "ok") == ["call b", "answered"]
    assert play.why == "cheap skipped (a cooling) > general chain > balanced/b ok"

    play.now += 6
    assert play.ask("cheap", "500", "ok") == ["call a", "call b", "answered"]
    assert play.ask("cheap", "ok") == ["call b", "answered"]

    play.now += 6
    assert play.ask("cheap", "ok") == ["call a", "answered"]
    assert play.book.marks == {}


def test_everybody_cooling_is_told_at_once_with_the_seconds_to_wait() -> None:
    play = Play(
        deployments(cheap="a"), RouterPolicy(allowed_fails=0, cooldown_time=4, num_retries=0)
    )
    assert play.ask("cheap", "429") == ["call a", "gave up 429"]

    play.now += 0.5
    assert play.ask("cheap") == ["gave up 429"]

    assert play.end is not None
    assert play.end.retry_after == 4
    assert isinstance(play.end.error, Refused)
    assert "cheap" in play.end.error.message
    assert play.end.error.code == "all_deployments_in_cooldown"
    play.now += 4
    assert play.ask("cheap", "ok") == ["call a", "answered"]


def test_a_429_with_retry_after_is_avoided_at_once_where_there_is_another_way() -> None:
    own = RouterPolicy(num_retries=0, cooldown_time=60)
    play = Play(deployments(cheap="a b"), own, dice=lambda: 0.0)
    play.ask("cheap", "429 after 9")

    assert play.ask("cheap", "ok") == ["call b", "answered"]
    play.now += 9
    assert play.ask("cheap", "ok") == ["call a", "answered"]


def test_a_429_with_retry_after_turns_nobody_away_where_there_is_no_other_way() -> None:
    play = Play(deployments(cheap="a"), RouterPolicy(num_retries=0))
    play.ask("cheap", "429 after 77")

    assert play.ask("cheap", "ok") == ["call a", "answered"]


def test_tagged_deployments_that_cool_are_told_as_cooling_not_as_tags() -> None:
    own = RouterPolicy(num_retries=0, allowed_fails=0, cooldown_time=9, tag_filtering=True)
    fast = deployment("cheap", "a", tags=("fast",))
    rest = deployment("cheap", "b", tags=("default",))
    play = Play((fast, rest), own)
    wish = Wish(alias=AliasName("cheap"), tags=RequestTags(tags=("fast",)))
    play.ask(wish, "500")

    assert play.ask(wish) == ["gave up 429"]
