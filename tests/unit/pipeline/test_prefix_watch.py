"""The watch around the engine: homes, figures, drifts; after the answer, and at no cost before."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator, Sequence

import pytest

from support.engine import Stage, json_turn, plain, served_by
from support.turns import coding, marked
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import DeploymentId, Dialect
from tiergate.core.cost import Price, Rates
from tiergate.core.drift import Difference, Part
from tiergate.core.prefix_figures import PrefixFigures, PrefixKey
from tiergate.core.record import CallRecord
from tiergate.pipeline.prefix_watch import LEAST_BYTES, LOG_SECONDS, PrefixWatch, WatchedEngine

KEY: PrefixKey = ("local", "cheap", "")
PRICE = Price(
    Rates.of(1_000_000_000, 5_000_000_000, cache_read=100_000_000, cache_write_5m=1_250_000_000)
)


class Wall:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def answered(read: int, written: int):
    """An answer whose provider has read and written so many tokens."""
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    body: JsonObject = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "ok"}],
        "stop_reason": "end_turn",
        "usage": usage,
    }
    return json_turn(body)


class Watched:
    """A stage whose engine is watched."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.wall = Wall()
        self.figures: dict[PrefixKey, PrefixFigures] = {}
        self.drifts: list[tuple[PrefixKey, str, Difference]] = []
        self.watch = PrefixWatch(
            self.figures, stage.clock, self.wall, lambda *drift: self.drifts.append(drift)
        )
        stage.engine = WatchedEngine(stage.engine, self.watch, self.priced)  # pyright: ignore[reportAttributeAccessIssue]

    def priced(self, _: DeploymentId) -> Price:
        return PRICE

    async def ask(self, body: JsonObject) -> None:
        await self.stage.ask({"model": "cheap", "max_tokens": 10, **body})
        await asyncio.sleep(0)  # what comes after the answer

    @property
    def records(self) -> list[CallRecord]:
        return self.stage.witness.records


def two(dice: Iterator[float] | None = None, turns: Sequence[object] = ()) -> Watched:
    throws = dice if dice is not None else iter([0.9] * 1000)
    stage = Stage(
        [served_by("cheap", "dep-a"), served_by("cheap", "dep-b")],
        turns,  # pyright: ignore[reportArgumentType]
        dice=lambda: next(throws),
    )
    return Watched(stage)


async def test_a_conversation_stays_where_it_began() -> None:
    dice = iter([0.9, *[0.1] * 50])
    watched = two(dice, [answered(0, 4000), answered(4000, 200), answered(4200, 200)])
    for turn in marked(coding(3)):
        await watched.ask(turn)
    assert watched.stage.upstreams.called == ["dep-b"] * 3
    figures = watched.figures[KEY]
    assert (figures.calls, figures.read, figures.written) == (3, 8200, 4400)
    assert (figures.expected, figures.expected_read) == (8200, 8200)
    assert (figures.lost, figures.drifts) == (0, {})


async def test_chance_decides_once_the_prefix_is_cold() -> None:
    dice = iter([0.9, *[0.1] * 50])
    watched = two(dice, [answered(0, 4000), answered(0, 4000)])
    first, second = marked(coding(2))
    await watched.ask(first)
    start = watched.stage.clock
    watched.watch._clock = lambda: start() + 301.0
    await watched.ask(second)
    assert watched.stage.upstreams.called == ["dep-b", "dep-a"]


async def test_what_was_never_cached_has_no_home() -> None:
    dice = iter([0.9, 0.1, 0.1])
    watched = two(dice, [answered(0, 0), answered(0, 0)])
    for turn in coding(2):
        await watched.ask(turn)
    assert watched.stage.upstreams.called == ["dep-b", "dep-a"]


