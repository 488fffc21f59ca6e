"""Whatever is set, removed, taken back and over: fallback routes at run time keep their word."""

from __future__ import annotations

import asyncio
from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from support.fallbacks import ALIASES, NOW, Desk, Hand, routes_of
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Chains
from tiergate.core.fallback_changes import Action
from tiergate.core.fallback_overrides import (
    EVERY,
    FileRoutes,
    Override,
    Overrides,
    listing,
    overlaid,
    usable,
)
from tiergate.core.rings import shortest_ring
from tiergate.pipeline.fallback_book import By
from tiergate.stores.documents_memory import MemoryDocuments

NAMES = tuple(AliasName(name) for name in ALIASES)
KINDS = (ChainKind.GENERAL, ChainKind.CONTEXT_WINDOW)

targets = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)
instants = st.integers(0, 40).map(lambda seconds: NOW + seconds)


@st.composite
def chains(draw: st.DrawFn) -> Chains:
    """Chains of a file: those of one alias never name it."""

    def of_kind() -> MappingProxyType[AliasName, tuple[AliasName, ...]]:
        made = draw(st.dictionaries(st.sampled_from(NAMES), targets, max_size=3))
        return MappingProxyType(
            {alias: tuple(t for t in to if t != alias) for alias, to in made.items()}
        )

    default = draw(st.one_of(st.just(()), targets))
    return Chains(general=of_kind(), context_window=of_kind(), default=default)


@st.composite
def overrides(draw: st.DrawFn) -> Overrides:
    """Some overrides, at most one of each route; some name what the file has not."""
    made: dict[tuple[ChainKind, AliasName], Override] = {}
    for number in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(KINDS))
        every = (EVERY,) if kind is ChainKind.GENERAL else ()
        alias = draw(st.sampled_from((*NAMES, AliasName("gone"), *every)))
        to = draw(st.lists(st.sampled_from((*NAMES, AliasName("away"))), max_size=3, unique=True))
        made[kind, alias] = Override(
            id=f"o{number}",
            kind=kind,
            alias=alias,
            targets=tuple(to),
            author="ada",
            since=NOW,
            expires=draw(st.one_of(st.none(), instants)),
        )
    return Overrides(len(made), tuple(made.values()))


@given(chains(), overrides(), instants)
def test_each_route_is_that_of_its_live_override_or_else_that_of_the_file(
    written: Chains, made: Overrides, now: float
) -> None:
    file = FileRoutes(written, frozenset(NAMES))
    found = overlaid(file, made.at(now))
    for kind in ChainKind:
        for alias in NAMES:
            override = made.of((kind, alias))
            expected = written.written(kind).get(alias)
            if override is not None and (override.expires is None or now < override.expires):
                left = tuple(name for name in override.targets if name in file.aliases)
                if left:
                    expected = left
                elif not override.targets:
                    expected = None
            assert found.written(kind).get(alias) == expected
        assert set(found.written(kind)) <= set(NAMES)


@given(chains(), overrides(), instants)
def test_what_is_listed_is_what_acts(written: Chains, made: Overrides, now: float) -> None:
    file = FileRoutes(written, frozenset(NAMES))
    shown = listing(file, made, now)
    found = overlaid(file, made.at(now))
    acting = {(kind, alias): to for kind in ChainKind for alias, to in found.written(kind).items()}
    if found.default:
        acting[ChainKind.GENERAL, EVERY] = found.default
    assert {(each.kind, each.alias): each.targets for each in shown.routes} == acting
    live = [*(r.override for r in shown.routes if r.override), *shown.off, *shown.idle]
    assert sorted(each.id for each in live) == sorted(each.id for each in made.at(now))
    for route in shown.routes:
        if route.override is not None:
            assert route.targets == usable(route.override, file)


@given(chains(), overrides(), instants)
def test_a_request_is_led_to_each_alias_once_and_never_back(
    written: Chains, made: Overrides, now: float
) -> None:
    file = FileRoutes(written, frozenset(NAMES))
    routes = routes_of(written)
    routes.follow(overlaid(file, made.at(now)))
    for alias in NAMES:
        route = routes.of(alias)
        assert route is not None
        for chain in route.chains.values():
            assert len(set(chain)) == len(chain)
            assert alias not in chain


