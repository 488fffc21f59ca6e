"""A provider's bill against the ledger, per day and model: what differs, by how much, and why.

Pure: sums in, differences out. Reading the provider's file is the matter of `core.bill_files`,
summing the ledger that of a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

from tiergate.base.money import format_usd
from tiergate.core.provider_bill import Bill, BillLine, model_key

_ONLY_THEIRS = (
    "No call of this model went through the gateway that day: another key, or another program, "
    "used it."
)
_ONLY_OURS = (
    "The bill has nothing of this model that day: the key belongs to another account or project, "
    "or the bill knows the model by another name."
)
_PRICES = (
    "The tokens agree and the cost does not: the prices differ (a discount, another service tier, "
    "or a price list of another date)."
)
_USED_OUTSIDE = "The bill has more: keys of this account are used outside the gateway too."
_MORE_OURS = (
    "The ledger has more: the provider did not bill calls that failed or were cut, or its days "
    "begin in another time zone."
)
_LAST_DAY = "It is the file's last day: the provider may not have counted all of it yet."
_ESTIMATES = (
    "estimates: the provider gave no usage for those calls, or their worker was lost before the "
    "answer was counted."
)


class Kind(Enum):
    """What is compared; tokens in numbers, cost in nano-USD."""

    CALLS = "calls"
    """Shown and not judged: providers differ in which failed calls they count."""
    INPUT = "input"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    OUTPUT = "output"
    COST = "cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class OurLine:
    """The ledger's sums of one model on one day.

    Attributes:
        day: The day, in the zone of the bill.
        model: The provider's name of the model.
        calls: Calls that reached the provider.
        input: Tokens that no cache served.
        cache_read: Tokens read from the provider's cache.
        cache_write: Tokens written to it.
        output: Tokens out.
        cost: nano-USD.
        estimated: The part of `cost` that is Tiergate's own estimate.
    """

    day: date
    model: str
    calls: int
    input: int
    cache_read: int
    cache_write: int
    output: int
    cost: int
    estimated: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure on both sides.

    Attributes:
        kind: What is compared.
        ours: The ledger's figure.
        theirs: The bill's.
        slack: By how much the bill's own rounding may have moved it.
        tolerance: Per cent of the bill's figure that may differ.
    """

    kind: Kind
    ours: int
    theirs: int
    slack: int
    tolerance: Decimal

    @property
    def amount(self) -> int:
        """How much the ledger is above the bill."""
        return self.ours - self.theirs

    @property
    def percent(self) -> Decimal | None:
        """The difference in per cent of the bill's figure; None where that is 0."""
        return Decimal(100 * self.amount) / self.theirs if self.theirs else None

    @property
    def agrees(self) -> bool:
        """Whether the figures are one, but for rounding and what is tolerated."""
        if self.kind is Kind.CALLS:
            return True
        return abs(self.amount) <= self.slack + abs(self.theirs) * self.tolerance / 100


@dataclass(frozen=True, slots=True)
class Matched:
    """One day and model, or the total.

    Attributes:
        day: None for the total.
        model: Empty for the total, and for a bill that names no models.
        differences: What both sides know, agreeing or not.
        reasons: What explains the differences that are too large.
    """

    day: date | None
    model: str
    differences: tuple[Difference, ...]
    reasons: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether every figure agrees."""
        return all(difference.agrees for difference in self.differences)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A bill against the ledger.

    Attributes:
        rows: By day and model.
        total: The sums.
    """

    rows: tuple[Matched, ...]
    total: Matched

    @property
    def agrees(self) -> bool:
        """Whether every row and the total agree."""
        return self.total.agrees and all(row.agrees for row in self.rows)


@dataclass(slots=True)
class _Sums:
    """Both sides of one day and model while lines are added."""

    ours: dict[Kind, int] = field(default_factory=dict[Kind, int])
    theirs: dict[Kind, int] = field(default_factory=dict[Kind, int])
    slack: int = 0
    estimated: int = 0
    name: str = ""

    def add_ours(self, line: OurLine) -> None:
        for kind, amount in _our_figures(line):
            self.ours[kind] = self.ours.get(kind, 0) + amount
        self.estimated += line.estimated
        self.name = self.name or line.model

    def add_theirs(self, line: BillLine) -> None:
        for kind, amount in _their_figures(line):
            if amount is not None:
                self.theirs[kind] = self.theirs.get(kind, 0) + amount
        self.slack += line.slack
        self.name = self.name or line.model


