"""Guards built from plans, and put in front of what serves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from support.cached import CHAT
from support.engine import Stage as EngineStage
from support.engine import plain, served_by
from support.guards import plan_of
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.base.values import Position
from tiergate.core.catalog import Catalog
from tiergate.core.guard_options import LengthOptions, PiiEngine, PiiOptions
from tiergate.core.guard_plan import ClassOptions, GuardPlan, Stage
from tiergate.pipeline.guarding import GuardedEngine
from tiergate.telemetry.counts import Counts
from tiergate.wiring.guards import Guards, tried

PRE, DURING, POST, LATER = Stage
ONE = (served_by("cheap", "a"),)
PII = replace(plan_of(PRE, name="pii"), options=PiiOptions(engine=PiiEngine.PATTERNS))
MISSING = replace(
    plan_of(PRE, name="gone"),
    options=ClassOptions("no_such_module.Mine", "/nowhere"),
    source=Position("c.yaml", 7),
)


async def no_fetch(
    url: str, headers: Sequence[tuple[str, str]], body: bytes, limit: int
) -> tuple[int, bytes]:
    raise AssertionError(url)


def guards(counts: Counts | None = None) -> Guards:
    return Guards(no_fetch, counts or Counts(), time.monotonic)


def test_a_configuration_without_guards_leaves_the_engine_alone():
    async def work() -> None:
        stage = EngineStage(ONE)
        front = guards().in_front_of(stage.engine, (), stage.catalog, stage.witness)
        assert front is stage.engine

    play(work())


def test_guards_stand_in_front_and_are_counted():
    async def work() -> None:
        stage, counts = EngineStage(ONE, [plain()]), Counts()
        found = guards(counts)
        settings = replace(stage.settings, guards=(PII,))
        front = found.in_front_of(
            stage.engine, found.build(settings), Catalog.of(settings), stage.witness
        )
        assert isinstance(front, GuardedEngine)
        body = {**CHAT, "messages": [{"role": "user", "content": "to ann@example.com"}]}
        served = await front.run(*stage.read(body))
        front.finished(served, served.outcome.usage, None)
        assert b"ann@example.com" not in stage.upstreams.sent[0][1]
        assert counts.guard_requests
        await found.aclose()

    play(work())


def test_a_guard_of_lengths_is_told_how_long_the_prompt_is():
    plan = replace(plan_of(PRE, name="short"), options=LengthOptions(tokens=5))

    async def work() -> None:
        stage = EngineStage(ONE)
        found = guards()
        settings = replace(stage.settings, guards=(plan,))
        front = found.in_front_of(
            stage.engine, found.build(settings), Catalog.of(settings), stage.witness
        )
        body = {**CHAT, "messages": [{"role": "user", "content": "word " * 100}]}
        with pytest.raises(Refused):
            await front.run(*stage.read(body))

    play(work())


def test_a_plan_that_cannot_be_built_is_an_error_at_its_line():
    (error,) = tried((PII, MISSING))
    assert error.place == "c.yaml:7"
    assert "the guardrail gone cannot be built" in error.message
    assert "no_such_module" in error.message
    assert tried((PII,)) == ()
    settings = replace(asyncio.run(_settings()), guards=(MISSING,))
    with pytest.raises(ValueError, match="no_such_module"):
        guards().build(settings)


async def _settings():
    return EngineStage(ONE).settings


def test_a_guard_that_holds_back_whole_streams_is_told_at_the_start(
    caplog: pytest.LogCaptureFixture, tmp_path
):
    (tmp_path / "whole_guards.py").write_text(
        "from tiergate.custom import CustomGuardrail\n"
        "class Mine(CustomGuardrail):\n"
        "    async def apply_guardrail(self, inputs):\n        return inputs\n"
    )
    plan: GuardPlan = replace(
        plan_of(POST, name="whole"), options=ClassOptions("whole_guards.Mine", str(tmp_path))
    )

    async def work() -> None:
        stage = EngineStage(ONE)
        found = guards()
        settings = replace(stage.settings, guards=(plan, PII))
        with caplog.at_level(logging.WARNING, "tiergate.guardrails"):
            found.in_front_of(stage.engine, found.build(settings), stage.catalog, stage.witness)

    play(work())
    assert [record.guardrail for record in caplog.records] == ["whole"]
