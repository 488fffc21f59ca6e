"""Everything of a worker that has to do with money, put together over real files."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from support.attempts import deployment, settings
from support.money import decided
from support.records import SERVED
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation, Usage
from tiergate.core.alerts import BudgetAlert
from tiergate.core.caller import Caller, RateLimits
from tiergate.core.catalog import BudgetRule, Position, ScopeKind, StorePlan
from tiergate.core.cost import PLAIN, Price, Rates
from tiergate.core.ledger import Filter
from tiergate.pipeline.holding import Holding
from tiergate.ports import BudgetStop, Inbound, Pending
from tiergate.wire.members import Members
from tiergate.wiring.money import Means, Money
from tiergate.wiring.state import State, open_state

AT = deployment("cheap", "a", provider="anthropic")
PRICE = Price(Rates.of(1_000_000_000, 5_000_000_000))
PROMPT = 100
MEANS = Means(lambda _inbound, _at: PROMPT, lambda _at: None, lambda _inbound, _at: PLAIN)
CAP = BudgetRule(
    scope=ScopeKind.ALIAS,
    name="cheap",
    limit=NanoUsd(10_000_000),
    window="none",
    period="none",
    source=Position("c.yaml", 1),
)
CALL = (PROMPT + 10 * 5) * 1000
"""nano-USD that a call holds, and costs."""


def inbound(call_id: str = "call-1", caller: Caller | None = None) -> Inbound:
    return Inbound(
        call_id=call_id,
        received=0.0,
        wall=1_795_000_000.0,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(b'{"max_tokens": 10}'),
        caller=caller or Caller(name="build"),
    )


def money(state: State, told: list[BudgetAlert] | None = None) -> Money:
    alerts = told if told is not None else []
    made = Money(state, MEANS, alerts.append)
    made.spend.configure(settings((AT,), budgets=(CAP,)), {AT.id: PRICE})
    return made


async def hold(made: Money, call_id: str = "call-1"):
    found = made.spend.hold(inbound(call_id), AT, 0.0)
    return await found.wait() if isinstance(found, Pending) else found


async def call(made: Money, call_id: str) -> None:
    """A call from its hold to its record, as the engine makes it."""
    held = await hold(made, call_id)
    assert isinstance(held, Holding)
    usage = Usage(input=PROMPT, output=10)
    cost = made.spend.settle(held, AT, usage, 0.0)
    assert cost == CALL
    assert made.books is not None
    made.books.ended(
        replace(
            SERVED, call_id=call_id, cost=cost, deployment=AT, booked=made.spend.entered(held)[0]
        )
    )


async def test_what_a_worker_spends_outlives_it(tmp_path):
    one = money(await open_state(StorePlan(), tmp_path))
    await one.start()
    for number in range(3):
        await call(one, f"call-{number}")
    await one.aclose()
    assert list((tmp_path / "journals").iterdir()) == [], "a clean end leaves no journal"

    two = money(await open_state(StorePlan(), tmp_path))
    await two.start()
    try:
        (row,) = await two.standings.rows(two.spend.budgets)
        assert (row.spent, row.held) == (3 * CALL, 0)
        assert (await two.standings.totals(two.spend.budgets)).providers == {"anthropic": 3 * CALL}
        assert two.state.ledger is not None
        found, _ = await two.state.ledger.entries(Filter(), limit=9)
        assert [e.cost for e in found] == [CALL] * 3
    finally:
        await two.aclose()


async def test_a_call_that_a_dead_worker_left_is_charged_before_the_next_one_begins(tmp_path):
    one = money(await open_state(StorePlan(), tmp_path))
    await call(one, "call-1")
    await hold(one, "call-2")
    await one.leasing.exchange()
    assert one.state.journal is not None
    one.state.journal.close(drop=False)  # as by kill -9

    two = money(await open_state(StorePlan(), tmp_path))
    await two.start()
    try:
        (row,) = await two.standings.rows(two.spend.budgets)
        assert (row.spent, row.held) == (2 * CALL, 0)
        assert two.state.ledger is not None
        found, _ = await two.state.ledger.entries(Filter(), limit=9)
        assert sorted(e.status for e in found) == ["lost", "success"]
        assert sum(e.cost for e in found) == 2 * CALL
    finally:
        await two.aclose()
        await one.state.aclose()


async def test_marks_are_told_to_whoever_was_named(tmp_path):
    told: list[BudgetAlert] = []
    made = money(await open_state(StorePlan(), tmp_path), told)
    for number in range(CAP.limit // CALL):
        await call(made, f"call-{number}")
    await made.leasing.exchange()
    assert sorted({alert.mark for alert in told}) == ["50", "80"]
    await made.aclose()


async def test_in_memory_budgets_hold_and_no_books_are_kept():
    made = money(State.in_memory())
    await made.start()
    try:
        assert made.books is None
        held = [await hold(made, f"call-{number}") for number in range(100)]
        assert sum(isinstance(one, Holding) for one in held) == CAP.limit // CALL
        assert all(isinstance(one, Holding | BudgetStop) for one in held)
    finally:
        await made.aclose()


async def test_rates_are_counted_apart_from_money():
    """Their leases have a name of their own, so that a journal closes none of them."""
    made = money(State.in_memory())
    caller = Caller(name="c", key="k", limits=(("key:k", RateLimits(rpm=1)),))
    first = decided(made.spend.admit(inbound(caller=caller)))
    assert not isinstance(first, BudgetStop)
    assert isinstance(decided(made.spend.admit(inbound(caller=caller))), BudgetStop)
    assert made.pace.slices is not made.leasing.slices
    await made.aclose()


async def test_an_end_in_the_middle_of_calls_gives_nothing_back_that_is_held(tmp_path):
    one = money(await open_state(StorePlan(), tmp_path))
    await one.start()
    await hold(one)
    await one.aclose()
    assert len(list((tmp_path / "journals").iterdir())) == 1, "the call may have cost something"

    two = money(await open_state(StorePlan(), tmp_path))
    await two.start()
    try:
        async with asyncio.timeout(10):
            (row,) = await two.standings.rows(two.spend.budgets)
        assert (row.spent, row.held) == (CALL, 0)
    finally:
        await two.aclose()


@pytest.mark.parametrize("times", [1, 2])
async def test_closing_may_be_repeated(tmp_path, times):
    made = money(State.in_memory())
    await made.start()
    for _ in range(times):
        await made.aclose()
