"""When a deployment cools, for how long, and how it comes back."""

from __future__ import annotations

import pytest

from support.attempts import deployment, failure
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import DeploymentId
from tiergate.core import cooldown
from tiergate.core.catalog import FailureCounts, RouterPolicy
from tiergate.core.cooldown import Book, Mark, Rule, State, rule_for, state

A = DeploymentId("a")
RULE = Rule(allowed_fails=3, cooldown_time=60)
NONE = Rule(allowed_fails=0, cooldown_time=60)


def after(rule: Rule, *events: tuple[float, str]) -> Mark | None:
    """The mark after failures at these instants; `429/9` carries a Retry-After of 9 s."""
    mark: Mark | None = None
    for now, word in events:
        name, _, hint = word.partition("/")
        mark = cooldown.failed(mark, rule, failure(name, float(hint) if hint else None), now)
    return mark


def test_the_fourth_failure_within_a_minute_starts_the_cooldown() -> None:
    three = after(RULE, (1, "500"), (2, "500"), (3, "500"))
    assert state(three, 3) is State.READY

    four = after(RULE, (1, "500"), (2, "500"), (3, "500"), (4, "500"))
    assert four == Mark(until=64, cause=FailureClass.UPSTREAM)
    assert state(four, 63.9) is State.COOLING


def test_failures_older_than_a_minute_are_forgotten() -> None:
    mark = after(RULE, (1, "500"), (2, "500"), (3, "500"), (61, "500"))

    assert mark is not None
    assert [at for at, _ in mark.fails] == [2, 3, 61]


@pytest.mark.parametrize("word", ["cut", "timeout", "429", "500", "503", "401"])
def test_counted(word: str) -> None:
    assert state(after(NONE, (1, word)), 1) is State.COOLING


@pytest.mark.parametrize(
    "word",
    [
        "403",
        "404",
        "409",
        "400",
        "overflow",
        "refusal",
        "untranslatable",
        "over budget",
        "caller left",
    ],
)
def test_not_counted(word: str) -> None:
    assert after(NONE, (1, word)) is None


def test_the_callers_own_timeout_is_not_counted() -> None:
    own = Failure(FailureClass.CALLER_TIMEOUT, 408, "the caller's limit passed")

    assert cooldown.failed(None, NONE, own, 1) is None


@pytest.mark.parametrize(
    "rule", [Rule(allowed_fails=0, disabled=True), Rule(allowed_fails=0, cooldown_time=0)]
)
def test_cooldowns_can_be_switched_off(rule: Rule) -> None:
    assert after(rule, (1, "500"), (2, "429/9")) is None


def test_a_class_with_its_own_number_is_counted_by_itself() -> None:
    rule = Rule(allowed_fails=1, by_class=FailureCounts(internal_server=2))

    assert state(after(rule, (1, "500"), (2, "cut")), 2) is State.READY
    assert state(after(rule, (1, "500"), (2, "cut"), (3, "500")), 3) is State.COOLING
    assert state(after(rule, (1, "500"), (2, "500"), (3, "429")), 3) is State.READY
    assert state(after(rule, (1, "500"), (2, "429"), (3, "429")), 3) is State.COOLING


def test_two_classes_with_numbers_do_not_add_up() -> None:
    rule = Rule(allowed_fails=9, by_class=FailureCounts(internal_server=1, rate_limit=1))

    assert state(after(rule, (1, "500"), (2, "429")), 2) is State.READY


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        (FailureCounts(not_found=0), "404"),
        (FailureCounts(bad_request=0), "400"),
        (FailureCounts(content_policy=0), "refusal"),
        (FailureCounts(authentication=0), "403"),
        (FailureCounts(timeout=0), "timeout"),
    ],
)
def test_a_class_that_the_file_names_is_counted_in_any_case(
    counts: FailureCounts, word: str
) -> None:
    assert state(after(Rule(by_class=counts), (1, word)), 1) is State.COOLING


# --------------------------------------------------------------------- Retry-After


