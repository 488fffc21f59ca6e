"""What a page grants to the workers that share it: near the cap, to the dead, after a loss."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC

import pytest

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget
from tiergate.core.catalog import NO_LIMIT, BudgetRule, ScopeKind
from tiergate.core.lease import (
    FOLD_SECONDS,
    LEASE_SECONDS,
    MANY_LEASES,
    RECALL_SECONDS,
    Ask,
    Grant,
    Unseeded,
    exchange,
    lease_of,
    local_span,
)
from tiergate.core.pages import Lease, SharedPage, Sheet
from tiergate.core.window import Span, read_period

NOW = 1_795_000_000.0
DAY = 86_400


def budget(
    limit: int = 1000,
    period: str = "calendar:day",
    soft: int | None = None,
    *,
    lapses: bool = False,
) -> Budget:
    rule = BudgetRule(
        scope=ScopeKind.ALIAS, name="cheap", limit=NanoUsd(limit), window=period, period=period,
        source=Position("c.yaml", 1), soft=NanoUsd(soft) if soft is not None else None,
        lapses=lapses,
    )  # fmt: skip
    return Budget(rule, read_period(period, UTC))


class Store:
    """One budget's pages, and the ledgers that workers ask about it."""

    def __init__(self, of: Budget | None = None) -> None:
        self.budget = of or budget()
        self.sheet: Sheet | None = None
        self.ledgers: dict[str, int] = {}
        self.looked_up: list[tuple[str, Span]] = []

    def tell(self, lease: str, now: float = NOW, **more) -> Grant:
        """Carry out an ask as the pipeline does: with the ledger's word where it is wanted."""
        ask = Ask(**{"budget": self.budget, "lease": lease, "source": "ledger", **more})
        found = exchange(copy.deepcopy(self.sheet), ask, now)
        if isinstance(found, Unseeded):
            assert found.budget == self.budget.id
            self.looked_up.append((ask.source, found.span))
            seed = self.ledgers.get(ask.source, 0)
            found = exchange(copy.deepcopy(self.sheet), replace(ask, seed=seed), now)
        assert not isinstance(found, Unseeded)
        self.sheet, grant = copy.deepcopy(found)
        return grant

    @property
    def page(self) -> SharedPage:
        assert self.sheet is not None
        return self.sheet.pages[-1]


# ------------------------------------------------------------------ what is granted


def test_far_from_the_cap_a_worker_gets_what_it_needs_and_what_it_would_like():
    grant = Store().tell("a.1", waits=(50,), ahead=100)
    assert (grant.granted, grant.free, grant.spent, grant.held) == (150, 850, 0, 150)
    assert not grant.recalled
    assert not grant.sparing


