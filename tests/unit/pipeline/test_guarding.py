"""Plays of guards in front of the cache and the engine: what they stop, mask, put back, record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

import pytest

from support import anthropic_wire, openai_wire
from support.cached import CHAT, STREAM
from support.engine import Pause, Turn, plain, served_by, stream
from support.guards import (
    EMAIL,
    GuardStage,
    PatternGuard,
    ScriptedGuard,
    away,
    plan_of,
)
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Operation
from tiergate.core.caching import CachePolicy
from tiergate.core.caller import MASTER
from tiergate.core.catalog import RouterPolicy
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import OnError, Scope, Stage
from tiergate.core.record import Outcome
from tiergate.pipeline.guard_checks import Installed
from tiergate.ports.guarding import Verdict

ONE = (served_by("cheap", "a"),)
OPENAI = (served_by("cheap", "a", Dialect.OPENAI),)
BLOCK, MASK, LOG = Reaction.BLOCK, Reaction.MASK, Reaction.LOG
PRE, DURING, POST, LATER = Stage
PLAIN_COST = 10 * 1000 + 5 * 5000
SECRET = r"SECRET-\d{6}"
FOUND = "SECRET-123456"


def on(
    guards: Sequence[Installed],
    turns: Sequence[Turn],
    work: Callable[[GuardStage], Coroutine[object, object, None]],
    deployments=ONE,
    **more,
) -> None:
    """Set the stage, play, and see that nothing is left over."""

    async def whole() -> None:
        policy = RouterPolicy(num_retries=0)
        stage = GuardStage(guards, deployments, turns, policy=policy, **more)
        await work(stage)
        await stage.finish()
        assert stage.upstreams.turns == [], "not every turn was taken"

    play(whole())


def guard(*stages: Stage, pattern: str = SECRET, reaction=BLOCK, plan=None, **more) -> Installed:
    return Installed(plan or plan_of(*stages), guard=PatternGuard(pattern, reaction, **more))


def asking(text: str, body: JsonObject = CHAT) -> JsonObject:
    return {**body, "messages": [{"role": "user", "content": text}]}


def sent(stage: GuardStage) -> list[str]:
    return [body.decode() for _, body in stage.upstreams.sent]


def answer(text: str) -> Turn:
    return plain(text=text)


def text_of(body: bytes) -> str:
    """The text of a Messages answer, plain or streamed."""
    if not body.startswith(b"event"):
        return "".join(part.get("text", "") for part in json.loads(body)["content"])
    return "".join(
        event["delta"].get("text", "")
        for event in events(body)
        if event["type"] == "content_block_delta"
    )


def events(body: bytes) -> list[JsonObject]:
    lines = [line for line in body.decode().splitlines() if line.startswith("data: {")]
    return [json.loads(line[6:]) for line in lines]


# ------------------------------------------------------------------ before


def test_a_request_that_no_guard_binds_goes_out_as_it_came():
    mine = guard(PRE, plan=plan_of(PRE, on=False))

    async def work(stage: GuardStage) -> None:
        got = await stage.get(asking(f"my {FOUND}"))
        assert FOUND in sent(stage)[0]
        assert "x-litellm-applied-guardrails" not in got.marks
        assert mine.guard.seen == []

    on([mine], [plain()], work)


def test_a_blocked_request_reaches_no_provider_and_is_recorded_once():
    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused) as end:
            await stage.get(asking(f"my {FOUND}"))
        refused = end.value
        assert (refused.status, refused.code) == (400, "guardrail_blocked")
        assert dict(refused.headers)["x-litellm-applied-guardrails"] == "guard"
        fields = dict(refused.details)["provider_specific_fields"]
        assert fields["guardrail_name"] == "guard"
        assert fields["guardrail_mode"] == "pre_call"
        assert FOUND not in str(refused.details) + refused.message
        (record,) = stage.witness.records
        assert (record.outcome, record.status, record.cost) == (Outcome.REFUSED, 400, None)
        assert stage.witness.in_flight == 0
        assert stage.watcher.looks == [("guard", "pre_call", "guardrail_intervened")]
        assert stage.watcher.acts == [("guard", "block", 1)]

    on([guard(PRE)], [], work)


def test_the_message_of_the_configuration_is_what_a_blocked_caller_is_told():
    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused, match="not for this model"):
            await stage.get(asking(FOUND))

    on([guard(PRE, plan=plan_of(PRE, message="not for this model"))], [], work)


def test_a_masked_value_never_leaves_and_is_put_back_into_the_answer():
    emails = guard(PRE, pattern=EMAIL, reaction=MASK, restores=True, kind="email")

    async def work(stage: GuardStage) -> None:
        got = await stage.get(asking("write to ann@example.com and bo@example.com"))
        assert "write to <EMAIL_1> and <EMAIL_2>" in sent(stage)[0]
        assert "example.com" not in sent(stage)[0]
        assert text_of(got.body) == "done: ann@example.com, not bo@example.com"

    on([emails], [answer("done: <EMAIL_1>, not <EMAIL_2>")], work)


def test_a_masked_body_differs_in_the_masked_words_only():
    emails = guard(PRE, pattern=EMAIL, reaction=MASK, kind="email")
    body = {**CHAT, "system": "be  kind", "messages": [{"content": "a@b.com", "role": "user"}]}

    async def work(stage: GuardStage) -> None:
        await stage.get(body)
        # The codec's own edit is the model; all else is byte for byte.
        assert '"system": "be  kind"' in sent(stage)[0] or '"system":"be  kind"' in sent(stage)[0]
        assert '"<EMAIL_1>"' in sent(stage)[0]

    on([emails], [plain()], work)


def test_without_restoring_the_answer_keeps_the_placeholder():
    emails = guard(PRE, pattern=EMAIL, reaction=MASK, kind="email")

    async def work(stage: GuardStage) -> None:
        got = await stage.get(asking("mail a@b.com"))
        assert text_of(got.body) == "to <EMAIL_1>"

    on([emails], [answer("to <EMAIL_1>")], work)


def test_guards_look_one_after_the_other_and_see_what_the_first_has_masked():
    first = guard(PRE, pattern=EMAIL, reaction=MASK, kind="email")
    second = Installed(plan_of(PRE, name="second"), guard=PatternGuard(r"@"))

    async def work(stage: GuardStage) -> None:
        got = await stage.get(asking("mail a@b.com"))
        assert second.guard.seen == [("mail <EMAIL_1>",)]
        assert got.marks["x-litellm-applied-guardrails"] == "guard,second"

    on([first, second], [plain()], work)


def test_a_finding_to_be_logged_changes_nothing_and_is_counted():
    async def work(stage: GuardStage) -> None:
        await stage.get(asking(FOUND))
        assert FOUND in sent(stage)[0]
        assert stage.watcher.acts == [("guard", "log", 1)]
        assert stage.watcher.looks == [("guard", "pre_call", "success")]

    on([guard(PRE, reaction=LOG)], [plain()], work)


def test_a_prompt_of_token_numbers_cannot_pass_a_guard():
    deployments = (served_by("cheap", "a", Dialect.OPENAI),)
    body = {"model": "cheap", "prompt": [1, 2, 3]}

    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused, match="token numbers"):
            await stage.get(body, Dialect.OPENAI, None, Operation.COMPLETION)

    on([guard(PRE)], [], work, deployments)


# ------------------------------------------------------------------ who is bound


def test_a_request_a_key_and_a_tag_can_each_ask_for_a_guard():
    plan = plan_of(by_tag={"strict": frozenset({PRE})}, on=False, name="mine")

    def naming(inbound) -> None:
        inbound.guardrails, inbound.tags = ("mine",), ("strict",)

    def keyed(inbound) -> None:
        inbound.caller = replace(MASTER, guardrails=("mine",), tags=("strict",))
        inbound.tags = ("strict",)

    async def work(stage: GuardStage) -> None:
        for change in (naming, keyed):
            with pytest.raises(Refused):
                await stage.get(asking(FOUND), change=change)
        await stage.get(asking(FOUND))

    on([guard(plan=plan)], [plain()], work)


def test_a_tag_of_the_caller_adds_a_stage_and_takes_none_away():
    plan = plan_of(PRE, by_tag={"quiet": frozenset({LATER})})

    def tagged(inbound) -> None:
        inbound.tags = ("quiet",)

    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused):
            await stage.get(asking(FOUND), change=tagged)

    on([guard(plan=plan)], [], work)


def test_a_key_that_demands_a_guard_that_is_gone_is_not_served():
    def keyed(inbound) -> None:
        inbound.caller = replace(MASTER, guardrails=("gone",))

    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused) as end:
            await stage.get(CHAT, change=keyed)
        assert end.value.status == 503
        assert "gone" in end.value.message

    on([guard(PRE)], [], work)


@pytest.mark.parametrize(
    ("scope", "blocked"),
    [
        (Scope(), True),
        (Scope(skip_system=True), False),
        (Scope(only_tool_results=True), False),
        (Scope(only_new=True), False),
    ],
)
def test_a_guard_sees_what_its_scope_says(scope: Scope, blocked: bool):
    body = {**CHAT, "system": f"you know {FOUND}"}

    async def work(stage: GuardStage) -> None:
        if blocked:
            with pytest.raises(Refused):
                await stage.get(body)
        else:
            await stage.get(body)

    on([guard(plan=plan_of(PRE, scope=scope))], [] if blocked else [plain()], work)


# ------------------------------------------------------------------ when a guard fails


FAULTS = [
    pytest.param({"fault": away()}, "unavailable", id="unavailable"),
    pytest.param({"fault": KeyError("x")}, "bug", id="bug"),
    pytest.param({"seconds": 60.0}, "timeout", id="timeout"),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
@pytest.mark.parametrize("stage_of", [PRE, DURING, POST])
def test_a_guard_that_fails_lets_nothing_pass_unless_told(fault, kind: str, stage_of: Stage):
    mine = Installed(plan_of(stage_of), guard=ScriptedGuard(**fault))

    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused) as end:
            await stage.get(CHAT)
        refused = end.value
        assert (refused.status, refused.code) == (503, "guardrail_unavailable")
        assert "guard" in refused.message
        assert "on_error" in refused.message
        assert stage.watcher.errors == [("guard", kind)]
        assert len(stage.witness.records) == 1

    turns = [] if stage_of is PRE else [Turn(plain().pieces, before=(Pause(100.0),))]
    on([mine], turns if stage_of is DURING else turns and [plain()], work)


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_guard_that_fails_is_passed_over_where_the_file_says_so(fault, kind: str):
    mine = Installed(plan_of(PRE, on_error=OnError.ALLOW), guard=ScriptedGuard(**fault))

    async def work(stage: GuardStage) -> None:
        got = await stage.get(CHAT)
        assert text_of(got.body)
        assert stage.watcher.errors == [("guard", kind)]

    on([mine], [plain()], work)


# ------------------------------------------------------------------ beside


def test_the_answer_waits_for_a_guard_that_looks_beside_the_call():
    mine = Installed(plan_of(DURING), guard=ScriptedGuard(seconds=5.0))

    async def work(stage: GuardStage) -> None:
        begun = stage.clock()
        await stage.get(CHAT)
        assert stage.clock() - begun == pytest.approx(5.0, abs=0.1)

    on([mine], [plain()], work)


def test_a_guard_beside_the_call_costs_no_time_of_its_own():
    mine = Installed(plan_of(DURING), guard=ScriptedGuard(seconds=5.0))

    async def work(stage: GuardStage) -> None:
        begun = stage.clock()
        await stage.get(CHAT)
        assert stage.clock() - begun == pytest.approx(7.0, abs=0.1)

    on([mine], [Turn(plain().pieces, before=(Pause(7.0),))], work)


@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_a_block_beside_the_call_ends_it_and_is_recorded_once(body: JsonObject):
    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused) as end:
            await stage.get(asking(FOUND, body))
        assert end.value.status == 400
        (record,) = stage.witness.records
        assert (record.outcome, record.status) == (Outcome.REFUSED, 400)

    turn = plain() if body is CHAT else stream()
    on([guard(DURING)], [Turn(turn.pieces, before=(Pause(50.0),))], work)


def test_a_block_beside_a_call_that_is_over_already_is_charged_as_what_it_used():
    late = Installed(
        plan_of(DURING), guard=ScriptedGuard(lambda _: Verdict(blocked="no"), seconds=5.0)
    )

    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused, match="no"):
            await stage.get(CHAT)
        (record,) = stage.witness.records
        assert (record.outcome, record.status, record.cost) == (Outcome.REFUSED, 400, PLAIN_COST)
        assert stage.spent == PLAIN_COST

    on([late], [plain()], work)


def test_what_would_be_masked_beside_the_call_is_blocked_since_it_was_sent():
    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused):
            await stage.get(asking(FOUND))

    on([guard(DURING, reaction=MASK)], [Turn(plain().pieces, before=(Pause(50.0),))], work)


def test_a_caller_who_leaves_while_a_guard_looks_ends_both():
    mine = Installed(plan_of(DURING), guard=ScriptedGuard(seconds=500.0))

    async def work(stage: GuardStage) -> None:
        task = asyncio.get_running_loop().create_task(stage.get(CHAT))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (record,) = stage.witness.records
        assert record.outcome is Outcome.CANCELLED

    on([mine], [Turn(plain().pieces, before=(Pause(50.0),))], work)


# ------------------------------------------------------------------ after


@pytest.mark.parametrize("window", [64, None])
@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_a_blocked_answer_is_charged_and_not_shown(body: JsonObject, window: int | None):
    async def work(stage: GuardStage) -> None:
        with pytest.raises(Refused) as end:
            await stage.get(body)
        assert end.value.status == 400
        fields = dict(end.value.details)["provider_specific_fields"]
        assert fields["guardrail_mode"] == "post_call"
        (record,) = stage.witness.records
        assert (record.outcome, record.status) == (Outcome.REFUSED, 400)
        assert record.cost
        assert stage.spent == record.cost

    said = f"here is {FOUND} for you"
    turn = answer(said) if body is CHAT else stream(text=said)
    on([guard(POST, window=window)], [turn], work)


@pytest.mark.parametrize("window", [64, None])
@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_a_masked_answer_is_complete_and_well_formed(body: JsonObject, window: int | None):
    async def work(stage: GuardStage) -> None:
        got = await stage.get(body)
        assert text_of(got.body) == f"here is <SECRET> for you {'x' * 300}"
        assert FOUND.encode() not in got.body
        if body is STREAM:
            kinds = [event["type"] for event in events(got.body)]
            assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
            assert kinds.count("content_block_stop") == 1

    said = f"here is {FOUND} for you {'x' * 300}"
    turn = answer(said) if body is CHAT else stream(text=said)
    on([guard(POST, reaction=MASK, window=window)], [turn], work)


def test_a_block_in_the_middle_of_a_stream_ends_it_with_an_error_event():
    long = "a" * 300
    pieces = [
        anthropic_wire.message_start(),
        anthropic_wire.block_start(0, anthropic_wire.text_block("")),
        anthropic_wire.text_delta(0, long),
        anthropic_wire.text_delta(0, f" and {FOUND}"),
        anthropic_wire.text_delta(0, long),
        anthropic_wire.block_stop(0),
        anthropic_wire.message_delta(),
        anthropic_wire.message_stop(),
    ]

    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert FOUND.encode() not in got.body
        last = events(got.body)[-1]
        assert last["type"] == "error"
        assert last["error"]["provider_specific_fields"]["guardrail_name"] == "guard"
        assert b"message_stop" not in got.body
        (record,) = stage.witness.records
        assert record.outcome is Outcome.REFUSED
        assert record.cost
        assert stage.witness.failures == []
        assert stage.upstreams.exchanges[0].closed

    on([guard(POST)], [Turn(tuple(pieces))], work)


def test_a_stream_that_needs_no_masking_keeps_its_bytes_but_for_where_it_is_cut():
    said = "".join(f"word{n} " for n in range(200))
    pieces = anthropic_wire.text_events(said)

    async def work(stage: GuardStage) -> None:
        got = await stage.get(STREAM)
        assert text_of(got.body) == said

    on([guard(POST)], [Turn(tuple(pieces))], work)


def test_a_whole_stream_that_is_clean_keeps_every_byte():
    pieces = anthropic_wire.text_events("all is well")

    async def work(stage: GuardStage) -> None:
        whole = await stage.get(STREAM)
        plain_ = await stage.get(STREAM, change=lambda inbound: None)
        assert whole.body == plain_.body

    quiet = [Turn(tuple(pieces)), Turn(tuple(pieces))]
    on([guard(POST, window=None)], quiet, work)


def test_a_cached_answer_is_checked_for_every_caller():
    answers = guard(POST, plan=plan_of(POST, on=False))

    def asks(inbound) -> None:
        inbound.guardrails = ("guard",)

    async def work(stage: GuardStage) -> None:
        first = await stage.get(CHAT)
        assert FOUND in text_of(first.body)
        with pytest.raises(Refused):
            await stage.get(CHAT, change=asks)
        called, hit = stage.witness.records
        assert (called.outcome, hit.outcome) == (Outcome.SUCCESS, Outcome.REFUSED)
        assert (hit.cost, hit.cache) == (0, "response")

    on([answers], [answer(FOUND)], work, cache=CachePolicy())


def test_two_callers_of_one_masked_question_share_an_answer_and_get_their_own_values():
    emails = guard(PRE, pattern=EMAIL, reaction=MASK, restores=True, kind="email")

    async def work(stage: GuardStage) -> None:
        first = await stage.get(asking("greet ann@example.com"))
        second = await stage.get(asking("greet bob@example.com"))
        assert text_of(first.body) == "hello ann@example.com"
        assert text_of(second.body) == "hello bob@example.com"
        assert second.hit

    on([emails], [answer("hello <EMAIL_1>")], work, cache=CachePolicy())


def test_tools_get_masked_values_back_rightly_escaped():
    odd = 'say "hi" to\nann@example.com'
    emails = guard(PRE, pattern='say "hi" to\n' + EMAIL, reaction=MASK, restores=True, kind="line")
    pieces = openai_wire.tool_events("send", {"to": "<LINE_1>", "n": 1})

    async def work(stage: GuardStage) -> None:
        body = {"model": "cheap", "stream": True, "messages": [{"role": "user", "content": odd}]}
        got = await stage.get(body, Dialect.OPENAI)
        text = "".join(
            call["function"].get("arguments", "")
            for event in events(got.body)
            for choice in event["choices"]
            for call in choice["delta"].get("tool_calls", [])
        )
        assert json.loads(text) == {"to": odd, "n": 1}

    on([emails], [Turn(tuple(pieces))], work, OPENAI)


# ------------------------------------------------------------------ later


@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_logging_only_sees_question_and_answer_and_touches_neither(body: JsonObject):
    mine = guard(LATER)

    async def work(stage: GuardStage) -> None:
        got = await stage.get(asking(FOUND, body))
        assert FOUND in text_of(got.body)
        await asyncio.sleep(1)
        (seen,) = mine.guard.seen
        assert seen[0] == FOUND
        assert f"back {FOUND}" in seen
        assert stage.watcher.acts == [("guard", "log", 2)]
        assert stage.witness.records[0].outcome is Outcome.SUCCESS

    said = f"back {FOUND}"
    turn = answer(said) if body is CHAT else stream(text=said)
    on([mine], [turn], work)


def test_a_guard_that_hangs_in_logging_only_holds_nobody_up():
    mine = Installed(plan_of(LATER), guard=ScriptedGuard(seconds=5.0))

    async def work(stage: GuardStage) -> None:
        begun = stage.clock()
        await stage.get(CHAT)
        assert stage.clock() - begun < 1
        await asyncio.sleep(6)
        assert mine.guard.done == 1

    on([mine], [plain()], work)


# ------------------------------------------------------------------ counting tokens


def test_a_request_whose_tokens_are_counted_is_guarded_too():
    emails = guard(PRE, pattern=EMAIL, reaction=MASK, kind="email")

    async def work(stage: GuardStage) -> None:
        inbound, _ = stage.question(asking("a@b.com"))
        counted = await stage.cached.counted(inbound)
        assert b"a@b.com" not in counted.members.body
        again, _ = stage.question(CHAT)
        assert (await stage.cached.counted(again)).members.body == again.members.body

    on([emails], [], work)
