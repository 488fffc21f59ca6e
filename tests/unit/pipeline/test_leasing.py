"""Slices kept filled beside the calls: who waits, who is told, what a store in trouble does."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC

import pytest

from support.jumping import play
from tiergate.base.values import NanoUsd, Position
from tiergate.core.alerts import BudgetAlert
from tiergate.core.budget import Budget, BudgetId, Hold, Standing
from tiergate.core.catalog import NO_LIMIT, BudgetRule, OnStoreFailure, ScopeKind
from tiergate.core.ledger import ScopeSum
from tiergate.core.slice import QUIET_SECONDS, Short, Unreachable
from tiergate.core.slices import Slices
from tiergate.core.window import read_period
from tiergate.pipeline import leasing as module
from tiergate.pipeline.leasing import Leasing
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

START = 1_795_000_000.0


def budget(
    name: str = "cheap",
    limit: int = 1000,
    failure: OnStoreFailure = OnStoreFailure.ALLOW_LEASED,
    soft: int | None = None,
) -> Budget:
    rule = BudgetRule(
        scope=ScopeKind.ALIAS,
        name=name,
        limit=NanoUsd(limit),
        window="daily",
        period="calendar:day",
        source=Position("c.yaml", 1),
        on_store_failure=failure,
        soft=NanoUsd(soft) if soft is not None else None,
    )
    return Budget(rule, read_period("calendar:day", UTC))


class Store(MemoryDocuments):
    """Documents that count what is asked, can be slow, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.away = ""
        self.seconds = 0.0

    async def update(self, keys, change):
        self.asked.append(len(keys))
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.away:
            raise StoreDownError(self.away)
        return await super().update(keys, change)


class Worker:
    """One worker, on the clock of the running loop."""

    def __init__(
        self, store: Store, *budgets: Budget, name: str = "w", total=None, alert=None
    ) -> None:
        self.budgets = budgets or (budget(),)
        self.ids = [b.id for b in self.budgets]
        self.slices = Slices(name, "ledger", watched=alert is not None)
        self.leasing = Leasing(self.slices, store, total or nothing, self.now, alert)
        self.leasing.configure(self.budgets)

    @staticmethod
    def now() -> float:
        return START + asyncio.get_running_loop().time()

    async def hold(self, amount: int, ids: list[BudgetId] | None = None):
        ids, now = ids or self.ids, self.now()
        found = self.leasing.try_hold(ids, amount, now, now + 7200)
        return (
            await self.leasing.hold(ids, found, now, 7200) if isinstance(found, Short) else found
        )

    async def spend(self, amount: int) -> None:
        found = await self.hold(amount)
        assert isinstance(found, Hold)
        self.leasing.settle(found, amount)


async def nothing(_scope: ScopeSum) -> int:
    return 0


# ------------------------------------------------------------------ the calls


def test_a_call_that_fits_into_the_slice_asks_nobody():
    async def go():
        store = Store()
        worker = Worker(store, budget(limit=NO_LIMIT))
        for _ in range(50):
            await worker.spend(7)
        assert store.asked == []
        await worker.leasing.exchange()
        assert 1 <= len(store.asked) <= 2, "once more where the ledger has to be asked"

    play(go())


def test_a_first_call_waits_for_one_exchange():
    async def go():
        store = Store()
        worker = Worker(store)
        assert isinstance(await worker.hold(100), Hold)
        assert store.asked[-1] == 1
        assert worker.slices.open_holds == 1

    play(go())


def test_many_that_wait_share_one_exchange():
    async def go():
        store = Store()
        store.seconds = 0.05
        worker = Worker(store)
        worker.leasing.start()
        await worker.hold(1)
        store.asked.clear()
        found = await asyncio.gather(*(worker.hold(40) for _ in range(20)))
        assert all(isinstance(hold, Hold) for hold in found)
        assert len(store.asked) <= 3
        await worker.leasing.aclose()

    play(go())


def test_what_nobody_can_bear_is_refused_with_how_the_budget_stands():
    async def go():
        worker = Worker(Store())
        await worker.spend(950)
        await worker.leasing.exchange()
        found = await worker.hold(100)
        assert isinstance(found, Standing)
        assert found.settled == 950
        assert 0 < found.left <= 50
        assert isinstance(await worker.hold(50), Hold), "what still fits is let through"

    play(go())


def test_a_refusal_is_believed_for_a_moment_and_costs_no_exchange():
    async def go():
        store = Store()
        worker = Worker(store)
        await worker.spend(1000)
        await worker.hold(1)
        asked = len(store.asked)
        for _ in range(100):
            assert isinstance(await worker.hold(1), Standing)
        assert len(store.asked) == asked

    play(go())


