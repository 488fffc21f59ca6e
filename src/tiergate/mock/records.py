"""Keeps what was received and how each call ended, without secrets, in bounded space."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

MAX_CALLS = 1_000
MAX_BODY_BYTES = 64 * 1024

SECRET_HEADERS = frozenset(
    {"authorization", "x-api-key", "api-key", "proxy-authorization", "cookie", "x-goog-api-key"}
)


class End(StrEnum):
    """How a call ended."""

    OPEN = "open"
    SENT = "sent"
    DROPPED = "dropped"
    CALLER_LEFT = "caller left"


@dataclass(frozen=True, slots=True)
class Received:
    """One call as it came in.

    Attributes:
        number: 1 for the first request of this server, 2 for the next.
        at: arrival, seconds since 1970 (UTC).
        method: HTTP method.
        path: without the query.
        query: without the question mark.
        endpoint: the route's word; empty for a path that no provider has.
        model: as asked; empty if the request named none.
        headers: names in small letters; a repeated one joined by ", "; secrets replaced by their
            length and the first digits of their SHA-256, so that equal ones can be told.
        body: the decoded JSON, or the text as it came; cut to 64 KiB.
        body_bytes: true size of the body.
        body_sha256: of the body's bytes, to compare what two callers sent.
        step: the word of the step that was played.
        status: HTTP status sent; 0 if there was none.
        end: how it ended.
    """

    number: int
    at: float
    method: str
    path: str
    query: str
    endpoint: str
    model: str
    headers: Mapping[str, str]
    body: object
    body_bytes: int
    body_sha256: str
    step: str = ""
    status: int = 0
    end: End = End.OPEN


class Records:
    """The last 1,000 calls, oldest first."""

    def __init__(self) -> None:
        self._calls: OrderedDict[int, Received] = OrderedDict()

    def add(self, call: Received) -> None:
        """Keep a call; the oldest one goes when there are too many."""
        self._calls[call.number] = call
        while len(self._calls) > MAX_CALLS:
            self._calls.popitem(last=False)

    def note(self, number: int, *, step: str = "", status: int = 0, end: End = End.OPEN) -> None:
        """Add what has become known of a call; values left out stay as they are."""
        call = self._calls.get(number)
        if call is None:
            return
        self._calls[number] = replace(
            call,
            step=step or call.step,
            status=status or call.status,
            end=call.end if end is End.OPEN else end,
        )

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()

    def all(self) -> tuple[Received, ...]:
        """The calls, oldest first."""
        return tuple(self._calls.values())


def safe_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers fit to be shown: names in small letters, repeated ones joined, secrets hidden."""
    out: dict[str, str] = {}
    for name, value in headers:
        low = name.lower()
        shown = _hidden(value) if low in SECRET_HEADERS else value
        out[low] = f"{out[low]}, {shown}" if low in out else shown
    return out


def safe_body(body: bytes) -> object:
    """A body fit to be kept: decoded JSON if it is that and short, else its start as text."""
    if len(body) <= MAX_BODY_BYTES:
        try:
            return msgspec.json.decode(body) if body else None
        except (msgspec.DecodeError, RecursionError):
            pass
    return body[:MAX_BODY_BYTES].decode("utf-8", "replace")


def _hidden(value: str) -> str:
    scheme, _, secret = value.rpartition(" ")
    digest = hashlib.sha256(secret.encode()).hexdigest()[:8]
    shown = f"[hidden, {len(secret)} characters, sha256 {digest}]"
    return f"{scheme} {shown}" if scheme else shown
