"""The pages on which workers share a budget: what each of them has leased and spent. Values only.

A page is one budget in one window. What is granted is decided in `core.lease`. Amounts are
nano-USD, or requests or tokens where the rule is a rate limit. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tiergate.core.window import Span


@dataclass(slots=True)
class Lease:
    """What one worker has of a page.

    Attributes:
        granted: What it may spend, everything it has spent included.
        settled: What it has spent.
        used: `settled`, and what it holds for calls that are under way or wait.
        expires: When it is thought dead.
        source: The ledger that has its records.
        over: Its worker, or the journal that it left, has said the last word about it.
    """

    granted: int
    settled: int
    used: int
    expires: float
    source: str
    over: bool = False


@dataclass(slots=True)
class SharedPage:
    """One budget in one window.

    Attributes:
        start: The window begins.
        end: It ends; None: never.
        base: What was spent by leases that are forgotten, or before anybody knew of the page, by
            ledger.
        leases: By lease id.
        recall: Until then nobody keeps more than it uses.
        told: Marks of the budget that were passed, and told of once.
        fresh: It was made when its window began, so that no ledger has anything older of it.
        made: Names this making of the page. A store that has lost it gets another one.
        seeded: The part of `base` that a ledger has told of, by ledger: what workers remember may
            be in it.
    """

    start: int
    end: int | None
    base: dict[str, int] = field(default_factory=dict[str, int])
    leases: dict[str, Lease] = field(default_factory=dict[str, Lease])
    recall: float = 0.0
    told: list[str] = field(default_factory=list[str])
    fresh: bool = False
    made: str = ""
    seeded: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def span(self) -> Span:
        """The window."""
        return Span(self.start, self.end)

    def committed(self) -> int:
        """Return what nobody else may have: spent, held or leased."""
        return sum(self.base.values()) + sum(lease.granted for lease in self.leases.values())

    def spent(self, now: float) -> int:
        """Return what is spent, the charges of dead leases included."""
        leases = self.leases.values()
        return sum(self.base.values()) + sum(_charged(lease, now) for lease in leases)

    def held(self, now: float) -> int:
        """Return what living workers hold for calls under way."""
        return sum(x.used - x.settled for x in self.leases.values() if x.expires > now)

    def assumed(self, now: float) -> int:
        """Return the part of `spent` that is charged for workers not heard of any more."""
        dead = (lease for lease in self.leases.values() if lease.expires <= now)
        return sum(lease.granted - lease.settled for lease in dead)

    def again(self, made: str) -> SharedPage:
        """Return the page as somebody remembers it, for a store that has lost it."""
        return replace(
            self,
            base=dict(self.base),
            leases={name: replace(lease) for name, lease in self.leases.items()},
            told=list(self.told),
            made=made,
            seeded=dict(self.seeded),
        )

    def merge(self, seen: SharedPage) -> None:
        """Take over what somebody else remembers of a page that was lost and made again.

        Nothing counts twice: a lease has a name, of two amounts of one ledger the larger holds,
        and what a ledger has told of leaves `base` for the lease that it belongs to.
        """
        for name, lease in seen.leases.items():
            if name in self.leases:
                self.leases[name] = _later(self.leases[name], lease)
                continue
            self.leases[name] = replace(lease)
            known = min(self.seeded.get(lease.source, 0), lease.settled)
            if known:
                self.seeded[lease.source] -= known
                self.base[lease.source] -= known
        for source, amount in seen.base.items():
            self.base[source] = max(self.base.get(source, 0), amount)
        self.told += [mark for mark in seen.told if mark not in self.told]

    def of_source(self, source: str) -> int:
        """Return what one ledger must have records for; charges of dead leases are not in it."""
        mine = (lease.settled for lease in self.leases.values() if lease.source == source)
        return self.base.get(source, 0) + sum(mine)


@dataclass(slots=True)
class Sheet:
    """The pages of one budget, the present one last."""

    pages: list[SharedPage] = field(default_factory=list[SharedPage])

    def page_of(self, span: Span) -> SharedPage | None:
        """Return the page of a window."""
        return next((page for page in self.pages if page.span == span), None)

    def put_back(self, page: SharedPage, now: float) -> SharedPage:
        """Add the page of a window that was lost, or dropped."""
        if _holds(page.span, now) and not (self.pages and _holds(self.pages[-1].span, now)):
            self.pages.append(page)
        else:
            self.pages.insert(0, page)  # never in the place of the present one
        return page

    def turn_to(self, page: SharedPage) -> None:
        """Make a page the present one."""
        self.pages = [other for other in self.pages if other is not page]
        self.pages.append(page)


def _later(one: Lease, other: Lease) -> Lease:
    """Return which of two tales of a lease is the later one; where it is not clear, the dearer."""
    if one.over is not other.over:
        return one if one.over else replace(other)
    if (other.settled, other.granted) > (one.settled, one.granted):
        return replace(other, expires=max(one.expires, other.expires))
    return one


def _charged(lease: Lease, now: float) -> int:
    return lease.settled if lease.expires > now else lease.granted


def _holds(span: Span, now: float) -> bool:
    return span.start <= now and (span.end is None or now < span.end)
