"""The sums of a shared page: what is spent, held, charged, and whose ledger knows of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.pages import Lease, SharedPage, Sheet
from tiergate.core.window import Span

NOW = 1000.0
ALIVE, DEAD = NOW + 30, NOW - 1
AMOUNT = st.integers(0, 10**12)


def page(*leases: Lease, base: dict[str, int] | None = None) -> SharedPage:
    return SharedPage(0, 2000, base or {}, {str(n): one for n, one in enumerate(leases)})


def test_a_living_worker_has_spent_what_it_told_and_holds_what_it_uses_beyond():
    one = page(Lease(100, 30, 50, ALIVE, "a"), base={"a": 7})
    assert (one.spent(NOW), one.held(NOW), one.committed()) == (37, 20, 107)
    assert one.assumed(NOW) == 0


def test_a_worker_not_heard_of_is_charged_everything_it_had():
    one = page(Lease(100, 30, 50, DEAD, "a"), base={"a": 7})
    assert (one.spent(NOW), one.held(NOW), one.committed()) == (107, 0, 107)
    assert one.assumed(NOW) == 70


def test_a_worker_is_dead_at_the_very_instant_at_which_its_lease_ends():
    one = page(Lease(100, 30, 50, NOW, "a"))
    assert (one.spent(NOW), one.held(NOW)) == (100, 0)


def test_a_ledger_has_records_of_what_was_settled_and_of_no_charge():
    one = page(
        Lease(100, 30, 50, ALIVE, "a"), Lease(80, 5, 5, DEAD, "a"), Lease(9, 9, 9, DEAD, "b"),
        base={"a": 1, "b": 2},
    )  # fmt: skip
    assert (one.of_source("a"), one.of_source("b"), one.of_source("c")) == (36, 11, 0)


@given(
    st.lists(
        st.tuples(AMOUNT, AMOUNT, AMOUNT, st.sampled_from((ALIVE, DEAD)), st.sampled_from("ab"))
    ),
    st.dictionaries(st.sampled_from("ab"), AMOUNT),
)
def test_the_parts_make_the_whole(leases, base):
    """What is spent is what ledgers have and what is charged; nothing is in both."""
    made = [Lease(s + u + g, s, s + u, e, source) for s, u, g, e, source in leases]
    one = page(*made, base=base)
    recorded = one.of_source("a") + one.of_source("b")
    assert one.spent(NOW) == recorded + one.assumed(NOW)
    assert one.spent(NOW) + one.held(NOW) <= one.committed()


def test_a_page_is_found_by_its_whole_window():
    first, second = SharedPage(0, 100), SharedPage(0, None)
    pages = Sheet([first, second])
    assert pages.page_of(Span(0, 100)) is first
    assert pages.page_of(Span(0, None)) is second
    assert pages.page_of(Span(0, 99)) is None


def test_the_present_page_stands_last():
    first, second = SharedPage(0, 100), SharedPage(0, 3100)
    pages = Sheet([first, second])
    pages.turn_to(first)
    assert pages.pages == [second, first]
    fresh = SharedPage(5, 6)
    pages.turn_to(fresh)
    assert pages.pages == [second, first, fresh]