def test_retry_after_cools_at_once_where_the_call_can_go_elsewhere() -> None:
    elsewhere = Rule(allowed_fails=3, cooldown_time=60, elsewhere=True)

    assert after(elsewhere, (1, "429/9")) == Mark(until=10, cause=FailureClass.RATE_LIMIT)
    assert state(after(RULE, (1, "429/9")), 1) is State.READY
    assert state(after(elsewhere, (1, "429")), 1) is State.READY
    assert state(after(elsewhere, (1, "503/9")), 1) is State.READY


def test_retry_after_takes_the_place_of_the_routers_cooldown_time() -> None:
    assert after(NONE, (1, "429/9")) == Mark(until=10, cause=FailureClass.RATE_LIMIT)
    assert after(NONE, (1, "429/99")) == Mark(until=100, cause=FailureClass.RATE_LIMIT)


def test_a_deployments_own_cooldown_time_is_not_shortened() -> None:
    own = Rule(allowed_fails=0, cooldown_time=30, own_cooldown_time=True)

    assert after(own, (1, "429/9")) == Mark(until=31, cause=FailureClass.RATE_LIMIT)
    assert after(own, (1, "429/99")) == Mark(until=100, cause=FailureClass.RATE_LIMIT)


@pytest.mark.parametrize(("hint", "until"), [("0", 61), ("-5", 61), ("999999999", 86_401)])
def test_an_odd_retry_after_is_kept_within_reason(hint: str, until: float) -> None:
    assert after(NONE, (1, f"429/{hint}")) == Mark(until=until, cause=FailureClass.RATE_LIMIT)


# ------------------------------------------------------------ during and after a cooldown


def test_failures_during_a_cooldown_do_not_lengthen_it() -> None:
    assert after(NONE, (1, "500"), (50, "500")) == after(NONE, (1, "500"))


def test_a_retry_after_during_a_cooldown_can_only_lengthen_it() -> None:
    shorter = after(NONE, (1, "500"), (2, "429/5"))
    longer = after(NONE, (1, "500"), (2, "429/100"))

    assert shorter is not None
    assert longer is not None
    assert (shorter.until, longer.until) == (61, 102)


def test_one_probe_is_let_through_after_the_cooldown() -> None:
    cooled = after(NONE, (1, "500"))
    assert cooldown.probed(cooled, NONE, 60) is cooled
    assert state(cooled, 61) is State.PROBE_ALLOWED
    assert cooldown.is_open(cooled, 61)

    probing = cooldown.probed(cooled, NONE, 61)

    assert state(probing, 62) is State.PROBING
    assert not cooldown.is_open(probing, 62)
    assert cooldown.probed(probing, NONE, 62) is probing


def test_a_lost_probe_is_replaced_when_its_lease_ends() -> None:
    probing = cooldown.probed(after(NONE, (1, "500")), NONE, 61)

    assert state(probing, 61 + NONE.lease) is State.PROBE_ALLOWED


def test_a_probe_that_fails_cools_again_at_once() -> None:
    probing = cooldown.probed(after(RULE, *((1, "500"),) * 4), RULE, 61)

    assert cooldown.failed(probing, RULE, failure("500"), 70) == Mark(
        until=130, cause=FailureClass.UPSTREAM
    )


def test_a_probe_that_succeeds_clears_the_mark() -> None:
    probing = cooldown.probed(after(NONE, (1, "500")), NONE, 61)

    assert cooldown.succeeded(probing, NONE, 62) is None


@pytest.mark.parametrize("word", ["400", "caller left", "over budget"])
def test_a_probe_that_says_nothing_leaves_the_next_one_to_try(word: str) -> None:
    probing = cooldown.probed(after(NONE, (1, "500")), NONE, 61)

    assert state(cooldown.failed(probing, NONE, failure(word), 62), 62) is State.PROBE_ALLOWED
    assert state(cooldown.released(probing), 62) is State.PROBE_ALLOWED


def test_a_success_ends_no_running_cooldown() -> None:
    cooled = after(NONE, (1, "500"))

    assert cooldown.succeeded(cooled, NONE, 2) == cooled
    assert cooldown.succeeded(None, NONE, 2) is None


def test_failures_count_for_a_minute_whatever_succeeds_between() -> None:
    """`allowed_fails: 3`: the fourth within a minute, not the fourth in a row."""
    mark: Mark | None = None
    for now in (1, 2, 3, 4):
        mark = cooldown.failed(mark, RULE, failure("500"), now)
        mark = cooldown.succeeded(mark, RULE, now + 0.5)

    assert state(mark, 4.5) is State.COOLING


