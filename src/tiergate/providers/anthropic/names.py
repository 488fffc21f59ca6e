"""Fit names from outside to what a place accepts: tools, tool calls, words of losses.

Equal names fit alike, always.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

MAX_NAME: Final = 128
"""The longest tool name ("Define tools")."""

MAX_WORD: Final = 64
"""The longest word of a loss."""

_FOREIGN_TO_WORDS: Final = re.compile(r"[^a-zA-Z0-9_.-]")
_FITS: Final = re.compile(r"[a-zA-Z0-9_-]+")
_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9_-]")


def fit_name(name: str) -> str:
    """Return a name of 1 to 128 letters, digits, `_` and `-`; most names fit as they are."""
    if len(name) <= MAX_NAME and _FITS.fullmatch(name):
        return name
    return f"{_FOREIGN.sub('_', name)[: MAX_NAME - 9]}_{_digest(name)}"


def fit_id(identity: str) -> str:
    """Return an id of letters, digits, `_` and `-`, which is all that `tool_use.id` may have."""
    if _FITS.fullmatch(identity):
        return identity
    return f"{_FOREIGN.sub('_', identity)}_{_digest(identity)}"


def loss_word(text: str) -> str:
    """Return a word that can stand in a response header, made of a word from outside."""
    return _FOREIGN_TO_WORDS.sub("_", text)[:MAX_WORD]


def _digest(text: str) -> str:
    # Two names that differ only in foreign letters must not become one.
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
