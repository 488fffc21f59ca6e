"""Take keys out of what a provider says, before anybody sees it.

Providers quote the key they reject, whole or in part. Patterns only; what is shown to whom is
decided elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tiergate.base.jsontypes import Json

MAX_MESSAGE_CHARS: Final = 2_000
"""Longer messages are cut."""

_MASK: Final = "[redacted]"
_KEY: Final = re.compile(
    r"""
    (?<![A-Za-z0-9])
    (?:
        sk-[A-Za-z0-9_*-]{3,512}(?:\.[A-Za-z0-9_*-]{3,512}){0,3}
      | (?:pk|rk|gsk|csk|xai|pplx|nvapi|key|jina|dapi|ghp|gho|hf|fw|r8|tgp)
            [-_][A-Za-z0-9_*-]{16,512}
      | AIza[A-Za-z0-9_*-]{8,512}
      | (?:AKIA|ASIA)[A-Z0-9]{12,128}
      | eyJ[A-Za-z0-9_-]{8,2048}(?:\.[A-Za-z0-9_-]{1,2048}){0,2}
      | [A-Za-z0-9_.-]{0,64}\*{3,512}[A-Za-z0-9_.-]{0,64}
    )
    """,
    re.VERBOSE,
)
_AFTER: Final = re.compile(
    r"""
    (
        \bbearer\s{1,4}
      | \b(?:x-)?api[-_ ]?key(?:\s{1,4}(?:provided|is))?["']?\s{0,4}[:=]\s{0,4}["']?
      | \bauthorization["']?\s{0,4}[:=]\s{0,4}["']?(?:bearer\s{1,4})?
      | [?&](?:key|api[-_]?key|token|access_token)=
    )
    [^\s"'&,;<>()\\]{3,2048}(?<!\.)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SECRET_NAME: Final = re.compile(r"(?i)(x-)?api[-_]?key|authorization|(access_)?token|secret")


def redact(text: str) -> str:
    """Return `text` with everything that looks like a key replaced by `[redacted]`."""
    text = _AFTER.sub(lambda found: f"{found[1]}{_MASK}", text)
    return _KEY.sub(_MASK, text)


def clean(message: str) -> str:
    """Return a message that is safe to show: no keys, at most `MAX_MESSAGE_CHARS` long."""
    # Cut generously first: a pattern must not run over megabytes.
    text = redact(message[: MAX_MESSAGE_CHARS * 4]).strip()
    return text if len(text) <= MAX_MESSAGE_CHARS else f"{text[: MAX_MESSAGE_CHARS - 1]}…"


def clean_body(body: bytes) -> bytes | None:
    """Return a JSON body without keys, as it came if it has none; None if it is not JSON."""
    try:
        parsed: Json = msgspec.json.decode(body)
        cleaned = _without_keys(parsed)
    except (msgspec.DecodeError, RecursionError):
        return None
    return body if cleaned == parsed else msgspec.json.encode(cleaned)


def _without_keys(value: Json) -> Json:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_without_keys(item) for item in value]
    if isinstance(value, dict):
        return {
            redact(name): _MASK if _SECRET_NAME.fullmatch(name) and item else _without_keys(item)
            for name, item in value.items()
        }
    return value
