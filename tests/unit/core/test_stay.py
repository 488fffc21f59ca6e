"""What a request remembers of one alias."""

from __future__ import annotations

from support.attempts import deployment, failure
from tiergate.core.cooldown import Book, Rule
from tiergate.core.routing import View
from tiergate.core.stay import Stay
from tiergate.core.trail import Waited

A = deployment("cheap", "a")
B = deployment("cheap", "b")
COLD = Rule(allowed_fails=0, cooldown_time=60)


def pause(stay: Stay, view: View | None = None, left: float = 100) -> Waited | None:
    return stay.pause(view or View(), 10, left, 0, lambda: 0.5)


def failed(*words: str) -> Stay:
    """A stay in which `a` failed in these ways at instant 10."""
    stay = Stay()
    for word in words:
        name, _, hint = word.partition("/")
        stay.calls += 1
        stay.keep(A, failure(name, float(hint) if hint else None), 10)
    return stay


def test_candidates_are_sorted_into_untried_and_tried() -> None:
    stay = failed("500")

    assert stay.untried((A, B)) == (B,)
    assert stay.again((A, B), 10) == (A,)
    stay.bar(A)
    assert stay.untried((A, B)) == (B,)
    assert stay.again((A, B), 10) == ()


def test_the_least_tried_come_first() -> None:
    stay = failed("500", "500")
    stay.keep(B, failure("500"), 10)

    assert stay.again((A, B), 10) == (B,)


def test_who_asked_to_be_left_alone_is_not_chosen_before_that() -> None:
    stay = failed("429/9")
    stay.keep(B, failure("500"), 10)

    assert stay.again((A, B), 10) == (B,)
    assert stay.again((A, B), 19) == (A, B)


def test_a_pause_is_a_backoff_or_the_providers_word() -> None:
    assert pause(failed("500")) == Waited(0.25, told=False)
    assert pause(failed("500", "500")) == Waited(0.5, told=False)
    assert pause(failed("503/3")) == Waited(3.03, told=True)
    assert pause(failed("503/0.1")) == Waited(0.25, told=False)


def test_nothing_is_waited_for_after_a_time_limit_was_reached() -> None:
    stay = failed("timeout")
    stay.timed_out = True

    assert pause(stay) == Waited(0, told=False)


def test_there_is_no_pause_that_would_not_help() -> None:
    assert pause(failed("429/61")) is None
    assert pause(failed("429/9"), left=10) is None
    assert pause(Stay()) is None
    assert pause(failed("500"), View(over=lambda _: "spent")) is None
    book = Book()
    book.failed(A.id, COLD, failure("500"), 10)
    assert pause(failed("500"), View(marks=book.marks)) is None


def test_a_cooldown_that_ends_with_the_pause_is_waited_for() -> None:
    """The book may have heard of the 429 a moment after the machine."""
    book = Book()
    book.failed(A.id, COLD, failure("429", 2), 10.045)

    waited = pause(failed("429/2"), View(marks=book.marks))

    assert waited is not None
    assert 10 + waited.seconds >= book.marks[A.id].until
