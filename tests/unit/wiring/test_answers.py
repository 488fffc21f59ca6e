"""The cache of a gateway: in front of the engine where there is one, and kept over reloads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.cached import Watch
from support.engine import Stage, served_by
from support.jumping import play
from tiergate.core.cache_plan import CacheKind, CachePlan
from tiergate.core.caching import CachePolicy
from tiergate.pipeline.lookup import CachedEngine
from tiergate.wiring import answers as module
from tiergate.wiring.answers import Answers

PLAN = CachePlan()


class Bench:
    """A cache and an engine, for one configuration after the other."""

    def __init__(self) -> None:
        self.stage = Stage((served_by("cheap", "a"),))
        self.answers = Answers(None, Watch(), self.stage.clock)

    def front(self, plan: CachePlan | None):
        stage = self.stage
        return self.answers.in_front_of(
            stage.engine,
            replace(stage.settings, cache=plan),
            stage.catalog,
            stage.spend,
            stage.witness,
            lambda deployment, usage: None,
        )


def run(work) -> None:
    async def whole() -> None:
        bench = Bench()
        try:
            await work(bench)
        finally:
            await bench.answers.aclose()

    play(whole())


def test_without_a_cache_the_engine_itself_serves():
    async def work(bench: Bench) -> None:
        assert bench.front(None) is bench.stage.engine
        assert bench.answers.opened() is None
        assert bench.answers.fault is None

    run(work)


def test_with_a_cache_it_stands_in_front():
    async def work(bench: Bench) -> None:
        assert isinstance(bench.front(PLAN), CachedEngine)
        opened = bench.answers.opened()
        assert opened is not None
        assert (opened.namespace, opened.ttl) == (PLAN.policy.namespace, PLAN.policy.ttl)
        assert bench.answers.fault is None

    run(work)


def test_a_reload_with_another_policy_keeps_the_answers():
    async def work(bench: Bench) -> None:
        bench.front(PLAN)
        store = bench.answers.store
        bench.front(replace(PLAN, policy=CachePolicy(ttl=5)))
        assert bench.answers.store is store

    run(work)


def test_a_plan_that_cannot_be_opened_leaves_everything_as_it_is():
    async def work(bench: Bench) -> None:
        bench.front(PLAN)
        store = bench.answers.store
        with pytest.raises(ValueError, match="disk_cache_dir"):
            bench.front(replace(PLAN, kind=CacheKind.DISK))
        assert bench.answers.store is store
        assert isinstance(bench.front(PLAN), CachedEngine)

    run(work)


@pytest.mark.parametrize("plan", [None, replace(PLAN, most_bytes=5)])
def test_a_store_that_is_named_no_more_is_closed_after_a_while(plan, monkeypatch):
    async def work(bench: Bench) -> None:
        bench.front(PLAN)
        old = bench.answers.store
        closed: list[object] = []

        async def close() -> None:
            closed.append(old)

        monkeypatch.setattr(old, "aclose", close)
        bench.front(plan)
        assert bench.answers.store is not old
        assert closed == []
        await module.asyncio.sleep(module.RETIRE_SECONDS + 1)
        assert closed == [old]

    run(work)
