"""Writes the heads of answers: status line, date, the handler's headers, framing.

The server alone says how a body ends and whether the connection goes on: headers of the handler
about these are taken out. What it says about closing is obeyed.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus
from operator import itemgetter

Pairs = Sequence[tuple[str, str]]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = "connection: close\r\n"
KEEP_ALIVE = "connection: keep-alive\r\n"
"""Said to HTTP/1.0 clients, for whom closing is the default."""
CHUNKED = "transfer-encoding: chunked\r\n"

_OWNED = frozenset(
    spelling
    for name in (
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "transfer-encoding",
    )
    for spelling in (name, name.title())
)
_NAME = itemgetter(0)
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n"
    for status in HTTPStatus
    if status >= HTTPStatus.OK
}
BODILESS = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})
"""Statuses whose answers have no body (RFC 9112, section 6.3)."""
_LOWEST_STATUS = 200
_HIGHEST_STATUS = 999


def date_line(unix: float) -> str:
    """Write the `date` header (RFC 9110, section 6.6.1) for a time in Unix seconds."""
    return f"date: {formatdate(unix, usegmt=True)}\r\n"


def without_owned(headers: Pairs) -> tuple[Pairs, bool]:
    """Take out the headers that are the server's.

    Args:
        headers: Names in lower case; `Title-Case` is understood too.

    Returns:
        The others, and whether the handler wants the connection closed.
    """
    if _OWNED.isdisjoint(map(_NAME, headers)):
        return headers, False
    close = False
    others: list[tuple[str, str]] = []
    for name, value in headers:
        if name not in _OWNED:
            others.append((name, value))
        elif name.lower() == "connection":
            close = close or "close" in value.lower()
    return others, close


def declared_length(headers: Pairs) -> str:
    """Return a `content-length` line if the handler declared one, else nothing.

    For answers without a body that tell how long it would be: to HEAD, and 304.
    """
    for name, value in headers:
        if name.lower() == "content-length" and value.isdecimal():
            return f"content-length: {value}\r\n"
    return ""


def head(status: int, date: str, headers: Pairs, framing: str) -> bytes:
    """Write a head.

    Args:
        status: Of a final answer.
        date: The `date` line.
        headers: The handler's, without those that are the server's.
        framing: The lines of the server.

    Raises:
        ValueError: A header holds a line break, a NUL, or a character that is not in latin-1; or
            the status is not that of a final answer.
    """
    start = _STATUS_LINES.get(status) or _unnamed(status)
    if not headers:
        return f"{start}{date}{framing}\r\n".encode("latin-1")
    lines = "\r\n".join(map(": ".join, headers))
    breaks = len(headers) - 1
    if lines.count("\n") != breaks or lines.count("\r") != breaks or "\0" in lines:
        raise ValueError("a header of the answer holds a line break or a NUL")
    return f"{start}{date}{lines}\r\n{framing}\r\n".encode("latin-1")


def last_answer(status: int, date: str, headers: Pairs, body: bytes) -> bytes:
    """Write a whole answer after which the connection is closed; see `head`."""
    others, _ = without_owned(headers)
    return head(status, date, others, f"content-length: {len(body)}\r\n{CLOSE}") + body


def _unnamed(status: int) -> str:
    """Write the status line of a status that has no phrase."""
    if not _LOWEST_STATUS <= status <= _HIGHEST_STATUS:
        raise ValueError(f"{status} is not the status of a final answer")
    return f"HTTP/1.1 {status} \r\n"