def test_in_advance_nobody_gets_more_than_a_quarter_of_its_even_share():
    store = Store()
    assert store.tell("a.1", ahead=10_000).granted == 250
    assert store.tell("b.1", ahead=10_000).granted == 750 // 8
    assert store.tell("c.1", ahead=10_000).granted == (750 - 750 // 8) // 12


def test_the_dead_have_no_share_of_what_is_free():
    store = Store()
    store.tell("a.1", waits=(200,))
    later = NOW + LEASE_SECONDS
    assert store.tell("b.1", later, ahead=10_000).granted == 800 // 4


def test_all_workers_together_never_have_more_than_the_limit():
    store = Store()
    for number in range(50):
        store.tell(f"w{number}.1", NOW + number / 10, waits=(30,), ahead=500)
    assert 970 < store.page.committed() <= 1000


def test_calls_that_wait_get_their_whole_amount_or_nothing_each_in_its_turn():
    store = Store()
    store.tell("a.1", waits=(900,), used=0)
    assert store.tell("b.1", waits=(60, 50, 40)).granted == 100, "60 and 40; 50 does not fit"
    assert store.tell("c.1", waits=(1,)).granted == 0, "and nothing is left"


def test_a_part_that_serves_no_call_is_not_granted():
    store = Store()
    store.tell("a.1", waits=(950,))
    grant = store.tell("b.1", waits=(60,), ahead=40)
    assert (grant.granted, grant.free) == (0, 50)
    assert "b.1" not in store.page.leases, "who has nothing needs no place on the page"


def test_what_is_spent_above_the_limit_is_booked_and_nothing_more_is_granted():
    store = Store()
    store.tell("a.1", waits=(1000,))
    grant = store.tell("a.1", settled=1200, used=1200, waits=(1,))
    assert (grant.granted, grant.spent, grant.free) == (1200, 1200, 0)


def test_telling_the_same_again_changes_nothing():
    store = Store()
    store.tell("a.1", waits=(100,))
    first = store.tell("a.1", settled=30, used=80, waits=(20,))
    before = copy.deepcopy(store.sheet)
    assert store.tell("a.1", settled=30, used=80, waits=(20,)) == first
    assert store.sheet == before


def test_what_a_worker_may_go_on_with_unheard_stays_its_own():
    """Its answer may be lost: it goes on by its own promise, so the page must count that."""
    store = Store()
    store.tell("a.1", waits=(500,))
    store.tell("b.1", waits=(500,))
    assert store.tell("a.1", settled=100, used=100, waits=(300,), ahead=50).granted == 450
    assert store.tell("a.1", settled=100, used=100, waits=(300,)).granted == 400


def test_a_budget_that_only_counts_grants_everything_and_leases_what_is_used():
    store = Store(budget(NO_LIMIT, "none"))
    grant = store.tell("a.1", settled=30, used=80, waits=(20,), ahead=1000)
    assert (grant.granted, grant.spent, grant.held) == (NO_LIMIT, 30, 50)


# ------------------------------------------------------------------ idle money


def test_idle_money_is_called_back_for_whoever_is_short():
    store = Store()
    store.tell("a.1", waits=(800,))
    store.tell("a.1", settled=100, used=100, ahead=700)
    grant = store.tell("b.1", NOW + 1, waits=(300,))
    assert grant.recalled
    assert store.tell("a.1", NOW + 1.1, settled=100, used=100).granted == 100
    assert store.tell("b.1", NOW + 1.2, waits=(300,)).granted == 300


def test_while_somebody_is_short_nothing_is_granted_in_advance():
    store = Store()
    store.tell("a.1", waits=(400,))
    store.tell("a.1", used=0, ahead=400)
    store.tell("b.1", waits=(900,))
    assert store.tell("c.1", waits=(10,), ahead=100).granted == 10
    assert store.tell("c.1", waits=(10,), ahead=100).sparing
    calm = NOW + RECALL_SECONDS
    assert store.tell("c.1", calm, waits=(10,), ahead=100).granted == 10 + 590 // 8
    assert not store.tell("c.1", calm, waits=(10,), ahead=100).sparing


def test_money_that_is_held_or_belongs_to_the_dead_is_not_called_back():
    store = Store()
    store.tell("a.1", waits=(800,))
    assert not store.tell("b.1", waits=(300,)).recalled, "a.1 uses all of it"
    store.tell("a.1", used=100, ahead=700)
    assert not store.tell("b.1", NOW + LEASE_SECONDS, waits=(300,)).recalled


def test_what_lies_idle_with_others_is_told_whether_or_not_anybody_is_short():
    store = Store()
    store.tell("a.1", waits=(400,))
    store.tell("a.1", used=150, ahead=250)
    store.tell("b.1", waits=(100,))
    assert store.tell("c.1").idle == 250
    assert store.tell("a.1", used=150, ahead=250).idle == 0, "its own is not with others"
    assert store.tell("c.1", NOW + LEASE_SECONDS).idle == 0, "the dead may have spent theirs"


# ------------------------------------------------------------------ the dead, and those that go


def test_a_lease_that_is_not_renewed_is_charged_in_full_until_its_worker_comes_back():
    store = Store()
    store.tell("a.1", waits=(500,))
    alive = store.tell("b.1", NOW + LEASE_SECONDS - 1)
    assert (alive.spent, alive.held) == (0, 500)
    dead = store.tell("b.1", NOW + LEASE_SECONDS)
    assert (dead.spent, dead.held, dead.free) == (500, 0, 500)
    back = store.tell("a.1", NOW + 100, settled=20, used=20)
    assert (back.spent, back.free) == (20, 980)


def test_a_lease_of_a_count_that_lapses_is_over_with_its_worker():
    store = Store(budget(2, "none", lapses=True))
    store.tell("a.1", waits=(1, 1))
    assert store.tell("b.1", waits=(1,)).granted == 0
    assert store.tell("b.1", NOW + LEASE_SECONDS, waits=(1,)).granted == 1


def test_who_closes_gives_back_what_it_has_not_spent():
    store = Store()
    store.tell("a.1", waits=(500,))
    grant = store.tell("a.1", settled=120, used=120, closing=True)
    assert (grant.spent, grant.held, grant.free) == (120, 0, 880)
    assert store.page.leases["a.1"].over
    assert store.tell("b.1", NOW + 1000).spent == 120, "it is never charged more"


def test_only_where_there_are_many_old_leases_are_folded_into_the_sum_of_their_ledger():
    store = Store(budget(10**6, "none"))
    for number in range(MANY_LEASES):
        store.tell(f"w{number}.1", settled=1, used=1, source="one", closing=True)
    store.tell("held.1", waits=(5,))
    later = NOW + FOLD_SECONDS
    assert store.tell("b.1", later).spent == MANY_LEASES + 5
    assert len(store.page.leases) == MANY_LEASES + 1, "not yet older than that"
    assert store.tell("b.1", later + 1).spent == MANY_LEASES + 5
    assert list(store.page.leases) == ["held.1"], "what was not spent whole may still be ended"
    assert store.page.base["one"] == MANY_LEASES


def test_few_old_leases_are_remembered_one_by_one():
    store = Store(budget(period="none"))
    store.tell("a.1", settled=1, used=1, closing=True)
    store.tell("b.1", NOW + 10 * FOLD_SECONDS, waits=(1,))
    assert list(store.page.leases) == ["a.1", "b.1"]


def test_leases_are_named_after_their_worker():
    assert (lease_of("w", 1), lease_of("w", 12)) == ("w.1", "w.12")


# ------------------------------------------------------------------ marks


def test_each_mark_is_told_once_to_whoever_passes_it():
    store = Store(budget(soft=600))
    store.tell("a.1", waits=(1000,), watched=True)
    assert store.tell("a.1", settled=499, used=499, watched=True).passed == ()
    assert store.tell("a.1", settled=700, used=700, watched=True).passed == ("50", "soft")
    assert store.tell("b.1", settled=100, used=100, watched=True).passed == ("80",)
    assert store.tell("a.1", settled=900, used=900, watched=True).passed == ("100",)
    assert store.tell("b.1", settled=100, used=100, watched=True).passed == ()


def test_a_mark_is_not_used_up_by_a_worker_that_tells_nobody():
    store = Store()
    assert store.tell("a.1", settled=600, used=600).passed == ()
    assert store.tell("b.1", watched=True).passed == ("50",)


# ------------------------------------------------------------------ windows


def test_a_new_window_begins_with_nothing_spent_and_asks_no_ledger():
    store = Store()
    first = store.tell("a.1", waits=(800,))
    assert first.span.end is not None
    store.tell("a.1", settled=800, used=800, span=first.span)
    store.looked_up.clear()
    second = store.tell("a.2", first.span.end, waits=(800,))
    assert (second.span.start, second.granted) == (first.span.end, 800)
    assert store.looked_up == []
    late = store.tell("a.1", first.span.end + 1, settled=700, used=700, span=first.span)
    assert (late.span, late.spent) == (first.span, 700), "the old one still takes the truth"


def test_a_rolling_window_begins_with_its_first_use_and_follows_its_grid():
    store = Store(budget(period="rolling:100"))
    assert store.tell("a.1", NOW + 0.5).span == Span(int(NOW), int(NOW) + 100)
    assert store.tell("b.1", NOW + 250).span == Span(int(NOW) + 200, int(NOW) + 300)


def test_pages_that_are_over_are_forgotten_once_nobody_speaks_of_them():
    store = Store(budget(period="rolling:5"))
    spans = [store.tell(f"a.{n}", NOW + 5 * n, waits=(1,)).span for n in range(12)]
    assert store.sheet is not None
    kept = [page.span for page in store.sheet.pages]
    assert kept == spans[-6:], "those whose leases are alive"
    store.tell("b.1", NOW + 1000)
    assert len(store.sheet.pages) == 3


def test_a_clock_that_goes_back_a_little_opens_no_window_again():
    store = Store()
    first = store.tell("a.1", waits=(900,)).span
    assert first.end is not None
    second = store.tell("a.2", first.end + 5).span
    assert store.tell("b.1", first.end - 5, waits=(900,)).span == second


def test_a_clock_that_was_wrong_by_whole_windows_carries_over_what_was_spent():
    store = Store()
    store.tell("a.1", NOW + 40 * DAY, settled=300, used=300)
    grant = store.tell("b.1", NOW, waits=(800,))
    assert (grant.spent, grant.granted) == (300, 0)
    assert grant.span.start <= NOW < (grant.span.end or 0)


def test_a_page_the_clock_comes_back_to_is_the_same_page():
    store = Store()
    store.tell("a.1", NOW, settled=300, used=300)
    store.tell("a.2", NOW + 40 * DAY, settled=50, used=50)
    assert store.tell("b.1", NOW).spent == 300


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("calendar:day", "calendar:month"),
        ("calendar:day", "none"),
        ("none", "calendar:day"),
        ("rolling:3600", "rolling:7200"),
        ("calendar:month", "rolling:3600"),
    ],
)
def test_a_changed_window_begins_with_what_the_ledger_says(before, after):
    store = Store(budget(period=before))
    store.tell("a.1", settled=500, used=500)
    store.ledgers["ledger"] = 700
    store.budget = budget(period=after)
    grant = store.tell("a.2", waits=(400,))
    assert (grant.spent, grant.granted, grant.free) == (700, 0, 300)
    assert store.looked_up[-1] == ("ledger", grant.span)


