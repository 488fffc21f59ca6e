"""What a stream says as a whole; how it is judged stands in `test_guard_stream`."""

from __future__ import annotations

import asyncio

from support import anthropic_wire
from support.guards import PatternGuard, Watcher, plan_of
from tiergate.base.values import AliasName, Dialect
from tiergate.core.caller import MASTER
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_whole import judged, said_in
from tiergate.ports.guarding import Occasion
from tiergate.providers.sse import SseSplitter

EVENTS = [
    anthropic_wire.message_start(),
    anthropic_wire.block_start(0, anthropic_wire.text_block("")),
    anthropic_wire.text_delta(0, "all is "),
    anthropic_wire.text_delta(0, "well"),
    anthropic_wire.block_stop(0),
    anthropic_wire.block_start(1, anthropic_wire.tool_block("f", {})),
    anthropic_wire.input_delta(1, '{"q": "x"}'),
    anthropic_wire.block_stop(1),
    anthropic_wire.message_delta(),
    anthropic_wire.message_stop(),
]


def test_all_texts_of_a_stream_are_said_at_once() -> None:
    parts = asyncio.run(said_in(SseSplitter().feed(b"".join(EVENTS)), Dialect.ANTHROPIC))
    assert [(part.passage.text, part.passage.tool) for part in parts] == [
        ("all is well", ""),
        ("", "f"),
        ("x", "f"),
    ]


def test_guards_see_the_whole_answer_in_one_look_and_a_clean_one_stays_as_it_is() -> None:
    guard = PatternGuard("never", window=None)
    occasion = Occasion(
        call_id="c",
        alias=AliasName("a"),
        dialect=Dialect.ANTHROPIC,
        stage=Stage.POST_CALL,
        caller=MASTER,
    )
    installed = [Installed(plan_of(Stage.POST_CALL), guard=guard)]
    checks = Checks(Watcher(), lambda: 0.0)
    found = SseSplitter().feed(b"".join(EVENTS))
    out = asyncio.run(judged(found, Dialect.ANTHROPIC, checks, installed, occasion, {}))
    assert out is None
    assert guard.seen == [("all is well", "", "x")]
