"""Shows a stream to guards on its way to the caller, and lets go on what they have seen.

Text is held back as far as a finding can reach, never more; arguments of a tool are shown when
the call is complete, since nobody can act on a part of them. Where a guard needs the whole answer,
all of it is held back (`guard_whole`). Masked values of the request are put back here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tiergate.base.values import Dialect
from tiergate.core.masking import Restoring, Span, pattern_of, restored, word_of
from tiergate.core.sieve import Sieve
from tiergate.pipeline.guard_checks import INTERVENED, SUCCESS, Checks, Installed
from tiergate.pipeline.guard_events import Channel, Event, Frame, Piece, read_frame
from tiergate.pipeline.guard_texts import Part, argument_parts, with_arguments
from tiergate.ports.guarding import Occasion, Passage
from tiergate.wire.edits import Path


def answer_mark(kind: str, value: str) -> str:
    """Return what stands for a masked value in an answer: nobody puts that back."""
    del value
    return f"<{word_of(kind)}>"


class Judge(Protocol):
    """Decides what of an answer may be shown."""

    async def text(self, piece: Piece, *, over: bool) -> str:
        """Take a piece of a text; return what may be shown of all that has come of it."""
        ...

    async def rest(self, piece: Piece) -> str:
        """Return what is left of a text that ends here; `piece` is its last one."""
        ...

    async def arguments(self, text: str, tool: str, piece: Piece) -> str:
        """Return the arguments of a tool call as they may be shown."""
        ...

    async def whole(self, parts: Sequence[Part]) -> Mapping[Path, str]:
        """Return texts to be shown in the place of complete ones."""
        ...


@dataclass(slots=True)
class _Open:
    """A text or a tool's arguments that are not over, with the last event that had a piece."""

    frame: Frame
    piece: Piece
    fragments: list[str] = field(default_factory=list[str])


class Emitter:
    """Writes the events of one stream with what the judge lets go on.

    Args:
        dialect: Of the caller.
        judge: Decides.
        plain: Probabilities of tokens are left out.
        holds_tools: Arguments of tools are held back until the call is complete.
    """

    def __init__(self, dialect: Dialect, judge: Judge, *, plain: bool, holds_tools: bool) -> None:
        self._dialect = dialect
        self._judge = judge
        self._plain = plain
        self._holds_tools = holds_tools
        self._texts: dict[Channel, _Open] = {}
        self._calls: dict[Channel, _Open] = {}
        self._tools: dict[Channel, str] = {}
        self.said = False
        """Something of the answer was shown."""

    async def feed(self, event: Event) -> bytes:
        """Take an event; return what the caller gets for it.

        Raises:
            Refused: The answer must not go on.
        """
        frame = read_frame(event, self._dialect)
        if frame.value is None and not frame.all_over:
            return event.raw
        out: list[bytes] = []
        self._tools |= frame.tools
        own = {piece.channel for piece in frame.pieces}
        over = [each for each in self._texts if each not in own and self._is_over(each, frame)]
        out += [await self._end_text(channel) for channel in over]
        texts: dict[Path, str] = dict(await self._judge.whole(frame.whole)) if frame.whole else {}
        said = bool(texts)
        for piece in frame.pieces:
            last = piece.channel[0] in frame.ends
            texts[piece.path] = shown = await self._judge.text(piece, over=last)
            said = said or bool(shown)
            if last:
                self._texts.pop(piece.channel, None)
            else:
                self._texts[piece.channel] = _Open(frame, piece)
        said = self._hold(frame, texts) or said
        complete = [channel for channel in self._calls if self._call_is_over(channel, frame)]
        out += [await self._end_call(channel) for channel in complete]
        self.said = self.said or said or any(out) or frame.all_over
        if said or not frame.lone:
            out.append(frame.written(texts, plain=self._plain))
        return b"".join(out)

    async def end(self) -> bytes:
        """Return what is still held back; the stream is over."""
        out = [await self._end_text(channel) for channel in [*self._texts]]
        out += [await self._end_call(channel) for channel in [*self._calls]]
        return b"".join(out)

    # ------------------------------------------------------------------ inside

    def _is_over(self, channel: Channel, frame: Frame) -> bool:
        """Tell whether a text ends before an event that has no piece of it."""
        group = channel[0]
        if frame.all_over or group in frame.ends:
            return True
        others = any(piece.channel[0] == group for piece in (*frame.pieces, *frame.fragments))
        return others or (frame.strict and group in frame.groups)

    def _call_is_over(self, channel: Channel, frame: Frame) -> bool:
        group = channel[0]
        if frame.all_over or group in frame.ends:
            return True
        return any(
            other[0] == group and other != channel
            for other in (*frame.tools, *(piece.channel for piece in frame.fragments))
        )

    def _hold(self, frame: Frame, texts: dict[Path, str]) -> bool:
        """Keep the fragments of arguments; tell whether any of them is shown."""
        said = False
        for piece in frame.fragments:
            if not self._holds_tools:
                said = True
                continue
            kept = self._calls.get(piece.channel)
            if kept is None:
                kept = self._calls[piece.channel] = _Open(frame, piece)
            kept.frame, kept.piece = frame, piece
            kept.fragments.append(piece.text)
            texts[piece.path] = ""
        return said

    async def _end_text(self, channel: Channel) -> bytes:
        kept = self._texts.pop(channel)
        text = await self._judge.rest(kept.piece)
        return kept.frame.alone(kept.piece, text) if text else b""

    async def _end_call(self, channel: Channel) -> bytes:
        kept = self._calls.pop(channel)
        whole = "".join(kept.fragments)
        shown = await self._judge.arguments(whole, self._tools.get(channel, ""), kept.piece)
        return kept.frame.alone(kept.piece, shown) if shown else b""


