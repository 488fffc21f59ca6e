"""Plays: what is tried again in one alias, where, and after how long."""

from __future__ import annotations

import pytest

from support.attempts import Play, deployment, deployments, general
from tiergate.base.values import AliasName
from tiergate.core.catalog import FailureCounts, RouterPolicy
from tiergate.core.plan import Wish

CALM = RouterPolicy(disable_cooldowns=True)


def test_num_retries_2_means_three_calls() -> None:
    play = Play(deployments(cheap="a"), CALM)

    steps = play.ask("cheap", "503", "503", "503")

    assert steps == ["call a", "wait 0.25", "call a", "wait 0.5", "call a", "gave up 503"]
    assert play.end is not None
    assert (play.end.retries, play.end.fallbacks) == (2, 0)


def test_a_retry_that_succeeds_is_counted() -> None:
    play = Play(deployments(cheap="a"), CALM)

    assert play.ask("cheap", "500", "ok") == ["call a", "wait 0.25", "call a", "answered"]
    assert (play.machine.retries, play.machine.fallbacks) == (1, 0)
    assert play.why == "cheap/a 500 upstream > wait 0.25s > cheap/a ok"


@pytest.mark.parametrize("word", ["cut", "429", "500", "503", "409"])
def test_what_can_get_better_is_tried_again(word: str) -> None:
    play = Play(deployments(cheap="a"), CALM)

    assert play.ask("cheap", word, "ok") == ["call a", "wait 0.25", "call a", "answered"]


@pytest.mark.parametrize("word", ["400", "overflow", "refusal", "401", "403", "404"])
def test_what_cannot_get_better_is_not_tried_again(word: str) -> None:
    play = Play(deployments(cheap="a"), CALM)

    assert play.ask("cheap", word)[0] == "call a"
    assert len(play.machine.trail) == 3  # the attempt, no chain, the end


def test_there_is_no_wait_after_a_timeout() -> None:
    """The time has passed already; a pause would only take more of it."""
    play = Play(deployments(cheap="a"), RouterPolicy(disable_cooldowns=True, request_timeout=30))

    assert play.ask("cheap", "timeout", "ok") == ["call a", "call a", "answered"]


def test_other_deployments_come_first_and_without_a_wait() -> None:
    play = Play(deployments(cheap="a b"), CALM, dice=lambda: 0.0)

    assert play.ask("cheap", "500", "500", "ok") == [
        "call a",
        "call b",
        "wait 0.25",
        "call a",
        "answered",
    ]


def test_the_next_level_of_order_is_used_when_the_first_is_used_up() -> None:
    first = deployment("cheap", "a", order=1)
    second = deployment("cheap", "b", order=2)
    play = Play((second, first), CALM)

    assert play.ask("cheap", "500", "ok") == ["call a", "call b", "answered"]


@pytest.mark.parametrize("word", ["401", "404"])
def test_our_own_mistake_at_one_deployment_is_tried_at_another_only(word: str) -> None:
    play = Play(deployments(cheap="a b"), CALM, dice=lambda: 0.0)

    assert play.ask("cheap", word, word) == ["call a", "call b", f"gave up {word}"]
    assert play.ask("cheap", word, "500", "ok") == [
        "call a",
        "call b",
        "wait 0.25",
        "call b",
        "answered",
    ]


def test_without_retries_our_own_mistake_goes_to_the_chain_at_once() -> None:
    policy = RouterPolicy(num_retries=0, chains=general(cheap="balanced"))
    play = Play(deployments(cheap="a b", balanced="c"), policy, dice=lambda: 0.0)

    assert play.ask("cheap", "401", "ok") == ["call a", "call c", "answered"]


def test_a_retry_after_is_obeyed_when_it_fits() -> None:
    play = Play(deployments(cheap="a"), RouterPolicy(request_timeout=30))

    steps = play.ask("cheap", "429 after 2", "ok")

    assert steps == ["call a", "wait 2.03", "call a", "answered"]
    assert play.why == "cheap/a 429 rate_limit > wait 2.03s as told > cheap/a ok"


