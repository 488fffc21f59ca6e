"""Decides how a call is answered: which step its rule plays, and what that step puts on the wire.

Everything here is a pure function of the request, the rules and how often they have been played.
`tiergate.mock.server` carries out the actions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias, assert_never

import msgspec

from tiergate.base.jsontypes import JsonObject
from tiergate.mock import anthropic, openai
from tiergate.mock.answer import Answer, compose, make_id
from tiergate.mock.call import Call, Dialect
from tiergate.mock.magic import step_asked_for
from tiergate.mock.prompt_cache import CacheUse
from tiergate.mock.rules import (
    Cut,
    Endpoint,
    Fail,
    Hang,
    Overflow,
    Refuse,
    Reply,
    Rule,
    Slow,
    Step,
    StreamFail,
)

RATE_LIMITED = 429
DEFAULT_MODELS = ("mock-small", "mock-large")

_PROMPTED = frozenset(
    {Endpoint.MESSAGES, Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS}
)
_STREAMED = frozenset({Endpoint.MESSAGES, Endpoint.CHAT, Endpoint.COMPLETIONS})


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Respond:
    """Send a whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Open:
    """Send status and headers of a stream."""

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Send:
    """Send one event of an open stream."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop the connection, whatever has been sent."""


Action: TypeAlias = Pause | Respond | Open | Send | Drop
"""What the server does next."""


def rule_for(call: Call, rules: Sequence[Rule]) -> int | None:
    """Index of the first rule that matches, or `None`."""
    for index, rule in enumerate(rules):
        fits = (
            call.endpoint in _PROMPTED if rule.endpoint is None else call.endpoint is rule.endpoint
        )
        if fits and fnmatchcase(call.model, rule.model):
            return index
    return None


def step_for(call: Call, rule: Rule | None, played: int) -> Step:
    """The step to play for a call.

    Args:
        call: the request.
        rule: the rule that matches it, if any. It wins over short words in the request.
        played: how many calls have matched this rule before.
    """
    if rule is not None:
        return rule.steps[min(played, len(rule.steps) - 1)]
    if call.endpoint is Endpoint.MODELS:
        return Reply()
    return step_asked_for(call.model, call.question) or Reply()


def play(
    call: Call,
    step: Step,
    cache: CacheUse | None = None,
    models: Sequence[str] = DEFAULT_MODELS,
) -> tuple[Action, ...]:
    """What a step puts on the wire for a call.

    Args:
        call: the request.
        step: from `step_for`.
        cache: what the prompt cache reads and writes for it.
        models: names for the models route.
    """
    scene = _Scene(call, cache or CacheUse(), tuple(models))
    match step:
        case Reply():
            return scene.replied(step)
        case Slow():
            return scene.replied(step.reply, step.first_seconds, step.per_event_seconds)
        case Fail():
            return (scene.failed(step),)
        case Overflow():
            return (scene.failed(scene.overflow),)
        case Refuse():
            return (scene.failed(scene.refusal),)
        case Hang():
            return (*scene.broken(step.after_events), Pause(step.seconds), Drop())
        case Cut():
            return (*scene.broken(step.after_events), Drop())
        case StreamFail():
            return scene.failed_in_stream(step)
        case _:
            assert_never(step)


def failure(dialect: Dialect, call_id: str, now: int, fail: Fail) -> Respond:
    """An error answer; also for requests that are too wrong to be a `Call`.

    Args:
        dialect: whose error shape.
        call_id: for the request id header.
        now: seconds since 1970 (UTC).
        fail: the error.
    """
    body = _error_body(dialect, call_id, fail)
    exhausted = fail.status == RATE_LIMITED
    headers = _headers(dialect, call_id, now, exhausted=exhausted)
    if exhausted:
        headers["retry-after"] = "1"
    headers.update({name.lower(): value for name, value in fail.headers.items()})
    return Respond(fail.status, headers, msgspec.json.encode(body))


def call_id_of(dialect: Dialect, number: int) -> str:
    """The request id that the provider's header carries, for the request of that number."""
    prefix = "req_01" if dialect is Dialect.ANTHROPIC else "req_"
    return make_id(prefix, number, length=32)