class Live:
    """Judges an answer while it comes: guards with a window, and values to be put back.

    Args:
        checks: Runs guards.
        guards: All with a window.
        occasion: The call.
        values: Masked values of the request, by placeholder.
    """

    def __init__(
        self,
        checks: Checks,
        guards: Sequence[Installed],
        occasion: Occasion,
        values: Mapping[str, str],
    ) -> None:
        self._checks = checks
        self._guards = guards
        self._occasion = occasion
        self._values = values
        self._pattern = pattern_of(values)
        windows = [each.guard.window or 0 for each in guards if each.guard is not None]
        self._window = max(windows, default=0)
        self._sieves: dict[Channel, Sieve] = {}
        self._restoring: dict[Channel, Restoring] = {}
        self._masked: set[str] = set()

    async def text(self, piece: Piece, *, over: bool) -> str:
        """See `Judge.text`."""
        if not self._guards:
            return self._put_back(piece, piece.text, over=over)
        sieve = self._sieves.get(piece.channel)
        if sieve is None:
            sieve = self._sieves[piece.channel] = Sieve(self._window)
        sieve.add(piece.text)
        if not over and not sieve.ripe:
            return ""
        return self._put_back(piece, await self._sift(piece, sieve, over=over), over=over)

    async def rest(self, piece: Piece) -> str:
        """See `Judge.rest`."""
        sieve = self._sieves.get(piece.channel)
        text = ""
        if sieve is not None and sieve.waiting:
            text = await self._sift(piece, sieve, over=True)
        return self._put_back(piece, text, over=True)

    async def arguments(self, text: str, tool: str, piece: Piece) -> str:
        """See `Judge.arguments`."""
        del piece
        parts = argument_parts(text, tool, ("arguments",))
        edits: dict[Path, str] = {}
        for path, new in (await self._decide(parts)).items():
            if path == ("arguments",):
                return new
            edits[path[1:]] = new
        return with_arguments(text, edits)

    async def whole(self, parts: Sequence[Part]) -> Mapping[Path, str]:
        """See `Judge.whole`."""
        return await self._decide(parts)

    def finished(self, seconds: float) -> None:
        """Count the looks at the whole stream as one for each guard."""
        for each in self._guards:
            status = INTERVENED if each.plan.name in self._masked else SUCCESS
            self._checks.seen(each.plan, self._occasion, status, seconds)

    # ------------------------------------------------------------------ inside

    async def _sift(self, piece: Piece, sieve: Sieve, *, over: bool) -> str:
        passage = Passage(sieve.text, piece.place, f"{piece.channel[0]}.{piece.channel[1]}")
        parts = [Part(passage, (), fixed=piece.fixed)]

        def settled(start: int, end: int) -> bool:
            return sieve.settled(start, end, all_=over)

        spans: list[Span] = []
        for each in self._guards:
            looked = await self._checks.look(each, parts, self._occasion, answer_mark, settled)
            spans += looked.spans.get(0, ())
            if looked.kinds:
                self._masked.add(each.plan.name)
        return sieve.pass_on(spans, all_=over)

    async def _decide(self, parts: Sequence[Part]) -> dict[Path, str]:
        """Return the new texts of complete parts, by place; those inside arguments below it."""
        texts = await check_all(self._checks, self._guards, parts, self._occasion)
        out: dict[Path, str] = {}
        for number, part in enumerate(parts):
            text = texts.get(number, part.passage.text)
            if part.fixed is None:
                text = restored(text, self._values, self._pattern)
            if text != part.passage.text:
                out[(*part.path, *(part.inner or ()))] = text
        return out

    def _put_back(self, piece: Piece, text: str, *, over: bool) -> str:
        if not self._values or piece.fixed is not None:
            return text
        restoring = self._restoring.get(piece.channel)
        if restoring is None:
            restoring = self._restoring[piece.channel] = Restoring(self._values)
        out = restoring.feed(text)
        return out + restoring.end() if over else out


async def check_all(
    checks: Checks, guards: Sequence[Installed], parts: Sequence[Part], occasion: Occasion
) -> dict[int, str]:
    """Let guards look at complete texts of an answer, one after the other.

    Returns:
        The texts that are to be shown in the place of some, by their number.

    Raises:
        Refused: The answer must not be shown.
    """
    from_guards: dict[int, str] = {}
    now = list(parts)
    for each in guards:
        looked = await checks.look(each, now, occasion, answer_mark)
        now, new = looked.applied(now)
        from_guards |= new
    return from_guards