@pytest.mark.parametrize("period", ["none", "calendar:day", "calendar:month"])
def test_without_a_store_the_present_window_is_known_unless_it_rolls(period):
    store = Store(budget(period=period))
    assert local_span(store.budget.period, NOW) == store.tell("a.1").span


def test_a_rolling_window_is_known_to_its_store_alone():
    assert local_span(budget(period="rolling:60").period, NOW) is None


# ------------------------------------------------------------------ what the ledger says


def test_a_budget_nobody_knows_is_asked_for_and_nothing_is_granted_before():
    ask = Ask(budget=budget(), lease="a.1", source="ledger", waits=(10,))
    found = exchange(None, ask, NOW)
    assert isinstance(found, Unseeded)
    assert found.span.start <= NOW


def test_every_ledger_is_asked_once():
    store = Store(budget(period="none"))
    store.ledgers = {"one": 300, "two": 200}
    assert store.tell("a.1", source="one").spent == 300
    assert store.tell("b.1", source="two").spent == 500
    assert store.tell("a.2", source="one").spent == 500
    assert store.looked_up == [("one", Span(0, None)), ("two", Span(0, None))]


def test_what_a_worker_tells_itself_is_not_taken_from_the_ledger_too():
    store = Store()
    store.ledgers["ledger"] = 300
    assert store.tell("a.1", settled=100, used=100).spent == 300