def test_money_that_lies_idle_with_another_worker_is_waited_for():
    async def go():
        store = Store()
        rich, poor = Worker(store, name="rich"), Worker(store, name="poor")
        for worker in (rich, poor):
            worker.leasing.start()
        idle = await rich.hold(900)
        assert isinstance(idle, Hold)
        asking = asyncio.create_task(poor.hold(500))
        await asyncio.sleep(0.3)
        rich.leasing.release(idle)
        assert isinstance(await asking, (Hold, Standing))
        await asyncio.sleep(module.EXCHANGE_SECONDS)  # then the other has told that it is free
        assert isinstance(await poor.hold(500), Hold)
        for worker in (rich, poor):
            await worker.leasing.aclose()

    play(go())


def test_nobody_waits_longer_than_is_promised():
    async def go():
        store = Store()
        rich, poor = Worker(store, name="rich"), Worker(store, name="poor")
        for worker in (rich, poor):
            worker.leasing.start()
        await rich.hold(900)
        begun = Worker.now()
        assert isinstance(await poor.hold(500), Standing)
        assert Worker.now() - begun <= module.WAIT_SECONDS + 2 * module.EXCHANGE_SECONDS
        for worker in (rich, poor):
            await worker.leasing.aclose()

    play(go())


def test_who_is_cancelled_while_it_waits_holds_nothing():
    async def go():
        store = Store()
        store.seconds = 0.5
        worker = Worker(store)
        worker.leasing.start()
        waiting = asyncio.create_task(worker.hold(1000))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert worker.slices.open_holds == 0
        other = Worker(store, name="other")
        await asyncio.sleep(2)
        assert isinstance(await other.hold(1000), Hold), "it has all been given back"
        await worker.leasing.aclose()

    play(go())


def test_what_is_left_is_told_of_a_hold():
    async def go():
        worker = Worker(Store())
        hold = await worker.hold(300)
        assert isinstance(hold, Hold)
        left, ends = worker.leasing.left_of(hold)
        assert left == 700
        assert 0 < ends - Worker.now() <= 86_400

    play(go())


# ------------------------------------------------------------------ the task


def test_what_was_spent_is_told_at_intervals_and_not_oftener():
    async def go():
        store = Store()
        worker = Worker(store)
        worker.leasing.start()
        await worker.spend(10)
        await asyncio.sleep(QUIET_SECONDS + 1)
        asked = len(store.asked)
        await asyncio.sleep(60)
        assert len(store.asked) - asked <= 60 / 8 + 2, "an idle worker only renews"
        ((_, sheet),) = await worker.leasing.sheets(worker.budgets)
        assert sheet is not None
        assert sheet.pages[-1].spent(Worker.now()) == 10
        await worker.leasing.aclose()
        await worker.leasing.aclose()

    play(go())


def test_at_the_end_everything_is_given_back_and_nobody_waits_for_ever():
    async def go():
        store = Store()
        store.seconds = 0.2
        worker = Worker(store)
        worker.leasing.start()
        await worker.spend(10)
        waiting = asyncio.create_task(worker.hold(5))
        await asyncio.sleep(0)
        await worker.leasing.aclose()
        store.seconds = 0.0
        await asyncio.gather(waiting, return_exceptions=True)
        ((_, sheet),) = await worker.leasing.sheets(worker.budgets)
        assert sheet is not None
        assert sheet.pages[-1].spent(Worker.now()) == 10

    play(go())


def test_many_budgets_are_told_of_in_several_exchanges(monkeypatch):
    monkeypatch.setattr(module, "MOST_ASKS", 3)

    async def go():
        store = Store()
        budgets = [budget(f"a{number}") for number in range(8)]
        worker = Worker(store, *budgets)
        assert isinstance(await worker.hold(5), Hold)
        assert max(store.asked) == 3
        sheets = await worker.leasing.sheets(budgets)
        assert all(sheet is not None for _, sheet in sheets)

    play(go())


def test_pages_are_found_by_the_beginning_of_their_ids():
    async def go():
        worker = Worker(Store(), budget("a"), budget("b"))
        await worker.spend(5)
        await worker.leasing.exchange()
        found = await worker.leasing.sheets_of("alias:")
        assert [name for name, _ in found] == ["alias:a", "alias:b"]
        assert await worker.leasing.sheets_of("total:") == []

    play(go())


# ------------------------------------------------------------------ what the ledger knows


def test_a_budget_the_store_does_not_know_begins_with_what_the_ledger_says():
    async def go():
        asked: list[ScopeSum] = []

        async def total(scope: ScopeSum) -> int:
            asked.append(scope)
            return 900

        worker = Worker(Store(), total=total)
        assert isinstance(await worker.hold(101), Standing)
        assert isinstance(await worker.hold(100), Hold)
        ((scope, name, since, until),) = {(s.scope, s.name, s.since, s.until) for s in asked}
        assert (scope, name) == (ScopeKind.ALIAS, "cheap")
        assert until is not None
        assert (until - since) == 86_400
        assert len(asked) == 1

    play(go())


