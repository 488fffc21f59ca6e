"""Cooldowns as a request meets them: who is set aside, who may try it out again."""

from __future__ import annotations

import asyncio

import pytest

from support.engine import (
    CHAT,
    HELLO,
    STREAM,
    Stage,
    Turn,
    error,
    give_up,
    on,
    plain,
    policy,
    served_by,
)
from tiergate.base.errors import Refused
from tiergate.base.values import DeploymentId
from tiergate.core.catalog import ScopeKind
from tiergate.core.cooldown import Rule, State, probed, state
from tiergate.ports import BudgetStop, Fault

ONE = (served_by("cheap", "a"),)


def test_the_fourth_failure_within_a_minute_sets_a_deployment_aside():
    async def work(stage: Stage) -> None:
        for _ in range(4):
            await give_up(stage)
        assert [name for name, _ in stage.witness.cooldowns] == ["a"]
        assert stage.witness.cooldowns[0][1] == pytest.approx(60.0)

        end = await give_up(stage)
        assert (end.error.status, end.error.code) == (429, "all_deployments_in_cooldown")
        assert end.retry_after == 60
        assert len(stage.upstreams.sent) == 4

        await asyncio.sleep(61)
        await stage.ask(CHAT)
        assert stage.cooldowns.marks == {}

    on(ONE, [error(500)] * 4 + [plain()], work, policy=policy(cooldown_time=60.0))


def test_a_call_that_may_not_probe_is_refused_and_holds_nothing():
    """Another worker tries the deployment out; this one has learnt of it from the store."""

    async def work(stage: Stage) -> None:
        await give_up(stage)
        await asyncio.sleep(61)

        async def taken(name: DeploymentId, rule: Rule, now: float) -> bool:
            stage.cooldowns.marks[name] = probed(stage.cooldowns.marks[name], rule, now)
            return False

        stage.cooldowns.may_probe = taken
        end = await give_up(stage)
        assert (end.error.status, end.error.code) == (429, "all_deployments_in_cooldown")
        assert len(stage.upstreams.sent) == 1
        assert stage.accounts.rows()[0].held == 0
        assert state(stage.cooldowns.marks["a"], stage.clock()) is State.PROBING

    on(ONE, [error(500)], work, policy=policy(cooldown_time=60.0, allowed_fails=0))


def test_a_probe_that_a_budget_refuses_leaves_its_place(monkeypatch):
    async def work(stage: Stage) -> None:
        await give_up(stage)
        await asyncio.sleep(61)
        spent = BudgetStop(ScopeKind.GATEWAY, Refused(429, "spent", code="budget_exceeded"))
        monkeypatch.setattr(stage.spend, "hold", lambda *_: spent)
        end = await give_up(stage)
        assert end.error.code == "budget_exceeded"
        assert state(stage.cooldowns.marks["a"], stage.clock()) is State.PROBE_ALLOWED

    on(ONE, [error(500)], work, policy=policy(cooldown_time=60.0, allowed_fails=0))


def test_a_stream_that_breaks_counts_against_its_deployment():
    async def work(stage: Stage) -> None:
        await stage.ask(STREAM)
        assert stage.witness.cooldowns == [("a", 60.0)]
        assert state(stage.cooldowns.marks["a"], stage.clock()) is State.COOLING

    on(
        ONE,
        [Turn((*HELLO, Fault.RESET))],
        work,
        policy=policy(cooldown_time=60.0, allowed_fails=0),
    )