# ------------------------------------------------------------------ a store that lost its data


def test_a_lost_page_is_made_again_from_what_its_worker_remembers():
    store = Store(budget(soft=600))
    store.tell("a.1", settled=700, used=700, closing=True)
    seen = store.tell("b.1", waits=(50,), watched=True)
    assert seen.passed == ("50", "soft")
    store.sheet = None
    grant = store.tell(
        "b.1", NOW + 1, span=seen.span, used=50, waits=(300,), seen=seen.page, watched=True
    )
    assert (grant.spent, grant.held, grant.granted) == (700, 50, 50)
    assert grant.passed == (), "marks stay told"
    assert grant.page.made != seen.page.made


def test_a_later_comer_adds_what_only_it_remembers():
    store = Store()
    early = store.tell("a.1", waits=(100,))
    store.tell("c.1", settled=300, used=300, closing=True)
    late = store.tell("b.1", waits=(100,))
    store.sheet = None
    store.tell("a.1", NOW + 1, span=early.span, settled=100, used=100, seen=early.page)
    assert store.page.committed() == 100
    grant = store.tell("b.1", NOW + 1, span=late.span, settled=50, used=50, seen=late.page)
    assert grant.spent == 450
    again = store.tell("b.1", NOW + 2, span=late.span, settled=50, used=50, seen=late.page)
    assert again.spent == 450, "what is remembered twice counts once"


