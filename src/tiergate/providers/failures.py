"""Read a provider's refusal: whose fault it was, in the words of `FailureClass`.

Knows the wordings of many hosts, for HTTP error answers and for error objects inside streams and
200 bodies. What follows from a class (retry, fallback, cooldown) is decided in core.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from tiergate.base.errors import Failure, FailureClass
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.redaction import clean, clean_body
from tiergate.providers.wordings import (
    BAD_KEY,
    BUSY,
    BY_STATUS,
    NO_MODEL,
    NOT_OVERFLOW,
    OVERFLOW,
    OVERFLOW_STATUS,
    POLICY,
    POLICY_STATUS,
    STATUS_OF_TYPE,
)

MAX_BODY_BYTES: Final = 64 * 1024
"""A longer error body is read for its message and then dropped."""


class UnreadableAnswerError(msgspec.ValidationError):
    """A 200 answer whose body is not an answer of its dialect; `failure` tells the caller.

    It is what msgspec raises for data of a wrong shape, so one `except` catches both.
    """

    def __init__(self, message: str, dialect: Dialect) -> None:
        super().__init__(message)
        self.failure = Failure(FailureClass.UPSTREAM, 502, clean(message), dialect=dialect)


@dataclass(frozen=True, slots=True)
class _Said:
    """What an error body says, whatever its shape."""

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    status: int | None = None
    words: str = ""
    """Everything that may tell the class: message, type, code, inner errors; lower case."""


def classify(
    status: int, body: bytes, dialect: Dialect, retry_after: str | None, now: float
) -> Failure:
    """Read an HTTP error answer.

    Args:
        status: Its HTTP status.
        body: Its body, of any kind.
        dialect: The dialect the upstream speaks.
        retry_after: The header `retry-after`: seconds or an HTTP date.
        now: Unix time in seconds, to turn a date into a wait.
    """
    parsed = _parse(body)
    said = _said(parsed)
    if not said.message:
        said = _Said(_unexplained(status, body, parsed), said.type, said.code, said.param)
    return _failure(
        status,
        said,
        dialect,
        retry_after=_wait(retry_after, now),
        body=clean_body(body) if parsed is not None and len(body) <= MAX_BODY_BYTES else None,
    )


def classify_event(error: JsonObject, dialect: Dialect) -> Failure:
    """Read an error object found inside a stream or a 200 body.

    Args:
        error: The object itself or the event around it (`{"type": "error", "error": {...}}`).
        dialect: The dialect the upstream speaks.
    """
    said = _said(error)
    status = said.status
    if status is None:
        names = (said.code, said.type)
        status = next((STATUS_OF_TYPE[n] for n in names if n in STATUS_OF_TYPE), 500)
    if not said.message:
        name = said.code or said.type
        message = "The provider ended the answer with an error that it did not explain"
        said = _Said(f"{message} ({name})." if name else f"{message}.", said.type, said.code)
    return _failure(
        status, said, dialect, retry_after=None, body=clean_body(msgspec.json.encode(error))
    )


def _failure(
    status: int, said: _Said, dialect: Dialect, *, retry_after: float | None, body: bytes | None
) -> Failure:
    kind = _kind(status, said)
    code = said.code
    if kind is FailureClass.CONTEXT_WINDOW:
        # Agents look for exactly this pair to shorten their history.
        status, code = 400, "context_length_exceeded"
    elif kind is FailureClass.CONTENT_POLICY:
        status = 400 if status >= 500 else status
        code = code or "content_policy_violation"
    return Failure(
        kind,
        status if 400 <= status <= 599 else 502,
        clean(said.message),
        type=said.type,
        code=code,
        param=said.param,
        retry_after=retry_after,
        body=body,
        dialect=dialect,
    )


def _kind(status: int, said: _Said) -> FailureClass:
    """Decide by the words where a status means several things, else by the status."""
    words = said.words
    if status in OVERFLOW_STATUS and _overflows(said):
        return FailureClass.CONTEXT_WINDOW
    if status in POLICY_STATUS and POLICY.search(words):
        return FailureClass.CONTENT_POLICY
    if status == 400:
        if BAD_KEY.search(words):
            return FailureClass.CREDENTIALS
        if NO_MODEL.search(words):
            return FailureClass.NOT_FOUND
    if status in {400, 413} and BUSY.search(words):
        # Groq says 413 when one request is larger than the tokens per minute.
        return FailureClass.RATE_LIMIT
    if (kind := BY_STATUS.get(status)) is not None:
        return kind
    return FailureClass.BAD_REQUEST if 400 <= status < 500 else FailureClass.UPSTREAM


def _overflows(said: _Said) -> bool:
    if said.code == "context_length_exceeded":
        return True
    # `request_too_large` speaks of bytes (Anthropic, "Errors"), not of tokens.
    if said.type == "request_too_large" and "token" not in said.words:
        return False
    return bool(OVERFLOW.search(said.words)) and not NOT_OVERFLOW.search(said.words)


# ----------------------------------------------------------------------------- shapes


def _parse(body: bytes) -> Json:
    """Return the JSON of `body` when it is an object or a list, else None."""
    try:
        parsed: Json = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return parsed if isinstance(parsed, (dict, list)) else None


def _said(parsed: Json) -> _Said:
    """Find the error in any of the shapes that providers use.

    `{"error": {...}}` (OpenAI, Anthropic), a list of such (Gemini), `{"error": "text"}` (Ollama),
    the fields themselves (Mistral, vLLM, Bedrock), `detail` (FastAPI servers).
    """
    if isinstance(parsed, list):
        parsed = parsed[0] if parsed else None
    if not isinstance(parsed, dict):
        return _Said()
    inner = parsed.get("error")
    if isinstance(inner, dict):
        return _fields(inner)
    if isinstance(inner, str) and inner:
        return _fields({**parsed, "message": parsed.get("message") or inner, "error": None})
    if "detail" in parsed and not parsed.get("message"):
        return _fields({**parsed, "message": _detail(parsed["detail"])})
    errors = parsed.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return _fields(errors[0])
    return _fields(parsed)


def _fields(error: JsonObject) -> _Said:
    message = _text(error.get("message")) or _text(error.get("Message")) or ""
    kind = _text(error.get("type"))
    code = error.get("code")
    status = code if isinstance(code, int) and not isinstance(code, bool) else error.get("status")
    more = [_text(code), kind, _text(error.get("status"))]
    inner = error.get("innererror") or error.get("inner_error")
    if isinstance(inner, dict):
        more.append(_text(inner.get("code")))
    metadata = error.get("metadata")
    if isinstance(metadata, dict) and (raw := _text(metadata.get("raw"))):
        # OpenRouter: "Provider returned error", and the provider's own words in `raw`.
        message = f"{message}: {raw}" if message else raw
    words = " ".join((message, *(m for m in more if m))).lower().replace("`", "")
    return _Said(
        message=message,
        type=kind if kind != "error" else None,
        code=_text(code),
        param=_text(error.get("param")),
        status=status
        if isinstance(status, int) and not isinstance(status, bool) and 400 <= status <= 599
        else None,
        words=words,
    )


def _detail(detail: Json) -> str:
    """Read FastAPI's `detail`: a sentence, or a list of places and messages."""
    if isinstance(detail, str):
        return detail
    if isinstance(detail, dict):
        return _text(detail.get("message")) or _text(detail.get("error")) or ""
    lines: list[str] = []
    for item in detail if isinstance(detail, list) else []:
        if isinstance(item, dict) and (message := _text(item.get("msg"))):
            place = item.get("loc")
            path = ".".join(str(p) for p in place) if isinstance(place, list) else ""
            lines.append(f"{path}: {message}" if path else message)
    return "; ".join(lines)


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _unexplained(status: int, body: bytes, parsed: Json) -> str:
    """Write a sentence for an answer that has no message of its own."""
    start = f"The provider answered with HTTP {status}"
    if not body.strip():
        return f"{start} and an empty body."
    if parsed is not None:
        return f"{start} and an error that it did not explain."
    text = body[:4096].decode("utf-8", "replace")
    if re.search(r"<(!doctype|html|head|body|title)\b", text, re.IGNORECASE):
        title = re.search(r"<title>([^<]{1,200})", text, re.IGNORECASE)
        named = f' ("{" ".join(title[1].split())}")' if title and title[1].strip() else ""
        return (
            f"{start} and an HTML page{named}, not with JSON; a proxy before it may be at fault."
        )
    return f"{start} and a body that is not JSON: {' '.join(text.split())[:500]}"


def _wait(retry_after: str | None, now: float) -> float | None:
    """Return the seconds that a `retry-after` header asks for; None if it says nothing."""
    text = (retry_after or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError, TypeError, IndexError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