def test_while_the_ledger_does_not_say_nothing_is_let_through():
    async def go():
        async def total(_scope: ScopeSum) -> int:
            raise StoreDownError("the ledger is away")

        worker = Worker(Store(), total=total)
        assert isinstance(await worker.hold(1), Unreachable)
        assert worker.leasing.down == (Worker.now(), "the ledger is away")

    play(go())


# ------------------------------------------------------------------ marks


def test_each_mark_is_told_once_over_all_workers():
    async def go():
        told: list[BudgetAlert] = []
        store = Store()
        workers = [Worker(store, budget(soft=600), name=n, alert=told.append) for n in "vw"]
        for worker in workers:
            worker.leasing.start()
        for number in range(10):
            await workers[number % 2].spend(100)
            await asyncio.sleep(1)
        for worker in workers:
            await worker.leasing.aclose()
        assert [(alert.mark, alert.spent) for alert in told] == [
            ("50", 500),
            ("soft", 600),
            ("80", 800),
            ("100", 1000),
        ]
        assert (told[0].name, told[0].limit, told[0].soft, told[0].window) == (
            "cheap", 1000, 600, "daily",
        )  # fmt: skip

    play(go())


# ------------------------------------------------------------------ the store is away


@pytest.mark.parametrize(
    ("failure", "inside", "beyond"),
    [
        (OnStoreFailure.REFUSE, Unreachable, Unreachable),
        (OnStoreFailure.ALLOW_LEASED, Hold, Unreachable),
        (OnStoreFailure.ALLOW, Hold, Hold),
    ],
)
def test_a_store_that_is_away_does_what_the_budget_says(failure, inside, beyond):
    async def go():
        store = Store()
        worker = Worker(store, budget(limit=100_000, failure=failure))
        for _ in range(12):  # so that something is leased ahead
            await worker.spend(100)
            await asyncio.sleep(0.05)
            await worker.leasing.exchange()
        await worker.spend(100)
        store.away = "no route to it"
        assert await worker.leasing.exchange() is False
        assert type(await worker.hold(10)) is inside
        assert type(await worker.hold(90_000)) is beyond

    play(go())


def test_trouble_is_said_once_and_its_end_too(caplog):
    async def go():
        store = Store()
        worker = Worker(store, budget(failure=OnStoreFailure.ALLOW))
        worker.leasing.start()
        await worker.spend(100)
        store.away = "no route to it"
        await worker.spend(10)
        await asyncio.sleep(5)
        since, why = worker.leasing.down or (0.0, "")
        assert why == "no route to it"
        assert 4 <= Worker.now() - since <= 6
        await worker.spend(10_000)
        store.away = ""
        await asyncio.sleep(1)
        assert worker.leasing.down is None
        ((_, sheet),) = await worker.leasing.sheets(worker.budgets)
        assert sheet is not None
        assert sheet.pages[-1].spent(Worker.now()) == 10_110, "it is all booked afterwards"
        await worker.leasing.aclose()

    with caplog.at_level(logging.INFO, "tiergate.budgets"):
        play(go())
    assert [record.message for record in caplog.records] == [
        "budget store does not answer",
        "budget store answers again",
    ]


def test_a_damaged_document_ends_neither_the_task_nor_the_waiting():
    async def go():
        store = Store()
        worker = Worker(store)
        worker.leasing.start()
        await worker.spend(100)
        await asyncio.sleep(1)
        name = "budget:alias:cheap"
        (kept,) = (await store.read([name])).values()
        await store.update([name], lambda _: ({name: b'{"pages":'}, None))
        async with asyncio.timeout(10):
            assert isinstance(await worker.hold(900), Unreachable)
        assert worker.leasing.down is not None
        assert "budget:alias:cheap is no budget page" in worker.leasing.down[1]
        await store.update([name], lambda _: ({name: kept}, None))
        await asyncio.sleep(1)
        assert isinstance(await worker.hold(900), Hold)
        await worker.leasing.aclose()

    play(go())


def test_an_exchange_that_is_broken_off_is_told_again():
    async def go():
        store = Store()
        worker = Worker(store)
        await worker.spend(100)
        store.seconds = 10
        telling = asyncio.create_task(worker.leasing.exchange())
        await asyncio.sleep(0.1)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        store.seconds = 0
        assert worker.slices.waiting
        await worker.leasing.exchange()
        ((_, sheet),) = await worker.leasing.sheets(worker.budgets)
        assert sheet is not None
        assert sheet.pages[-1].spent(Worker.now()) == 100

    play(go())


def test_a_hold_whose_call_never_ends_is_charged():
    async def go():
        worker = Worker(Store(), budget(limit=NO_LIMIT))
        hold = await worker.hold(70)
        assert isinstance(hold, Hold)
        await asyncio.sleep(7201)
        await worker.leasing.exchange()
        assert worker.slices.open_holds == 0
        assert worker.leasing.slices.last_known(worker.budgets[0], Worker.now()).settled == 70
        worker.leasing.settle(hold, 30)
        assert worker.leasing.slices.last_known(worker.budgets[0], Worker.now()).settled == 30

    play(go())
