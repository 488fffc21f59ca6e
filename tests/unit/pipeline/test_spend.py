"""Money of the calls: what is held, what is settled, and what is shown of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.attempts import deployment, settings
from support.money import Accounts
from tiergate.base.values import AliasName, DeploymentId, Dialect, NanoUsd, Operation, Usage
from tiergate.core.catalog import BudgetRule, Deployment, ScopeKind, Settings
from tiergate.core.catalog import Position as At
from tiergate.core.cost import FREE, Price, Rates
from tiergate.pipeline.holding import DEFAULT_OUTPUT_TOKENS, HOLD_SECONDS
from tiergate.ports import BudgetStop, Inbound
from tiergate.wire.members import Members

PRICE = Price(Rates.of(1_000_000_000, 5_000_000_000))
"""1000 nano-USD a token in, 5000 out."""
A = deployment("cheap", "a", provider="anthropic")
B = deployment("balanced", "b", provider="openai")
PROMPT = 100


def rule(limit: int, scope: ScopeKind, name: str, period: str = "none") -> BudgetRule:
    return BudgetRule(
        scope=scope, name=name, limit=NanoUsd(limit), window="1d", period=period, source=At("c", 1)
    )


def inbound(body: bytes = b"{}", operation: Operation = Operation.CHAT) -> Inbound:
    return Inbound(
        call_id="id",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(body),
    )


class World:
    """Accounts with a hand-moved clock."""

    def __init__(self, *rules: BudgetRule, deployments=(A, B), price=PRICE, bound=None) -> None:
        self.now = 1_790_000_000.0
        more = {"bound": bound} if bound is not None else {}
        self.accounts = Accounts(lambda asked, at: PROMPT, lambda: self.now, **more)
        self.spend = self.accounts.spend
        self.settings: Settings = settings(deployments, budgets=tuple(rules))
        self.prices = {d.id: price for d in deployments}
        self.spend.configure(self.settings, self.prices)

    def hold(self, body: bytes = b"{}", at: Deployment = A, operation=Operation.CHAT):
        return self.accounts.hold(inbound(body, operation), at)

    def rows(self):
        return self.accounts.rows()

    def total(self) -> int:
        return self.accounts.totals().gateway

    def held(self) -> int:
        return self.rows()[0].held


def gateway(limit: int = 10**15) -> BudgetRule:
    return rule(limit, ScopeKind.GATEWAY, "gateway")


# ------------------------------------------------------------------ holds


@pytest.mark.parametrize(
    ("body", "output"),
    [
        (b'{"max_tokens": 10}', 10),
        (b'{"max_completion_tokens": 10}', 10),
        (b'{"max_tokens": 10, "max_completion_tokens": 7}', 10),
        (b'{"max_tokens": 7, "max_completion_tokens": 10}', 10),
        (b'{"max_tokens": 1e1}', 10),
        (b'{"max_tokens": 0}', 0),
        (b'{"max_tokens": null}', DEFAULT_OUTPUT_TOKENS),
        (b'{"max_tokens": -5}', DEFAULT_OUTPUT_TOKENS),
        (b'{"max_tokens": "many"}', DEFAULT_OUTPUT_TOKENS),
        (b'{"max_completion_tokens": 1e400}', DEFAULT_OUTPUT_TOKENS),
        (b"{}", DEFAULT_OUTPUT_TOKENS),
        (b'{"max_tokens": 10, "n": 3}', 30),
        (b'{"max_tokens": 10, "n": 3, "best_of": 5}', 50),
        (b'{"max_tokens": 10, "n": 0}', 10),
        (b'{"max_tokens": 10, "n": null}', 10),
    ],
)
def test_the_most_that_a_call_can_cost_is_held(body, output):
    world = World(gateway())

    world.hold(body)

    assert world.held() == PROMPT * 1000 + output * 5000


def test_an_embedding_has_no_output():
    world = World(gateway())
    world.hold(operation=Operation.EMBEDDING)
    assert world.held() == PROMPT * 1000


@pytest.mark.parametrize(
    ("own", "known", "output"), [(50, 900, 50), (None, 900, 900), (None, None, 4096)]
)
def test_without_a_limit_of_the_caller_the_files_the_models_or_a_usual_one_counts(
    own, known, output
):
    at = deployment("cheap", "a", default_max_tokens=own)
    world = World(gateway(), deployments=(at,), bound=lambda one: known)
    world.hold(at=at)
    assert world.held() == PROMPT * 1000 + output * 5000


def test_where_no_budget_applies_spending_is_counted_all_the_same():
    world = World(rule(10**15, ScopeKind.ALIAS, "balanced"))

    assert world.spend.settle(world.hold(), A, Usage(10, 5), 0.0) == 35_000
    assert world.total() == 35_000
    assert world.held() == 0


def test_a_free_model_needs_no_hold():
    world = World(gateway(), price=FREE)
    assert world.hold() is None
    assert world.spend.settle(None, A, Usage(10, 5), 0.0) == 0


def test_a_call_counts_in_every_budget_it_touches():
    world = World(
        gateway(),
        rule(10**15, ScopeKind.ALIAS, "cheap"),
        rule(10**15, ScopeKind.PROVIDER, "anthropic"),
        rule(10**15, ScopeKind.DEPLOYMENT, "a"),
        rule(10**15, ScopeKind.ALIAS, "balanced"),
        rule(10**15, ScopeKind.PROVIDER, "openai"),
    )

    hold = world.hold()
    world.spend.settle(hold, A, Usage(10, 5), 0.0)

    assert [row.spent for row in world.rows()] == [35_000] * 4 + [0] * 2


def test_the_widest_budget_that_refuses_is_told():
    world = World(
        rule(1, ScopeKind.DEPLOYMENT, "a"),
        rule(1, ScopeKind.ALIAS, "cheap"),
        rule(1, ScopeKind.PROVIDER, "anthropic"),
    )

    stop = world.hold()

    assert isinstance(stop, BudgetStop)
    assert stop.scope is ScopeKind.ALIAS
    assert stop.refusal.code == "budget_exceeded"


def test_nothing_may_be_spent_under_a_budget_of_zero():
    assert isinstance(World(gateway(0)).hold(b'{"max_tokens":1}'), BudgetStop)


def test_a_refused_hold_sets_nothing_aside_anywhere():
    world = World(gateway(), rule(1, ScopeKind.DEPLOYMENT, "a"))
    assert isinstance(world.hold(), BudgetStop)
    assert [row.held for row in world.rows()] == [0, 0]


# ------------------------------------------------------------------ their end


def test_the_true_cost_takes_the_holds_place():
    world = World(gateway())

    hold = world.hold()
    assert world.spend.settle(hold, A, Usage(10, 5, cache_read=20), 0.0) == 55_000

    row = world.rows()[0]
    assert (row.held, row.spent) == (0, 55_000)
    assert world.total() == 55_000
    assert world.accounts.totals().providers == {"anthropic": 55_000, "openai": 0}


def test_usage_that_nobody_told_costs_what_was_held():
    world = World(gateway())
    hold = world.hold(b'{"max_tokens":10}')
    assert world.spend.settle(hold, A, None, 0.0) == 150_000
    assert world.spend.settle(None, A, None, 0.0) is None


def test_a_released_hold_costs_nothing():
    world = World(gateway())
    world.spend.release(world.hold(), 0.0)
    world.spend.release(None, 0.0)
    row = world.rows()[0]
    assert (row.held, row.spent, world.total()) == (0, 0, 0)


def test_a_hold_that_nobody_ends_is_charged_in_full():
    world = World(gateway())
    world.hold(b'{"max_tokens":10}')
    world.now += HOLD_SECONDS + 1
    row = world.rows()[0]
    assert (row.held, row.spent) == (0, 150_000)


def test_a_strange_hold_is_a_mistake_of_ours():
    class Strange:
        pass

    world = World(gateway())
    with pytest.raises(TypeError):
        world.spend.settle(Strange(), A, Usage(1, 1), 0.0)
    with pytest.raises(TypeError):
        world.spend.release(Strange(), 0.0)


CALLS = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(0, 100), st.sampled_from("srx")), max_size=30
)


@given(CALLS, st.integers(0, 3_000_000))
def test_settled_and_held_never_exceed_a_limit(calls, limit):
    world = World(gateway(limit), rule(limit // 2, ScopeKind.ALIAS, "cheap"))
    for tokens, used, end in calls:
        hold = world.hold(b'{"max_tokens":%d}' % tokens)
        if isinstance(hold, BudgetStop):
            continue
        if end == "s":
            world.spend.settle(hold, A, Usage(used, min(used, tokens)), 0.0)
        elif end == "r":
            world.spend.release(hold, 0.0)
        for row in world.rows():
            assert row.held + row.spent <= row.limit


# ------------------------------------------------------------------ configurations


def test_an_unpriced_model_under_a_budget_is_refused():
    world = World()
    with pytest.raises(ValueError, match="has no price"):
        world.spend.configure(settings((A,), budgets=(gateway(),)), {A.id: None})


def test_an_unpriced_model_without_a_budget_costs_what_nobody_knows():
    world = World(price=None)
    assert world.hold() is None
    assert world.spend.settle(None, A, Usage(10, 5), 0.0) is None
    assert world.spend.price_view(A) is None
    assert world.total() == 0


def test_what_is_spent_survives_a_new_configuration():
    world = World(gateway())
    world.spend.settle(world.hold(), A, Usage(10, 5), 0.0)

    world.spend.configure(settings((A,), budgets=(gateway(99),)), {A.id: PRICE})

    row = world.rows()[0]
    assert (row.limit, row.spent) == (99, 35_000)


def test_a_call_under_way_keeps_its_price_over_a_reload():
    world = World(gateway())
    hold = world.hold()
    world.spend.configure(settings((B,), budgets=(gateway(),)), {B.id: PRICE})
    assert world.spend.settle(hold, A, Usage(10, 5), 0.0) == 35_000


def test_a_call_under_way_keeps_its_price_over_any_number_of_reloads():
    world = World(gateway())
    hold = world.hold()
    for _ in range(3):
        world.spend.configure(settings((B,), budgets=(gateway(),)), {B.id: PRICE})
    assert world.spend.settle(hold, A, Usage(10, 5), 0.0) == 35_000
    assert world.total() == 35_000


def test_a_retry_at_a_deployment_that_a_reload_took_away_is_held_for():
    """The request began before the reload and still has it on its list."""
    world = World(gateway())
    for _ in range(2):
        world.spend.configure(settings((B,), budgets=(gateway(),)), {B.id: PRICE})
    hold = world.hold(b'{"max_tokens": 10}')
    assert world.held() == 150_000
    world.spend.settle(hold, A, Usage(10, 5), 0.0)
    (row,) = world.rows()
    assert (row.spent, row.held) == (35_000, 0)


# ------------------------------------------------------------------ what routing asks


def test_a_deployment_whose_own_budget_is_used_up_says_so():
    world = World(rule(35_000, ScopeKind.PROVIDER, "anthropic"), gateway())
    assert world.spend.limits_deployments
    assert world.spend.over(A) is None

    hold = world.hold(b'{"max_tokens":0}')
    assert isinstance(hold, BudgetStop), "100 prompt tokens are held for"
    world.spend.settle(None, A, Usage(10, 5), 0.0)
    assert world.spend.over(A) is None, "settled without a hold, it counts in no budget"
    assert world.spend.over(B) is None


def test_over_names_the_budget():
    world = World(rule(100_000, ScopeKind.DEPLOYMENT, "a"))
    world.spend.settle(world.hold(b'{"max_tokens":0}'), A, Usage(100), 0.0)
    assert "the budget of deployment a" in world.spend.over(A).text


def test_without_such_budgets_routing_need_not_ask():
    assert not World(gateway()).spend.limits_deployments
    assert World(gateway()).spend.price_view(A) == 6_000_000_000


def test_rows_tell_the_reset_and_the_forecast():
    world = World(rule(10**12, ScopeKind.GATEWAY, "gateway", "calendar:day"))
    world.spend.settle(world.hold(), A, Usage(10, 5), 0.0)

    row = world.rows()[0]

    assert (row.scope, row.name, row.window) == ("gateway", "gateway", "1d")
    assert row.resets_at == "2026-09-22T00:00:00Z"
    assert row.forecast > row.spent
    assert DeploymentId("a") in world.spend._bound


# ------------------------------------------------------------------ the page's budgets, scaled


NOVEMBER = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC).timestamp()


def monthly(*rules: BudgetRule) -> World:
    """The world with these budgets by calendar months, in November."""
    world = World(*(replace(each, period="calendar:month") for each in rules))
    world.now = NOVEMBER
    return world


def spend(world: World, at: Deployment, nano: int) -> BudgetStop | int | None:
    """Hold and settle a call of one price, in units of 5000 nano-USD beside the prompt."""
    hold = world.hold(b'{"max_tokens":%d}' % (nano // 5000 - 20), at=at)
    if isinstance(hold, BudgetStop):
        return hold
    return world.spend.settle(hold, at, Usage(100, nano // 5000 - 20), 0.0)


CHEAP_BUDGET = rule(300_000, ScopeKind.ALIAS, "cheap")
PROVIDER_BUDGET = rule(1_000_000, ScopeKind.PROVIDER, "anthropic")
C = deployment("balanced", "c", provider="anthropic")


def test_one_alias_stops_while_others_go_on_until_the_provider_stops_all():
    world = monthly(CHEAP_BUDGET, PROVIDER_BUDGET)
    world.settings = settings((A, C), budgets=world.settings.budgets)
    world.spend.configure(world.settings, {A.id: PRICE, C.id: PRICE})

    assert spend(world, A, 300_000) == 300_000
    assert spend(world, A, 100_000).scope is ScopeKind.ALIAS
    assert spend(world, C, 700_000) == 700_000
    assert spend(world, C, 100_000).scope is ScopeKind.PROVIDER
    assert "provider anthropic" in world.spend.over(A).text

    world.now = DECEMBER

    assert world.spend.over(A) is None
    assert spend(world, A, 300_000) == 300_000


def test_a_hold_over_the_turn_of_the_month_counts_in_the_old_one():
    world = monthly(CHEAP_BUDGET)
    hold = world.hold(b'{"max_tokens":1}')
    world.now = DECEMBER
    world.spend.settle(hold, A, Usage(100, 1), 0.0)

    assert world.rows()[0].spent == 0
    assert world.total() == 105_000


def test_a_cost_above_the_hold_is_booked_and_ends_the_budget():
    world = monthly(rule(115_000, ScopeKind.GATEWAY, "gateway"))

    hold = world.hold(b'{"max_tokens":3}')
    assert world.spend.settle(hold, A, Usage(100, 4), 0.0) == 120_000

    assert isinstance(world.hold(b'{"max_tokens":0}'), BudgetStop)
    assert world.rows()[0].spent == 120_000


def test_months_begin_in_the_zone_of_the_file():
    world = monthly(CHEAP_BUDGET)
    berlin = settings((A,), budgets=world.settings.budgets, budget_timezone="Europe/Berlin")
    world.spend.configure(berlin, {A.id: PRICE})

    assert world.rows()[0].resets_at == "2026-11-30T23:00:00Z"


def test_a_window_that_has_not_begun_has_no_reset_and_no_forecast():
    row = World(rule(9, ScopeKind.ALIAS, "cheap", "rolling:60")).rows()[0]

    assert (row.resets_at, row.forecast) == (None, None)