@dataclass(frozen=True, slots=True)
class _Scene:
    """One call, with all that its answer depends on."""

    call: Call
    cache: CacheUse
    models: tuple[str, ...]

    @property
    def call_id(self) -> str:
        return call_id_of(self.call.dialect, self.call.number)

    @property
    def overflow(self) -> Fail:
        if self.call.dialect is Dialect.ANTHROPIC:
            return anthropic.overflow(self.call)
        return openai.overflow(self.call)

    @property
    def refusal(self) -> Fail:
        return anthropic.refusal() if self.call.dialect is Dialect.ANTHROPIC else openai.refusal()

    @property
    def streams(self) -> bool:
        return self.call.stream and self.call.endpoint in _STREAMED

    def headers(self, reply: Reply, content_type: str) -> dict[str, str]:
        headers = _headers(self.call.dialect, self.call_id, self.call.now, exhausted=False)
        headers["content-type"] = content_type
        headers.update({name.lower(): value for name, value in reply.headers.items()})
        return headers

    def replied(
        self, reply: Reply, first: float = 0.0, between: float = 0.0
    ) -> tuple[Action, ...]:
        start = (Pause(first),) if first else ()
        if not self.streams:
            body = msgspec.json.encode(self.body(reply))
            return (*start, Respond(200, self.headers(reply, "application/json"), body))
        out: list[Action] = [self.opened(reply), *start]
        for index, data in enumerate(self.events(reply)):
            if between and index:
                out.append(Pause(between))
            out.append(Send(data))
        return tuple(out)

    def opened(self, reply: Reply) -> Open:
        headers = self.headers(reply, "text/event-stream; charset=utf-8")
        headers["cache-control"] = "no-cache"
        return Open(headers)

    def failed(self, fail: Fail) -> Respond:
        return failure(self.call.dialect, self.call_id, self.call.now, fail)

    def broken(self, after_events: int) -> tuple[Action, ...]:
        """The beginning of a stream that will not end well; nothing at all for a plain answer."""
        if not self.streams or after_events < 1:
            return ()
        return self.begun(Reply(), after_events)

    def begun(self, reply: Reply, after_events: int) -> tuple[Action, ...]:
        events = self.events(reply)
        sent = events[: min(after_events, len(events) - 1)]
        return (self.opened(reply), *(Send(data) for data in sent))

    def failed_in_stream(self, step: StreamFail) -> tuple[Action, ...]:
        is_anthropic = self.call.dialect is Dialect.ANTHROPIC
        fail = step.error or (anthropic.STREAM_ERROR if is_anthropic else openai.STREAM_ERROR)
        if not self.streams:
            return (self.failed(fail),)
        body = _error_body(self.call.dialect, self.call_id, fail)
        data = anthropic.event(body) if is_anthropic else openai.event(body)
        return (*self.begun(step.reply, step.after_events), Send(data))

    def answer(self, reply: Reply) -> Answer:
        return compose(self.call, reply, self.cache)

    def body(self, reply: Reply) -> JsonObject:
        call = self.call
        match call.endpoint:
            case Endpoint.MESSAGES:
                return anthropic.message(call, self.answer(reply))
            case Endpoint.COUNT_TOKENS:
                return anthropic.token_count(call)
            case Endpoint.CHAT:
                return openai.completion(call, self.answer(reply))
            case Endpoint.COMPLETIONS:
                return openai.text_completion(call, self.answer(reply))
            case Endpoint.EMBEDDINGS:
                return openai.embeddings(call)
            case Endpoint.MODELS:
                return self.model_list()
            case _:
                assert_never(call.endpoint)

    def model_list(self) -> JsonObject:
        writer = anthropic if self.call.dialect is Dialect.ANTHROPIC else openai
        if self.call.model:
            return writer.model(self.call.model)
        return writer.model_list(self.models)

    def events(self, reply: Reply) -> list[bytes]:
        answer = self.answer(reply)
        match self.call.endpoint:
            case Endpoint.MESSAGES:
                return anthropic.events(self.call, answer)
            case Endpoint.CHAT:
                return openai.chunks(self.call, answer)
            case _:
                return openai.text_chunks(self.call, answer)


def _error_body(dialect: Dialect, call_id: str, fail: Fail) -> JsonObject:
    return anthropic.error(call_id, fail) if dialect is Dialect.ANTHROPIC else openai.error(fail)


def _headers(dialect: Dialect, call_id: str, now: int, *, exhausted: bool) -> dict[str, str]:
    if dialect is Dialect.ANTHROPIC:
        headers = anthropic.headers(call_id, now, exhausted=exhausted)
    else:
        headers = openai.headers(call_id, exhausted=exhausted)
    headers["content-type"] = "application/json"
    return headers
