"""The count of a ticket: what opens, continues, is refused, granted and reset."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.escalation import (
    EMPTY,
    MOST_KEPT,
    Continued,
    Granted,
    LimitReached,
    NoReason,
    Opened,
    Opening,
    Reset,
    TicketLog,
    grant,
    open_escalation,
    reset,
)


def ask(call: str, session: str = "", reason: str = "why") -> Opening:
    return Opening(call_id=call, session=session, reason=reason, wall=1.0)


def opened(log: TicketLog, opening: Opening, limit: int = 1, *, required: bool = False):
    return open_escalation(log, opening, limit, reason_required=required)


def granted(name: str = "g", count: int = 1) -> Granted:
    return Granted(id=name, count=count, reason="because", wall=2.0)


def made(name: str = "r") -> Reset:
    return Reset(id=name, used=0, granted=0, reason="again", wall=3.0)


def test_the_first_call_opens_and_the_next_is_refused_with_the_reasons():
    log, verdict = opened(EMPTY, ask("a", reason="first"))
    assert verdict == Opened()
    assert log.used == 1
    after, verdict = opened(log, ask("b", reason="second"))
    assert verdict == LimitReached(1, 1, ("first",))
    assert after is log


def test_a_limit_of_none_at_all_admits_nobody():
    assert opened(EMPTY, ask("a"), 0) == (EMPTY, LimitReached(0, 0, ()))


def test_a_session_goes_on_and_an_empty_session_is_none():
    log, _ = opened(EMPTY, ask("a", "s"))
    assert opened(log, ask("b", "s")) == (log, Continued())
    log, _ = opened(EMPTY, ask("a"))
    assert isinstance(opened(log, ask("b"))[1], LimitReached)


def test_making_a_change_twice_is_making_it_once():
    log, _ = opened(EMPTY, ask("a"), 5)
    assert opened(log, ask("a"), 5) == (log, Continued())
    given = grant(log, granted())
    assert grant(given, granted()) is given
    again = reset(given, made())
    assert reset(again, made()) is again


def test_what_opens_needs_a_reason_and_what_continues_does_not():
    silent = ask("a", "s", reason="")
    assert opened(EMPTY, silent, required=True) == (EMPTY, NoReason())
    log, _ = opened(EMPTY, ask("a", "s"), required=True)
    assert opened(log, replace(silent, call_id="b"), required=True) == (log, Continued())


def test_a_missing_reason_is_told_before_a_limit():
    log, _ = opened(EMPTY, ask("a"))
    assert opened(log, ask("b", reason=""), required=True)[1] == NoReason()


def test_a_grant_is_worth_as_many_as_it_says():
    log, _ = opened(EMPTY, ask("a"))
    log = grant(log, granted(count=2))
    log, _ = opened(log, ask("b"))
    log, verdict = opened(log, ask("c"))
    assert verdict == Opened()
    assert opened(log, ask("d"))[1] == LimitReached(3, 3, ("why",) * 3)


def test_a_reset_forgives_what_was_used_and_takes_grants_back():
    log, _ = opened(grant(EMPTY, granted(count=3)), ask("a", "s", "old"))
    log = reset(log, made())
    assert (log.used, log.granted, log.counted) == (0, 0, ())
    assert (log.resets[0].used, log.resets[0].granted) == (1, 3)
    assert opened(log, ask("x", "s"))[1] == Continued(), "an open session goes on"
    log, _ = opened(log, ask("b", reason="new"))
    assert opened(log, ask("c"))[1] == LimitReached(1, 1, ("new",))


def test_no_more_is_kept_than_is_remembered():
    log = EMPTY
    for number in range(MOST_KEPT + 50):
        log, _ = opened(log, ask(f"c{number}"), 1)
        log = reset(log, made(f"r{number}"))
        log = grant(log, granted(f"g{number}"))
        log = replace(log, granted=0)
    assert (len(log.opened), len(log.resets), len(log.grants)) == (MOST_KEPT,) * 3
    assert (log.used, log.total) == (0, MOST_KEPT + 50)


def test_what_counts_is_never_forgotten():
    log, most = EMPTY, MOST_KEPT + 10
    for number in range(most):
        log, _ = opened(log, ask(f"c{number}"), most)
    assert len(log.counted) == log.used == most
    assert isinstance(opened(log, ask("last"), most)[1], LimitReached)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(0, 30), st.sampled_from(["", "s", "t"])),
        st.tuples(st.just("grant"), st.integers(1, 3), st.just("")),
        st.tuples(st.just("reset"), st.just(0), st.just("")),
    ),
    max_size=40,
)


@given(STEPS, st.integers(0, 3))
def test_never_more_are_counted_than_the_limit_and_the_grants(steps, limit):
    log = EMPTY
    for index, (kind, number, session) in enumerate(steps):
        before = log
        if kind == "open":
            log, verdict = opened(log, ask(f"c{number}", session), limit)
            assert (log is before) == (not isinstance(verdict, Opened))
        elif kind == "grant":
            log = grant(log, granted(f"g{index}", number))
        else:
            log = reset(log, made(f"r{index}"))
        assert 0 <= log.used <= limit + log.granted
        assert len(log.counted) == log.used


@pytest.mark.parametrize("session", ["", "s"])
def test_a_ticket_that_never_escalated_has_nothing(session):
    assert (EMPTY.used, EMPTY.counted) == (0, ())
    assert opened(EMPTY, ask("a", session))[1] == Opened()
