"""One call to one deployment: every way it can end, and that nothing stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from support import anthropic_wire
from support.engine import (
    CHAT,
    STREAM,
    Hang,
    Pause,
    Piece,
    Stage,
    Turn,
    error,
    hangs,
    plain,
    refused_by_network,
    served_by,
)
from support.jumping import play
from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Operation, Usage
from tiergate.core.timing import Limits
from tiergate.pipeline.attempt import MAX_ANSWER_BYTES, Attempts, Open, Plain, unreachable
from tiergate.ports import Fault, TransportError

ONE = (served_by("cheap", "a"),)
HELLO = tuple(anthropic_wire.text_events("hello"))


def attempt(
    turns: Sequence[Turn],
    body: JsonObject = CHAT,
    seconds: float = 10.0,
    callers_own: bool = False,
    deployments=ONE,
    operation: Operation = Operation.CHAT,
) -> tuple[Plain | Open | Failure, Stage]:
    async def work() -> tuple[Plain | Open | Failure, Stage]:
        stage = Stage(deployments, turns)
        made = Attempts(stage.codec, stage.upstreams, stage.clock, lambda: 0.0)
        inbound, _ = stage.read(body, operation=operation)
        limits = Limits(stage.clock() + seconds, 5.0, callers_own)
        outcome = await made.make(inbound, deployments[0], limits)
        for exchange in stage.upstreams.exchanges:
            assert exchange.over is not isinstance(outcome, Open)
        return outcome, stage

    return play(work())


def failure(*args, **more) -> Failure:
    outcome, _ = attempt(*args, **more)
    assert isinstance(outcome, Failure)
    return outcome


def test_a_plain_answer():
    outcome, _ = attempt([Turn(plain().pieces, headers={"request-id": "r"})])

    assert isinstance(outcome, Plain)
    assert outcome.answer.usage.output == 5
    assert outcome.headers == [(b"request-id", b"r")]
    assert outcome.losses == ()


def test_a_stream_is_handed_over_at_its_first_content_with_all_before_it():
    outcome, stage = attempt([Turn(HELLO)], STREAM)

    assert isinstance(outcome, Open)
    assert outcome.held == b"".join(HELLO[:4]).replace(b"upstream-a", b"cheap")
    assert not stage.upstreams.exchanges[0].finished
    assert "message_start" not in repr(outcome), "answers do not get into logs by repr"


@pytest.mark.parametrize(
    ("turn", "kind", "status"),
    [
        (error(401, "bad key", "authentication_error"), FailureClass.CREDENTIALS, 401),
        (error(404, "no model", "not_found_error"), FailureClass.NOT_FOUND, 404),
        (error(429, "slow", "rate_limit_error"), FailureClass.RATE_LIMIT, 429),
        (error(529, "busy", "overloaded_error"), FailureClass.UPSTREAM, 529),
        (error(400, "prompt is too long: 9 tokens > 8 maximum"), FailureClass.CONTEXT_WINDOW, 400),
        (Turn((b"moved",), 302), FailureClass.UPSTREAM, None),
        (Turn((b"{not json",)), FailureClass.UPSTREAM, 502),
        (Turn((b"",)), FailureClass.UPSTREAM, 502),
        (Turn((b'{"id":"x"}',)), FailureClass.UPSTREAM, 502),
        (Turn((b'{"error":{"type":"overloaded_error","message":"busy"}}',)),
         FailureClass.UPSTREAM, 529),
        (Turn((b'{"content":', Fault.CLOSED_EARLY)), FailureClass.CONNECTION, 502),
    ],
)  # fmt: skip
def test_each_bad_answer_is_a_failure_of_its_class(turn, kind, status):
    found = failure([turn])

    assert found.kind is kind
    assert status is None or found.status == status


def test_an_error_whose_body_breaks_off_keeps_its_status():
    found = failure([Turn((b'{"error"', Fault.RESET), 503)])
    assert (found.kind, found.status) == (FailureClass.UPSTREAM, 503)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:30 GMT"}, 30.0),
        ({}, None),
    ],
)
def test_how_long_the_provider_asks_to_wait(headers, seconds):
    assert failure([Turn((b"",), 429, headers)]).retry_after == seconds


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_of_the_network_is_told_without_an_address(fault):
    found = failure([refused_by_network(fault)])

    assert (found.kind, found.status, found.code) == (FailureClass.CONNECTION, 502, fault.value)
    assert found.message.startswith("The provider ")
    assert "upstream.invalid" not in found.message
    assert unreachable(TransportError(fault, "host:1")).message == found.message


@pytest.mark.parametrize(
    ("body", "pieces"),
    [
        (CHAT, (Hang(),)),
        (CHAT, (b"{", Pause(11.0), b"}")),
        (STREAM, (Hang(),)),
        (STREAM, (HELLO[0], Pause(6.0), HELLO[2], Pause(6.0), HELLO[3])),
    ],
)
@pytest.mark.parametrize("callers_own", [True, False])
def test_time_is_up(body: JsonObject, pieces: tuple[Piece, ...], callers_own: bool):
    found = failure([Turn(pieces)], body, callers_own=callers_own)

    kind = FailureClass.CALLER_TIMEOUT if callers_own else FailureClass.TIMEOUT
    assert (found.kind, found.status, found.type) == (kind, 408, "timeout_error")


def test_no_answer_at_all_in_time():
    assert failure([hangs()]).kind is FailureClass.TIMEOUT


def test_pings_are_no_content():
    found = failure([Turn((HELLO[0], anthropic_wire.ping(), Hang()))], STREAM)
    assert found.kind is FailureClass.TIMEOUT


def test_an_answer_without_end_is_not_read_for_ever():
    piece = b" " * (MAX_ANSWER_BYTES // 4)
    found = failure([Turn((piece,) * 5)])
    assert (found.kind, found.code) == (FailureClass.CONNECTION, "too-large")


def test_what_the_dialect_cannot_say_is_never_sent():
    outcome, stage = attempt(
        [],
        {**CHAT, "model": "balanced"},
        deployments=(served_by("balanced", "b", Dialect.OPENAI),),
        operation=Operation.COUNT_TOKENS,
    )

    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.status) == (FailureClass.UNTRANSLATABLE, 400)
    assert stage.upstreams.sent == []


def test_losses_travel_with_the_answer():
    body = {**CHAT, "model": "balanced", "top_k": 5}
    both = (served_by("balanced", "b", Dialect.OPENAI),)
    outcome, _ = attempt([plain(Dialect.OPENAI)], body, deployments=both)

    assert isinstance(outcome, Plain)
    assert outcome.losses == ("top_k",)


def test_a_request_that_is_wrong_in_its_own_dialect_is_refused():
    body = {**CHAT, "model": "balanced", "messages": [{"role": "user", "content": 5}]}
    with pytest.raises(Refused) as caught:
        attempt([], body, deployments=(served_by("balanced", "b", Dialect.OPENAI),))
    assert caught.value.status == 400


@pytest.mark.parametrize("turn", [hangs(), Turn((Hang(),)), Turn((b"", Hang()), 500)])
def test_a_caller_who_leaves_closes_the_connection(turn):
    async def work() -> None:
        stage = Stage(ONE, [turn])
        made = Attempts(stage.codec, stage.upstreams, stage.clock, lambda: 0.0)
        inbound, _ = stage.read(CHAT)
        task = asyncio.ensure_future(
            made.make(inbound, ONE[0], Limits(stage.clock() + 99.0, None, False))
        )
        await asyncio.sleep(1.0)
        if not task.done():
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert all(exchange.over for exchange in stage.upstreams.exchanges)

    play(work())


class Meter:
    """Counts a call by where it ended."""

    def of_answer(self, inbound, deployment, answer) -> Usage:
        return Usage(1, answer.usage.output, estimated=True)

    def of_stream(self, inbound, deployment, reader) -> Usage:
        return Usage(2, reader.said_pieces, estimated=True)

    def of_prompt(self, inbound, deployment) -> Usage:
        return Usage(3, 0, estimated=True)


def metered(turn: Turn, body: JsonObject) -> Plain | Open | Failure:
    async def work() -> Plain | Open | Failure:
        stage = Stage(ONE, [turn])
        made = Attempts(stage.codec, stage.upstreams, stage.clock, lambda: 0.0, Meter())
        inbound, _ = stage.read(body)
        return await made.make(inbound, ONE[0], Limits(stage.clock() + 9.0, None, False))

    return play(work())


def test_the_meter_says_what_a_plain_answer_has_used():
    outcome = metered(Turn(plain().pieces), CHAT)

    assert isinstance(outcome, Plain)
    assert outcome.usage == outcome.answer.usage == Usage(1, 5, estimated=True)


def test_the_meter_says_what_a_stream_has_used_so_far():
    outcome = metered(Turn(HELLO), STREAM)

    assert isinstance(outcome, Open)
    before = outcome.usage
    outcome.reader.feed(HELLO[4])
    assert (before, outcome.usage) == (
        Usage(2, 1, estimated=True),
        Usage(2, outcome.reader.said_pieces, estimated=True),
    )


def test_without_a_meter_the_provider_s_word_is_all_there_is():
    outcome, _ = attempt([Turn(HELLO)], STREAM)

    assert isinstance(outcome, Open)
    assert outcome.usage is outcome.reader.usage
