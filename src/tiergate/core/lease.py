"""How workers share one budget: the pages in the store, and what each worker may spend of them.

A page is one budget in one window. A worker leases a slice of it and spends the slice without
asking again; now and then it tells what it has spent and asks for more. What is leased counts
against the limit, spent or not, so all workers together never pass it. This is the only
arithmetic of shared budgets: a store reads a `Sheet`, lets `exchange` change it, and writes it
back if nobody was faster.

Everything a worker tells is absolute (spent so far, in use now), never a difference. So an
exchange whose answer was lost can be made again, and a store that has lost its data is filled
again by whoever remembers.

A lease that is not renewed in time is charged in full: its worker may have spent all of it. When
the worker comes back, or its journal is read, the truth takes the place of the charge.

Amounts are nano-USD, or requests or tokens where the rule is a rate limit. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiergate.core.alerts import thresholds_crossed
from tiergate.core.budget import Budget, BudgetId
from tiergate.core.catalog import NO_LIMIT
from tiergate.core.pages import Lease, SharedPage, Sheet
from tiergate.core.window import Period, Rolling, Span, Total, next_span, span_at, went_back

LEASE_SECONDS = 30.0
"""A worker that was not heard of for so long is thought dead."""

RECALL_SECONDS = 2.0
"""For so long after a worker was short, nobody keeps more than it uses."""

FOLD_SECONDS = 86_400.0
"""After this time a dead lease that was spent whole is forgotten: its sum is all that matters."""

MANY_LEASES = 200
"""So many leases of a page are remembered one by one, whatever their age."""

_OLD_PAGES = 3
_SHARES = 4
"""Of what is free, no worker leases more in advance than this part of its even share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a worker tells and wants of one budget.

    Attributes:
        budget: Which.
        lease: The id of its lease, the same until it lets go of it.
        source: The ledger that has its records.
        span: The window it speaks of; None means the present one. The answer may be about
            another one where it was never answered before (`seen` is None).
        settled: What it has spent under this lease.
        used: `settled`, and what it holds.
        waits: What it needs beyond `used`: the amounts of the calls that wait, in their order.
        ahead: What it would like beyond that, for calls to come.
        keep: The most that it goes on with until it is granted more, so that the answer may be
            lost; None: `used`, `waits` and `ahead` together.
        seen: The page as it last saw it; None: it has never been answered.
        seed: What the ledger says was spent in the window, where that was looked up.
        closing: It lets go of the lease.
        watched: Whether the marks of the budget are told of when they are passed.
    """

    budget: Budget
    lease: str
    source: str
    span: Span | None = None
    settled: int = 0
    used: int = 0
    waits: tuple[int, ...] = ()
    ahead: int = 0
    keep: int | None = None
    seen: SharedPage | None = None
    seed: int | None = None
    closing: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer to an `Ask`.

    Attributes:
        span: The window it is about.
        granted: What the worker may spend under its lease, spent amounts included.
        free: What is left for anybody to lease.
        spent: What all have spent.
        held: What all hold or have leased.
        idle: What other living workers have leased and do not use; whoever is short may get it.
        recalled: What it wanted lies idle with others and was called back: asking again is worth
            while.
        sparing: Somebody is short: nobody should ask for anything ahead.
        passed: Marks of the budget that are passed since anybody was told of one.
        page: The page itself, which the worker remembers, should the store lose it.
    """

    span: Span
    granted: int
    free: int
    spent: int
    held: int
    idle: int
    recalled: bool
    sparing: bool
    passed: tuple[str, ...]
    page: SharedPage


@dataclass(frozen=True, slots=True)
class Unseeded:
    """The store does not know what was spent before: the ledger must be asked."""

    budget: BudgetId
    span: Span


