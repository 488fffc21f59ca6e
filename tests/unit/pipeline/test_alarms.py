"""Outages, cooldowns, dear fallbacks, slow calls and drifts are told once, over all workers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from support.attempts import deployment, failure
from support.jumping import play
from support.records import SERVED
from tiergate.core.alarms import CALM, Alarm, AlarmKind, Subject
from tiergate.core.catalog import Deployment
from tiergate.core.cost import Price, Rates
from tiergate.core.drift import Change, Difference, Part
from tiergate.core.record import CallRecord, Outcome
from tiergate.pipeline.alarms import LOOK_SECONDS, Alarms, Watched
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

A = deployment("cheap", "dep-a")
B = deployment("cheap", "dep-b")
C = deployment("balanced", "dep-c", provider="openai")
D = deployment("cheap", "dep-d", provider="openai")
PRICES = {"dep-a": 1, "dep-b": 2, "dep-c": 10, "dep-d": 1}
DOWN = failure("503")


def served(by: Deployment, asked: str = "cheap", **values: object) -> CallRecord:
    fallbacks = 0 if by.alias == asked else 1
    return replace(SERVED, deployment=by, asked=asked, fallbacks=fallbacks, **values)


class Worker:
    """One worker's alarms."""

    def __init__(self, documents: MemoryDocuments, *deployments: Deployment) -> None:
        self.told: list[Alarm] = []
        self.clock = asyncio.get_running_loop().time
        wall = 1_790_000_000.0
        self.alarms = Alarms(documents, self.clock, lambda: wall + self.clock(), self.told.append)
        self.watch(deployments or (A, B, C))

    def watch(
        self,
        deployments: Sequence[Deployment],
        kinds: frozenset[AlarmKind] = frozenset(AlarmKind),
        slow: float = 300.0,
    ) -> None:
        def priced(name: str) -> Price | None:
            cost = PRICES.get(name)
            return None if cost is None else Price(Rates.of(cost, cost))

        self.alarms.configure(Watched(tuple(deployments), kinds, slow, priced))

    def cool(self, *deployments: Deployment) -> None:
        for each in deployments:
            self.alarms.cooled(each, DOWN, 5.0)

    async def heard(self) -> list[str]:
        """Wait until everything on its way is told; return kinds and whether they are over."""
        await asyncio.sleep(0.01)
        return [
            f"{each.subject.kind.name} {each.subject.name}{' over' if each.over else ''}"
            for each in self.told
        ]


def at(work, *deployments: Deployment) -> None:
    async def whole() -> None:
        worker = Worker(MemoryDocuments(), *deployments)
        await work(worker)
        await worker.alarms.aclose()

    play(whole())


def test_one_deployment_of_several_is_a_cooldown():
    async def work(worker: Worker) -> None:
        worker.cool(A)
        assert await worker.heard() == ["COOLDOWN dep-a"]
        assert "cheap/dep-a is set aside for 5 s" in worker.told[0].text
        assert "503 upstream" in worker.told[0].text

    at(work)


def test_all_deployments_of_a_provider_are_one_outage():
    async def work(worker: Worker) -> None:
        worker.cool(A)
        worker.cool(B)
        assert await worker.heard() == ["COOLDOWN dep-a", "OUTAGE provider anthropic"]
        assert "cheap/dep-a, cheap/dep-b" in worker.told[1].text

    at(work)


def test_what_other_workers_have_found_counts_towards_an_outage():
    async def work(worker: Worker) -> None:
        worker.alarms.learned(B.id, 5.0)
        worker.cool(A)
        assert await worker.heard() == ["OUTAGE provider anthropic"]

    at(work)


def test_what_other_workers_have_found_well_again_is_no_outage():
    async def work(worker: Worker) -> None:
        worker.alarms.learned(B.id, 5.0)
        worker.alarms.learned(B.id, 0.0)
        worker.cool(A)
        assert await worker.heard() == ["COOLDOWN dep-a"]

    at(work)


