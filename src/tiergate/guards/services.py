"""Asks services outside: JSON out, JSON in, and errors that name the service and no secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tiergate.base.jsontypes import Json
from tiergate.ports.guarding import Fetch, GuardError

JSON_HEADERS: Final = (("content-type", "application/json"), ("accept", "application/json"))

_MOST: Final = 16 * 1024 * 1024
"""Bytes of an answer."""

_PIECE: Final = 20_000
"""Characters of one text that a service is shown at once."""
_OVERLAP: Final = 500
"""Characters that two pieces of one text share, so that nothing is cut in two."""


async def ask_json(
    fetch: Fetch, what: str, url: str, headers: Sequence[tuple[str, str]], body: Json
) -> Json:
    """POST JSON to a service and return the JSON that it answers.

    Args:
        fetch: Asks the service.
        what: What the service is, for errors: `the moderation endpoint`.
        url: Its address.
        headers: More than those of JSON, such as the key.
        body: The request.

    Raises:
        GuardError: No answer came, or one that is no success or no JSON. Its text has the host,
            not what was sent or answered: both may hold what must not be shown.
    """
    where = f"{what} at {urlsplit(url).hostname}"
    try:
        status, raw = await fetch(url, (*JSON_HEADERS, *headers), msgspec.json.encode(body), _MOST)
    except OSError as exc:
        raise GuardError(f"{where} did not answer ({type(exc).__name__})") from None
    if status in (401, 403):
        raise GuardError(f"{where} answered {status}: it does not accept the key it was given")
    if not 200 <= status < 300:
        raise GuardError(f"{where} answered {status}")
    try:
        answer: Json = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise GuardError(f"{where} answered something that is no JSON") from None
    return answer


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text into pieces that overlap.

    Yields:
        Where each begins, and its text; a short text is one piece, an empty one none.
    """
    for start in range(0, max(len(text) - _OVERLAP, 1), _PIECE - _OVERLAP):
        if text:
            yield start, text[start : start + _PIECE]
