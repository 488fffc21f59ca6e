"""Guarded streams on their way: breaks, silence, size, classes. Plays stand in `test_guarding`."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence

import pytest

from support import anthropic_wire
from support.cached import STREAM
from support.engine import Pause, Turn, served_by
from support.guards import EMAIL, GuardStage, PatternGuard, plan_of
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.core.catalog import RouterPolicy
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import OnError, Stage
from tiergate.core.record import Outcome
from tiergate.pipeline import guard_open
from tiergate.pipeline.guard_checks import Installed
from tiergate.pipeline.guard_open import needs_whole
from tiergate.ports import Fault
from tiergate.ports.guarding import Blocked, GuardError

POST = Stage.POST_CALL
LONG = "a" * 300
START = (
    anthropic_wire.message_start(),
    anthropic_wire.block_start(0, anthropic_wire.text_block("")),
)
END = (
    anthropic_wire.block_stop(0),
    anthropic_wire.message_delta(),
    anthropic_wire.message_stop(),
)


def text(said: str) -> bytes:
    return anthropic_wire.text_delta(0, said)


class Class:
    """A class of the user.

    Args:
        each: What it does with an event; None takes streams as plain answers.
        whole: What it does with a plain answer.
    """

    def __init__(
        self,
        each: Callable[[JsonObject], JsonObject | None] | None = None,
        whole: Callable[[JsonObject], JsonObject | None] = lambda answer: None,
    ) -> None:
        self._each = each
        self._whole = whole

    @property
    def streams(self) -> bool:
        return self._each is not None

    async def answer(self, body: JsonObject, answer: JsonObject, occasion) -> JsonObject | None:
        assert body["messages"]
        del occasion
        return self._whole(answer)

    async def events(self, body: JsonObject, events, occasion):
        assert body["messages"]
        del occasion
        async for event in events:
            found = self._each(event) if self._each is not None else event
            if found is not None:
                yield found


def on(
    guards: Sequence[Installed],
    pieces: Sequence[object],
    work: Callable[[GuardStage], Coroutine[object, object, None]],
) -> None:
    async def whole() -> None:
        policy = RouterPolicy(num_retries=0, stream_timeout=5.0)
        turn = Turn(tuple(pieces))
        stage = GuardStage(guards, (served_by("cheap", "a"),), [turn], policy=policy)
        await work(stage)
        await stage.finish()

    play(whole())


def guard(window: int | None = 20, reaction: Reaction = Reaction.MASK) -> Installed:
    return Installed(plan_of(POST), guard=PatternGuard("SECRET", reaction, window=window))


def by_class(on_error: OnError = OnError.BLOCK, **more) -> Installed:
    return Installed(plan_of(POST, on_error=on_error), call=Class(**more))


def kinds(body: bytes) -> list[str]:
    return [line[7:] for line in body.decode().splitlines() if line.startswith("event: ")]


def said(body: bytes) -> str:
    lines = [
        json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data")
    ]
    return "".join(line.get("delta", {}).get("text", "") for line in lines)


@pytest.mark.parametrize("window", [20, None])
def test_a_stream_that_breaks_off_ends_in_the_providers_error(window: int | None):
    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert kinds(got.body)[-1] == "error"
        (record,) = stage.witness.records
        assert record.outcome is Outcome.FAILURE
        assert len(stage.witness.failures) == 1

    on([guard(window)], [*START, text(LONG), Fault.RESET], work)


@pytest.mark.parametrize("window", [20, None])
def test_a_provider_that_falls_silent_is_noticed_though_text_is_held_back(window: int | None):
    async def work(stage: GuardStage) -> None:
        begun = stage.clock()
        got = await stage.get(STREAM)
        assert stage.clock() - begun < 20
        assert kinds(got.body)[-1] == "error"

    on([guard(window)], [*START, text("short"), Pause(1000.0), text(LONG), *END], work)


def test_a_slow_stream_that_is_held_back_whole_is_not_taken_for_a_silent_one():
    slow = [piece for n in range(10) for piece in (text(f"{n} "), Pause(3.0))]

    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert said(got.body) == "0 1 2 3 4 5 6 7 8 9 "
        assert kinds(got.body)[-1] == "message_stop"

    on([guard(None)], [*START, *slow, *END], work)


def test_nothing_is_sent_before_the_first_text_has_passed():
    async def work(stage: GuardStage) -> None:
        pieces: list[bytes] = []
        await stage.get(STREAM, into=pieces)
        assert said(pieces[0])

    on([guard()], [*START, text("a" * 10), text("b" * 50), *END], work)


@pytest.mark.parametrize("on_error", [OnError.BLOCK, OnError.ALLOW])
def test_an_answer_too_large_to_be_held_back_is_blocked_or_let_through(
    monkeypatch: pytest.MonkeyPatch, on_error: OnError
):
    monkeypatch.setattr(guard_open, "MOST_HELD", 1000)
    installed = Installed(
        plan_of(POST, on_error=on_error),
        guard=PatternGuard("SECRET", Reaction.MASK, window=None),
    )

    async def work(stage: GuardStage) -> None:
        if on_error is OnError.BLOCK:
            with pytest.raises(Refused, match="needs the whole of it"):
                await stage.get(STREAM)
        else:
            got = await stage.get(STREAM)
            assert said(got.body) == LONG * 6
        assert stage.watcher.errors == [("guard", "unavailable")]

    on([installed], [*START, *([text(LONG)] * 6), *END], work)


def test_a_class_passes_events_on_drops_and_changes_them():
    def each(event: JsonObject) -> JsonObject | None:
        if event["type"] == "ping":
            return None
        if event["type"] == "content_block_delta":
            event["delta"]["text"] = event["delta"]["text"].upper()
        return event

    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert said(got.body) == "HI THERE"
        assert "ping" not in kinds(got.body)
        assert stage.watcher.looks == [("guard", "post_call", "success")]

    pieces = [*START, anthropic_wire.ping(), text("hi "), text("there"), *END]
    on([by_class(each=each)], pieces, work)


@pytest.mark.parametrize(
    ("fault", "status"), [(Blocked("no", 403), 403), (GuardError("it is broken"), 503)]
)
def test_a_class_that_raises_at_the_first_event_is_an_ordinary_error(fault, status: int):
    def each(event: JsonObject) -> JsonObject:
        raise fault

    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused) as end:
            await stage.get(STREAM)
        assert end.value.status == status

    on([by_class(each=each)], [*START, text(LONG), *END], work)


def test_a_block_of_a_text_guard_reaches_the_caller_through_a_class():
    installed = [guard(reaction=Reaction.BLOCK), by_class(each=lambda event: event)]

    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert b"SECRET" not in got.body
        assert kinds(got.body)[-1] == "error"

    on(installed, [*START, text(LONG), text("SECRET"), *END], work)


def test_a_class_of_plain_answers_sees_a_stream_put_together():
    seen: list[str] = []

    def whole(answer: JsonObject) -> JsonObject | None:
        seen.append(answer["content"][0]["text"])
        return None

    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert (seen, said(got.body)) == (["hi there"], "hi there")
        assert kinds(got.body)[0] == "message_start"

    on([by_class(whole=whole)], [*START, text("hi "), text("there"), *END], work)


def test_a_class_of_plain_answers_may_change_a_stream():
    def whole(answer: JsonObject) -> JsonObject:
        answer["content"][0]["text"] = "other"
        return answer

    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert said(got.body) == "other"
        assert kinds(got.body)[-1] == "message_stop"

    on([by_class(whole=whole)], [*START, text("hi there"), *END], work)


def test_a_class_that_makes_an_answer_that_is_none_is_at_fault():
    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused, match="an answer that is none"):
            await stage.get(STREAM)

    on([by_class(whole=lambda answer: {"content": "odd"})], [*START, text("hi"), *END], work)


def test_values_come_back_without_any_guard_of_answers():
    emails = Installed(
        plan_of(Stage.PRE_CALL),
        guard=PatternGuard(EMAIL, Reaction.MASK, restores=True, kind="email"),
    )
    body = {**STREAM, "messages": [{"role": "user", "content": "to ann@example.com"}]}

    async def work(stage: GuardStage) -> None:
        got = await stage.get(body)
        assert said(got.body) == "sent to ann@example.com."

    on([emails], [*START, text("sent to <EM"), text("AIL_1>."), *END], work)


def test_which_guards_hold_back_whole_streams():
    assert not needs_whole([guard(10), by_class(each=lambda event: event)])
    assert needs_whole([guard(None)])
    assert needs_whole([by_class()])
