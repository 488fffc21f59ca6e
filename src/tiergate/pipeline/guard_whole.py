"""Judges a stream that must be seen whole: all of it is held back, decided, and then sent.

The events are gone through twice. The first time the texts are collected; then guards look at all
of them at once; the second time the events are written with what was decided. Where nothing was
changed every event keeps its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tiergate.base.values import Dialect
from tiergate.core.masking import pattern_of, restored
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_events import Channel, Event, Piece
from tiergate.pipeline.guard_stream import Emitter, check_all
from tiergate.pipeline.guard_texts import Part, argument_parts, with_arguments
from tiergate.ports.guarding import Occasion, Passage
from tiergate.wire.edits import Path


@dataclass(slots=True)
class Collected:
    """What a stream says; implements `guard_stream.Judge` by letting nothing go on.

    Attributes:
        texts: The pieces of each text, and its first piece.
        calls: Arguments and tool of each call, in their order.
        complete: Texts that came whole, in their order.
    """

    texts: dict[Channel, tuple[Piece, list[str]]] = field(
        default_factory=dict[Channel, "tuple[Piece, list[str]]"]
    )
    calls: list[tuple[str, str]] = field(default_factory=list["tuple[str, str]"])
    complete: list[Sequence[Part]] = field(default_factory=list[Sequence[Part]])

    async def text(self, piece: Piece, *, over: bool) -> str:
        """See `Judge.text`."""
        del over
        self.texts.setdefault(piece.channel, (piece, []))[1].append(piece.text)
        return ""

    async def rest(self, piece: Piece) -> str:
        """See `Judge.rest`."""
        del piece
        return ""

    async def arguments(self, text: str, tool: str, piece: Piece) -> str:
        """See `Judge.arguments`."""
        del piece
        self.calls.append((text, tool))
        return ""

    async def whole(self, parts: Sequence[Part]) -> Mapping[Path, str]:
        """See `Judge.whole`."""
        self.complete.append(parts)
        return {}

    def parts(self) -> list[Part]:
        """Return all texts, as guards are to see them."""
        found: list[Part] = []
        for channel, (piece, texts) in self.texts.items():
            passage = Passage("".join(texts), piece.place, f"{channel[0]}.{channel[1]}")
            found.append(Part(passage, (), fixed=piece.fixed))
        for text, tool in self.calls:
            found += argument_parts(text, tool, ("arguments",))
        for parts in self.complete:
            found += parts
        return found


class Decided:
    """Shows what was decided; implements `guard_stream.Judge`.

    Args:
        said: What the stream says.
        texts: The new texts, by the number of their part in `said.parts()`.
    """

    def __init__(self, said: Collected, texts: Mapping[int, str]) -> None:
        self._new: dict[Channel, str] = {}
        number = 0
        for channel in said.texts:
            if number in texts:
                self._new[channel] = texts[number]
            number += 1
        self._calls: list[str] = []
        for text, tool in said.calls:
            parts = argument_parts(text, tool, ("arguments",))
            here = {at: texts[number + at] for at in range(len(parts)) if number + at in texts}
            self._calls.append(_with(text, parts, here))
            number += len(parts)
        self._complete: list[dict[Path, str]] = []
        for parts in said.complete:
            changed = {
                part.path: texts[number + at]
                for at, part in enumerate(parts)
                if number + at in texts and part.inner is None
            }
            self._complete.append(changed)
            number += len(parts)
        self._calls.reverse()
        self._complete.reverse()

    async def text(self, piece: Piece, *, over: bool) -> str:
        """See `Judge.text`."""
        del over
        if piece.channel not in self._new:
            return piece.text
        text, self._new[piece.channel] = self._new[piece.channel], ""
        return text

    async def rest(self, piece: Piece) -> str:
        """See `Judge.rest`."""
        del piece
        return ""

    async def arguments(self, text: str, tool: str, piece: Piece) -> str:
        """See `Judge.arguments`."""
        del text, tool, piece
        return self._calls.pop()

    async def whole(self, parts: Sequence[Part]) -> Mapping[Path, str]:
        """See `Judge.whole`."""
        del parts
        return self._complete.pop()


async def judged(
    events: Sequence[Event],
    dialect: Dialect,
    checks: Checks,
    guards: Sequence[Installed],
    occasion: Occasion,
    values: Mapping[str, str],
) -> bytes | None:
    """Look at a whole stream.

    Args:
        events: All of it.
        dialect: Of the caller.
        checks: Runs guards.
        guards: Those of the stage.
        occasion: The call.
        values: Masked values of the request, by placeholder.

    Returns:
        The stream with what was decided; None where it stays as it is.

    Raises:
        Refused: It must not be shown.
    """
    said = Collected()
    await _play(events, Emitter(dialect, said, plain=False, holds_tools=True))
    parts = said.parts()
    texts = await check_all(checks, guards, parts, occasion)
    pattern = pattern_of(values)
    for number, part in enumerate(parts):
        text = texts.get(number, part.passage.text)
        shown = text if part.fixed is not None else restored(text, values, pattern)
        if shown != part.passage.text:
            texts[number] = shown
    if not texts:
        return None
    return await _play(
        events, Emitter(dialect, Decided(said, texts), plain=True, holds_tools=True)
    )


async def said_in(events: Sequence[Event], dialect: Dialect) -> list[Part]:
    """Return all texts of a stream."""
    said = Collected()
    await _play(events, Emitter(dialect, said, plain=False, holds_tools=True))
    return said.parts()


async def _play(events: Sequence[Event], emitter: Emitter) -> bytes:
    out = [await emitter.feed(event) for event in events]
    return b"".join([*out, await emitter.end()])


def _with(text: str, parts: Sequence[Part], texts: Mapping[int, str]) -> str:
    edits: dict[Path, str] = {}
    for at, new in texts.items():
        inner = parts[at].inner
        if inner is None:
            return new
        edits[inner] = new
    return with_arguments(text, edits)
