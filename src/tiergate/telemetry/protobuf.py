"""Writes the wire format of Protocol Buffers, as far as OTLP needs it (protobuf.dev, "Encoding").

A message is written as the bytes of its fields one after the other; a field that has its default
is left out by whoever writes the message.
"""

from __future__ import annotations

import struct
from functools import lru_cache

_DOUBLE = struct.Struct("<d")
_FIXED64 = struct.Struct("<Q")
_LENGTH = 2
_SIXTY_FOUR = 1
_SHORT = tuple(bytes((number,)) for number in range(0x80))


def varint(number: int) -> bytes:
    """Return a number of up to 64 bits; negative ones as their two's complement."""
    if 0 <= number < 0x80:
        return _SHORT[number]
    number &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


@lru_cache(maxsize=64)
def _tag(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def message(field: int, body: bytes) -> bytes:
    """Return a field that holds a message, bytes, or the UTF-8 of a text."""
    return _tag(field, _LENGTH) + varint(len(body)) + body


def text(field: int, value: str) -> bytes:
    """Return a field that holds a text; a lone surrogate becomes a question mark."""
    return message(field, value.encode("utf-8", "replace"))


def number(field: int, value: int) -> bytes:
    """Return a field that holds a whole number, a flag, or a member of an enum."""
    return _tag(field, 0) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """Return a field that holds 64 unsigned bits."""
    return _tag(field, _SIXTY_FOUR) + _FIXED64.pack(value)


def double(field: int, value: float) -> bytes:
    """Return a field that holds a floating-point number."""
    return _tag(field, _SIXTY_FOUR) + _DOUBLE.pack(value)