def test_a_retry_after_that_does_not_fit_leads_to_the_chain_at_once() -> None:
    policy = RouterPolicy(request_timeout=30, chains=general(cheap="balanced"))
    play = Play(deployments(cheap="a", balanced="b"), policy)

    assert play.ask("cheap", "429 after 29", "ok") == ["call a", "call b", "answered"]


def test_a_retry_after_that_does_not_fit_ends_an_alias_without_a_chain() -> None:
    play = Play(deployments(cheap="a"), RouterPolicy(request_timeout=30))

    assert play.ask("cheap", "429 after 77") == ["call a", "gave up 429"]
    assert play.end is not None
    assert play.end.retry_after == 77


def test_the_deployment_whose_retry_after_is_over_first_is_waited_for() -> None:
    play = Play(deployments(cheap="a b"), CALM, dice=lambda: 0.0)

    assert play.ask("cheap", "429 after 9", "429 after 3", "ok") == [
        "call a",
        "call b",
        "wait 3.02",
        "call b",
        "answered",
    ]


def test_another_deployment_does_not_wait_for_the_first_ones_retry_after() -> None:
    play = Play(deployments(cheap="a b"), CALM, dice=lambda: 0.0)

    assert play.ask("cheap", "429 after 9", "ok") == ["call a", "call b", "answered"]


def test_a_deployment_that_began_to_cool_is_not_waited_for() -> None:
    """The fourth failure starts the cooldown; the retries that are left have nobody to go to."""
    policy = RouterPolicy(cooldown_time=60, chains=general(cheap="balanced"))
    play = Play(deployments(cheap="a", balanced="b"), policy)

    play.ask("cheap", "500", "500", "500", "ok")

    assert play.ask("cheap", "500", "ok") == ["call a", "call b", "answered"]
    assert play.ask("cheap", "ok") == ["call b", "answered"]


def test_the_callers_number_of_retries_is_the_last_word() -> None:
    play = Play(deployments(cheap="a"), CALM)

    assert play.ask(Wish(alias=AliasName("cheap"), num_retries=0), "500") == [
        "call a",
        "gave up 500",
    ]


def test_a_number_per_class_comes_before_the_general_one() -> None:
    counts = FailureCounts(rate_limit=3, internal_server=0, bad_request=1)
    play = Play(deployments(cheap="a"), RouterPolicy(retry_policy=counts, disable_cooldowns=True))

    assert play.ask("cheap", "429", "429", "429", "429").count("call a") == 4
    assert play.ask("cheap", "500").count("call a") == 1
    assert play.ask("cheap", "400", "400").count("call a") == 2


def test_what_a_dialect_cannot_say_is_tried_elsewhere_and_uses_up_no_retry() -> None:
    play = Play(deployments(cheap="a b"), RouterPolicy(num_retries=0), dice=lambda: 0.0)

    assert play.ask("cheap", "untranslatable", "ok") == ["call a", "call b", "answered"]
    assert play.machine.retries == 0


def test_what_no_deployment_can_say_is_told_as_it_is() -> None:
    policy = RouterPolicy(chains=general(cheap="balanced"))
    play = Play(deployments(cheap="a", balanced="b"), policy)

    assert play.ask("cheap", "untranslatable") == ["call a", "gave up 400"]


def test_waits_grow_to_eight_seconds_and_no_further() -> None:
    policy = RouterPolicy(num_retries=8, disable_cooldowns=True)
    play = Play(deployments(cheap="a"), policy)

    steps = play.ask("cheap", *["500"] * 9)

    waits = [step for step in steps if step.startswith("wait")]
    assert waits == [
        "wait 0.25",
        "wait 0.5",
        "wait 1",
        "wait 2",
        "wait 4",
        "wait 8",
        "wait 8",
        "wait 8",
    ]


def test_the_least_wait_of_the_file_is_kept() -> None:
    play = Play(deployments(cheap="a"), RouterPolicy(retry_after=3, disable_cooldowns=True))

    assert play.ask("cheap", "500", "ok") == ["call a", "wait 3", "call a", "answered"]
