"""Calls as sinks are told of them: with words, attempts and the caller's trace."""

from __future__ import annotations

import json
from dataclasses import replace

from support.attempts import deployment
from support.records import SERVED
from tiergate.base.errors import FailureClass
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import AliasName, DeploymentId, Dialect
from tiergate.core.caller import Caller
from tiergate.core.record import CallRecord
from tiergate.core.telling import Telling
from tiergate.core.trail import Tried

DEP_A = deployment("cheap", "dep-a")
DEP_B = deployment("balanced", "dep-b", provider="openai")
CALLER = Caller(name="ci", key="hash-of-key", user="u-1", team="blue")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

ASKED: JsonObject = {
    "model": "cheap",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is two and two?"},
    ],
    "temperature": 0.5,
    "metadata": {"trace_name": "sums", "colour": "blue"},
}
ANSWER: JsonObject = {
    "id": "chatcmpl-1",
    "model": "cheap",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}
    ],
    "usage": {"prompt_tokens": 37, "completion_tokens": 5, "total_tokens": 42},
}
TRAIL = (
    Tried(
        AliasName("cheap"), DeploymentId("dep-a"), 1, 0, FailureClass.UPSTREAM, 503, 0.5, (), 100.1
    ),
    Tried(AliasName("balanced"), DeploymentId("dep-b"), 1, 1, None, 200, 1.0, (), 100.7),
)


def telling(asked: JsonObject | None = ASKED, answer: JsonObject | None = ANSWER) -> Telling:
    """What a call with these words leaves."""
    made = Telling(100.0, asked="cheap", trail=TRAIL)
    made.request = None if asked is None else json.dumps(asked).encode()
    if answer is not None:
        made.keep(json.dumps(answer).encode())
    return made


def told(made: Telling | None = None, **values: object) -> CallRecord:
    """A record with its telling."""
    record = replace(SERVED, caller=CALLER, telling=made or telling())
    for name, value in values.items():
        setattr(record, name, value)
    return record


def no_fold(record: CallRecord, events: bytes) -> bytes | None:
    """There are no streams."""
    raise AssertionError("nothing is to be put together")


OF_ANTHROPIC: JsonObject = {
    "model": "cheap",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [{"role": "user", "content": "Hello"}],
    "metadata": {"user_id": "u-9"},
}
ANSWER_OF_ANTHROPIC: JsonObject = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi."}],
    "stop_reason": "end_turn",
}


def told_by_anthropic() -> CallRecord:
    """A record of Anthropic's dialect."""
    return told(telling(OF_ANTHROPIC, ANSWER_OF_ANTHROPIC), dialect=Dialect.ANTHROPIC)
