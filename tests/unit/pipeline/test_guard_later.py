"""Looks that only note: bounded, and ended with the gateway."""

from __future__ import annotations

import asyncio

from support.guards import PatternGuard, ScriptedGuard, Watcher, plan_of
from support.jumping import play
from tiergate.base.values import AliasName, Dialect
from tiergate.core.caller import MASTER
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_later import MOST_LATER, LaterLooks
from tiergate.pipeline.guard_texts import Part
from tiergate.ports.guarding import Occasion, Passage, Place
from tiergate.providers.sse import SseSplitter

LATER = Stage.LOGGING_ONLY
PART = Part(Passage("x", Place.USER), ())
OCCASION = Occasion(
    call_id="c",
    alias=AliasName("a"),
    dialect=Dialect.OPENAI,
    stage=Stage.PRE_CALL,
    caller=MASTER,
)


def looks(watcher: Watcher) -> LaterLooks:
    return LaterLooks(Checks(watcher, asyncio.get_running_loop().time), SseSplitter)


def test_a_stream_is_looked_at_with_the_question():
    async def work() -> None:
        guard = PatternGuard("x")
        later = looks(Watcher())
        stream = b'data: {"choices": [{"index": 0, "delta": {"content": "y"}}]}\n\n'
        later.look([Installed(plan_of(LATER), guard=guard)], [PART], OCCASION, stream)
        await asyncio.sleep(1)
        assert guard.seen == [("x", "y")]
        assert guard.occasions[0].stage is LATER
        assert not later.busy

    play(work())


def test_more_looks_than_there_is_room_for_are_left_out_and_counted():
    async def work() -> None:
        watcher = Watcher()
        later = looks(watcher)
        slow = Installed(plan_of(LATER), guard=ScriptedGuard(seconds=5.0))
        for _ in range(MOST_LATER + 3):
            later.look([slow], [PART], OCCASION)
        assert watcher.errors == [("guard", "busy")] * 3
        assert later.busy
        await later.aclose()
        await asyncio.sleep(0)
        assert not later.busy

    play(work())
