"""Make JSON values comparable: one text for values that differ only in the order of their members.

What the values mean is not decided here.
"""

from __future__ import annotations

import msgspec

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder(order="deterministic")

LARGE = 8 * 1024
"""Bytes above which a value stays as it is written.

Ordering 400 KB takes 3 ms, and hashing them 0.3 ms. What is that large is a conversation, which a
client writes in one order every time; where it does not, an answer is found once less.
"""


def canonical(text: bytes) -> bytes:
    """Return one text for equal values: members by name, no space between them.

    A value above `LARGE` bytes, and one that cannot be decoded (half of a surrogate pair), is
    returned as it is written.
    """
    if len(text) > LARGE or text[:1] not in (b"{", b"["):
        return text
    try:
        return _ENCODER.encode(_DECODER.decode(text))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return text
