"""Workers that share their cooldown marks through a store, and what they do without it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from support.attempts import failure
from support.fallbacks import Shaky
from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId
from tiergate.core.cooldown import Rule, State, state
from tiergate.pipeline import cooldowns
from tiergate.pipeline.cooldowns import DOCUMENT, MOST_UNTOLD, Cooldowns

A, B = DeploymentId("a"), DeploymentId("b")
RULE = Rule(allowed_fails=3, cooldown_time=60)
DOWN = failure("500")


class Time:
    """One clock of all; each worker's own began at another instant."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0


class Worker:
    """A worker's cooldowns, and what was told of them."""

    def __init__(self, time: Time, documents: Shaky | None, began: float = 0.0) -> None:
        self.time = time
        self.began = began
        self.told: list[tuple[str, int, float]] = []
        self.learned: list[tuple[str, float]] = []
        self.shared = Cooldowns(documents, self.clock, lambda: time.wall, self._tell, self._learn)

    def clock(self) -> float:
        return self.time.wall - 1_799_999_000.0 - self.began

    def fails(self, name: DeploymentId = A, said: Failure = DOWN) -> None:
        self.time.wall += 0.000_01  # no two things happen at the same instant
        self.shared.failed(name, RULE, said, self.clock())

    def serves(self, name: DeploymentId = A, rule: Rule = RULE) -> None:
        self.shared.succeeded(name, rule, self.clock())

    async def may_probe(self, name: DeploymentId = A) -> bool:
        return await self.shared.may_probe(name, RULE, self.clock())

    def state(self, name: DeploymentId = A) -> State:
        return state(self.shared.marks.get(name), self.clock())

    def _tell(self, name: DeploymentId, said: Failure, seconds: float) -> None:
        self.told.append((name, said.status, round(seconds, 2)))

    def _learn(self, name: DeploymentId, seconds: float) -> None:
        self.learned.append((name, round(seconds, 2)))


@pytest.fixture
def store() -> Shaky:
    return Shaky()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def pair(time: Time, store: Shaky):
    """Two workers on one store."""
    both = Worker(time, store), Worker(time, store, began=300.0)
    yield both
    for each in both:
        await each.shared.aclose()


async def heard(*workers: Worker) -> None:
    """Let what was told arrive everywhere."""
    for _ in range(2):
        for each in workers:
            await each.shared.look()


async def cools_and_time_passes(time: Time, one: Worker, *others: Worker) -> None:
    """Let a worker see so much that all set the deployment aside, and let that be over."""
    for _ in range(4):
        one.fails()
    await heard(one, *others)
    time.wall += 61


# ------------------------------------------------------------------ together


async def test_failures_that_two_workers_see_cool_the_deployment_for_both(pair):
    one, two = pair
    one.fails()
    two.fails()
    one.fails()
    await heard(one, two)
    assert (one.state(), two.state()) == (State.READY, State.READY)

    two.fails()
    await heard(one, two)

    assert (one.state(), two.state()) == (State.COOLING, State.COOLING)


async def test_it_is_told_once_by_whoever_began_it(pair):
    one, two = pair
    for worker in (one, two, one, two, one, two):
        worker.fails()
    await heard(one, two)

    assert sorted([*one.told, *two.told]) == [("a", 500, 60.0)]


async def test_a_worker_acts_on_what_it_has_seen_before_anybody_answers(time, store):
    alone = Worker(time, store)
    for _ in range(4):
        alone.fails()

    assert alone.state() is State.COOLING
    await alone.shared.aclose()


async def test_others_hear_without_being_asked(time, store, monkeypatch):
    monkeypatch.setattr(cooldowns, "LOOK_SECONDS", 0.01)
    one, two = Worker(time, store), Worker(time, store)
    await one.shared.start()
    await two.shared.start()
    for _ in range(4):
        one.fails()

    async with asyncio.timeout(5):
        while two.state() is not State.COOLING:
            await asyncio.sleep(0.005)
    assert two.learned == [("a", 60.0)]
    await one.shared.aclose()
    await two.shared.aclose()


async def test_one_that_begins_finds_what_others_know(time, store, pair):
    one, _ = pair
    for _ in range(4):
        one.fails()
    await heard(one)

    late = Worker(time, store, began=900.0)
    await late.shared.start()

    assert late.state() is State.COOLING
    await late.shared.aclose()


async def test_of_two_workers_one_probes(time, pair):
    one, two = pair
    await cools_and_time_passes(time, one, two)

    asked = await asyncio.gather(one.may_probe(), two.may_probe())

    assert sorted(asked) == [False, True]
    assert (one.state(), two.state()) == (State.PROBING, State.PROBING)


async def test_a_probe_that_succeeds_opens_the_deployment_for_both(time, pair):
    one, two = pair
    await cools_and_time_passes(time, one, two)
    assert await one.may_probe()
    one.serves()
    await heard(one, two)

    assert (one.state(), two.state()) == (State.READY, State.READY)
    assert two.learned == [("a", 60.0), ("a", 0.0)]


async def test_a_probe_that_fails_keeps_it_closed_for_both(time, pair):
    one, two = pair
    await cools_and_time_passes(time, one, two)
    assert await two.may_probe()
    two.fails()
    await heard(one, two)

    assert (one.state(), two.state()) == (State.COOLING, State.COOLING)
    assert two.told == [("a", 500, 60.0)]


async def test_a_probe_that_was_not_sent_leaves_its_place_to_another_worker(time, pair):
    one, two = pair
    await cools_and_time_passes(time, one, two)
    assert await one.may_probe()
    assert not await two.may_probe()
    one.shared.released(A)
    await heard(one, two)

    assert await two.may_probe()


