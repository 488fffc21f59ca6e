"""A conversation finds the deployment that holds its prefix, as long as it is held."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.engine import served_by
from tiergate.base.values import DeploymentId, Dialect, Usage
from tiergate.core.affinity import (
    LONG_SECONDS,
    SHORT_SECONDS,
    Home,
    Homes,
    Homing,
    cached_tokens,
    home_after,
    loss,
    rolling,
)
from tiergate.core.cost import Price, Rates

A, B = served_by("cheap", "dep-a"), served_by("cheap", "dep-b")
O = served_by("cheap", "dep-o", Dialect.OPENAI)  # noqa: E741 - the provider that speaks OpenAI
PRICE = Price(
    Rates.of(3_000_000_000, 15_000_000_000, cache_read=300_000_000, cache_write_5m=3_750_000_000)
)
HOME = Home(A.id, 5000, SHORT_SECONDS, 400.0)


def priced(_: DeploymentId) -> Price:
    return PRICE


def homing(home: Home | None, price: Callable[[DeploymentId], Price | None] = priced) -> Homing:
    return Homing(lambda: home, price)


# ------------------------------------------------------------------ what is remembered


messages = st.lists(st.integers(), min_size=1, max_size=30)


@given(head=st.integers(), before=messages, after=messages)
def test_the_next_turn_finds_the_one_before(head: int, before: list[int], after: list[int]):
    homes = Homes()
    homes.keep(rolling(head, before)[-1], HOME)
    assert homes.of(rolling(head, [*before, *after]), 399.0) is HOME


@given(head=st.integers(), turn=messages)
def test_the_same_question_again_is_no_conversation(head: int, turn: list[int]):
    homes = Homes()
    homes.keep(rolling(head, turn)[-1], HOME)
    assert homes.of(rolling(head, turn), 0.0) is None


def test_another_head_or_another_beginning_finds_nothing():
    homes = Homes()
    homes.keep(rolling(1, [10, 11])[-1], HOME)
    assert homes.of(rolling(2, [10, 11, 12]), 0.0) is None
    assert homes.of(rolling(1, [9, 11, 12]), 0.0) is None
    assert homes.of(rolling(1, []), 0.0) is None


def test_the_longest_turn_that_is_still_warm_counts():
    homes = Homes()
    longer = Home(B.id, 9000, SHORT_SECONDS, 100.0)
    homes.keep(rolling(1, [10])[-1], HOME)
    homes.keep(rolling(1, [10, 11, 12])[-1], longer)
    turns = rolling(1, [10, 11, 12, 13, 14])
    assert homes.of(turns, 99.0) is longer
    assert homes.of(turns, 100.0) is HOME
    assert homes.of(turns, 400.0) is None


def test_memory_is_bounded_and_forgets_the_oldest():
    homes = Homes(most=3)
    for turn in (1, 2, 3, 1, 4):
        homes.keep(turn, HOME)
    assert len(homes) == 3
    assert [homes.of([turn, 0], 0.0) is HOME for turn in (1, 2, 3, 4)] == [True, False, True, True]


# ------------------------------------------------------------------ how long it is held


@pytest.mark.parametrize(
    ("usage", "before", "tokens", "life"),
    [
        (Usage(5, 1, 0, 4000), None, 4000, SHORT_SECONDS),
        (Usage(5, 1, 4000, 300), HOME, 4300, SHORT_SECONDS),
        (Usage(5, 1, 0, 0, 4000), None, 4000, LONG_SECONDS),
        (Usage(5, 1, 4000, 0), Home(A.id, 4000, LONG_SECONDS, 9.0), 4000, LONG_SECONDS),
        (Usage(5, 1, 4000, 0), Home(B.id, 4000, LONG_SECONDS, 9.0), 4000, SHORT_SECONDS),
        (Usage(5, 1, 0, 4000), Home(A.id, 4000, LONG_SECONDS, 9.0), 4000, SHORT_SECONDS),
    ],
)
def test_anthropic_tells_what_is_held(
    usage: Usage, before: Home | None, tokens: int, life: float
) -> None:
    assert home_after(A, usage, before, 50.0) == Home(A.id, tokens, life, 50.0 + life)


def test_nothing_is_held_where_nothing_was_cached():
    assert home_after(A, Usage(5000, 1, 0, 0), None, 0.0) is None
    assert home_after(A, Usage(5000, 1, 4000, estimated=True), None, 0.0) is None


def test_a_provider_that_caches_by_itself_tells_of_it_be_it_zero():
    assert home_after(O, Usage(5000, 1, 0), None, 0.0) == Home(O.id, 4992, 300.0, 300.0)
    assert home_after(O, Usage(5000, 1, None), None, 0.0) is None
    assert home_after(O, Usage(100, 1, 0), None, 0.0) is None


def test_cached_tokens_are_those_read_and_written():
    assert cached_tokens(Usage(1, 1, 10, 200, 3000)) == 3210
    assert cached_tokens(Usage(1, 1)) == 0


# ------------------------------------------------------------------ who is preferred


def test_the_home_is_preferred_among_the_candidates():
    assert homing(HOME).prefer([B, A]) is A
    assert homing(None).prefer([B, A]) is None


def test_a_home_that_is_cooling_or_excluded_is_no_candidate():
    assert homing(HOME).prefer([B, O]) is None


def test_an_earlier_order_comes_first():
    first, later = served_by("cheap", "dep-a", order=1), served_by("cheap", "dep-b", order=2)
    assert homing(HOME).prefer([first, later]) is first
    assert homing(Home(later.id, 1, 1.0, 1.0)).prefer([first, later]) is None


def test_it_is_looked_up_once_and_not_before_somebody_asks():
    asked: list[int] = []

    def find() -> Home:
        asked.append(1)
        return HOME

    one = Homing(find, priced)
    assert asked == []
    assert one.prefer([A, B]) is A
    assert one.home is HOME
    assert asked == [1]


# ------------------------------------------------------------------ what is lost


def test_a_lost_prefix_is_written_anew_where_it_would_have_been_read():
    assert loss(HOME, B, priced) == 5000 * 3450
    (lost,) = homing(HOME).lost(B)
    assert lost.text == "lost 5000 cached tokens at dep-a, 0.01725 USD"


def test_without_a_written_cache_it_is_read_at_full_price():
    assert loss(HOME, O, priced) == 5000 * 2700


def test_nothing_is_lost_at_home_or_without_one():
    assert homing(HOME).lost(A) == ()
    assert homing(None).lost(A) == ()


def test_without_a_price_the_tokens_are_named_alone():
    (lost,) = homing(HOME, lambda _: None).lost(B)
    assert lost.text == "lost 5000 cached tokens at dep-a"
