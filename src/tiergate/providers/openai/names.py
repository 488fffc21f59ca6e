"""Fit names and ids to what chat hosts accept; the same one always fits alike."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]")
_SHORT_ID: Final = re.compile(r"[a-zA-Z0-9]{9}")
_MAX_ID: Final = 40
"""api.openai.com refuses a `tool_call_id` of more than 40 characters."""
_MAX_USER: Final = 64
"""api.openai.com refuses a `user` of more than 64 characters; Claude Code's are longer."""
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def fit_name(name: str) -> str:
    """Return a name of at most 64 letters, digits, `_` and `-`; most names fit as they are.

    Anthropic takes 128 characters, and names made of an MCP server's and its tool's are long.
    """
    if _NAME.fullmatch(name):
        return name
    return f"{_NOT_IN_NAMES.sub('_', name)[:55]}_{_digest(name, 8)}"


def fit_id(identity: str, *, short: bool) -> str:
    """Return an id the host accepts. `short` asks for nine letters and digits (Mistral)."""
    if short:
        return identity if _SHORT_ID.fullmatch(identity) else _digest(identity, 9)
    return identity if len(identity) <= _MAX_ID else f"call_{_digest(identity, 16)}"


def fit_user(user: str) -> str:
    """Return who asks in at most 64 characters; a longer name becomes a digest of it."""
    return user if len(user) <= _MAX_USER else f"user_{_digest(user, 21)}"


def _digest(text: str, length: int) -> str:
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
    letters: list[str] = []
    for _ in range(length):
        number, index = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)
