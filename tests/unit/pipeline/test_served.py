"""A request that is being served: its record, and what it knows of refusals."""

from __future__ import annotations

import pytest

from support.attempts import deployment, failure
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation, Usage
from tiergate.core.plan import Wish
from tiergate.core.record import Outcome
from tiergate.core.tags import RequestTags
from tiergate.core.timing import Limits
from tiergate.pipeline.attempt import Open, Plain
from tiergate.pipeline.served import Served
from tiergate.ports import Answered, Inbound
from tiergate.providers.anthropic import AnthropicPassthrough
from tiergate.wire.members import Members


def served(outcome: Plain | Open | None = None) -> Served:
    inbound = Inbound(
        call_id="call-1",
        received=100.0,
        wall=1_790_000_000.0,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="gpt-4",
        alias=AliasName("cheap"),
        stream=True,
        include_usage=False,
        members=Members.read(b"{}"),
        tags=("x",),
    )
    return Served(
        inbound=inbound,
        deployment=deployment("balanced", "b"),
        outcome=outcome or Plain(Answered(b"secret answer", None), []),
        wish=Wish(alias=AliasName("cheap"), tags=RequestTags(tags=("x",))),
        limits=Limits(1e9, None, False),
        hold=None,
        begun=101.0,
        first=101.5,
        upstream_seconds=1.25,
    )


def test_the_record_says_what_was_asked_and_who_served():
    one = served()
    one.settle_course(1, 2, "the trail")

    record = one.record(103.0, Outcome.SUCCESS, Usage(1, 2), NanoUsd(5), None)

    assert (record.call_id, record.asked, record.deployment.id) == ("call-1", "cheap", "b")
    assert (record.outcome, record.status, record.cost) == (Outcome.SUCCESS, 200, 5)
    assert (record.retries, record.fallbacks, record.why) == (1, 2, "the trail")
    assert (record.seconds, record.first_seconds) == (3.0, 0.5)
    assert (record.upstream_seconds, record.overhead_seconds) == (1.25, 0.25)
    assert (record.stream, record.tags, record.failure) == (True, ("x",), None)


def test_the_record_of_a_break_says_why():
    record = served().record(103.0, Outcome.FAILURE, None, None, failure("cut"))
    assert (record.failure.value, record.message) == ("connection", "cut happened")


def test_overhead_is_never_below_nothing():
    one = served()
    one.upstream_seconds = 99.0
    assert one.record(103.0, Outcome.SUCCESS, None, None, None).overhead_seconds == 0.0


@pytest.mark.parametrize("refused", [True, False])
def test_a_refusal_is_seen_in_answers_and_streams(refused):
    reader = AnthropicPassthrough("cheap", error_frame=lambda failure: b"")
    reader.refused = refused

    assert served(Plain(Answered(b"", None, refused), [])).refused is refused
    assert served(Open(None, reader, b"")).refused is refused


def test_an_answer_does_not_get_into_a_log_by_its_repr():
    assert "secret answer" not in repr(served())