def reconcile(bill: Bill, ours: Iterable[OurLine], tolerance: Decimal) -> Reconciliation:
    """Compare a bill with the ledger.

    Only what the bill has figures of is compared. A bill without models is compared by day alone.

    Args:
        bill: The provider's file.
        ours: The ledger's sums of the same provider over the bill's days.
        tolerance: Per cent by which a figure may differ (0.5).
    """
    kinds = {kind for line in bill.lines for kind, n in _their_figures(line) if n is not None}
    by_model = any(line.model for line in bill.lines)
    sums: dict[tuple[date, str], _Sums] = {}
    total = _Sums()
    for line in bill.lines:
        place = (line.day, model_key(line.model) if by_model else "")
        sums.setdefault(place, _Sums()).add_theirs(line)
        total.add_theirs(line)
    for own in ours:
        place = (own.day, model_key(own.model) if by_model else "")
        sums.setdefault(place, _Sums()).add_ours(own)
        total.add_ours(own)
    days = [line.day for line in bill.lines]
    last = max(days) if days else None
    rows = tuple(
        _matched(day, both.name if by_model else "", both, kinds, tolerance, last=day == last)
        for (day, _), both in sorted(sums.items())
        if any(both.ours.get(kind) or both.theirs.get(kind) for kind in kinds)
    )
    return Reconciliation(rows, _matched(None, "", total, kinds, tolerance, last=False))


def _matched(
    day: date | None,
    model: str,
    both: _Sums,
    kinds: set[Kind],
    tolerance: Decimal,
    *,
    last: bool,
) -> Matched:
    differences = tuple(
        Difference(
            kind,
            both.ours.get(kind, 0),
            both.theirs.get(kind, 0),
            both.slack if kind is Kind.COST else 0,
            tolerance,
        )
        for kind in Kind
        if kind in kinds
    )
    reasons = _reasons(both, differences, last=last) if day is not None else ()
    return Matched(day, model, differences, reasons)


def _reasons(both: _Sums, differences: Sequence[Difference], *, last: bool) -> tuple[str, ...]:
    """Say what may have led to the differences that are too large."""
    wrong = [difference for difference in differences if not difference.agrees]
    if not wrong:
        return ()
    more_theirs = any(difference.amount < 0 for difference in wrong)
    more_ours = any(difference.amount > 0 for difference in wrong)
    tokens = any(d.kind not in (Kind.CALLS, Kind.COST) for d in differences)
    only_cost = tokens and all(difference.kind is Kind.COST for difference in wrong)
    found: list[str] = []
    if not both.ours:
        found.append(_ONLY_THEIRS)
    elif not both.theirs:
        found.append(_ONLY_OURS)
    elif only_cost:
        found.append(_PRICES)
    elif more_theirs:
        found.append(_USED_OUTSIDE)
    if both.estimated:
        found.append(f"{format_usd(both.estimated)} USD of the ledger's cost are {_ESTIMATES}")
    if more_ours and both.theirs and not only_cost:
        found.append(_MORE_OURS)
    if last and more_ours:
        found.append(_LAST_DAY)
    return tuple(found)


def _our_figures(line: OurLine) -> tuple[tuple[Kind, int], ...]:
    return (
        (Kind.CALLS, line.calls),
        (Kind.INPUT, line.input),
        (Kind.CACHE_READ, line.cache_read),
        (Kind.CACHE_WRITE, line.cache_write),
        (Kind.OUTPUT, line.output),
        (Kind.COST, line.cost),
    )


def _their_figures(line: BillLine) -> tuple[tuple[Kind, int | None], ...]:
    return (
        (Kind.CALLS, line.calls),
        (Kind.INPUT, line.input),
        (Kind.CACHE_READ, line.cache_read),
        (Kind.CACHE_WRITE, line.cache_write),
        (Kind.OUTPUT, line.output),
        (Kind.COST, line.cost),
    )
