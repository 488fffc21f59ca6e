"""One worker's slices: what is decided without the store, what it is told, and what then holds."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import pytest

from tiergate.base.values import NanoUsd, Position
from tiergate.core import slices as module
from tiergate.core.budget import Budget, BudgetId, Hold, HoldState, Page, budget_id
from tiergate.core.catalog import NO_LIMIT, BudgetRule, OnStoreFailure, ScopeKind
from tiergate.core.lease import LEASE_SECONDS, Ask, Grant, Unseeded, exchange
from tiergate.core.pages import Sheet
from tiergate.core.slice import (
    IDLE_SECONDS,
    NAMED_IDLE_SECONDS,
    NOWHERE,
    Short,
    Slice,
    Unreachable,
)
from tiergate.core.slices import BELIEVED_SECONDS, REFUSE_SECONDS, RENEW_SECONDS, Slices
from tiergate.core.window import Span, read_period

NOW = 1_795_000_000.0
LATE = NOW + 1e6
CHEAP = budget_id(ScopeKind.ALIAS, "cheap")


def budget(
    limit: int = 1000,
    period: str = "calendar:day",
    name: str = "cheap",
    failure: OnStoreFailure = OnStoreFailure.ALLOW_LEASED,
) -> Budget:
    rule = BudgetRule(
        scope=ScopeKind.ALIAS, name=name, limit=NanoUsd(limit), window=period, period=period,
        source=Position("c.yaml", 1), on_store_failure=failure,
    )  # fmt: skip
    return Budget(rule, read_period(period, UTC))


class Store:
    """The pages that workers share, and one ledger."""

    def __init__(self) -> None:
        self.sheets: dict[BudgetId, Sheet] = {}
        self.recorded = 0
        self.told: list[Ask] = []

    def answer(self, ask: Ask, now: float) -> Grant:
        name = ask.budget.id
        self.told.append(ask)
        found = exchange(copy.deepcopy(self.sheets.get(name)), ask, now)
        if isinstance(found, Unseeded):
            seeded = replace(ask, seed=self.recorded)
            found = exchange(copy.deepcopy(self.sheets.get(name)), seeded, now)
        assert not isinstance(found, Unseeded)
        self.sheets[name], grant = copy.deepcopy(found)
        return grant

    def tell(self, worker: Slices, now: float = NOW, *, closing: bool = False) -> list[Ask]:
        """Make one exchange of a worker; returns what it told."""
        asks = worker.asks(now, closing=closing)
        for part, ask in asks:
            worker.absorb(part, ask, self.answer(ask, now), now)
        return [ask for _, ask in asks]

    def rest(self, worker: Slices, now: float = NOW) -> None:
        """Exchange until the worker has nothing more to tell: what it does not use is back."""
        for part in worker._current.values():
            part.paced = 0.0  # as if it had been quiet for long
        for _ in range(5):
            if not self.tell(worker, now):
                return
            for part in worker._current.values():
                part.paced = 0.0
        raise AssertionError("it never comes to rest")

    def hold(
        self, worker: Slices, amount: int, now: float = NOW, names: Sequence[BudgetId] = (CHEAP,)
    ) -> Hold | Short:
        """Hold, after one exchange where the worker is short."""
        found = worker.try_hold(names, amount, now, LATE)
        if isinstance(found, Short):
            short = found
            worker.want(short)
            self.tell(worker, now)
            found = worker.try_hold(names, amount, now, LATE)
            worker.unwant(short)
        assert not isinstance(found, Unreachable)
        return found

    def spend(self, worker: Slices, amount: int, now: float = NOW) -> bool:
        """Make a call that costs what was held; tell whether it was let through."""
        found = self.hold(worker, amount, now)
        if isinstance(found, Short):
            return False
        worker.settle(found, amount)
        self.recorded += amount
        return True

    def spent(self, now: float = NOW, name: BudgetId = CHEAP) -> int:
        return self.sheets[name].pages[-1].spent(now)


def worker(*budgets: Budget, name: str = "w", watched: bool = False) -> Slices:
    made = Slices(name, "ledger", watched=watched)
    made.configure(budgets or (budget(),))
    return made


def held(found: Hold | Short) -> Hold:
    assert isinstance(found, Hold)
    return found


def part_of(hold: Hold) -> Slice:
    part = hold.pages[0]
    assert isinstance(part, Slice)
    return part


# ------------------------------------------------------------------ holds


def test_the_first_call_of_a_budget_is_short_until_the_store_has_spoken():
    store, one = Store(), worker()
    found = one.try_hold([CHEAP], 100, NOW, LATE)
    assert isinstance(found, Short)
    assert (len(found.slices), found.amount) == (1, 100)
    assert isinstance(store.hold(one, 100), Hold)
    assert [ask.waits for ask in store.told] == [(100,)]


def test_a_hold_is_taken_in_all_budgets_or_in_none():
    wide, narrow = budget(1000, name="wide"), budget(100, name="narrow")
    store, one = Store(), worker(wide, narrow)
    held(store.hold(one, 60, names=[wide.id, narrow.id]))
    found = store.hold(one, 60, names=[wide.id, narrow.id])
    assert isinstance(found, Short)
    assert [part.budget for part in found.slices] == [narrow]
    assert [part.budget for part in found.pages] == [wide, narrow]
    assert [part.held for part in found.pages] == [60, 60]
    assert one.open_holds == 1


def test_a_call_of_many_budgets_keeps_its_place_in_those_that_can_bear_it():
    wide, narrow = budget(1000, name="wide"), budget(100, name="narrow")
    store, one = Store(), worker(wide, narrow)
    found = one.try_hold([wide.id, narrow.id], 60, NOW, LATE)
    assert isinstance(found, Short)
    one.want(found)
    assert [ask.waits for ask in store.tell(one)] == [(60,), (60,)]
    one.unwant(found)
    assert [ask.waits for ask in store.tell(one)] == [(), ()]


def test_a_budget_nobody_has_named_is_an_error():
    with pytest.raises(KeyError):
        worker().try_hold([budget_id(ScopeKind.KEY, "k")], 1, NOW, LATE)


def test_a_call_that_only_counts_is_never_kept_waiting():
    one = worker(budget(NO_LIMIT))
    assert isinstance(one.try_hold(["total:alias:cheap"], 10**18, NOW, LATE), Hold)


def test_the_cost_takes_the_holds_place():
    store, one = Store(), worker()
    hold = held(store.hold(one, 100))
    part = part_of(hold)
    one.settle(hold, 30)
    assert (part.settled, part.held, hold.state) == (30, 0, HoldState.ENDED)
    one.settle(hold, 99)
    assert part.settled == 30, "it ends once"
    store.tell(one)
    assert store.spent() == 30


def test_a_hold_past_its_expiry_is_charged_until_the_truth_is_told():
    store, one = Store(), worker()
    hold = held(store.hold(one, 100))
    assert one.expire(LATE - 1) == 0
    assert one.expire(LATE) == 1
    assert (hold.state, one.open_holds) == (HoldState.ASSUMED, 0)
    store.tell(one)
    assert store.spent() == 100
    one.settle(hold, 30)
    store.tell(one)
    assert store.spent() == 30
    assert one.expire(LATE) == 0


def test_a_hold_of_other_books_is_settled_without_being_told_of():
    """A hold may have pages that are no slices; then there is no store to tell."""
    one = worker()
    page = Page(Span(0, None), 0.0, held=5)
    hold = Hold(NanoUsd(5), (page,), LATE, HoldState.ASSUMED)
    one.settle(hold, 3)
    assert page.settled == -2
    assert not one.waiting


def test_a_slice_that_runs_low_asks_before_anybody_is_short():
    store, one = Store(), worker()
    for tenth in range(20):
        store.spend(one, 10, NOW + tenth / 10)
        store.tell(one, NOW + tenth / 10)
    part = part_of(held(store.hold(one, 10, NOW + 2)))
    assert part.left > 0
    assert not one.hungry
    while part.left >= part.low:
        held(store.hold(one, 10, NOW + 2))
    assert one.hungry
    one.asks(NOW + 2.1)
    assert not one.hungry


# ------------------------------------------------------------------ windows


def test_a_new_window_has_a_lease_of_its_own_and_old_holds_end_in_the_old_one():
    store, one = Store(), worker()
    old = held(store.hold(one, 400))
    turn = part_of(old).until
    new = held(store.hold(one, 900, turn))
    assert part_of(new) is not part_of(old)
    assert part_of(new).lease != part_of(old).lease
    assert part_of(new).span.start == part_of(old).span.end
    one.settle(old, 50)
    one.settle(new, 800)
    store.tell(one, turn + 1)
    assert [page.spent(turn + 1) for page in store.sheets[CHEAP].pages] == [50, 800]


def test_what_is_left_in_a_window_that_is_over_is_given_back():
    store, one = Store(), worker()
    old = held(store.hold(one, 400))
    turn = part_of(old).until
    held(store.hold(one, 10, turn))
    one.settle(old, 0)
    store.tell(one, turn + 1)
    assert store.sheets[CHEAP].pages[0].committed() == 0


def test_a_clock_that_goes_back_keeps_the_window():
    store, one = Store(), worker()
    first = part_of(held(store.hold(one, 10)))
    again = held(store.hold(one, 10, first.span.start - 5))
    assert part_of(again) is first


def test_an_answer_about_another_window_is_not_taken():
    store, one = Store(), worker()
    part = part_of(held(store.hold(one, 10)))
    (told,) = one.asks(NOW)
    grant = replace(store.answer(told[1], NOW), span=Span(5, 6), granted=999)
    one.absorb(*told, grant, NOW)
    assert part.granted == 10


def test_totals_are_opened_before_any_call():
    counts, capped = budget(NO_LIMIT, "none", "counts"), budget()
    store, one = Store(), worker(counts, capped)
    assert not one.waiting
    one.open_totals(NOW)
    assert one.waiting
    store.recorded = 70
    assert [ask.budget for ask in store.tell(one)] == [counts]
    assert store.spent(name=counts.id) == 70
    one.open_totals(NOW)
    assert not one.waiting, "once"


# ------------------------------------------------------------------ refusals


def test_a_refusal_is_believed_for_a_moment_only():
    store, one = Store(), worker()
    assert store.spend(one, 950)
    short = store.hold(one, 100)
    assert isinstance(short, Short)
    assert one.refusal(short, NOW) is not None
    assert one.refusal(short, NOW + REFUSE_SECONDS + 0.01) is None
    assert one.refusal(replace(short, amount=50), NOW) is None, "what fits is not refused"


def test_nothing_is_refused_while_idle_money_is_called_back():
    store, one, two = Store(), worker(name="one"), worker(name="two")
    assert store.spend(one, 900)
    hold = held(store.hold(two, 50))
    two.settle(hold, 0)  # two has it still, idle
    page = store.sheets[CHEAP].pages[-1]
    page.leases["two.1"].used = 0
    short = store.hold(one, 100)
    assert isinstance(short, Short)
    assert short.slices[0].recalled
    assert one.refusal(short, NOW) is None


def test_nothing_is_refused_or_used_up_while_others_have_idle_money_nobody_asked_for():
    """An exchange that asked for nothing has called nothing back, however little is free."""
    store, one, two = Store(), worker(name="one"), worker(name="two")
    hold = held(store.hold(two, 900))
    two.settle(hold, 0)
    two.failed([part_of(hold)])
    page = store.sheets[CHEAP].pages[-1]
    page.leases["two.1"].used = 0  # it has told so, and has heard no answer yet
    assert store.spend(one, 100)
    store.rest(one)
    short = one.try_hold([CHEAP], 300, NOW, LATE)
    assert isinstance(short, Short)
    assert (short.slices[0].free, short.slices[0].idle) == (0, 900)
    assert one.refusal(short, NOW) is None
    assert one.refusal(replace(short, amount=901), NOW) is not None
    assert one.used_up(CHEAP, NOW) is None


def test_a_refusal_shows_no_amount_twice():
    store, one = Store(), worker()
    assert store.spend(one, 950)
    short = one.try_hold([CHEAP], 100, NOW, LATE)
    assert isinstance(short, Short)
    standing = one.refusal(short, NOW)
    assert standing is None or (standing.settled, standing.held) == (950, 0)
    shown = one.standing(short.slices[0], NOW)
    assert (shown.settled, shown.held) == (950, 0)


def test_how_a_budget_stands_is_told_before_any_call():
    one = worker()
    standing = one.last_known(budget(), NOW)
    assert (standing.settled, standing.held) == (0, 0)
    assert standing.span is not None
    assert one.last_known(budget(period="rolling:60", name="other"), NOW).span is None


def test_how_a_budget_stands_has_what_others_told_and_what_was_done_since():
    store, one, two = Store(), worker(name="one"), worker(name="two")
    assert store.spend(two, 300)
    store.rest(two)
    hold = held(store.hold(one, 100))
    one.settle(hold, 60)
    standing = one.last_known(budget(), NOW)
    assert (standing.settled, standing.held, standing.left) == (360, 40, 600)


def test_a_budget_is_used_up_while_the_store_said_so_a_moment_ago():
    store, one = Store(), worker()
    assert one.used_up(CHEAP, NOW) is None, "nobody knows"
    hold = held(store.hold(one, 1000))
    until = part_of(hold).until
    used_up = one.used_up(CHEAP, NOW + BELIEVED_SECONDS)
    assert used_up is not None
    assert used_up.left == 0
    assert one.used_up(CHEAP, NOW + BELIEVED_SECONDS + 0.1) is None
    one.settle(hold, 1000)
    store.tell(one, until - 0.5)
    assert one.used_up(CHEAP, until - 0.1) is not None
    assert one.used_up(CHEAP, until) is None, "a new window has begun"
    assert one.used_up(budget_id(ScopeKind.KEY, "k"), NOW) is None


def test_a_budget_with_anything_left_is_not_used_up():
    store, one, two = Store(), worker(name="one"), worker(name="two")
    held(store.hold(one, 900))
    assert one.used_up(CHEAP, NOW) is None, "others may have it"
    hold = held(store.hold(two, 100))
    two.settle(hold, 10)
    assert two.used_up(CHEAP, NOW) is None, "it has some itself"


# ------------------------------------------------------------------ what the store is told


def test_what_has_not_changed_is_not_told_again():
    store, one = Store(), worker()
    assert store.spend(one, 100)
    assert one.waiting
    store.rest(one)
    assert not one.waiting
    assert store.tell(one, NOW + 1000) == []


def test_money_that_is_held_is_told_of_before_its_lease_ends():
    assert RENEW_SECONDS < LEASE_SECONDS / 3
    store, one = Store(), worker()
    held(store.hold(one, 100))
    store.rest(one)
    assert store.tell(one, NOW + RENEW_SECONDS - 0.1) == []
    assert len(store.tell(one, NOW + RENEW_SECONDS)) == 1


def test_money_that_is_left_is_given_back_at_the_next_exchange():
    store, one = Store(), worker()
    one.settle(held(store.hold(one, 100)), 40)
    store.rest(one)
    assert store.sheets[CHEAP].pages[-1].committed() == 40
    assert not one.waiting


def test_an_exchange_that_failed_is_made_again_with_all_that_happened():
    store, one = Store(), worker()
    assert store.spend(one, 100)
    told = one.asks(NOW)
    one.failed(part for part, _ in told)
    assert store.spend(one, 50)
    store.tell(one, NOW + 1)
    assert store.spent(NOW + 1) == 150


def test_an_answer_that_was_lost_changes_nothing():
    store, one, two = Store(), worker(name="one"), worker(name="two")
    assert store.spend(one, 100)
    for number in range(5):
        now = NOW + number
        told = one.asks(now)
        for part, ask in told:
            store.answer(ask, now)
            one.failed([part])
        assert isinstance(store.hold(two, 950, now), Short)
    store.tell(one, NOW + 6)
    assert store.spent(NOW + 6) == 100


def test_at_the_end_everything_is_given_back():
    store, one = Store(), worker(watched=True)
    hold = held(store.hold(one, 400))
    one.settle(hold, 70)
    (ask,) = store.tell(one, closing=True)
    assert ask.closing
    assert ask.watched
    page = store.sheets[CHEAP].pages[-1]
    assert (page.committed(), page.leases[ask.lease].over) == (70, True)


# ------------------------------------------------------------------ while the store is away


@pytest.mark.parametrize(
    ("failure", "leased", "beyond"),
    [
        (OnStoreFailure.REFUSE, Unreachable, Unreachable),
        (OnStoreFailure.ALLOW_LEASED, Hold, Unreachable),
        (OnStoreFailure.ALLOW, Hold, Hold),
    ],
)
def test_a_store_that_is_away_does_what_the_budget_says(failure, leased, beyond):
    store, one = Store(), worker(budget(failure=failure))
    hold = held(store.hold(one, 100))
    one.settle(hold, 0)
    one.down = True
    assert isinstance(one.try_hold([CHEAP], 60, NOW, LATE), leased)
    assert isinstance(one.try_hold([CHEAP], 60, NOW, LATE), beyond)


def test_one_budget_that_refuses_is_enough():
    kind, strict = budget(failure=OnStoreFailure.ALLOW), budget(name="strict")
    one = worker(kind, strict)
    one.down = True
    found = one.try_hold([kind.id, strict.id], 1, NOW, LATE)
    assert isinstance(found, Unreachable)
    assert found.budget == strict
    assert one.open_holds == 0


@pytest.mark.parametrize("period", ["calendar:day", "none", "rolling:3600"])
def test_what_was_let_through_meanwhile_counts_when_the_store_is_back(period):
    store = Store()
    one = worker(budget(period=period, failure=OnStoreFailure.ALLOW))
    one.down = True
    hold = held(store.hold(one, 1200))
    assert part_of(hold).span is not NOWHERE
    one.down = False
    store.tell(one, NOW + 1)
    one.settle(hold, 1100)
    store.tell(one, NOW + 2)
    assert store.spent(NOW + 2) == 1100
    assert isinstance(store.hold(one, 1, NOW + 3), Short)


def test_a_rolling_window_that_others_began_is_the_one_it_counts_in():
    """Who cannot ask when the window began must not begin another one beside it."""
    rolling = budget(period="rolling:3600", failure=OnStoreFailure.ALLOW)
    store, old, new = Store(), worker(rolling, name="old"), worker(rolling, name="new")
    assert store.spend(old, 500)
    store.rest(old)
    new.down = True
    hold = held(store.hold(new, 300, NOW + 600))
    new.settle(hold, 300)
    new.down = False
    store.tell(new, NOW + 601)
    assert len(store.sheets[CHEAP].pages) == 1
    assert store.spent(NOW + 601) == 800
    assert part_of(hold).until == int(NOW) + 3600
    assert not store.spend(new, 300, NOW + 602)
    third = worker(rolling, name="third")
    assert not store.spend(third, 300, NOW + 603), "and nobody else begins one"


def test_two_workers_that_began_a_rolling_window_alone_share_it_afterwards():
    rolling = budget(period="rolling:3600", failure=OnStoreFailure.ALLOW)
    store, one, two = Store(), worker(rolling, name="one"), worker(rolling, name="two")
    for number, each in enumerate((one, two)):
        each.down = True
        each.settle(held(store.hold(each, 300, NOW + 50 * number)), 300)
        each.down = False
    store.tell(two, NOW + 60)
    store.tell(one, NOW + 61)
    assert len(store.sheets[CHEAP].pages) == 1
    assert store.spent(NOW + 61) == 600


# ------------------------------------------------------------------ another configuration


def test_a_lowered_limit_holds_for_what_was_leased_ahead():
    store, one = Store(), worker()
    now = NOW
    for _ in range(4):
        for _ in range(5):
            assert store.spend(one, 10, now)
        now += 0.25
        store.tell(one, now)
    limit = store.recorded + 25
    for _ in range(2):
        held(store.hold(one, 10, now))
    one.configure([budget(limit)])
    store.tell(one, now + 0.25)
    while store.spend(one, 10, now + 0.3):
        assert store.recorded + 20 <= limit
    assert store.recorded + 20 <= limit


def test_a_limit_lowered_while_an_exchange_is_under_way_holds():
    store, one = Store(), worker()
    assert store.spend(one, 100)
    short = one.try_hold([CHEAP], 700, NOW, LATE)
    assert isinstance(short, Short)
    one.want(short)
    (told,) = one.asks(NOW)
    grant = store.answer(told[1], NOW)
    one.configure([budget(200)])
    one.absorb(*told, grant, NOW)
    assert isinstance(one.try_hold([CHEAP], 700, NOW, LATE), Short)
    one.unwant(short)
    assert one.waiting, "it is told under the new limit at once"
    store.tell(one, NOW + 0.25)
    assert isinstance(store.hold(one, 101, NOW + 0.3), Short)
    assert isinstance(store.hold(one, 100, NOW + 0.3), Hold)


def test_a_raised_limit_is_there_after_one_exchange():
    store, one = Store(), worker()
    assert store.spend(one, 1000)
    assert not store.spend(one, 1)
    one.configure([budget(2000)])
    assert store.spend(one, 900)
    assert store.recorded == 1900


def test_a_limit_that_is_taken_off_and_put_on_again_counts_all_the_same():
    store, one = Store(), worker()
    unlimited = Budget(
        replace(budget().rule, scope=ScopeKind.KEY, limit=NO_LIMIT), budget().period
    )
    capped = Budget(replace(unlimited.rule, limit=NanoUsd(1000)), unlimited.period)
    one.ensure(capped)
    held(store.hold(one, 600, names=[capped.id]))
    one.ensure(unlimited)
    held(store.hold(one, 5000, names=[capped.id]))
    one.ensure(capped)
    assert isinstance(store.hold(one, 1, names=[capped.id]), Short)


def test_a_changed_window_begins_with_what_the_ledger_says():
    store, one = Store(), worker(budget(period="calendar:day"))
    assert store.spend(one, 500)
    store.tell(one, NOW + 1)
    one.configure([budget(period="calendar:month")])
    now = NOW + 2
    while now < NOW + 3 * 86_400:
        store.spend(one, 100, now)
        store.tell(one, now + 1)
        now += 7200
    assert store.recorded == 1000


def test_a_budget_that_is_gone_is_let_go_of_and_its_calls_end_in_it():
    store, one = Store(), worker()
    hold = held(store.hold(one, 300))
    one.configure([])
    assert not one.knows(CHEAP)
    store.tell(one)
    one.settle(hold, 120)
    store.tell(one, NOW + 1)
    assert store.sheets[CHEAP].pages[-1].committed() == 120
    one.configure([budget()])
    assert store.spend(one, 880, NOW + 2)
    assert not store.spend(one, 1, NOW + 3)


# ------------------------------------------------------------------ many names, and idle ones


def test_slices_nobody_uses_are_let_go_and_their_names_with_them():
    store, one = Store(), worker()
    ticket = budget(name="ticket-1")
    one.ensure(ticket)
    one.settle(held(store.hold(one, 10)), 10)
    one.settle(held(store.hold(one, 10, names=[ticket.id])), 10)
    store.rest(one)
    one.sweep(NOW + NAMED_IDLE_SECONDS)
    assert one.knows(ticket.id)
    one.sweep(NOW + NAMED_IDLE_SECONDS + 1)
    assert not one.knows(ticket.id)
    assert one.knows(CHEAP), "the file's own stay"
    one.sweep(NOW + IDLE_SECONDS + 1)
    one.ensure(ticket)
    later = NOW + IDLE_SECONDS + 2
    again = held(store.hold(one, 10, later, names=[ticket.id]))
    assert again.pages[0].settled == 0, "a later use begins a new lease"
    assert store.spent(later, ticket.id) == 10


def test_a_slice_with_a_call_under_way_is_not_let_go():
    store, one = Store(), worker()
    hold = held(store.hold(one, 10))
    one.sweep(NOW + 10 * IDLE_SECONDS)
    assert part_of(held(store.hold(one, 10, NOW + 1))) is part_of(hold)


def test_with_many_names_a_few_seconds_are_enough(monkeypatch):
    monkeypatch.setattr(module, "MANY_SLICES", 50)
    store, one = Store(), worker()
    for number in range(60):
        name = budget(name=f"ticket-{number}")
        one.ensure(name)
        one.settle(held(store.hold(one, 10, names=[name.id])), 10)
    assert one.many
    store.rest(one)
    one.sweep(NOW + 6)
    assert not one.many
    assert not one.knows(budget(name="ticket-7").id)


def test_with_many_names_nothing_is_let_go_that_has_money_left(monkeypatch):
    """An exchange may take long with many; what a forgotten lease has would be charged."""
    monkeypatch.setattr(module, "MANY_SLICES", 0)
    store, one = Store(), worker()
    ticket = budget(name="ticket-1")
    one.ensure(ticket)
    for tenth in range(10):
        hold = held(store.hold(one, 10, NOW + tenth / 10, names=[ticket.id]))
        one.settle(hold, 10)
        store.tell(one, NOW + tenth / 10)
    assert part_of(hold).left > 0
    one.sweep(NOW + 60)
    for second in range(60, 64):
        store.tell(one, NOW + second)
    assert store.spent(NOW + 1000, ticket.id) == 100


# ------------------------------------------------------------------ a store that lost its data


def test_a_store_that_lost_its_data_does_not_forget_workers_that_ended():
    store, one, two = Store(), worker(name="one"), worker(name="two")
    assert store.spend(one, 500)
    store.tell(one, NOW + 1, closing=True)
    assert store.spend(two, 100, NOW + 2)
    store.tell(two, NOW + 2.5)
    store.sheets.clear()
    for second in range(3, 100, 3):
        store.spend(two, 100, NOW + second)
        store.tell(two, NOW + second + 1)
    assert store.recorded == 1000


@pytest.mark.parametrize("idle", [40, 4000])
def test_a_store_that_lost_its_data_does_not_forget_workers_that_are_idle(idle):
    store, quiet, busy = Store(), worker(name="quiet"), worker(name="busy")
    assert store.spend(quiet, 500)
    for second in range(1, 60):
        store.tell(quiet, NOW + second)
    now = NOW + 60 + idle
    quiet.sweep(now)
    assert store.spend(busy, 100, now)
    store.tell(busy, now + 1)
    store.sheets.clear()
    for second in range(2, 60, 2):
        store.spend(busy, 100, now + second)
        store.tell(busy, now + second + 1)
    assert store.recorded == 1000