async def test_a_caller_who_leaves_while_the_store_is_asked_leaves_the_place(time, pair):
    one, two = pair
    await cools_and_time_passes(time, one, two)
    asking = asyncio.create_task(one.may_probe())
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await heard(one, two)

    assert await two.may_probe()


async def test_what_a_worker_sees_while_the_store_is_asked_is_not_lost(time, store):
    one = Worker(time, store)
    one.fails()
    one.fails()
    real, done = store.update, []

    async def slow(keys, change):
        found = await real(keys, change)
        if not done:
            done.append(True)
            one.fails()
            one.fails()
        return found

    store.update = slow
    await one.shared.look()

    assert one.state() is State.COOLING
    await one.shared.look()
    assert one.told == [("a", 500, 60.0)]
    await one.shared.aclose()


async def test_a_jump_of_the_wall_clock_neither_ends_nor_lengthens_a_cooldown(time, store):
    one = Worker(time, store)
    for _ in range(4):
        one.fails()
    await one.shared.look()
    time.wall += 3600
    one.began += 3600  # the worker's own clock has not moved

    await one.shared.look()

    assert state(one.shared.marks[A], one.clock()) is State.COOLING
    assert one.shared.marks[A].until - one.clock() == pytest.approx(60)
    await one.shared.aclose()


async def test_deployments_that_are_gone_are_forgotten(pair):
    one, _ = pair
    one.fails()
    one.fails(B)

    one.shared.forget(frozenset({B}))

    assert set(one.shared.marks) == {B}


async def test_a_success_that_clears_nothing_is_not_told(store, pair):
    one, _ = pair
    one.fails()
    await heard(one)
    before = await store.read([DOCUMENT])

    one.serves()
    one.serves(B)
    await heard(one)

    assert await store.read([DOCUMENT]) == before


async def test_a_forgiving_rule_forgives_for_all(pair):
    one, two = pair
    for _ in range(3):
        one.fails()
    await heard(one, two)
    two.serves(rule=Rule(allowed_fails=3, cooldown_time=60, forgiving=True))
    await heard(one, two)

    assert one.shared.marks == {}


# ------------------------------------------------------------------ alone


async def test_a_worker_alone_tells_at_once_and_asks_nobody(time):
    one = Worker(time, None)
    for _ in range(5):
        one.fails()

    assert one.told == [("a", 500, 60.0)]
    time.wall += 61
    assert await one.may_probe()
    assert one.state() is State.PROBING
    one.serves()
    assert one.shared.marks == {}
    await one.shared.start()
    await one.shared.aclose()


async def test_while_the_store_is_down_each_decides_by_itself_and_says_so_once(
    time, store, pair, caplog
):
    one, two = pair
    store.down = True
    for _ in range(4):
        one.fails()
    with caplog.at_level(logging.INFO, "tiergate.cooldowns"):
        await heard(one)
        assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert one.told == [("a", 500, 60.0)]
    assert (one.state(), two.state()) == (State.COOLING, State.READY)
    time.wall += 61
    assert await one.may_probe()
    one.fails()
    assert one.told == [("a", 500, 60.0)] * 2

    store.down = False
    with caplog.at_level(logging.INFO, "tiergate.cooldowns"):
        await heard(one, two)
    assert caplog.records[-1].message == "cooldowns are shared again"
    assert two.state() is State.COOLING
    assert one.told == [("a", 500, 60.0)] * 2, "what was told alone is not told again"


async def test_a_probe_goes_out_when_the_store_does_not_answer_in_time(
    time, store, pair, monkeypatch
):
    monkeypatch.setattr(cooldowns, "PROBE_SECONDS", 0.02)
    one, _ = pair
    await cools_and_time_passes(time, one)
    never = asyncio.Event()

    async def silent(keys, change):
        await never.wait()
        raise AssertionError

    real, store.update = store.update, silent

    assert await one.may_probe()
    assert one.state() is State.PROBING
    store.update = real
    never.set()
    one.shared._errands._tasks.clear()


async def test_what_waits_for_the_store_is_bounded(time, store):
    one = Worker(time, store)
    store.down = True
    await one.shared.look()
    for number in range(MOST_UNTOLD + 50):
        one.fails(DeploymentId(f"d{number}"))

    assert len(one.shared._untold) == MOST_UNTOLD
    await one.shared.aclose()


async def test_a_storm_of_failures_is_few_writes(time, store):
    one, writes = Worker(time, store), 0
    real = store.update

    async def counted(keys, change):
        nonlocal writes
        writes += 1
        await asyncio.sleep(0)
        return await real(keys, change)

    store.update = counted
    for number in range(200):
        one.fails(DeploymentId(f"d{number}"))
        await asyncio.sleep(0)
    await one.shared.aclose()

    assert writes <= 4


async def test_a_record_of_another_version_is_begun_anew(store, pair):
    one, two = pair
    await store.update([DOCUMENT], lambda _: ({DOCUMENT: b'{"marks": 7}'}, None))
    for _ in range(4):
        one.fails()
    await heard(one, two)

    assert two.state() is State.COOLING


async def test_a_start_does_not_wait_for_ever_for_a_store(time, store, monkeypatch, caplog):
    monkeypatch.setattr(cooldowns, "START_SECONDS", 0.01)
    one = Worker(time, store)

    async def silent(keys):
        await asyncio.sleep(60)

    store.read = silent
    await one.shared.start()

    assert "the store does not answer" in caplog.text
    await one.shared.aclose()
