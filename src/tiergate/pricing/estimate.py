"""A quick upper estimate of a prompt's tokens from the bytes of its request, for holds.

No text is decoded and no token is made. Bytes are of two weights: small letters, spaces, quotes
and backslashes, of which a token has about four, count a quarter, and every other ASCII byte
(capitals, digits, punctuation) counts one. Letters of other scripts count half a token a byte;
the scripts and signs that tokenizers split into bytes, one more.

On prose and code in English this is 1.4 to 1.75 times what `o200k_base` counts, the difference
being about the margin that Claude's tokenizers need; on digits, base64 and identifiers it is
tight; on Cyrillic, Arabic or Hindi it is several times too high, as older tokenizers are too.
Small letters that make no words (random ones, DNA) have twice the tokens that this says.
`tests/properties/test_prompt_tokens.py` holds it to that.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tiergate.core.catalog import Deployment
from tiergate.ports import Inbound
from tiergate.pricing import media
from tiergate.pricing.families import is_later_claude

_LIGHT: Final = bytes(range(ord("a"), ord("z") + 1)) + b' "\\'
_ASCII: Final = bytes(range(128))
_RARE: Final = (b"\xe1", b"\xf0")
"""First bytes of scripts that tokenizers hardly know (Ethiopic, Khmer, Cherokee), and of emoji."""

_NUMERATOR: Final = 13
_DENOMINATOR: Final = 50
"""The weight of a light byte: 0.26 of a token, a little over the quarter for lists of versions."""

FRAME_TOKENS: Final = 16
"""What a provider adds to every prompt, at most."""

TOOLS_TOKENS: Final = 900
"""What a provider adds to a prompt with tools (Anthropic "Tool use": 159 to 804)."""

_TOOLS: Final = frozenset({"tools", "functions"})

_ESCAPED_SHARE: Final = 50
"""A body with one `\\uXXXX` in so many bytes is written anew before it is weighed."""


def estimate_prompt(inbound: Inbound, deployment: Deployment) -> int:
    """Return tokens that a request's prompt is very unlikely to exceed at a deployment."""
    members = inbound.members
    body, model = members.body, deployment.model
    extra = FRAME_TOKENS
    if not members.has_none(_TOOLS):
        extra += TOOLS_TOKENS
    if media.may_hold_media(body):
        body, tokens = media.split_media(body, model)
        extra += tokens
    weight = weigh(body)
    if is_later_claude(model):
        weight = weight * 6 // 5
    return weight + extra


def weigh(body: bytes) -> int:
    """Return the estimate for a JSON text, in tokens."""
    # One byte is looked for much faster than two, and most bodies have none.
    if b"\\" in body and body.count(b"\\u") * _ESCAPED_SHARE > len(body):
        body = _unescaped(body)
    length = len(body)
    rest = body.translate(None, _LIGHT)
    heavy = len(rest)
    if rest.isascii():
        return (length + 3 * heavy) * _NUMERATOR // _DENOMINATOR + 1
    rest = rest.translate(None, _ASCII)
    high, rare = len(rest), rest.count(_RARE[0]) + rest.count(_RARE[1])
    return (length + 3 * heavy - 2 * high) * _NUMERATOR // _DENOMINATOR + rare + 1


def _unescaped(body: bytes) -> bytes:
    """Write a JSON text anew, with letters instead of their escapes."""
    try:
        return msgspec.json.encode(msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError):
        return body
