"""Put prompt-cache breakpoints into a Messages request, in its bytes; all else stays as it came.

Where they are wanted is a policy of the file (`core.breakpoints`). A request in which the caller
has set any is left alone. What can carry one (Anthropic, "Prompt caching"): tools that are not
loaded later, and blocks that are no thinking and no empty text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from tiergate.core.breakpoints import (
    MOST_BREAKPOINTS,
    Breakpoints,
    Part,
    Place,
    messages_meant,
    tokens_in,
)
from tiergate.wire.elements import raw_elements, spans, with_member
from tiergate.wire.members import Members

_MARK: Final = b'"cache_control"'
"""A quoted name that is not escaped can only be a member, or a whole text; inside a longer text
its quotes would have backslashes. Where it is a whole text nothing is added."""

_SHORT: Final = b'"cache_control":{"type":"ephemeral"}'
_LONG: Final = b'"cache_control":{"type":"ephemeral","ttl":"1h"}'
_UNMARKED: Final = frozenset({"thinking", "redacted_thinking", ""})


class _Block(msgspec.Struct):
    type: str = ""
    text: str = "-"


class _Tool(msgspec.Struct):
    name: str
    defer_loading: bool = False


class _Message(msgspec.Struct):
    role: str
    content: msgspec.Raw


_BLOCK: Final = msgspec.json.Decoder(_Block)
_TOOL: Final = msgspec.json.Decoder(_Tool)
_MESSAGE: Final = msgspec.json.Decoder(_Message)


def breakpoint_edits(members: Members, policy: Breakpoints) -> dict[str, bytes]:
    """Return the members that change: their names, and their values with breakpoints.

    Args:
        members: A Messages request.
        policy: What the file says of the deployment.
    """
    if policy.stable and tokens_in(_length(members, "tools", "system")) < policy.least:
        return {}
    if _MARK in members.body:
        return {}
    try:
        return _edits(members, policy)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}  # the provider says better what is wrong with it


def _edits(members: Members, policy: Breakpoints) -> dict[str, bytes]:
    edits: dict[str, bytes] = {}
    before = 0
    left = MOST_BREAKPOINTS
    for part, name, mark_end in ((Part.TOOLS, "tools", _tools), (Part.SYSTEM, "system", _system)):
        raw = members.raw(name) or b""
        before += len(raw)
        place = next((each for each in policy.places if each.part is part), None)
        if place is None or tokens_in(before) < policy.least:
            continue
        marked = mark_end(raw, _mark(place))
        if marked is not None:
            edits[name] = marked
            left -= 1
    wanted = [place for place in policy.places if place.part is Part.MESSAGES]
    raw = members.raw("messages")
    if wanted and raw is not None and tokens_in(before + len(raw)) >= policy.least:
        marked = _messages(raw, wanted, left, _Enough(before, policy.least))
        if marked != raw:
            edits["messages"] = marked
    return edits


def _length(members: Members, *names: str) -> int:
    return sum(len(members.raw(name) or b"") for name in names)


def _mark(place: Place) -> bytes:
    return _LONG if place.one_hour else _SHORT


def _tools(raw: bytes, mark: bytes) -> bytes | None:
    """Return the tools with a breakpoint at the last one that can carry it."""
    if not raw.startswith(b"["):
        return None
    for start, end in reversed(spans(raw)):
        if not _TOOL.decode(raw[start:end]).defer_loading:
            return with_member(raw, start, end, mark)
    return None


def _system(raw: bytes, mark: bytes) -> bytes | None:
    """Return the system prompt with a breakpoint at its end; a text becomes a block."""
    if raw.startswith(b'"'):
        return _as_block(raw, mark)
    return _last_block(raw, mark) if raw.startswith(b"[") else None


def _as_block(text: bytes, mark: bytes) -> bytes | None:
    """Return a text as a list of one block; None for an empty text."""
    if not text.strip(b'" '):
        return None
    return b"".join((b'[{"type":"text","text":', text, b",", mark, b"}]"))


def _last_block(raw: bytes, mark: bytes) -> bytes | None:
    """Return blocks with a breakpoint at the last one that can carry it."""
    for start, end in reversed(spans(raw)):
        block = _BLOCK.decode(raw[start:end])
        if block.type not in _UNMARKED and block.text.strip():
            return with_member(raw, start, end, mark)
    return None


@dataclass(frozen=True, slots=True)
class _Enough:
    """Says whether a prefix that ends in the messages is long enough."""

    before: int
    least: int

    def holds(self, end: int) -> bool:
        """Tell it of the prefix that ends at a place in the bytes of the messages."""
        return tokens_in(self.before + end) >= self.least


def _messages(raw: bytes, wanted: Sequence[Place], most: int, enough: _Enough) -> bytes:
    """Return the messages with breakpoints; the latest ones where too many are wanted."""
    places = spans(raw)
    roles = tuple(_MESSAGE.decode(each).role for each in raw_elements(raw))
    marks: dict[int, bytes] = {}
    for place in wanted:
        for at in messages_meant(place, roles):
            if enough.holds(places[at][1]):
                marks.setdefault(at, _mark(place))
    for at in sorted(marks, reverse=True):  # from the end, so that earlier places stay true
        start, end = places[at]
        marked = _message(raw[start:end], marks[at]) if most > 0 else None
        if marked is not None:
            raw = b"".join((raw[:start], marked, raw[end:]))
            most -= 1
    return raw


def _message(raw: bytes, mark: bytes) -> bytes | None:
    content = bytes(_MESSAGE.decode(raw).content)
    marked = _as_block(content, mark) if content.startswith(b'"') else None
    if content.startswith(b"["):
        marked = _last_block(content, mark)
    return None if marked is None else Members.read(raw).edit({"content": marked})