class Workers(RuleBasedStateMachine):
    """Two workers on one store: changes at either, time that goes by, and workers that look."""

    @initialize(written=chains())
    def start(self, written: Chains) -> None:
        self.clock, store = Hand(), MemoryDocuments()
        self.desks = [
            Desk(store, routes_of(written), self.clock, f"w{number}-") for number in range(2)
        ]
        self.file = FileRoutes(written, frozenset(NAMES))
        self.made = 0
        # The same in the plainest form: route -> (targets or None for off, its end).
        self.model: dict[tuple[ChainKind, AliasName], tuple[tuple[AliasName, ...] | None, float]]
        self.model = {}
        self.ended = 0

    def run(self, step) -> object:
        try:
            return asyncio.run(step)
        except Refused as refused:
            return refused.status

    def pass_by(self) -> None:
        over = [name for name, (_, end) in self.model.items() if self.clock.now >= end]
        for name in over:
            del self.model[name]
        self.ended += len(over)

    @rule(
        at=st.integers(0, 1),
        kind=st.sampled_from(KINDS),
        alias=st.sampled_from(NAMES),
        to=targets,
        seconds=st.one_of(st.none(), st.integers(1, 9).map(float)),
        allow=st.booleans(),
    )
    def put(self, at, kind, alias, to, seconds, allow) -> None:
        desk = self.desks[at]
        done = self.run(
            desk.book.put(kind, alias, to, By(author="a", seconds=seconds), allow_ring=allow)
        )
        if alias in to:
            assert done == 400
            return
        edges = {**self._written(kind), alias: to}
        if not allow and shortest_ring(alias, edges):
            assert done == 400
            return
        assert done.action is Action.SET  # pyright: ignore[reportAttributeAccessIssue]
        self.made += 1
        self.model[kind, alias] = (to, self.clock.now + seconds if seconds else float("inf"))
        assert desk.book.listing().of((kind, alias)).targets == to  # pyright: ignore[reportOptionalMemberAccess]

    @rule(at=st.integers(0, 1), kind=st.sampled_from(KINDS), alias=st.sampled_from(NAMES))
    def remove(self, at, kind, alias) -> None:
        done = self.run(self.desks[at].book.remove(kind, alias, By(author="a")))
        if alias not in self._written(kind):
            assert done == 404
            return
        self.made += 1
        assert done.after is None  # pyright: ignore[reportAttributeAccessIssue]
        if self.file.of((kind, alias)) is not None:
            self.model[kind, alias] = (None, float("inf"))
        else:
            del self.model[kind, alias]

    @rule(at=st.integers(0, 1), kind=st.sampled_from(KINDS), alias=st.sampled_from(NAMES))
    def restore(self, at, kind, alias) -> None:
        done = self.run(self.desks[at].book.restore(kind, alias, By(author="a")))
        if self.model.pop((kind, alias), None) is None:
            assert done == 404
        else:
            self.made += 1

    @rule(seconds=st.integers(1, 6))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds
        self.pass_by()

    @rule(at=st.integers(0, 1))
    def look(self, at: int) -> None:
        desk = self.desks[at]
        asyncio.run(desk.book.refresh())
        for kind in KINDS:
            expected = self._written(kind)
            found = {r.alias: r.targets for r in desk.book.listing().routes if r.kind is kind}
            found.pop(EVERY, None)
            assert found == expected
            assert dict(desk.routes.policy.chains.written(kind)) == expected

    @precondition(lambda self: self.made)
    @rule()
    def every_change_and_every_end_has_its_record(self) -> None:
        desk = self.desks[0]
        asyncio.run(desk.book.refresh())
        changes = asyncio.run(desk.book.changes(1000))
        expired = [each for each in changes if each.action is Action.EXPIRED]
        assert len(changes) - len(expired) == self.made
        assert len(expired) == self.ended
        assert len({each.number for each in changes}) == len(changes)

    @invariant()
    def a_worker_that_has_not_looked_lets_nothing_act_beyond_its_end(self) -> None:
        for desk in self.desks:
            desk.book.apply()
            for route in desk.book.listing().routes:
                assert route.override is None or route.override.acts_at(self.clock.now)
                if route.alias != EVERY:
                    chains = desk.routes.policy.chains
                    assert chains.written(route.kind)[route.alias] == route.targets

    def _written(self, kind: ChainKind) -> dict[AliasName, tuple[AliasName, ...]]:
        found = dict(self.file.chains.written(kind))
        for (a_kind, alias), (to, _) in self.model.items():
            if a_kind is kind:
                if to is None:
                    found.pop(alias, None)
                else:
                    found[alias] = to
        return found


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
