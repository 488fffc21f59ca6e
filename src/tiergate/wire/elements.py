"""Find the elements of a JSON list in its bytes, and add a member to an object, without rewriting.

The list is validated once; every element is a slice of the bytes it came in.
"""

from __future__ import annotations

import msgspec

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_SPACE = frozenset(b" \t\r\n")
_COMMA = ord(",")


def raw_elements(text: bytes) -> list[msgspec.Raw]:
    """Return the elements of a JSON list, each as the bytes it came in.

    Raises:
        msgspec.MsgspecError: It is no list.
    """
    return _LIST.decode(text)


def spans(text: bytes) -> list[tuple[int, int]]:
    """Return where the elements of a JSON list begin and end.

    Raises:
        msgspec.MsgspecError: It is no list.
    """
    values = _LIST.decode(text)
    found: list[tuple[int, int]] = []
    place = _skip(text, text.index(b"[") + 1)
    for value in values:
        end = place + len(value)
        found.append((place, end))
        place = _skip(text, end)
        if text[place] == _COMMA:
            place = _skip(text, place + 1)
    return found


def with_member(text: bytes, start: int, end: int, member: bytes) -> bytes:
    """Return a text in which an object has one more member, at its end.

    Args:
        text: Holds the object; it must not be an empty one.
        start: Where the object begins.
        end: Where it ends.
        member: Name and value, such as `"a":1`.
    """
    brace = text.rindex(b"}", start, end)
    return b"".join((text[:brace], b",", member, text[brace:]))


def _skip(text: bytes, place: int) -> int:
    while text[place] in _SPACE:
        place += 1
    return place