def test_an_alias_of_two_providers_is_an_outage_of_its_own():
    async def work(worker: Worker) -> None:
        worker.cool(A, D)
        assert (await worker.heard())[-1] == "OUTAGE alias cheap"

    at(
        work,
        A,
        replace(D),
        deployment("other", "dep-x"),
        deployment("o", "dep-y", provider="openai"),
    )


def test_a_night_of_outage_is_one_message_and_one_all_clear():
    async def work(worker: Worker) -> None:
        for _ in range(480):
            worker.cool(A)
            await asyncio.sleep(30)
            worker.alarms.ended(served(A, outcome=Outcome.FAILURE))
            await asyncio.sleep(30)
        worker.alarms.ended(served(A))
        await asyncio.sleep(CALM + 2 * LOOK_SECONDS)
        assert await worker.heard() == [
            "OUTAGE provider anthropic",
            "OUTAGE provider anthropic over",
        ]
        assert worker.told[1].text == "The provider anthropic serves again, after 8 h 0 min."

    at(work, A)


def test_a_deployment_that_recovers_at_once_and_fails_again_is_the_same_trouble():
    async def work(worker: Worker) -> None:
        for _ in range(10):
            worker.cool(A)
            await asyncio.sleep(5)
            worker.alarms.ended(served(A))
            await asyncio.sleep(5)
        assert await worker.heard() == ["COOLDOWN dep-a"]
        await asyncio.sleep(CALM + 2 * LOOK_SECONDS)
        assert (await worker.heard())[1:] == ["COOLDOWN dep-a over"]

    at(work)


def test_low_traffic_does_not_hide_an_outage():
    """The cooldown of the first is over when the second fails; nobody has served in between."""

    async def work(worker: Worker) -> None:
        worker.cool(A)
        await asyncio.sleep(30)
        worker.cool(B)
        assert "OUTAGE provider anthropic" in await worker.heard()

    at(work)


def test_an_answer_from_a_cache_says_nothing_of_a_provider():
    async def work(worker: Worker) -> None:
        worker.cool(A)
        worker.alarms.ended(served(A, cache="response"))
        await asyncio.sleep(3 * CALM)
        assert await worker.heard() == ["OUTAGE provider anthropic"]

    at(work, A)


def test_two_workers_tell_once():
    async def whole() -> None:
        documents = MemoryDocuments()
        one, two = Worker(documents, A), Worker(documents, A)
        one.cool(A)
        await one.heard()
        two.cool(A)
        assert await two.heard() == []

        one.alarms.ended(served(A))
        two.alarms.ended(served(A))
        await asyncio.sleep(CALM + 2 * LOOK_SECONDS)
        both = [*await one.heard(), *await two.heard()]
        assert sorted(both) == ["OUTAGE provider anthropic", "OUTAGE provider anthropic over"]

        two.cool(A)
        assert (await two.heard())[-1] == "OUTAGE provider anthropic", "the next one is news"
        await one.alarms.aclose()
        await two.alarms.aclose()

    play(whole())


def test_a_restart_in_the_middle_of_an_outage_tells_its_end():
    async def whole() -> None:
        documents = MemoryDocuments()
        before = Worker(documents, A)
        before.cool(A)
        await before.heard()
        await before.alarms.aclose()

        after = Worker(documents, A)
        await after.alarms.start()
        after.cool(A)
        assert await after.heard() == []
        after.alarms.ended(served(A))
        await asyncio.sleep(CALM + 2 * LOOK_SECONDS)
        assert await after.heard() == ["OUTAGE provider anthropic over"]
        await after.alarms.aclose()

    play(whole())


def test_documents_that_say_something_else_do_no_harm():
    async def whole() -> None:
        documents = MemoryDocuments()
        await documents.update(
            ["alarm:strange", "alarm:outage_alerts:provider anthropic"],
            lambda seen: (dict.fromkeys(seen, b"[]"), None),
        )
        worker = Worker(documents, A)
        await worker.alarms.start()
        worker.cool(A)
        assert await worker.heard() == ["OUTAGE provider anthropic"]
        await worker.alarms.aclose()

    play(whole())


