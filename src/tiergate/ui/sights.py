"""What the pages are made of: the parts of a gateway that they may look at. Values only.

The wiring fills this in. A page asks for what it shows, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tiergate.base.values import DeploymentId
from tiergate.core.cost import Price
from tiergate.core.prefix_figures import PrefixFigures, PrefixKey
from tiergate.core.sighting import Sighting
from tiergate.pipeline.fallback_book import FallbackBook
from tiergate.pipeline.standings import BudgetRow
from tiergate.ports import Clock, Ledger
from tiergate.web.cache_routes import OpenCache
from tiergate.web.inference import Serving
from tiergate.web.keys import KeyDesk


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a deployment was since the workers began; seconds, None where nothing is known.

    Attributes:
        answers: How many answers that is of.
        half: Half of the answers took no longer.
        most: 95 of 100 took no longer.
        first_half: Half of the streams had their first content no later.
    """

    answers: int
    half: float | None
    most: float | None
    first_half: float | None


@dataclass(frozen=True, slots=True)
class Lookups:
    """What the response cache and the comparing by meaning did for one alias: calls by outcome."""

    alias: str
    exact: Mapping[str, int]
    near: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What all workers of this gateway say of this instant.

    Attributes:
        sightings: What each of them sees.
        states: How many workers serve, are silent, or have ended.
        speeds: By deployment id.
        lookups: By alias.
        prefixes: What the providers' prompt caches did, by key, alias and phase.
    """

    sightings: Sequence[Sighting] = ()
    states: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    speeds: Mapping[str, Speed] = field(default_factory=lambda: MappingProxyType({}))
    lookups: Sequence[Lookups] = ()
    prefixes: Mapping[PrefixKey, PrefixFigures] = field(
        default_factory=lambda: MappingProxyType({})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sights:
    """What the pages may look at.

    Attributes:
        serving: Gives the configuration in force.
        wall: Unix seconds.
        budgets: Gives every budget that has a limit.
        ledger: The records of calls; None where nothing outlives the process.
        fleet: Asks all workers.
        faults: Says what does not work now, a sentence each.
        cache: Gives the cache in force; None without one.
        price: Gives the price of a deployment.
        keys: Virtual keys.
        fallbacks: Fallback routes.
        seconds: Reads a length of time (`2h`); raises ValueError that says what would do.
        place: Where it all is kept, in words.
    """

    serving: Callable[[], Serving]
    wall: Clock
    budgets: Callable[[], Awaitable[Sequence[BudgetRow]]]
    ledger: Ledger | None
    fleet: Callable[[], Awaitable[Fleet]]
    faults: Callable[[], Sequence[str]]
    cache: Callable[[], OpenCache | None]
    price: Callable[[DeploymentId], Price | None]
    keys: KeyDesk
    fallbacks: FallbackBook
    seconds: Callable[[str], float]
    place: str
