"""Compares the prompt of a call with earlier ones, by hashes: what differs first, and how.

A provider's cache takes a prefix only where every byte is as before. A head (tools and system
prompt) that used to match and comes back changed is a drift; so is a conversation whose earlier
messages were rewritten. Another agent's prompt, or another answer to the same question, is none.
Nothing here holds a text: the changed segment is only looked at while it is at hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

CHUNK: Final = 256
"""Bytes of a segment that one hash stands for; positions inside are known this closely."""

MOST_CHUNKS: Final = 256
"""Hashes kept of one segment; what follows is one more."""

_SHORT: Final = 2
"""Hashes of a segment of one piece. It is alike if what stands beside it is the same."""

_AROUND: Final = 64
_HINTS: Final = (
    (
        "timestamp",
        re.compile(
            rb"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?|\d{1,2}:\d\d(?::\d\d)?"
            rb"|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b1[5-9]\d{8}(?:\d{3})?\b"
            rb"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
            rb"[a-z]*,? +\d{1,2}\b"
        ),
    ),
    ("id", re.compile(rb"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{8,}|\b[0-9a-fA-F]{16,}\b")),
    ("number", re.compile(rb"\d+")),
)
"""What a difference may be, the likeliest first, and how it looks."""


class Part(Enum):
    """A part of the prompt."""

    TOOL = "tool"
    SYSTEM = "system"
    MESSAGE = "message"


class Change(Enum):
    """What became of a part."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference between two prompts.

    Attributes:
        part: Where it is.
        number: Which tool, system block or message, from 1.
        change: What became of it.
        offset: About how many bytes into it the difference begins; -1 where that is not known.
        hint: What the changed place looks like: `timestamp`, `id`, `number`, or nothing.
    """

    part: Part
    number: int
    change: Change
    offset: int = -1
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Hashes of what stands before the messages.

    Attributes:
        tools: Of each tool.
        system: Of each system block.
        chunks: Of the pieces of each system block.
    """

    tools: tuple[int, ...]
    system: tuple[int, ...]
    chunks: tuple[tuple[int, ...], ...] = ()

    def same(self, other: Head) -> bool:
        """Tell whether two heads are equal."""
        return self.tools == other.tools and self.system == other.system

    def common(self, other: Head) -> int:
        """Return how many segments are equal from the beginning on."""
        tools = common(self.tools, other.tools)
        if self.tools != other.tools:
            return tools
        return tools + common(self.system, other.system)


Text = Callable[[int], bytes]
"""Gives the bytes of the system block at a position."""


def chunks_of(text: bytes) -> tuple[int, ...]:
    """Return a hash for each piece of a segment, and at the end one for its last piece.

    The last one finds the end again when something before it became longer.
    """
    pieces = [hash(text[at : at + CHUNK]) for at in range(0, len(text), CHUNK)[:MOST_CHUNKS]]
    if len(text) > CHUNK * MOST_CHUNKS:
        pieces.append(hash(text[CHUNK * MOST_CHUNKS :]))
    return (*pieces, hash(text[-CHUNK:]))


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many items are equal from the beginning on."""
    for at, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return at
    return min(len(left), len(right))


def compare_heads(old: Head, new: Head, text: Text) -> Difference | None:
    """Return what differs first; None for equal heads, and for those of different agents.

    Two heads are of one agent where only the tools or only the system prompt differ, and what
    differs is still alike.

    Args:
        old: The head that used to match.
        new: The one that came now.
        text: The system blocks of the new one.
    """
    if old.tools == new.tools:
        return None if old.system == new.system else _system(old, new, text)
    if old.system != new.system or not old.tools or not new.tools:
        return None
    return _tools(old.tools, new.tools)


def compare_messages(old: Sequence[int], new: Sequence[int]) -> Difference | None:
    """Return the first message of a conversation that was rewritten; None where none was.

    A conversation that goes on begins with what was said before. It was rewritten where it went on
    and a message differs, while later ones are the same or there are none; and where messages
    were left out. Where everything differs from some message on, it is another conversation with
    the same beginning; so it is where it did not go on, since many may get the same questions.
    """
    same = common(old, new)
    if same == min(len(old), len(new)):
        return None
    later = old[same + 1 :]
    left_out = new[same] in later
    rewritten = len(new) > len(old) and (not later or set(later) & set(new[same + 1 :]))
    if not left_out and not rewritten:
        return None
    change = Change.REMOVED if left_out else _change(old[same:], new[same:])
    return Difference(Part.MESSAGE, same + 1, change)


def _tools(old: tuple[int, ...], new: tuple[int, ...]) -> Difference | None:
    at = common(old, new)
    before, after = Counter(old), Counter(new)
    if before == after:
        return Difference(Part.TOOL, at + 1, Change.REORDERED)
    if 2 * (before & after).total() < max(len(old), len(new)):
        return None
    return Difference(Part.TOOL, at + 1, _change(old[at:], new[at:]))


def _change(old: Sequence[int], new: Sequence[int]) -> Change:
    """Say what became of the first item that differs, by what follows it."""
    if not old or (len(new) > 1 and new[1] == old[0]):
        return Change.ADDED
    if not new or (len(old) > 1 and old[1] == new[0]):
        return Change.REMOVED
    return Change.CHANGED


def _system(old: Head, new: Head, text: Text) -> Difference | None:
    at = common(old.system, new.system)
    change = _change(old.system[at:], new.system[at:])
    if change is not Change.CHANGED:
        alike = bool(set(old.system) & set(new.system)) or bool(new.tools)
        hint = ""
        if change is Change.ADDED and at < len(new.system):
            hint = _look(text(at), 0)[0]
        return Difference(Part.SYSTEM, at + 1, change, hint=hint) if alike else None
    before, after = old.chunks[at], new.chunks[at]
    same = common(before[:-1], after[:-1])
    short = len(before) <= _SHORT and len(after) <= _SHORT
    beside = at or new.tools or set(old.system[at + 1 :]) & set(new.system[at + 1 :])
    if not (set(before) & set(after) or (short and beside)):
        return None
    hint, offset = _look(text(at), same * CHUNK)
    return Difference(Part.SYSTEM, at + 1, change, offset, hint)


def _look(text: bytes, start: int) -> tuple[str, int]:
    """Return what stands where a difference begins, and where that is."""
    begin = max(0, start - _AROUND)
    window = text[begin : start + CHUNK + _AROUND]
    for hint, pattern in _HINTS:
        found = next(
            (each for each in pattern.finditer(window) if begin + each.end() > start), None
        )
        if found is not None:
            return hint, begin + found.start()
    return "", start
