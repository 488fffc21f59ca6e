"""Chains lead nobody to an alias that their key may not use; the trail names what it passed."""

from __future__ import annotations

import pytest

from support.attempts import deployments, settings
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import AliasName
from tiergate.core.catalog import Catalog, ChainKind, Chains, RouterPolicy
from tiergate.core.chain import members, withheld
from tiergate.core.plan import Call, Machine, Wish
from tiergate.core.routing import Routes, View
from tiergate.core.trail import compact

CHEAP, BALANCED, FRONTIER = (AliasName(name) for name in ("cheap", "balanced", "frontier"))
POLICY = RouterPolicy(
    num_retries=0,
    chains=Chains(general={CHEAP: (BALANCED, FRONTIER)}, budget={FRONTIER: (BALANCED,)}),
)
SETTINGS = settings(deployments(cheap="a", balanced="b", frontier="c"), POLICY)
ROUTES = Routes(SETTINGS.router, Catalog.of(SETTINGS))


def chain(alias, kind=ChainKind.GENERAL, **more):
    wish = Wish(alias=alias, **more)
    route = ROUTES.of(alias)
    return members(ROUTES, route, wish, kind), withheld(ROUTES, route, wish, kind)


@pytest.mark.parametrize(
    ("allowed", "left", "passed"),
    [
        (None, (BALANCED, FRONTIER), ()),
        ({CHEAP, FRONTIER}, (FRONTIER,), (BALANCED,)),
        ({CHEAP}, (), (BALANCED, FRONTIER)),
    ],
)
def test_a_chain_has_only_members_that_the_key_may_use(allowed, left, passed):
    allowed = None if allowed is None else frozenset(allowed)
    assert chain(CHEAP, allowed=allowed) == (left, passed)


def test_the_requests_own_list_is_no_way_round():
    found = chain(CHEAP, fallbacks=(FRONTIER, BALANCED), allowed=frozenset({CHEAP, BALANCED}))
    assert found == ((BALANCED,), (FRONTIER,))


def test_the_budget_chain_of_the_key_takes_the_place_of_the_configured_one():
    assert chain(FRONTIER, ChainKind.BUDGET)[0] == (BALANCED,)
    assert chain(FRONTIER, ChainKind.BUDGET, budget_fallbacks=(CHEAP,))[0] == (CHEAP,)


def test_no_chain_where_the_request_wants_none():
    assert chain(CHEAP, disable_fallbacks=True, allowed=frozenset({CHEAP})) == ((), ())


def test_the_machine_passes_over_what_the_key_may_not_use_and_says_so():
    wish = Wish(alias=CHEAP, allowed=frozenset({CHEAP, FRONTIER}))
    machine, view = Machine(ROUTES, wish, 0.0), View()
    first = machine.next(view, 0.0, lambda: 0.0)
    assert isinstance(first, Call)
    machine.failed(Failure(FailureClass.UPSTREAM, 500, "broken"), 1.0)
    second = machine.next(view, 1.0, lambda: 0.0)
    assert isinstance(second, Call)
    assert second.deployment.alias == FRONTIER
    machine.answered(2.0)
    assert "balanced skipped (not for this key) > frontier/" in compact(machine.trail)
