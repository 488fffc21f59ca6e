"""How the names of documents become bytes and back, in an order that all stores share.

Callers choose parts of these names, so every text must do, half a surrogate pair included.
"""

from __future__ import annotations


def key_bytes(key: str) -> bytes:
    """Return a name as it is kept; the order of the bytes is that of the characters."""
    return key.encode("utf-8", "surrogatepass")


def key_text(kept: bytes) -> str:
    """Return the name of what is kept."""
    return kept.decode("utf-8", "surrogatepass")


def after_prefix(prefix: bytes) -> bytes | None:
    """Return the first bytes that follow all names with a prefix; None where nothing does."""
    # No byte of UTF-8 is 255, so the last one can always be raised.
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else None