def exchange(sheet: Sheet | None, ask: Ask, now: float) -> tuple[Sheet, Grant] | Unseeded:
    """Book what a worker tells, and grant what can be granted.

    Args:
        sheet: The pages as the store has them; changed in place, so pass a fresh copy.
        ask: What the worker tells and wants.
        now: Unix seconds.

    Returns:
        The pages to write, and the answer; or the wish to be asked again with `ask.seed`.
    """
    sheet = sheet if sheet is not None else Sheet()
    page = _page(sheet, ask, now)
    if isinstance(page, Unseeded):
        return page
    _fold(page, now)
    if ask.budget.rule.lapses:
        _drop_dead(page, now)
    if ask.seen is not None and ask.seen.made != page.made:
        page.merge(ask.seen)
    lease = page.leases.get(ask.lease) or Lease(0, 0, 0, 0.0, ask.source)
    if ask.closing:
        lease.granted = lease.settled = lease.used = ask.settled
        lease.expires, lease.over = now, True
        recalled = False
    else:
        recalled = _grant(page, lease, ask, now)
    if lease.granted or ask.lease in page.leases:
        page.leases[ask.lease] = lease
    _forget_pages(sheet, now)
    committed = page.committed()
    spent = page.spent(now)
    limit = ask.budget.rule.limit
    return sheet, Grant(
        span=page.span,
        granted=lease.granted if ask.budget.rule.capped else NO_LIMIT,
        free=max(0, limit - committed),
        spent=spent,
        held=committed - spent,
        idle=_idle(page, ask, now),
        recalled=recalled,
        sparing=page.recall > now,
        passed=_passed(page, ask, spent) if ask.watched else (),
        page=page,
    )


def lease_of(worker: str, number: int) -> str:
    """Return the id of a worker's lease."""
    return f"{worker}.{number}"


def _grant(page: SharedPage, lease: Lease, ask: Ask, now: float) -> bool:
    """Set a lease to what it may have; tell whether idle money was called back for it."""
    rule = ask.budget.rule
    before = lease.granted
    lease.settled = ask.settled
    lease.expires, lease.over = now + LEASE_SECONDS, False
    wanted = ask.used + sum(ask.waits)
    if not rule.capped:
        lease.granted = lease.used = ask.used
        return False
    others = page.committed() - (before if ask.lease in page.leases else 0)
    room = rule.limit - others
    short = wanted > room
    if short:
        granted = fitting(ask.used, ask.waits, room)
    else:
        calm = page.recall <= now
        granted = wanted + (_extra(page, ask, room - wanted, now) if calm else 0)
    # What the worker may go on with without having heard of this answer stays its own.
    keep = ask.keep if ask.keep is not None else wanted + ask.ahead
    lease.granted = max(granted, min(before, keep))
    lease.used = fitting(ask.used, ask.waits, lease.granted)
    if not short or _idle(page, ask, now) <= 0:
        return False
    page.recall = now + RECALL_SECONDS
    return True


def _idle(page: SharedPage, ask: Ask, now: float) -> int:
    """Return what others have leased and do not use; the dead may have spent all of theirs."""
    others = (x for name, x in page.leases.items() if name != ask.lease and x.expires > now)
    return sum(x.granted - x.used for x in others)


def _passed(page: SharedPage, ask: Ask, spent: int) -> tuple[str, ...]:
    """Return marks that are passed and were not told of; they are, once this is written."""
    rule = ask.budget.rule
    limit = rule.limit if rule.capped else None
    marks = thresholds_crossed(0, spent, limit, rule.soft)
    fresh = tuple(mark.name for mark in marks if mark.name not in page.told)
    page.told += fresh
    return fresh


def fitting(used: int, waits: Sequence[int], room: int) -> int:
    """Return what a worker can use where not all that wait can have their part.

    Never a part that serves no call: it would lie with one worker while another, with a part of
    its own, is short as well, and both would refuse what there is money for.
    """
    granted = used
    for amount in waits:
        if granted + amount <= room:
            granted += amount
    return granted


