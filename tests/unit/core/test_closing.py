"""Leases of dead workers, ended by what their journals tell: the truth, once and for good."""

from __future__ import annotations

import copy

import pytest

from tiergate.core.closing import close_lease, close_rest
from tiergate.core.pages import Lease, SharedPage, Sheet
from tiergate.core.window import Span

NOW = 1000.0
OLD, PRESENT = Span(0, 500), Span(500, 1500)


def sheet(**leases: Lease) -> Sheet:
    """A budget's pages; the leases are on the present one."""
    return Sheet([SharedPage(0, 500), SharedPage(500, 1500, leases=dict(leases))])


def lease(granted: int, settled: int, *, expires: float = NOW + 30) -> Lease:
    return Lease(granted, settled, granted, expires, "ledger")


def closed(pages: Sheet | None, settled: int, span: Span = PRESENT, *, old: bool = False) -> Sheet:
    return close_lease(pages, "dead.1", "ledger", span, settled, NOW, old=old)


@pytest.mark.parametrize("expires", [NOW + 30, NOW - 30])
def test_the_truth_takes_the_place_of_what_was_leased_or_charged(expires):
    found = closed(sheet(**{"dead.1": lease(100, 20, expires=expires)}), 70)
    page = found.pages[-1]
    assert (page.spent(NOW), page.held(NOW), page.assumed(NOW)) == (70, 0, 0)
    assert page.committed() == 70, "the rest is free for everybody"
    assert page.of_source("ledger") == 70


def test_others_keep_what_they_have():
    found = closed(sheet(**{"dead.1": lease(100, 20), "dead.10": lease(50, 5)}), 70)
    assert found.pages[-1].committed() == 120


def test_doing_it_twice_changes_nothing():
    once = closed(sheet(**{"dead.1": lease(100, 20)}), 70)
    assert closed(copy.deepcopy(once), 70) == once


def test_a_lease_that_was_never_told_of_is_told_of_now():
    assert closed(sheet(), 70).pages[-1].spent(NOW) == 70


def test_a_window_that_is_over_gets_its_truth_and_is_not_the_present_one():
    found = closed(sheet(**{"other.1": lease(5, 5)}), 70, OLD)
    assert [page.spent(NOW) for page in found.pages] == [70, 5]
    dropped = Sheet([SharedPage(500, 1500)])
    found = closed(dropped, 70, OLD)
    assert [(page.span, page.spent(NOW)) for page in found.pages] == [(OLD, 70), (PRESENT, 0)]


def test_without_any_page_one_is_made():
    found = closed(None, 70)
    assert [(page.span, page.spent(NOW)) for page in found.pages] == [(PRESENT, 70)]


def test_what_is_long_ago_and_not_there_any_more_is_in_the_sums_already():
    pages = Sheet([SharedPage(500, 1500, {"ledger": 70})])
    assert closed(pages, 70, old=True).pages[-1].spent(NOW) == 70
    assert closed(None, 70, old=True) == Sheet()


def test_what_is_long_ago_and_still_charged_is_ended():
    found = closed(sheet(**{"dead.1": lease(100, 20, expires=0.0)}), 70, old=True)
    assert found.pages[-1].spent(NOW) == 70


def test_leases_the_journal_does_not_speak_of_go_back_to_what_was_told():
    pages = sheet(**{"dead.1": lease(100, 20), "dead.2": lease(50, 5), "dead2.1": lease(40, 4)})
    assert close_rest(pages, "dead", {"dead.1"}, NOW)
    kept = {name: one.granted for name, one in pages.pages[-1].leases.items()}
    assert kept == {"dead.1": 100, "dead.2": 5, "dead2.1": 40}
    assert pages.pages[-1].leases["dead.2"].expires <= NOW


def test_the_rest_is_ended_on_every_page():
    pages = sheet(**{"dead.2": lease(50, 5)})
    pages.pages[0].leases["dead.1"] = lease(30, 3)
    assert close_rest(pages, "dead", (), NOW)
    assert [page.committed() for page in pages.pages] == [3, 5]


@pytest.mark.parametrize("pages", [Sheet(), sheet(), sheet(**{"other.1": lease(9, 1)})])
def test_where_the_worker_has_nothing_nothing_is_to_be_written(pages):
    before = copy.deepcopy(pages)
    assert not close_rest(pages, "dead", (), NOW)
    assert pages == before


def test_the_rest_is_ended_once():
    pages = sheet(**{"dead.2": lease(50, 5)})
    assert close_rest(pages, "dead", (), NOW)
    assert not close_rest(pages, "dead", (), NOW)