def test_what_the_ledger_told_of_leaves_the_sum_for_the_lease_it_belongs_to():
    store = Store(budget(period="none"))
    seen = store.tell("a.1", settled=300, used=300)
    store.sheet = None
    store.ledgers["ledger"] = 300
    assert store.tell("b.1", NOW + 1).spent == 300
    back = store.tell("a.1", NOW + 2, span=seen.span, settled=310, used=310, seen=seen.page)
    assert back.spent == 310


def test_a_lost_window_that_is_over_takes_not_the_place_of_the_present_one():
    store = Store()
    seen = store.tell("a.1", waits=(200,))
    assert seen.span.end is not None
    store.sheet = None
    after = seen.span.end + 1
    store.tell("b.1", after, settled=5, used=5)
    old = store.tell("a.1", after, span=seen.span, settled=150, used=150, seen=seen.page)
    assert (old.span, old.spent) == (seen.span, 150)
    assert store.tell("b.1", after, settled=5, used=5).spent == 5


def test_a_worker_that_counts_while_the_store_was_away_is_seeded_beside_what_it_tells():
    """It names a window it was never answered about; the page is not there, or not its own."""
    store = Store(budget(NO_LIMIT, "none"))
    store.ledgers["ledger"] = 400
    grant = store.tell("a.1", span=Span(0, None), settled=100, used=100)
    assert grant.spent == 400
    known = store.tell("b.1", span=Span(0, None), settled=7, used=7)
    assert known.spent == 407
    assert len(store.looked_up) == 1


def test_a_lease_closed_by_its_worker_is_not_opened_by_an_older_memory():
    store = Store()
    seen = store.tell("b.1", waits=(100,))
    store.tell("a.1", waits=(500,))
    remembered = store.tell("b.1", used=100)
    store.tell("a.1", settled=40, used=40, closing=True)
    store.page.made = "elsewhere"
    grant = store.tell("b.1", span=seen.span, used=100, seen=remembered.page)
    assert (grant.spent, grant.held) == (40, 100)


def test_a_page_holds_leases_alone_that_have_something():
    store = Store()
    store.tell("a.1")
    assert store.page.leases == {}
    store.page.leases["a.1"] = Lease(0, 0, 0, NOW, "ledger")
    store.tell("a.1", NOW + 1)
    assert store.page.leases["a.1"].expires == NOW + 1 + LEASE_SECONDS
