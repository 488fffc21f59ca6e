"""Makes what a Python logger written for LiteLLM expects: `kwargs`, the answer, two instants.

It is made in the logger's own thread. Whatever such a class does to these values, nothing else
sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

import msgspec

from tiergate.base.values import Dialect, Operation
from tiergate.core.record import CallRecord, Outcome
from tiergate.custom import values
from tiergate.telemetry.payload import call_type, error_class, payload, trace_of
from tiergate.telemetry.words import Words

_DECODER: Final[msgspec.json.Decoder[object]] = msgspec.json.Decoder(Any)
_ROUTES: Final = {
    Operation.CHAT: "/v1/chat/completions",
    Operation.COMPLETION: "/v1/completions",
    Operation.EMBEDDING: "/v1/embeddings",
    Operation.COUNT_TOKENS: "/v1/messages/count_tokens",
}


class Attributes(values.Record):
    """A mapping whose entries are attributes too, with all of pydantic's names for its form."""

    def model_dump_json(self) -> str:
        """Return it as JSON text, as pydantic's method of that name."""
        return msgspec.json.encode(self).decode()

    dict = values.Record.model_dump
    json = model_dump_json


def attributes(value: object) -> object:
    """Return a JSON value whose mappings are `Attributes`."""
    return values.record(value, Attributes)


class CallError(Exception):
    """What a logger is given as the exception of a failed call.

    Attributes:
        status_code: HTTP status that the caller got.
        message: What the caller was told.
        llm_provider: Who failed last, if anybody was called.
        model: Its model.
        type: LiteLLM's name of such an error.
    """

    def __init__(self, record: CallRecord) -> None:
        deployment = record.deployment
        self.status_code = record.status
        self.message = record.message or f"{record.outcome.value}, status {record.status}"
        self.llm_provider = deployment.provider if deployment is not None else ""
        self.model = deployment.model if deployment is not None else record.asked
        self.type = error_class(record) or ""
        super().__init__(self.message)


@dataclass(slots=True)
class Occurrence:
    """One call as a logger sees it.

    Attributes:
        good: It was served as it should be.
        fell_back: Another alias than the asked one was tried.
        asked: The alias asked.
        kwargs: LiteLLM's `model_call_details`.
        response: The answer, as `Attributes`; None where there is none.
        start: When it arrived, local time without a zone, as in LiteLLM.
        end: When it was over.
        error: What went wrong, for a call that is not good.
        request: The request's body, as far as it may be shown.
        caller: LiteLLM's `user_api_key_dict`.
    """

    good: bool
    fell_back: bool
    asked: str
    kwargs: dict[str, object] = field(repr=False)
    response: object = field(repr=False)
    start: datetime
    end: datetime
    error: CallError | None
    request: dict[str, object] = field(repr=False)
    caller: Attributes = field(repr=False)


def occurrence(record: CallRecord, words: Words, *, nameless: bool) -> Occurrence:
    """Return a call as a logger sees it.

    Args:
        record: Of the call.
        words: What was said; nothing where it may not be shown.
        nameless: Leave out whose key, user and team it was.
    """
    known = msgspec.json.decode(
        msgspec.json.encode(payload(record, words, nameless=nameless)), type=dict[str, object]
    )
    start = datetime.fromtimestamp(record.wall)  # noqa: DTZ006 - LiteLLM's loggers get local time
    end = datetime.fromtimestamp(record.wall + record.seconds)  # noqa: DTZ006 - as above
    good = record.outcome is Outcome.SUCCESS
    error = None if good else CallError(record)
    response = _response(record, known)
    known["response"] = response
    request = _request(record, known)
    return Occurrence(
        good=good,
        fell_back=record.fallbacks > 0,
        asked=record.asked,
        kwargs=_kwargs(record, known, request, (start, end), error),
        response=response if good else None,
        start=start,
        end=end,
        error=error,
        request=request,
        caller=_caller(record, nameless=nameless),
    )


def _response(record: CallRecord, known: dict[str, object]) -> object:
    """Return the answer; without its words, what is known of it."""
    if known["response"] is not None:
        return attributes(known["response"])
    if record.usage is None:
        return None
    usage = Attributes(
        prompt_tokens=known["prompt_tokens"],
        completion_tokens=known["completion_tokens"],
        total_tokens=known["total_tokens"],
    )
    return Attributes(id=record.call_id, model=known["model"], choices=[], usage=usage)


def _request(record: CallRecord, known: dict[str, object]) -> dict[str, object]:
    body: dict[str, object] = {"model": record.asked, "stream": record.stream}
    body |= cast("dict[str, object]", known["model_parameters"])
    if known["messages"] is not None:
        name = "messages" if record.operation is Operation.CHAT else "input"
        body["prompt" if record.operation is Operation.COMPLETION else name] = known["messages"]
    metadata = cast("dict[str, object]", known["metadata"])["requester_metadata"]
    return {**body, "metadata": metadata, "litellm_call_id": record.call_id}


def _kwargs(
    record: CallRecord,
    known: dict[str, object],
    request: dict[str, object],
    times: tuple[datetime, datetime],
    error: CallError | None,
) -> dict[str, object]:
    nothing: list[object] = []
    messages = nothing if known["messages"] is None else known["messages"]
    anthropic = record.dialect is Dialect.ANTHROPIC and record.operation is Operation.CHAT
    metadata = {
        **cast("dict[str, object]", known["metadata"]),
        "model_group": record.asked,
        "tags": known["request_tags"],
    }
    details: dict[str, object] = {
        "model": known["model"] or record.asked,
        "messages": messages,
        "input": messages,
        "stream": record.stream,
        "user": record.user,
        "call_type": call_type(record),
        "litellm_call_id": record.call_id,
        "litellm_trace_id": trace_of(record),
        "custom_llm_provider": known["custom_llm_provider"],
        "api_base": known["api_base"],
        "response_cost": known["response_cost"],
        "cache_hit": known["cache_hit"],
        "start_time": times[0],
        "end_time": times[1],
        "log_event_type": "failed_api_call" if error is not None else "successful_api_call",
        "optional_params": known["model_parameters"],
        "litellm_params": {
            "metadata": metadata,
            "litellm_metadata": metadata,
            "api_base": known["api_base"],
            "model_info": {"id": known["model_id"]},
            "proxy_server_request": {
                "url": "/v1/messages" if anthropic else _ROUTES[record.operation],
                "method": "POST",
                "headers": {},
                "body": request,
            },
        },
        "additional_args": {},
        "standard_logging_object": known,
    }
    if error is not None:
        details["exception"] = error
        details["traceback_exception"] = ""
    return details


def _caller(record: CallRecord, *, nameless: bool) -> Attributes:
    caller = record.caller
    return Attributes(
        api_key=None if nameless else caller.key or None,
        token=None if nameless else caller.key or None,
        key_alias=None if nameless else caller.name,
        key_name=None if nameless else caller.name,
        user_id=None if nameless else caller.user or None,
        team_id=None if nameless else caller.team or None,
        end_user_id=record.user,
        metadata={} if nameless else dict(caller.metadata),
        request_route=None,
    )
