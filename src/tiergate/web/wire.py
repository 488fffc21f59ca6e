"""Errors as OpenAI or Anthropic clients expect them: body, status, headers.

What went wrong was decided before; here it only gets the caller's shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import msgspec

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect

JSON_TYPE = ("content-type", "application/json")

# Anthropic's documented types by status: docs "API errors".
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    431: "request_too_large",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    429: "rate_limit_error",
    504: "timeout_error",
}
_SERVER_ERROR = 500
_LONGEST_RETRY_AFTER = 86_400.0


@dataclass(frozen=True, slots=True)
class WireError:
    """An error answer ready to be sent."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def anthropic_type(status: int) -> str:
    """Return Anthropic's error type for a status."""
    known = _ANTHROPIC_TYPES.get(status)
    if known is not None:
        return known
    return "api_error" if status >= _SERVER_ERROR else "invalid_request_error"


def openai_type(status: int) -> str:
    """Return OpenAI's error type for a status."""
    known = _OPENAI_TYPES.get(status)
    if known is not None:
        return known
    return "server_error" if status >= _SERVER_ERROR else "invalid_request_error"


def of_refused(refused: Refused, dialect: Dialect, call_id: str) -> WireError:
    """Shape an error of the gateway itself."""
    details: JsonObject = dict(refused.details)
    if dialect is Dialect.ANTHROPIC:
        kind = refused.anthropic_type or anthropic_type(refused.status)
        error: JsonObject = {"type": kind, "message": refused.message, **details}
        if refused.code is not None:
            error["code"] = refused.code
        body: JsonObject = {"type": "error", "error": error, "request_id": call_id}
    else:
        kind = refused.type
        if kind == "invalid_request_error":
            kind = openai_type(refused.status)
        error = {
            "message": refused.message,
            "type": kind,
            "param": refused.param,
            "code": refused.code,
            **details,
        }
        body = {"error": error}
    return WireError(refused.status, msgspec.json.encode(body), refused.headers)


def of_failure(failure: Failure, dialect: Dialect, call_id: str) -> WireError:
    """Shape a provider's failure: its status, type and sentence are kept.

    Where the provider speaks the caller's dialect, further members of its error object go on.
    """
    error = _provider_error(failure, dialect)
    error["message"] = failure.message
    if dialect is Dialect.ANTHROPIC:
        own = failure.type if failure.dialect is Dialect.ANTHROPIC else None
        error["type"] = own or anthropic_type(failure.status)
        body: JsonObject = {"type": "error", "error": error, "request_id": call_id}
    else:
        error["type"] = _failure_type(failure)
        error.setdefault("param", failure.param)
        error["code"] = _failure_code(failure)
        body = {"error": error}
    return WireError(failure.status, msgspec.json.encode(body))


def _failure_type(failure: Failure) -> str:
    if failure.kind in (FailureClass.TIMEOUT, FailureClass.CALLER_TIMEOUT):
        return "timeout_error"
    return failure.type or openai_type(failure.status)


def _failure_code(failure: Failure) -> str | None:
    """Give the code that agents look for; the provider's own one else."""
    match failure.kind:
        case FailureClass.CONTEXT_WINDOW:
            return "context_length_exceeded"
        case FailureClass.CONTENT_POLICY:
            return failure.code or "content_policy_violation"
        case _:
            return failure.code


def _provider_error(failure: Failure, dialect: Dialect) -> JsonObject:
    """Return the provider's error object, if it speaks the caller's dialect."""
    if failure.body is None or failure.dialect is not dialect:
        return {}
    try:
        body: object = msgspec.json.decode(failure.body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    error: object = cast("dict[str, Json]", body).get("error") if isinstance(body, dict) else None
    return dict(cast("JsonObject", error)) if isinstance(error, dict) else {}


def retry_headers(seconds: float | None) -> tuple[tuple[str, str], ...]:
    """Return `retry-after` in whole seconds, rounded up, at least 1, at most a day.

    Beside it `retry-after-ms`, which the official SDKs prefer, where a provider was more exact.
    """
    if seconds is None:
        return ()
    seconds = min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
    whole = max(1, -int(-seconds // 1))
    if seconds == whole or not seconds:
        return (("retry-after", str(whole)),)
    return (("retry-after", str(whole)), ("retry-after-ms", str(int(seconds * 1000))))