def _extra(page: SharedPage, ask: Ask, room: int, now: float) -> int:
    """Return what a worker gets in advance: never more than a part of its even share."""
    living = sum(x.expires > now for name, x in page.leases.items() if name != ask.lease)
    return min(ask.ahead, room // (_SHARES * (1 + living)))


def _page(sheet: Sheet, ask: Ask, now: float) -> SharedPage | Unseeded:
    """Return the page that an ask is about, or the wish to know what the ledger says of it."""
    if ask.span is not None:
        return _spoken_page(sheet, ask, ask.span, now)
    period = ask.budget.period
    last = sheet.pages[-1] if sheet.pages else None
    if last is None or not _is_of(last.span, period):
        return _seeded(sheet, ask, first_span(period, now), now)
    span = next_span(period, last.span, now)
    if span == last.span:
        return last if _knows(last, ask) else _seeded(sheet, ask, span, now)
    if (known := sheet.page_of(span)) is not None:
        sheet.turn_to(known)
        return known
    fresh = SharedPage(span.start, span.end, fresh=True, made=_stamp(ask, now))
    if went_back(last.span, now):
        # The clock was wrong before: what was spent under it is carried over.
        for lease in last.leases.values():
            fresh.base[lease.source] = fresh.base.get(lease.source, 0) + lease.granted
        for source, amount in last.base.items():
            fresh.base[source] = fresh.base.get(source, 0) + amount
    sheet.pages.append(fresh)
    return fresh


def _spoken_page(sheet: Sheet, ask: Ask, span: Span, now: float) -> SharedPage | Unseeded:
    """Return the page of a window that the worker names, made again where it is lost."""
    page = sheet.page_of(span)
    if ask.seen is not None:
        if page is None:
            page = sheet.put_back(ask.seen.again(_stamp(ask, now)), now)
        return page
    if page is None and isinstance(ask.budget.period, Rolling):
        page = _begun_before(sheet, ask.budget.period, span)
    if page is not None and (ask.lease in page.leases or _knows(page, ask)):
        return page
    return _seeded(sheet, ask, page.span if page is not None else span, now)


def _begun_before(sheet: Sheet, period: Rolling, span: Span) -> SharedPage | None:
    """Return the page of the window in whose course a worker began one of its own.

    It could not know better: the store was away at its first call.
    """
    length = period.seconds
    pages = [page for page in reversed(sheet.pages) if _is_of(page.span, period)]
    first = (page for page in pages if page.start <= span.start < page.start + length)
    near = (page for page in pages if abs(page.start - span.start) < length)
    return next(first, None) or next(near, None)


def _knows(page: SharedPage, ask: Ask) -> bool:
    """Tell whether a page has all that the asker's ledger knows of its window."""
    source = ask.source
    return (
        page.fresh or source in page.base or any(x.source == source for x in page.leases.values())
    )


def _seeded(sheet: Sheet, ask: Ask, span: Span, now: float) -> SharedPage | Unseeded:
    """Return the page of a window with what the ledger says in it; it becomes the present one.

    What the worker has spent of it already, while the store was away, it tells itself.
    """
    if ask.seed is None:
        return Unseeded(ask.budget.id, span)
    page = sheet.page_of(span) or SharedPage(span.start, span.end, made=_stamp(ask, now))
    source = ask.source
    missing = max(0, ask.seed - page.of_source(source) - ask.settled)
    page.base[source] = page.base.get(source, 0) + missing
    page.seeded[source] = page.seeded.get(source, 0) + missing
    sheet.turn_to(page)
    return page


def _is_of(span: Span, period: Period) -> bool:
    """Tell whether a window is one of a period's: a budget may have had another one before."""
    match period:
        case Total():
            return span.end is None
        case Rolling(seconds):
            return span.end == span.start + seconds
        case _:
            return span == span_at(period, span.start)


def first_span(period: Period, now: float) -> Span:
    """Return the window of a budget that nobody knows, or whose store is away.

    A total counts everything that was ever spent. A rolling window begins with its first use,
    so nothing in the ledger is older than it and counts.
    """
    return Span(0, None) if isinstance(period, Total) else span_at(period, now)


def local_span(period: Period, now: float) -> Span | None:
    """Return the present window where no store is needed to know it; None for rolling ones."""
    return None if isinstance(period, Rolling) else first_span(period, now)


def _stamp(ask: Ask, now: float) -> str:
    return f"{ask.lease}@{now}"


def _drop_dead(page: SharedPage, now: float) -> None:
    """Forget dead workers: what they held is over with them."""
    for name in [name for name, lease in page.leases.items() if lease.expires <= now]:
        del page.leases[name]


def _fold(page: SharedPage, now: float) -> None:
    """Forget leases that have long been dead and had nothing left; their sums stay.

    Only where there are many: a machine that has slept for a day may still speak of its own.
    """
    if len(page.leases) <= MANY_LEASES:
        return
    limit = now - FOLD_SECONDS
    old = [n for n, x in page.leases.items() if x.expires < limit and x.granted == x.settled]
    for name in old:
        lease = page.leases.pop(name)
        page.base[lease.source] = page.base.get(lease.source, 0) + lease.granted


def _forget_pages(sheet: Sheet, now: float) -> None:
    """Drop pages that are over and that nobody speaks of any more."""
    if len(sheet.pages) <= _OLD_PAGES:
        return
    keep = sheet.pages[-_OLD_PAGES:]
    older = sheet.pages[:-_OLD_PAGES]
    sheet.pages = [p for p in older if any(x.expires > now for x in p.leases.values())] + keep
