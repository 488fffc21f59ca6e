"""The words of the Messages API for why an answer ended: stop reasons and error types."""

from __future__ import annotations

from typing import Final

from tiergate.base.chat import Stop
from tiergate.base.errors import Failure
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect

_READ: Final = {
    "end_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "stop_sequence": Stop.SEQUENCE,
    "tool_use": Stop.TOOLS,
    "refusal": Stop.REFUSED,
    "pause_turn": Stop.PAUSE,
    "model_context_window_exceeded": Stop.CONTEXT,
}
_WRITTEN: Final = {stop: word for word, stop in _READ.items()} | {Stop.OTHER: "end_turn"}

# platform.claude.com, "Errors".
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_KNOWN_TYPES: Final = frozenset(_TYPES.values())


def stop_from(word: str | None) -> Stop:
    """Return what a `stop_reason` means; a new word, or none, is `Stop.OTHER`."""
    return _READ.get(word or "", Stop.OTHER)


def stop_to(stop: Stop) -> str:
    """Return the `stop_reason` for a stop."""
    return _WRITTEN[stop]


def error_type(status: int) -> str:
    """Return the error type that goes with an HTTP status."""
    if (word := _TYPES.get(status)) is not None:
        return word
    return "invalid_request_error" if 400 <= status < 500 else "api_error"


def error_object(failure: Failure) -> JsonObject:
    """Return a failure as this dialect's error, the event or body around it included."""
    own = failure.dialect is Dialect.ANTHROPIC and failure.type in _KNOWN_TYPES
    kind = failure.type if own else error_type(failure.status)
    return {"type": "error", "error": {"type": kind, "message": failure.message}}
