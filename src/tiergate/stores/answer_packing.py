"""Writes a stored answer as bytes, and reads it again: versioned, compressed, sealed if asked.

What cannot be read (another version, another key, damage) is no answer, and never an error: the
next call writes it anew.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import zlib
from typing import Final, Protocol

import msgspec

from tiergate.ports import StoredAnswer

VERSION: Final = b"TGA1"
"""Begins every packed answer. It changes when what follows it is written in another way."""

LARGE: Final = 4096
"""Bytes from which an answer is compressed: below it little is saved."""

MOST_UNPACKED: Final = 64 * 1024 * 1024
"""No packed answer is larger than this when it is unpacked; one that says so is damaged."""

HEAVY: Final = 64 * 1024
"""Bytes from which packing takes a millisecond or more."""

_PLAIN: Final = b"\x00"
_SQUEEZED: Final = b"\x01"
_QUICK: Final = 1
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(StoredAnswer)


class Seal(Protocol):
    """Makes bytes unreadable for whoever has not its key."""

    def close(self, data: bytes, name: bytes) -> bytes:
        """Return the sealed bytes; they can be opened under the same name only."""
        ...

    def open(self, data: bytes, name: bytes) -> bytes | None:
        """Return what was sealed; None if it was not sealed with this key under this name."""
        ...


async def pack_aside(key: str, answer: StoredAnswer, seal: Seal | None = None) -> bytes:
    """As `pack`; a large answer is packed in a thread, so that no other request waits for it."""
    if len(answer.body) < HEAVY:
        return pack(key, answer, seal)
    return await asyncio.to_thread(pack, key, answer, seal)


async def unpack_aside(key: str, packed: bytes, seal: Seal | None = None) -> StoredAnswer | None:
    """As `unpack`, and as `pack_aside`."""
    if len(packed) < HEAVY:
        return unpack(key, packed, seal)
    return await asyncio.to_thread(unpack, key, packed, seal)


def pack(key: str, answer: StoredAnswer, seal: Seal | None = None) -> bytes:
    """Return an answer as bytes.

    Args:
        key: Under which it is kept; a sealed answer can be read under no other.
        answer: What is kept.
        seal: Makes it unreadable in the store.
    """
    data = _ENCODER.encode(answer)
    mark = _PLAIN
    if len(data) >= LARGE:
        squeezed = zlib.compress(data, _QUICK)
        if len(squeezed) < len(data):
            data, mark = squeezed, _SQUEEZED
    data = mark + data
    return VERSION + (data if seal is None else seal.close(data, key.encode()))


def unpack(key: str, packed: bytes, seal: Seal | None = None) -> StoredAnswer | None:
    """Return the answer that `pack` wrote under this key; None if it is something else."""
    if not packed.startswith(VERSION):
        return None
    rest = packed[len(VERSION) :]
    data = rest if seal is None else seal.open(rest, key.encode())
    if not data:
        return None
    try:
        if data[:1] == _SQUEEZED:
            opened = zlib.decompressobj()
            body = opened.decompress(data[1:], MOST_UNPACKED)
            if not opened.eof:
                return None
        else:
            body = data[1:]
        return _DECODER.decode(body)
    except (zlib.error, msgspec.MsgspecError, UnicodeError):
        return None


def as_text(packed: bytes) -> str:
    """Return packed bytes for a store that keeps text only."""
    return base64.b64encode(packed).decode()


def of_text(text: str) -> bytes | None:
    """Return the bytes of `as_text`; None where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