def test_a_success_after_a_minute_leaves_a_clean_record() -> None:
    assert cooldown.succeeded(after(RULE, (1, "500"), (2, "500")), RULE, 61.5) is not None
    assert cooldown.succeeded(after(RULE, (1, "500"), (2, "500")), RULE, 62) is None


def test_where_nobody_set_a_number_a_success_clears_the_failures() -> None:
    forgiving = rule_for(
        RouterPolicy(cooldown_time=60, request_timeout=60),
        deployment("cheap", "a"),
        elsewhere=False,
    )
    assert forgiving == Rule(allowed_fails=3, cooldown_time=60, lease=60, forgiving=True)

    assert cooldown.succeeded(after(forgiving, *((1, "500"),) * 3), forgiving, 2) is None
    assert state(after(forgiving, *((1, "500"),) * 4), 2) is State.COOLING


@pytest.mark.parametrize(
    "policy",
    [
        RouterPolicy(allowed_fails=3),
        RouterPolicy(allowed_fails_policy=FailureCounts(timeout=9)),
    ],
)
def test_where_the_router_says_a_number_it_counts(policy: RouterPolicy) -> None:
    assert not rule_for(policy, deployment("cheap", "a"), elsewhere=False).forgiving


def test_where_a_deployment_says_a_number_it_counts() -> None:
    own = deployment("cheap", "a", allowed_fails=3)

    assert not rule_for(RouterPolicy(), own, elsewhere=False).forgiving


def test_it_is_told_when_to_ask_again() -> None:
    cooled = after(NONE, (1, "500"))
    probing = cooldown.probed(cooled, NONE, 61)

    assert cooldown.seconds_until_open(None, 5) == 0
    assert cooldown.seconds_until_open(cooled, 5) == 56
    assert cooldown.seconds_until_open(cooled, 61) == 0
    assert cooldown.seconds_until_open(probing, 62) == 1


# ------------------------------------------------------------------------------ rules


def test_a_deployments_own_settings_come_before_the_routers() -> None:
    policy = RouterPolicy(
        allowed_fails=3,
        cooldown_time=60,
        request_timeout=90,
        allowed_fails_policy=FailureCounts(rate_limit=7, timeout=5),
    )
    plain = rule_for(policy, deployment("cheap", "a"), elsewhere=True)
    assert plain == Rule(
        allowed_fails=3,
        cooldown_time=60,
        by_class=FailureCounts(rate_limit=7, timeout=5),
        elsewhere=True,
        lease=90,
    )

    one = deployment(
        "cheap",
        "a",
        cooldown_time=3.0,
        allowed_fails_policy=FailureCounts(rate_limit=0),
        timeout=5.0,
    )
    assert rule_for(policy, one, elsewhere=False) == Rule(
        allowed_fails=3,
        cooldown_time=3,
        own_cooldown_time=True,
        by_class=FailureCounts(rate_limit=0, timeout=5),
        lease=60,
    )


def test_a_deployments_own_allowed_fails_replaces_the_routers_policy() -> None:
    policy = RouterPolicy(allowed_fails_policy=FailureCounts(rate_limit=7), request_timeout=6000)

    rule = rule_for(policy, deployment("cheap", "a", allowed_fails=1), elsewhere=False)

    assert rule == Rule(allowed_fails=1, lease=600)


# ------------------------------------------------------------------------------- book


def test_a_book_keeps_marks_and_forgets_clean_records() -> None:
    book = Book()
    book.succeeded(A, NONE, 0)
    book.called(A, NONE, 0)
    book.released(A)
    assert book.marks == {}

    assert book.failed(A, NONE, failure("500"), 1) == book.marks[A]
    book.called(A, NONE, 62)
    assert state(book.marks[A], 63) is State.PROBING
    book.released(A)
    assert state(book.marks[A], 63) is State.PROBE_ALLOWED
    book.succeeded(A, NONE, 63)
    assert book.marks == {}
    assert book.failed(A, NONE, failure("400"), 64) is None