async def test_a_home_that_fails_is_left_and_named() -> None:
    dice = iter([0.9, *[0.1] * 50])
    failing = json_turn({"type": "error", "error": {"type": "api_error", "message": "x"}}, 500)
    watched = two(dice, [answered(0, 4000), failing, answered(0, 4200)])
    for turn in marked(coding(2)):
        await watched.ask(turn)
    assert watched.stage.upstreams.called == ["dep-b", "dep-b", "dep-a"]
    assert "lost 4000 cached tokens at dep-b" in watched.stage.served.why
    figures = watched.figures[KEY]
    assert (figures.lost, figures.expected, figures.expected_read) == (4000, 4000, 0)


async def test_short_requests_are_not_looked_at() -> None:
    watched = two(turns=[plain()])
    await watched.ask({"messages": [{"role": "user", "content": "x" * (LEAST_BYTES // 2)}]})
    assert watched.stage.served.inbound.home is None
    assert watched.figures == {}


async def test_a_request_is_gone_when_its_call_is_over() -> None:
    watched = two(turns=[answered(0, 4000)])
    await watched.ask(marked(coding(1))[0])
    inbound = watched.stage.served.inbound
    assert inbound.home is not None
    found: list[object] = [inbound.home]
    for _ in range(3):  # whatever the home holds, and what that holds
        found += [each for held in list(found) for each in gc.get_referents(held)]
    assert not any(each is inbound for each in found)


async def test_savings_are_money_in_the_record_and_in_the_figures() -> None:
    watched = two(turns=[answered(4000, 100)])
    await watched.ask(marked(coding(1))[0])
    (record,) = watched.records
    assert (record.saving, record.cache) == (4000 * 900, "")
    figures = watched.figures[KEY]
    assert (figures.saved, figures.writes) == (4000 * 900, 100 * 250)


async def test_drifts_are_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "tiergate.prefixes")
    turns = marked(coding(9))
    watched = two(turns=[answered(0, 4000)] * 9)

    def stamped(turn: JsonObject, second: int) -> JsonObject:
        system: list[JsonObject] = [
            {"type": "text", "text": f"It is 09:30:{second:02}."},
            *turn["system"],  # pyright: ignore[reportGeneralTypeIssues, reportOptionalIterable]
        ]
        return {**turn, "system": list(system)}

    for turn in turns[:3]:
        await watched.ask(stamped(turn, 0))
    for number, turn in enumerate(turns[3:7]):
        await watched.ask(stamped(turn, number + 1))
    assert len(caplog.records) == 1
    (said,) = caplog.records
    assert (said.part, said.number, said.hint) == ("system", 1, "timestamp")  # pyright: ignore[reportAttributeAccessIssue]
    assert "Rule" not in str(said.__dict__)
    watched.wall.now += LOG_SECONDS
    await watched.ask(stamped(turns[7], 59))
    assert caplog.records[-1].unlogged == 3  # pyright: ignore[reportAttributeAccessIssue]
    figures = watched.figures[KEY]
    assert figures.drifts == {"system": 5}
    told = {(key, name, drift.part) for key, name, drift in watched.drifts}
    assert told == {(KEY, "local", Part.SYSTEM)}
    assert len(watched.drifts) == 5, "who is told decides how often to pass it on"
    assert figures.last is not None
    assert (figures.last.part, figures.last.hint) == ("system", "timestamp")


async def test_a_prompt_of_another_form_changes_nothing() -> None:
    watched = two(turns=[answered(4000, 0)])
    served_body: JsonObject = {"messages": [{"role": "user", "content": "x"}], "tools": []}
    await watched.ask(served_body)  # short, and yet its provider has cached it
    assert watched.figures[KEY].read == 4000


async def test_what_the_engine_says_goes_through() -> None:
    watched = two()
    engine = watched.stage.engine
    engine.refused(Dialect.ANTHROPIC, watched.stage.read({"model": "cheap", "messages": [
        {"role": "user", "content": "x"}], "max_tokens": 1})[0].operation, 400, 0.0)  # fmt: skip
    assert watched.stage.witness.refusals
