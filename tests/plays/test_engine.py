"""Plays of the engine: what providers do goes in; what caller, books and records see comes out.

Everything is real but the network and the time: core, codecs, accounts with a budget, relay.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import anthropic_wire, openai_wire
from support.attempts import chain, general
from support.engine import (
    CHAT,
    HELLO,
    START,
    STREAM,
    Checkpoint,
    Hang,
    Pause,
    Stage,
    Turn,
    budget,
    error,
    give_up,
    hangs,
    json_turn,
    on,
    overflow,
    plain,
    policy,
    refused_by_network,
    served_by,
    stream,
)
from support.jumping import play
from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Operation
from tiergate.core.catalog import Chains, RouterPolicy, ScopeKind
from tiergate.core.record import Outcome
from tiergate.pipeline.parts import GaveUp
from tiergate.ports import Fault

ONE = (served_by("cheap", "a"),)
TWO = (*ONE, served_by("cheap", "a2"))
TIERS = (
    served_by("cheap", "a"),
    served_by("balanced", "b", Dialect.OPENAI),
    served_by("frontier", "c"),
)
PLAIN_COST = 10 * 1000 + 5 * 5000
START_COST = 10 * 1000 + 1 * 5000
"""What a provider bills that has told of the prompt and of one token."""
"""nano-USD of an answer with 10 tokens in and 5 out."""


FALLS = policy(chains=general(cheap="balanced frontier"))


def streamed_text(body: bytes) -> str:
    """The text of a Messages stream."""
    out = ""
    for line in body.split(b"\n"):
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            if event["type"] == "content_block_delta":
                out += event["delta"].get("text", "")
    return out


# ------------------------------------------------------------------ answers


def test_an_answer_is_settled_recorded_and_shown_under_the_alias_asked():
    async def work(stage: Stage) -> None:
        body = json.loads(await stage.ask(CHAT))

        assert body["content"] == [{"type": "text", "text": "hello"}]
        assert body["model"] == "cheap"
        assert stage.cost == stage.spent == PLAIN_COST
        (record,) = stage.witness.records
        assert (record.outcome, record.status) == (Outcome.SUCCESS, 200)
        assert (record.asked, record.deployment.id, record.cost) == ("cheap", "a", PLAIN_COST)
        assert (record.usage.input, record.usage.output) == (10, 5)
        assert (record.retries, record.fallbacks) == (0, 0)
        assert record.why == "cheap/a ok"

    on(ONE, [plain()], work)


def test_a_stream_is_sent_on_as_it_came_but_for_the_model():
    async def work(stage: Stage) -> None:
        got = await stage.ask(STREAM)

        sent = b"".join(anthropic_wire.text_events("hello"))
        assert got == sent.replace(b'"upstream-a"', b'"cheap"')
        assert stage.spent == stage.cost == PLAIN_COST
        assert stage.witness.records[0].outcome is Outcome.SUCCESS

    on(ONE, [stream()], work)


def test_an_anthropic_caller_is_served_by_an_openai_provider():
    async def work(stage: Stage) -> None:
        body = json.loads(await stage.ask({**CHAT, "model": "balanced"}))
        assert body["content"][0]["text"] == "hello"
        assert body["type"] == "message"

        got = await stage.ask({**STREAM, "model": "balanced"})
        assert streamed_text(got) == "hello"
        assert got.count(b"event: message_stop") == 1

    on(TIERS, [plain(Dialect.OPENAI), stream(Dialect.OPENAI)], work)


# ------------------------------------------------------------------ retries and waits


def test_a_failure_is_retried_elsewhere_first_then_after_a_wait():
    async def work(stage: Stage) -> None:
        began = stage.clock()
        await stage.ask(CHAT)

        assert sorted(stage.upstreams.called[:2]) == ["a", "a2"]
        assert stage.clock() - began > 0.2, "the third attempt waits"
        record = stage.witness.records[-1]
        assert (record.retries, record.fallbacks) == (2, 0)
        assert " wait " in record.why
        assert stage.spent == PLAIN_COST, "failed attempts cost nothing"
        assert [f.kind for _, f in stage.witness.failures] == [
            FailureClass.UPSTREAM,
            FailureClass.CONNECTION,
        ]

    on(TWO, [error(503), refused_by_network(), plain()], work, policy=RouterPolicy(num_retries=2))


def test_a_retry_after_that_fits_is_waited_for():
    async def work(stage: Stage) -> None:
        began = stage.clock()
        await stage.ask(CHAT)
        assert 7.0 < stage.clock() - began < 7.2

    turns = [error(429, "slow down", "rate_limit_error", retry_after="7"), plain()]
    on(ONE, turns, work, policy=RouterPolicy(num_retries=1, request_timeout=60.0))


def test_retry_after_ms_is_the_more_exact_word():
    async def work(stage: Stage) -> None:
        began = stage.clock()
        await stage.ask(CHAT)
        assert 1.5 < stage.clock() - began < 1.7

    turns = [
        error(429, "slow", "rate_limit_error", retry_after="9", retry_after_ms="1500"),
        plain(),
    ]
    on(ONE, turns, work, policy=RouterPolicy(num_retries=1, request_timeout=60.0))


def test_what_the_caller_did_wrong_is_not_tried_again():
    async def work(stage: Stage) -> None:
        end = await give_up(stage)

        assert isinstance(end.error, Failure)
        assert (end.error.status, end.error.message) == (400, "max_tokens: too large")
        assert stage.spent == 0
        assert stage.witness.records[0].failure is FailureClass.BAD_REQUEST

    turns = [error(400, "max_tokens: too large", "invalid_request_error")]
    on(TIERS, turns, work, policy=RouterPolicy(num_retries=3, chains=general(cheap="balanced")))


def test_a_provider_that_hangs_is_left_in_time_for_the_next():
    async def work(stage: Stage) -> None:
        began = stage.clock()
        await stage.ask(CHAT)

        assert stage.clock() - began == pytest.approx(22.5, abs=0.1)
        assert stage.witness.failures[0][1].kind is FailureClass.TIMEOUT
        assert stage.witness.records[0].upstream_seconds == pytest.approx(22.5, abs=0.1)
        assert stage.witness.records[0].overhead_seconds == pytest.approx(0.0, abs=0.1)

    on(
        TIERS,
        [hangs(), plain(Dialect.OPENAI)],
        work,
        policy=policy(chains=general(cheap="balanced"), request_timeout=30.0),
    )


def test_the_last_timeout_is_a_408_without_a_wait_after_it():
    async def work(stage: Stage) -> None:
        began = stage.clock()
        end = await give_up(stage)

        assert (end.error.status, end.error.type) == (408, "timeout_error")
        assert stage.clock() - began == pytest.approx(30.0, abs=0.1)

    on(ONE, [hangs()], work, policy=policy(request_timeout=30.0))


def test_the_callers_own_limit_ends_the_request_and_blames_nobody():
    async def work(stage: Stage) -> None:
        end = await give_up(stage, headers={"x-litellm-timeout": "2"})

        assert end.error.kind is FailureClass.CALLER_TIMEOUT
        assert stage.cooldowns.marks == {}

    on(TIERS, [hangs()], work, policy=FALLS)


# ------------------------------------------------------------------ chains


def test_an_outage_falls_back_and_the_serving_models_price_is_charged():
    async def work(stage: Stage) -> None:
        await stage.ask(CHAT)

        record = stage.witness.records[0]
        assert (record.deployment.id, record.asked, record.fallbacks) == ("c", "cheap", 2)
        assert stage.served.fallbacks == 2
        assert record.why.endswith("frontier/c ok")
        assert stage.upstreams.called == ["a", "b", "c"]
        failed = [(deployment.id, failure.kind) for deployment, failure in record.failed]
        assert failed == [("a", FailureClass.UPSTREAM), ("b", FailureClass.CONNECTION)]
        assert 0.0 <= record.queue_seconds <= record.overhead_seconds

    on(TIERS, [error(529), refused_by_network(Fault.RESET), plain()], work, policy=FALLS)


def test_when_all_fail_the_first_aliass_error_is_told():
    async def work(stage: Stage) -> None:
        end = await give_up(stage)

        assert (end.error.status, end.error.message) == (503, "first")
        assert end.fallbacks == 2
        record = stage.witness.records[0]
        assert (record.outcome, record.status, record.message) == (Outcome.FAILURE, 503, "first")
        assert record.deployment.id == "c", "who failed last"
        assert [deployment.id for deployment, _ in record.failed] == ["a", "b", "c"]

    on(TIERS, [error(503, "first"), error(500), error(529)], work, policy=FALLS)


OVERFLOWS = policy(
    chains=Chains(general=chain(cheap="frontier"), context_window=chain(cheap="balanced frontier"))
)


def test_an_overflow_moves_up_its_own_chain_and_on():
    async def work(stage: Stage) -> None:
        await stage.ask(CHAT)

        assert stage.upstreams.called == ["a", "b", "c"]
        assert stage.cooldowns.marks == {}

    too_long = openai_wire.error_body(
        "invalid_request_error", "too long", "context_length_exceeded"
    )
    on(TIERS, [overflow(), json_turn(too_long, 400), plain()], work, policy=OVERFLOWS)


def test_an_overflow_without_a_chain_stays_an_overflow():
    async def work(stage: Stage) -> None:
        end = await give_up(stage)

        assert (end.error.status, end.error.kind) == (400, FailureClass.CONTEXT_WINDOW)
        assert "210000 tokens" in end.error.message

    on(TIERS, [overflow()], work, policy=FALLS)


# ------------------------------------------------------------------ refusals inside a 200

REFUSES = policy(
    chains=Chains(general=chain(cheap="balanced"), content_policy=chain(cheap="frontier"))
)
REFUSAL = plain(text="I cannot", stop="refusal")
REFUSED_STREAM = Turn(
    (b"".join(anthropic_wire.text_events("I cannot")).replace(b"end_turn", b"refusal"),)
)


def test_a_refusal_inside_a_200_follows_the_content_policy_chain_and_is_paid():
    async def work(stage: Stage) -> None:
        body = json.loads(await stage.ask(CHAT))

        assert body["content"][0]["text"] == "hello"
        assert stage.upstreams.called == ["a", "c"]
        assert stage.spent == 2 * PLAIN_COST
        assert stage.witness.records[0].fallbacks == 1
        assert stage.cooldowns.marks == {}

    on(TIERS, [REFUSAL, plain()], work, policy=REFUSES)


def test_a_rerouted_refusal_is_part_of_what_the_request_cost():
    """Sum of records = sum of cost headers = what the budgets show."""

    async def work(stage: Stage) -> None:
        await stage.ask(CHAT)
        assert stage.witness.records[0].cost == stage.cost == stage.spent

    on(TIERS, [REFUSAL, plain()], work, policy=REFUSES)


@pytest.mark.parametrize("turns", [[REFUSAL, error(500)], [REFUSAL, REFUSAL]])
def test_the_refusal_is_the_answer_when_nobody_else_serves(turns):
    async def work(stage: Stage) -> None:
        body = json.loads(await stage.ask(CHAT))

        assert body["stop_reason"] == "refusal"
        assert body["content"][0]["text"] == "I cannot"
        assert len(stage.witness.records) == 1
        assert stage.witness.records[0].outcome is Outcome.SUCCESS

    on(TIERS, turns, work, policy=REFUSES)


def test_a_refusal_without_a_chain_is_an_answer():
    async def work(stage: Stage) -> None:
        assert json.loads(await stage.ask(CHAT))["stop_reason"] == "refusal"

    on(TIERS, [REFUSAL], work, policy=FALLS)


def test_a_refusal_is_an_answer_when_the_request_wants_no_fallbacks():
    async def work(stage: Stage) -> None:
        body = await stage.ask({**CHAT, "disable_fallbacks": True})
        assert json.loads(body)["stop_reason"] == "refusal"

    on(TIERS, [REFUSAL], work, policy=REFUSES)


def test_a_refusal_after_an_outage_is_the_answer_for_the_outages_chain_holds_no_other():
    """A member of the general chain that declines starts no second chain: it has answered."""

    async def work(stage: Stage) -> None:
        body = json.loads(await stage.ask(CHAT))
        assert body["stop_reason"] == "refusal"
        assert stage.upstreams.called == ["a", "b"]

    turns = [error(503), plain(Dialect.OPENAI, "I cannot", stop="content_filter")]
    on(TIERS, turns, work, policy=REFUSES)


def test_a_refused_stream_is_rerouted_before_the_caller_sees_it():
    async def work(stage: Stage) -> None:
        got = await stage.ask(STREAM)

        assert streamed_text(got) == "hello"
        assert b"I cannot" not in got

    on(TIERS, [REFUSED_STREAM, stream()], work, policy=REFUSES)


@pytest.mark.parametrize(
    "turns",
    [
        [REFUSED_STREAM, error(500)],
        [
            error(503),
            Turn(
                (
                    b"".join(openai_wire.text_events("I cannot")).replace(
                        b'"stop"', b'"content_filter"'
                    ),
                )
            ),
        ],
    ],
)
def test_a_refused_stream_is_the_answer_when_nobody_else_serves(turns):
    async def work(stage: Stage) -> None:
        got = await stage.ask(STREAM)

        assert streamed_text(got) == "I cannot"
        assert got.count(b"event: message_stop") == 1
        assert b'"refusal"' in got

    on(TIERS, turns, work, policy=REFUSES)


# ------------------------------------------------------------------ streams that break


@pytest.mark.parametrize(
    ("turn", "billed"),
    [
        (Turn((START, Fault.RESET)), True),
        (Turn((START,)), True),
        (Turn((START, anthropic_wire.error_event())), False),
        (Turn((anthropic_wire.error_event(),)), False),
        (Turn((b"<html>not a stream</html>",)), False),
        (Turn((Fault.CLOSED_EARLY,)), False),
        (Turn(()), False),
    ],
    ids=["reset", "cut", "error event", "only an error", "html", "closed", "empty"],
)
def test_a_stream_that_fails_before_its_content_falls_back_unseen(turn, billed):
    async def work(stage: Stage) -> None:
        got = await stage.ask(STREAM)

        assert streamed_text(got) == "hello"
        assert got.count(b"message_start") == 2, "the event's name and type, once"
        assert stage.upstreams.called == ["a", "b"]
        assert stage.spent == PLAIN_COST + (START_COST if billed else 0)

    on(TIERS, [turn, stream(Dialect.OPENAI)], work, policy=FALLS)


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ((Fault.RESET,), FailureClass.CONNECTION),
        ((), FailureClass.CONNECTION),
        ((anthropic_wire.error_event(),), FailureClass.UPSTREAM),
        ((Hang(),), FailureClass.TIMEOUT),
    ],
    ids=["reset", "cut", "error event", "silence"],
)
def test_a_stream_that_fails_after_its_content_ends_in_an_error_never_in_success(rest, kind):
    async def work(stage: Stage) -> None:
        got = await stage.ask(STREAM)

        assert streamed_text(got) == "hel"
        assert b"message_stop" not in got
        last = [e for e in got.split(b"\n\n") if e][-1]
        assert last.startswith(b"event: error\n")
        record = stage.witness.records[0]
        assert (record.outcome, record.status, record.failure) == (Outcome.FAILURE, 200, kind)
        assert record.cost == stage.spent == 10 * 1000 + 5000, "what was used is charged"
        assert len(stage.upstreams.sent) == 1, "no second provider after the commit point"
        assert stage.witness.failures[0][1].kind is kind

    on(TIERS, [Turn((*HELLO, *rest))], work, policy=FALLS)


def test_an_openai_caller_gets_the_error_in_its_own_frame():
    async def work(stage: Stage) -> None:
        got = await stage.ask(STREAM, Dialect.OPENAI)

        assert b"[DONE]" not in got
        assert json.loads(got.split(b"data: ")[-1])["error"]["message"]

    on(TIERS, [Turn((*HELLO, Fault.RESET))], work, policy=FALLS)


def test_silence_is_measured_between_pieces():
    async def work(stage: Stage) -> None:
        began = stage.clock()
        got = await stage.ask(STREAM)
        assert got.endswith(b'data: {"type": "message_stop"}\n\n')
        assert stage.clock() - began == pytest.approx(27.0, abs=0.5)

    whole = anthropic_wire.text_events("hello")
    pieces = (*whole[:3], Pause(9.0), whole[3], Pause(9.0), whole[4], Pause(9.0), *whole[5:])
    on(ONE, [Turn(pieces)], work, policy=policy(stream_timeout=10.0))


def test_silence_ends_a_stream_not_before_its_limit_and_at_most_a_tenth_after():
    async def work(stage: Stage) -> None:
        began = stage.clock()
        got = await stage.ask(STREAM)
        assert b"event: error" in got
        assert 10.0 <= stage.clock() - began <= 11.5

    on(ONE, [Turn((*HELLO, Hang()))], work, policy=policy(stream_timeout=10.0))


def test_usage_that_was_never_told_is_charged_as_held():
    """What an abandoned OpenAI stream has cost is not known; that it is no more than held, is."""

    async def work(stage: Stage) -> None:
        await stage.ask({**STREAM, "model": "balanced"})
        assert stage.spent == 100 * 1000 + 100 * 5000

    pieces = (openai_wire.role_chunk(), openai_wire.text_chunk("hel"), Fault.RESET)
    on(TIERS, [Turn(pieces)], work)


# ------------------------------------------------------------------ budgets


def test_a_gateways_budget_ends_the_request_before_anybody_is_called():
    async def work(stage: Stage) -> None:
        end = await give_up(stage)

        assert isinstance(end.error, Refused)
        assert (end.error.status, end.error.code) == (429, "budget_exceeded")
        assert ("x-should-retry", "false") in end.error.headers
        assert dict(end.error.details)["scope"] == "gateway"
        assert stage.upstreams.sent == []
        assert stage.witness.records[0].outcome is Outcome.REFUSED

    on(TIERS, [], work, policy=FALLS, budgets=[budget(100)])


def test_an_aliass_budget_never_moves_the_call_to_another_alias():
    async def work(stage: Stage) -> None:
        end = await give_up(stage)

        assert end.error.code == "budget_exceeded"
        assert stage.upstreams.sent == []

    on(TIERS, [], work, policy=FALLS, budgets=[budget(100, ScopeKind.ALIAS, "cheap")])


def test_a_deployments_budget_lets_the_aliass_others_serve():
    async def work(stage: Stage) -> None:
        await stage.ask(CHAT)
        assert stage.upstreams.called == ["a2"]

    on(TWO, [plain()], work, budgets=[budget(100, ScopeKind.DEPLOYMENT, "a")])


def test_money_is_held_while_a_call_is_out_and_only_then():
    async def work(stage: Stage) -> None:
        task = asyncio.ensure_future(stage.ask(CHAT))
        await asyncio.sleep(1.0)
        standing = stage.accounts.rows()[0]
        assert (standing.held, standing.spent) == (100 * 1000 + 100 * 5000, 0)
        await task
        assert stage.spent == PLAIN_COST

    slow = Turn(plain().pieces, before=(Pause(5.0),))
    on(ONE, [slow], work)


def test_concurrent_calls_never_hold_more_than_the_budget():
    async def work(stage: Stage) -> None:
        found = await asyncio.gather(*(stage.ask(CHAT) for _ in range(3)), return_exceptions=True)
        assert [isinstance(one, GaveUp) for one in found].count(True) == 1

    slow = Turn(plain().pieces, before=(Pause(5.0),))
    on(ONE, [slow, slow], work, budgets=[budget(2 * 600_000)])


# ------------------------------------------------------------------ whatever else happens


def test_a_malformed_request_is_a_400_when_it_must_be_translated():
    async def work(stage: Stage) -> None:
        with pytest.raises(Refused) as caught:
            await stage.ask({**CHAT, "model": "balanced", "messages": [{"role": "alien"}]})
        assert caught.value.status == 400
        assert stage.witness.records[0].outcome is Outcome.REFUSED

    on(TIERS, [], work)


def test_what_a_dialect_cannot_say_goes_to_a_deployment_that_can():
    both = (served_by("vectors", "v1"), served_by("vectors", "v2", Dialect.OPENAI))

    async def work(stage: Stage) -> None:
        body: JsonObject = {"model": "vectors", "input": "x"}
        await stage.ask(body, Dialect.OPENAI, Operation.EMBEDDING)
        assert stage.upstreams.called == ["v2"]
        assert stage.witness.failures == [], "nothing was sent, so nothing failed"

    for first in (0.0, 0.99):
        answer = json_turn(openai_wire.embeddings([[0.5]]))
        on(both, [answer], work, dice=lambda first=first: first)


def test_a_fault_of_our_own_leaves_nothing_behind():
    """An exception that nobody foresaw still ends holds and counters, and is recorded."""

    async def work(stage: Stage) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        stage.codec.answer = broken  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError):
            await stage.ask(CHAT)
        (record,) = stage.witness.records
        assert (record.outcome, record.status) == (Outcome.FAILURE, 500)
        assert stage.spent == 0
        assert stage.cooldowns.marks == {}

    on(ONE, [plain()], work)


# ------------------------------------------------------------------ cancelled at every await

SCRIPTS: dict[str, tuple[JsonObject, list[Turn]]] = {
    "plain": (CHAT, [plain()]),
    "stream": (STREAM, [stream()]),
    "retry and fallback": (CHAT, [error(500), error(503), plain(Dialect.OPENAI)]),
    "early break": (
        STREAM,
        [
            Turn((START, Fault.RESET)),
            stream(),
        ],
    ),
    "late break": (STREAM, [Turn((*HELLO, Fault.RESET))]),
    "refusal": (CHAT, [REFUSAL, plain()]),
    "refused stream": (STREAM, [REFUSED_STREAM, stream()]),
    "timeout": (CHAT, [hangs(), hangs(), plain(Dialect.OPENAI)]),
    "all fail": (CHAT, [error(500), error(500), error(500), error(500), error(500), error(500)]),
}
CUT = RouterPolicy(
    num_retries=1,
    request_timeout=30.0,
    cooldown_time=60.0,
    chains=Chains(
        general=chain(cheap="balanced frontier"), content_policy=chain(cheap="frontier")
    ),
)


async def cut(body: JsonObject, turns: Sequence[Turn], at: int | None) -> tuple[Stage, int]:
    """Run a request that is cancelled at the await of that number; check what is left."""
    task: asyncio.Task[bytes] | None = None

    def strike() -> None:
        if task is not None:
            task.cancel()

    point = Checkpoint(at, strike)
    stage = Stage(TIERS, [*turns], policy=CUT, point=point)
    task = asyncio.ensure_future(stage.ask(body))
    cancelled = False
    try:
        await task
    except asyncio.CancelledError:
        cancelled = True
    except GaveUp:
        pass
    stage.check_nothing_is_left()
    assert len(stage.witness.records) == 1, "exactly one record a request"
    record = stage.witness.records[0]
    assert cancelled is (record.outcome is Outcome.CANCELLED)
    assert cancelled is (at is not None and at <= point.count)
    known = stage.cooldowns.marks
    assert all(mark.probe_until == 0 for mark in known.values()), "a probe's place is given back"
    return stage, point.count


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_caller_who_leaves_at_any_await_leaves_nothing_behind(name):
    body, turns = SCRIPTS[name]
    _, awaits = play(cut(body, turns, None))
    assert awaits >= 2

    for at in range(1, awaits + 1):
        play(cut(body, turns, at))


TURNS = st.sampled_from(
    [
        error(500),
        error(503),
        error(429, "slow", "rate_limit_error", retry_after="1"),
        error(400, "no", "invalid_request_error"),
        error(401, "no", "authentication_error"),
        overflow(),
        refused_by_network(),
        hangs(),
        Turn((START, Fault.RESET)),
        Turn((*HELLO, Fault.RESET)),
        Turn((*HELLO, Hang())),
        Turn((*HELLO, Pause(3.0), anthropic_wire.error_event())),
        Turn((b"<html>",)),
        Turn((b"{", Fault.CLOSED_EARLY)),
        Turn((Pause(2.0), Hang())),
        REFUSAL,
        REFUSED_STREAM,
        plain(),
        stream(),
        plain(Dialect.OPENAI),
        stream(Dialect.OPENAI),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(TURNS, min_size=6, max_size=6),
    st.booleans(),
    st.sampled_from(list(Dialect)),
    st.integers(0, 40),
)
def test_whatever_happens_nothing_is_left_behind(turns, streamed, dialect, at):
    """Any script, any dialect, cancelled anywhere (0: not at all)."""

    async def whole() -> None:
        task: asyncio.Task[bytes] | None = None

        def strike() -> None:
            if task is not None:
                task.cancel()

        point = Checkpoint(at or None, strike)
        stage = Stage(TIERS, turns, policy=CUT, point=point)
        task = asyncio.ensure_future(stage.ask(STREAM if streamed else CHAT, dialect))
        with contextlib.suppress(asyncio.CancelledError, GaveUp):
            await task
        stage.check_nothing_is_left()
        (record,) = stage.witness.records
        assert record.retries <= 1
        assert record.fallbacks <= 2
        assert len(stage.upstreams.sent) <= 6
        for _, failure in stage.witness.failures:
            assert "sk-secret" not in failure.message

    play(whole())