def test_while_the_store_is_down_each_worker_tells_for_itself():
    class Down(MemoryDocuments):
        async def update(self, keys, change):
            raise StoreDownError("away")

        async def scan(self, prefix):
            raise StoreDownError("away")

    async def whole() -> None:
        worker = Worker(Down(), A)
        await worker.alarms.start()
        worker.cool(A)
        assert await worker.heard() == ["OUTAGE provider anthropic"]
        await worker.alarms.aclose()

    play(whole())


def test_a_dearer_fallback_is_told_until_the_alias_serves_itself():
    async def work(worker: Worker) -> None:
        for _ in range(5):
            worker.alarms.ended(served(C))
        assert await worker.heard() == ["FALLBACK cheap"]
        assert "served by balanced, which costs more" in worker.told[0].text
        worker.alarms.ended(served(A))
        await asyncio.sleep(CALM + 2 * LOOK_SECONDS)
        assert (await worker.heard())[1:] == ["FALLBACK cheap over"]

    at(work)


@pytest.mark.parametrize("by", [deployment("other", "dep-d"), deployment("other", "unpriced")])
def test_a_fallback_that_is_not_known_to_be_dearer_alarms_nobody(by):
    async def work(worker: Worker) -> None:
        worker.alarms.ended(served(by))
        assert await worker.heard() == []

    at(work, A, B, by)


def test_slow_calls_are_told_once_an_hour_for_each_alias():
    async def work(worker: Worker) -> None:
        worker.watch((A, B), slow=10.0)
        worker.alarms.ended(served(A, seconds=9.0))
        for _ in range(3):
            worker.alarms.ended(served(A, seconds=11.0))
        assert await worker.heard() == ["SLOW alias cheap"]
        assert "took 11 s at dep-a (call call-1)" in worker.told[0].text
        await asyncio.sleep(3600)
        worker.alarms.ended(served(A, seconds=12.0))
        await worker.heard()
        assert worker.told[1].text.endswith("It happened 2 times more in the hour before.")

    at(work)


def test_drifts_are_told_with_what_changed():
    async def work(worker: Worker) -> None:
        drift = Difference(Part.SYSTEM, 1, Change.CHANGED, 256, "timestamp")
        worker.alarms.drifted("ci", "cheap", "draft", drift)
        worker.alarms.drifted("ci", "cheap", "draft", drift)
        assert await worker.heard() == ["DRIFT ci cheap draft"]
        assert "system 1 was changed; it looks like a timestamp" in worker.told[0].text

    at(work)


def test_kinds_that_nobody_gets_are_not_told():
    async def work(worker: Worker) -> None:
        worker.watch((A, B, C), frozenset({AlarmKind.BUDGET}))
        worker.cool(A, B)
        worker.alarms.raised(Alarm(Subject(AlarmKind.DRIFT, "x"), "text"))
        worker.alarms.raised(Alarm(Subject(AlarmKind.BUDGET, "key a"), "text"))
        assert await worker.heard() == ["BUDGET key a"]

    at(work)


def test_what_a_reload_takes_out_is_forgotten():
    async def work(worker: Worker) -> None:
        worker.cool(A, B)
        await worker.heard()
        worker.watch((C,))
        await worker.heard()
        worker.watch((A, B, C))
        worker.cool(A)
        assert (await worker.heard())[-1] == "COOLDOWN dep-a", "its past is gone"

    at(work)


def test_deployments_that_are_off_are_not_waited_for():
    async def work(worker: Worker) -> None:
        worker.cool(A)
        assert await worker.heard() == ["OUTAGE provider anthropic"]

    at(work, A, replace(B, off="no key"))


def test_events_that_mean_nothing_are_nothing():
    async def work(worker: Worker) -> None:
        worker.alarms.began()
        worker.alarms.declined(SERVED)
        worker.alarms.refused(SERVED.dialect, SERVED.operation, 401, 0.0)
        worker.alarms.attempt_failed(A, DOWN)
        worker.alarms.ended(replace(SERVED, deployment=None))
        assert await worker.heard() == []

    at(work)
