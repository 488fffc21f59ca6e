"""Says where each figure of a price comes from: the file, the list, or a rule between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Final

from tiergate.base.values import Position, ServiceTier
from tiergate.core.catalog import PriceOverride
from tiergate.core.cost import UNKNOWN_SEARCH, Price, Rates
from tiergate.pricing.listing import ListedPrice, ListedRates

KINDS: Final = tuple(each.name for each in fields(Rates) if each.init)
"""The kinds of token, in the order of `core.cost.Rates`."""

REQUEST: Final = "request"
SEARCH: Final = "search"
"""Kinds of a figure that is for one call, and for one search; all others are for tokens."""

FOLLOWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cache_read": "input",
        "cache_write_5m": "input",
        "cache_write_1h": "cache_write_5m",
        "reasoning": "output",
        "audio_input": "input",
        "audio_output": "output",
    }
)
"""What a kind costs that has no price of its own."""


class Origin(Enum):
    """Where a figure comes from."""

    WRITTEN = "configuration"
    LISTED = "list"
    RATIO = "ratio"
    """Moved as the written prices have moved against the list, or against the plain price."""
    FOLLOWS = "follows"
    """The price of the kind in `FOLLOWS`, since nobody names one for this kind."""
    BOUND = "bound"
    """Not known: the most that it can be, as far as prices are known."""
    FREE = "free"
    """`pricing: free` is written."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a price.

    Attributes:
        kind: Of `KINDS`, or `REQUEST`, or `SEARCH`.
        tier: The service tier that it holds for.
        above: It holds for prompts of more than so many tokens.
        nano: nano-USD per million tokens, per call, or per search.
        origin: Where it comes from.
        position: Where it is written, if it is.
    """

    kind: str
    tier: ServiceTier
    above: int
    nano: int
    origin: Origin
    position: Position | None = None


_OUTPUT: Final = frozenset({"output", "reasoning", "audio_output"})
_Cell = tuple[ServiceTier, int]
_Places = Mapping[tuple[str, ServiceTier, int], Position]


def figures_of(
    price: Price,
    written: PriceOverride,
    listed: ListedPrice | None,
    day: date,
    *,
    searches: bool = False,
) -> tuple[Figure, ...]:
    """Return every figure of a price with its origin; none for output that a model does not have.

    Args:
        price: What the deployment costs.
        written: What the file says of it.
        listed: What the list says of it; None where it says nothing, or the file says `free`.
        day: The list's service tiers are those known on this day.
        searches: The model searches at every call, so that a search has to have a figure.
    """
    places = {(each.kind, each.tier, each.above): each.position for each in written.places}
    if written.free:
        free = places.get(("free", ServiceTier.STANDARD, 0))
        kinds = (*KINDS, SEARCH)
        return tuple(Figure(each, ServiceTier.STANDARD, 0, 0, Origin.FREE, free) for each in kinds)
    known = _listed_cells(listed, day) if listed is not None else {}
    found: list[Figure] = []
    for (tier, above), rates in _cells(price).items():
        own = known.get((tier, above))
        for kind in KINDS:
            amount: int = getattr(rates, kind)
            position = places.get((kind, tier, above))
            if position is None and not amount and kind in _OUTPUT and not _names(own, kind):
                continue
            origin = Origin.WRITTEN if position is not None else _origin(kind, rates, own)
            found.append(Figure(kind, tier, above, amount, origin, position))
    if price.per_request:
        found.append(Figure(REQUEST, ServiceTier.STANDARD, 0, price.per_request, Origin.LISTED))
    if (search := _search(price, places, listed, searches=searches)) is not None:
        found.append(search)
    return tuple(found)


def _search(
    price: Price, places: _Places, listed: ListedPrice | None, *, searches: bool
) -> Figure | None:
    """Return the figure of a search; None where none is known and none is needed."""
    plain = ServiceTier.STANDARD
    if price.per_search is None:
        if not searches:
            return None
        return Figure(SEARCH, plain, 0, UNKNOWN_SEARCH, Origin.BOUND)
    position = places.get(("per_search", plain, 0))
    if position is not None:
        return Figure(SEARCH, plain, 0, price.per_search, Origin.WRITTEN, position)
    same = listed is not None and listed.per_search == price.per_search
    return Figure(SEARCH, plain, 0, price.per_search, Origin.LISTED if same else Origin.RATIO)


def _names(listed: ListedRates | None, kind: str) -> bool:
    return listed is not None and getattr(listed, kind) is not None


def _origin(kind: str, rates: Rates, listed: ListedRates | None) -> Origin:
    """Return the origin of a figure that is not written."""
    amount: int = getattr(rates, kind)
    named: int | None = getattr(listed, kind) if listed is not None else None
    if named is not None:
        return Origin.LISTED if named == amount else Origin.RATIO
    followed = FOLLOWS.get(kind)
    same = followed is not None and amount == getattr(rates, followed)
    return Origin.FOLLOWS if same else Origin.RATIO


def _cells(price: Price) -> dict[_Cell, Rates]:
    """Return rates by service tier and step."""
    cells: dict[_Cell, Rates] = {(ServiceTier.STANDARD, 0): price.rates}
    cells |= {(ServiceTier.STANDARD, step.above): step.rates for step in price.tiers}
    for each in price.variants:
        cells[each.tier, 0] = each.rates
        cells |= {(each.tier, step.above): step.rates for step in each.tiers}
    return cells


def _listed_cells(listed: ListedPrice, day: date) -> dict[_Cell, ListedRates]:
    cells: dict[_Cell, ListedRates] = {(ServiceTier.STANDARD, 0): listed.rates}
    cells |= {(ServiceTier.STANDARD, step.above): step.rates for step in listed.tiers}
    for each in listed.variants:
        if each.since is None or each.since <= day:
            cells[each.tier, 0] = each.rates
            cells |= {(each.tier, step.above): step.rates for step in each.tiers}
    return cells
