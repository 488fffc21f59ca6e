"""What one worker has leased of each budget, and the decisions it takes with it.

A call is decided here and at once: it fits into the slices of all its budgets, or some are short.
Then the caller may wait for one `exchange` with the store and try again; what is still short then
is a refusal. The store itself is not known here: `asks` says what to tell it, `absorb` takes its
answer. Time is an argument (Unix seconds).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tiergate.base.values import NanoUsd
from tiergate.core.budget import Budget, BudgetId, Hold, HoldState, Page, Standing
from tiergate.core.catalog import NO_LIMIT, OnStoreFailure
from tiergate.core.lease import Ask, Grant, first_span, fitting, lease_of, local_span
from tiergate.core.slice import MANY_SLICES, NOWHERE, Short, Slice, Unreachable

RENEW_SECONDS = 8.0
"""A slice in which money is held is told of at least this often; leases last longer."""

REFUSE_SECONDS = 0.1
"""For so long after an exchange its answer is believed where it was a refusal."""

BELIEVED_SECONDS = 1.0
"""For so long a budget that the store said is used up is not asked for again."""


class Slices:
    """All slices of one worker.

    Args:
        worker: Random id of this worker; leases are named after it.
        source: The ledger that has this worker's records.
        watched: Whether the marks of budgets (50, 80, 100 %) are told of when they are passed.
    """

    def __init__(self, worker: str, source: str, *, watched: bool = False) -> None:
        self._worker = worker
        self._source = source
        self._watched = watched
        self._number = 0
        self._budgets: dict[BudgetId, Budget] = {}
        self._fixed: tuple[BudgetId, ...] = ()
        self._current: dict[BudgetId, Slice] = {}
        self._changed: dict[Slice, None] = {}
        self._funded: dict[Slice, None] = {}
        self._open: dict[Hold, None] = {}
        self.down = False
        """The store does not answer."""
        self.hungry = False
        """Some slice runs low: an exchange should come soon."""

    # ------------------------------------------------------------------ which budgets there are

    def configure(self, budgets: Iterable[Budget]) -> None:
        """Take over the budgets of a configuration.

        A budget with the same period goes on in its slice, under its new limit at the next
        exchange. One with another period begins a new slice.
        """
        fixed = {budget.id: budget for budget in budgets}
        for gone in set(self._fixed) - set(fixed):
            self._budgets.pop(gone, None)
            self._let_go(gone)
        self._fixed = tuple(fixed)
        for budget in fixed.values():
            self.ensure(budget)

    def ensure(self, budget: Budget) -> None:
        """Take over one budget that is not of the configuration: a key's, a ticket's."""
        name = budget.id
        known = self._budgets.get(name)
        if known is budget:
            return
        self._budgets[name] = budget
        present = self._current.get(name)
        if present is None:
            return
        if known is None or known.rule.period != budget.rule.period:
            self._let_go(name)
            return
        present.budget = budget
        if known.rule.limit != budget.rule.limit:
            # Nothing is asked for ahead either: it would be what the old limit allowed.
            present.granted = present.settled + present.held if budget.rule.capped else NO_LIMIT
            present.taken = present.pace = 0
            self._note(present)

    def knows(self, name: BudgetId) -> bool:
        """Tell whether there is a budget of that id."""
        return name in self._budgets

    def open_totals(self, now: float) -> None:
        """Open a slice of every budget that only counts, so that its page is there before a call.

        A call is never kept waiting for such a page, so the ledger would be asked too late what
        was spent before.
        """
        for name in self._fixed:
            if not self._budgets[name].rule.capped and name not in self._current:
                self._turn(name, now)

    # ------------------------------------------------------------------ the calls

    def try_hold(
        self, budgets: Sequence[BudgetId], amount: int, now: float, expires: float
    ) -> Hold | Short | Unreachable:
        """Set an amount aside in every one of some budgets, or in none.

        Args:
            budgets: Their ids.
            amount: 0 or more.
            now: Unix seconds.
            expires: Unix seconds after which the hold is charged in full.

        Raises:
            KeyError: There is no budget of that id.
        """
        pages: list[Slice] = []
        short: list[Slice] = []
        for name in budgets:
            part = self._current.get(name)
            if part is None or not part.span.start <= now < part.until:
                part = self._turn(name, now)
            if part.settled + part.held + amount > part.granted:
                short.append(part)
            pages.append(part)
        if (short or self.down) and (stop := self._without_store(pages, short, now)) is not None:
            if isinstance(stop, Unreachable):
                return stop
            return Short(tuple(short), tuple(pages), amount)
        changed = self._changed
        for part in pages:
            part.held += amount
            part.taken += amount
            if not part.changed:
                part.changed = True
                changed[part] = None
            if part.granted - part.settled - part.held < part.low:
                self.hungry = True
        hold = Hold(NanoUsd(amount), tuple(pages), expires)
        self._open[hold] = None
        return hold

    def settle(self, hold: Hold, cost: int) -> None:
        """Replace a hold by the true amount. A hold that has ended is left as it is."""
        if hold.state is HoldState.OPEN:
            amount = hold.amount
            for page in hold.pages:
                page.held -= amount
                page.settled += cost
                self._note(page)
            del self._open[hold]
        elif hold.state is HoldState.ASSUMED:
            for page in hold.pages:
                page.settled += cost - hold.amount
                self._note(page)
        hold.state = HoldState.ENDED

    def expire(self, now: float) -> int:
        """Charge every hold past its expiry in full; return how many there were."""
        late = [hold for hold in self._open if hold.expires <= now]
        for hold in late:
            for page in hold.pages:
                page.held -= hold.amount
                page.settled += hold.amount
                self._note(page)
            del self._open[hold]
            hold.state = HoldState.ASSUMED
        return len(late)

    @property
    def waiting(self) -> bool:
        """Whether there is anything to tell the store."""
        return bool(self._changed or self._funded)

    @property
    def many(self) -> bool:
        """Whether there are so many slices that idle ones should be let go soon."""
        return len(self._current) > MANY_SLICES

    @property
    def open_holds(self) -> int:
        """The number of holds that have not ended."""
        return len(self._open)

    # ------------------------------------------------------------------ when a slice is short

    def refusal(self, short: Short, now: float) -> Standing | None:
        """Tell whether what is short is refused without another exchange; None: ask first.

        The last exchange is believed for a moment: by it, what this worker has left, what
        anybody may lease and what lies idle with others do not bear the amount together.
        """
        for part in short.slices:
            fresh = part.known and now - part.told < REFUSE_SECONDS
            if fresh and part.left + part.free + part.idle < short.amount:
                return self.standing(part, now)
        return None

    def want(self, short: Short) -> None:
        """Note that an amount waits, until `unwant`.

        It needs its place in every budget, lest those that can bear it now give it back.
        """
        for part in short.pages:
            part.waits.append(short.amount)
            self._note(part)

    def unwant(self, short: Short) -> None:
        """Note that an amount waits no longer: it is held, refused, or its caller has left."""
        for part in short.pages:
            part.waits.remove(short.amount)
            self._note(part)

    def standing(self, part: Slice, now: float) -> Standing:
        """Return how the whole budget of a slice stands, as of its last exchange."""
        span = part.span if part.known else local_span(part.budget.period, now)
        since = part.settled - part.sent  # was held, or free, at the last exchange
        held = max(part.held, part.committed - max(0, since))
        return Standing(part.budget, NanoUsd(part.spent + since), NanoUsd(held), span)

    def last_known(self, budget: Budget, now: float) -> Standing:
        """Return how a budget stands as far as this worker knows."""
        part = self._current.get(budget.id)
        if part is None:
            return Standing(budget, NanoUsd(0), NanoUsd(0), local_span(budget.period, now))
        return self.standing(part, now)

    def used_up(self, name: BudgetId, now: float) -> Standing | None:
        """Return how a budget stands that has nothing left, as far as this worker knows.

        None while it has, or while that is not known: what the store said is believed for a
        moment only, because others may have given something back since. Then a call must ask.
        """
        part = self._current.get(name)
        if part is None or not part.known or now >= part.until:
            return None
        if now - part.told > BELIEVED_SECONDS:
            return None
        if part.left > 0 or part.free > 0 or part.idle > 0:
            return None
        return self.standing(part, now)

    # ------------------------------------------------------------------ the exchange

    def asks(self, now: float, *, closing: bool = False) -> list[tuple[Slice, Ask]]:
        """Say what the store is to be told, and take back what waits.

        Every slice in which something happened is told of, and every one that has more than it
        uses or has not been told of for long.
        """
        for part in self._funded:
            capped = part.budget.rule.capped
            if closing or (capped and part.left > 0) or now - part.told >= RENEW_SECONDS:
                self._note(part)
        chosen = [*self._changed]
        self._changed.clear()
        self.hungry = False
        return [(part, self._ask(part, now, closing=closing)) for part in chosen]

    def absorb(self, part: Slice, ask: Ask, grant: Grant, now: float) -> None:
        """Take the store's answer to an ask."""
        if part.seen is None:  # what was taken for its window before may have been another one
            part.span = grant.span
            part.until = math.inf if grant.span.end is None else grant.span.end
        elif part.span != grant.span:
            return  # it was about a window that the store has closed since
        part.granted = grant.granted
        if ask.budget.rule.limit != part.budget.rule.limit and part.budget.rule.capped:
            # The answer is about a limit that has been changed since.
            part.granted = min(grant.granted, part.settled + part.held)
            self._note(part)
        part.free, part.spent, part.committed = grant.free, grant.spent, grant.held
        part.idle = grant.idle
        part.seen, part.recalled, part.told = grant.page, grant.recalled, now
        part.sent, part.sparing = ask.settled, grant.sparing
        part.low = max(0, part.left // 2)
        if part.held or (part.budget.rule.capped and part.left > 0):
            self._funded[part] = None
        else:
            self._funded.pop(part, None)

    def failed(self, parts: Iterable[Slice]) -> None:
        """Note that an exchange did not come about: its slices are to be told of again."""
        for part in parts:
            self._note(part)

    def sweep(self, now: float) -> None:
        """Let go of slices that are not used any more; budgets of keys and tickets with them.

        A later use begins a new lease. So no lease is used again after the store has folded it,
        and what a worker keeps in memory is bounded by what is used.
        """
        fixed, many = frozenset(self._fixed), self.many
        parts = self._current.items()
        idle = [
            name
            for name, part in parts
            # Not where something is left: the store would charge it with the lease.
            if part.unused(now, fixed=name in fixed, many=many) and part not in self._funded
        ]
        for name in idle:
            self._funded.pop(self._current.pop(name), None)
        if idle:
            used = {*self._fixed, *self._current}
            for name in [name for name in self._budgets if name not in used]:
                del self._budgets[name]

    # ------------------------------------------------------------------ inside

    def _ask(self, part: Slice, now: float, *, closing: bool) -> Ask:
        waits = tuple(part.waits)
        part.changed = False
        ahead = part.ahead(now)
        if part.sparing or self._current.get(part.budget.id) is not part:
            ahead = 0
        used = part.settled + part.held
        keep = used + sum(waits) + ahead
        if used + sum(waits) > part.granted:
            # A rest that serves none of those who wait serves somebody elsewhere.
            keep = fitting(used, waits, part.granted)
        if self.down:
            keep = max(keep, part.granted)  # leased is leased: nobody else can have it now
        if part.budget.rule.capped:
            part.granted = min(part.granted, keep)
        return Ask(
            budget=part.budget,
            lease=part.lease,
            source=self._source,
            span=part.span if part.known else None,
            settled=part.settled,
            used=used,
            waits=waits,
            ahead=ahead,
            keep=keep,
            seen=part.seen,
            closing=closing,
            watched=self._watched,
        )

    def _turn(self, name: BudgetId, now: float) -> Slice:
        """Return the slice of an instant, a fresh one where a new window has begun."""
        old = self._current.get(name)
        if old is not None and (not old.known or now < old.span.start):
            return old  # a clock that goes back opens no window again: the store will say
        budget = self._budgets[name]
        self._number += 1
        span = local_span(budget.period, now) if not budget.rule.capped else None
        until = -math.inf if span is None else math.inf if span.end is None else span.end
        part = Slice(
            span if span is not None else NOWHERE,
            until,
            budget=budget,
            lease=lease_of(self._worker, self._number),
            granted=0 if span is None else NO_LIMIT,
        )
        self._current[name] = part
        self._changed[part] = None
        return part

    def _without_store(
        self, pages: Sequence[Slice], short: Sequence[Slice], now: float
    ) -> Unreachable | bool | None:
        """Decide a call that is short, or made while the store does not answer.

        Returns:
            None where the hold may be taken all the same; True where the caller may wait.
        """
        if not self.down:
            return True
        for part in pages:
            rule = part.budget.rule
            if rule.on_store_failure is OnStoreFailure.REFUSE:
                return Unreachable(part.budget)
        for part in short:
            if part.budget.rule.on_store_failure is not OnStoreFailure.ALLOW:
                return Unreachable(part.budget)
            if not part.known:
                part.span = span = first_span(part.budget.period, now)
                part.until = math.inf if span.end is None else span.end
        return None

    def _let_go(self, name: BudgetId) -> None:
        part = self._current.pop(name, None)
        if part is not None:
            self._note(part)

    def _note(self, page: Page) -> None:
        if isinstance(page, Slice) and not page.changed:
            page.changed = True
            self._changed[page] = None
