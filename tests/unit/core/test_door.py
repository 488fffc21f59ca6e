"""The door: how often keys may be tried, and that nobody comes back by an old cookie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.door import MOST_GONE, MOST_OF_ALL, MOST_OF_ONE, TRY_SECONDS, Door


def tried(times: int, who: str = "a", start: float = 1000.0) -> Door:
    door = Door()
    for number in range(times):
        door = door.failed(who, start + number)
    return door


def test_an_address_may_err_a_few_times_and_then_waits():
    assert tried(MOST_OF_ONE - 1).wait("a", 1010.0) is None
    assert tried(MOST_OF_ONE).wait("a", 1010.0) == 1000.0 + TRY_SECONDS - 1010.0


def test_who_has_not_erred_does_not_wait_for_others():
    assert tried(MOST_OF_ONE).wait("b", 1010.0) is None


def test_many_addresses_together_are_held_up():
    door = Door()
    for number in range(MOST_OF_ALL):
        door = door.failed(f"host-{number}", 1000.0 + number / 10)
    assert door.wait("another", 1010.0) == pytest.approx(TRY_SECONDS - 10.0)


def test_waiting_ends():
    door = tried(MOST_OF_ONE)
    assert door.wait("a", 1000.0 + TRY_SECONDS) is None


def test_a_session_that_was_left_is_gone_and_no_other():
    door = Door().ended("one", 9000, 1000.0)
    assert door.is_gone("one")
    assert not door.is_gone("two")


def test_sessions_that_are_over_by_themselves_are_forgotten():
    door = Door().ended("one", 1500, 1000.0).ended("two", 9000, 2000.0)
    assert door.gone == (("two", 9000),)


def test_what_is_remembered_is_bounded():
    door = tried(5 * MOST_OF_ALL)
    for number in range(2 * MOST_GONE):
        door = door.ended(str(number), 10**9, 1000.0)
    assert len(door.tries) == MOST_OF_ALL
    assert len(door.gone) == MOST_GONE
    assert door.is_gone(str(2 * MOST_GONE - 1))


@given(
    st.lists(st.tuples(st.floats(0, 1e10), st.text(max_size=9)), max_size=9),
    st.lists(st.tuples(st.text(max_size=9), st.integers(0, 10**12)), max_size=9),
)
def test_a_document_says_what_was_written(tries, gone):
    door = Door(tuple(tries), tuple(gone))
    assert Door.from_bytes(door.to_bytes()) == door


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{", b'{"tries":3,"gone":[1,["a"],[2,2]]}'])
def test_a_document_that_is_none_shuts_nobody_out(body):
    assert Door.from_bytes(body) == Door()
