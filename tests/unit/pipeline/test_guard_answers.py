"""Plain answers: checked, masked, given their values back."""

from __future__ import annotations

import asyncio
import json

import pytest

from support import anthropic_wire, openai_wire
from support.guards import PatternGuard, Watcher, plan_of
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import AliasName, Dialect
from tiergate.core.caller import MASTER
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_answers import checked
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.ports import Answered
from tiergate.ports.guarding import Blocked, Occasion

POST = Stage.POST_CALL
MASK, BLOCK = Reaction.MASK, Reaction.BLOCK


class Answering:
    """A class that looks at answers."""

    streams = False

    def __init__(self, act) -> None:
        self._act = act

    async def answer(self, body: JsonObject, answer: JsonObject, occasion) -> JsonObject | None:
        del occasion
        assert body == {"asked": 1}
        return self._act(answer)


def through(body: JsonObject, *guards: Installed, values=None) -> bytes:
    occasion = Occasion(
        call_id="c", alias=AliasName("a"), dialect=Dialect.OPENAI, stage=POST, caller=MASTER
    )

    async def work() -> Answered:
        checks = Checks(Watcher(), asyncio.get_running_loop().time)
        answer = Answered(json.dumps(body).encode(), None)
        return await checked(checks, guards, answer, occasion, values or {}, lambda: {"asked": 1})

    return play(work()).body


def guard(reaction: Reaction = MASK) -> Installed:
    return Installed(plan_of(POST), guard=PatternGuard(r"SECRET-\d", reaction))


@pytest.mark.parametrize("wire", [anthropic_wire.message, openai_wire.completion])
def test_a_clean_answer_keeps_its_bytes(wire):
    body = wire("all is well")
    assert through(body, guard(), values={"<A_1>": "x"}) == json.dumps(body).encode()


@pytest.mark.parametrize("wire", [anthropic_wire.message, openai_wire.completion])
def test_texts_are_masked_and_values_put_back(wire):
    out = through(wire("SECRET-1 for <A_1>"), guard(), values={"<A_1>": 'an "odd" one'})
    assert json.loads(out) == json.loads(json.dumps(wire('<SECRET> for an "odd" one')))


def test_arguments_of_tools_are_masked_and_restored_inside_their_json():
    call = {"id": "c", "function": {"name": "f", "arguments": '{"q": "SECRET-1", "to": "<A_1>"}'}}
    body = {"choices": [{"message": {"tool_calls": [call]}}]}
    out = json.loads(through(body, guard(), values={"<A_1>": 'a "b"'}))
    arguments = out["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"q": "<SECRET>", "to": 'a "b"'}


def test_probabilities_go_where_they_would_tell_a_masked_text():
    choice = {"message": {"content": "SECRET-1"}, "logprobs": {"content": [{"token": "SECRET-1"}]}}
    out = json.loads(through({"choices": [choice]}, guard()))
    assert out["choices"][0]["logprobs"] is None
    kept = {"message": {"content": "fine"}, "logprobs": {"content": [{"token": "fine"}]}}
    assert json.loads(through({"choices": [kept]}, guard()))["choices"][0]["logprobs"]


def test_a_signed_thought_is_blocked_rather_than_altered():
    body = anthropic_wire.message([anthropic_wire.thinking_block("SECRET-1")])
    with pytest.raises(Refused):
        through(body, guard())


def test_a_signed_thought_keeps_its_placeholders():
    body = anthropic_wire.message([anthropic_wire.thinking_block("about <A_1>")])
    assert b"about <A_1>" in through(body, values={"<A_1>": "ann"})


def test_a_class_sees_the_request_and_may_change_the_answer():
    def act(answer: JsonObject) -> JsonObject:
        return {**answer, "choices": []}

    call = Installed(plan_of(POST), call=Answering(act))
    assert json.loads(through(openai_wire.completion("x"), call))["choices"] == []

    def no(answer: JsonObject) -> None:
        raise Blocked("no")

    with pytest.raises(Refused, match="no"):
        through(openai_wire.completion("x"), Installed(plan_of(POST), call=Answering(no)))
