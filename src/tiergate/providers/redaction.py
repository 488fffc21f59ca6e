"""Take keys out of what a provider says, before anybody sees it.

Providers quote the key they reject, whole or in part. Patterns only; what is shown to whom is
decided elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

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
    [^\s"'&,;<>()\\]{3,2048}
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return `text` with everything that looks like a key replaced by `[redacted]`."""
    text = _AFTER.sub(lambda found: f"{found[1]}{_MASK}", text)
    return _KEY.sub(_MASK, text)


def clean(message: str) -> str:
    """Return a message that is safe to show: no keys, at most `MAX_MESSAGE_CHARS` long."""
    # Cut generously first: a pattern must not run over megabytes.
    text = redact(message[: MAX_MESSAGE_CHARS * 4]).strip()
    return text if len(text) <= MAX_MESSAGE_CHARS else f"{text[: MAX_MESSAGE_CHARS - 1]}…"


def clean_body(body: bytes) -> bytes:
    """Return an error body without keys; its JSON stays valid, as no pattern spans a quote."""
    return redact(body.decode("utf-8", "replace")).encode()
