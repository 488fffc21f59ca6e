"""Put the events of a stream together into the answer that they are pieces of.

The reverse of `replay`. How a dialect writes events is the codecs' matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tiergate.base.chat import (
    Answer,
    CitationDelta,
    Ended,
    Finished,
    Opaque,
    OpaqueBlock,
    Part,
    RedactedBlock,
    RedactedThinking,
    Refusal,
    RefusalDelta,
    SignatureDelta,
    Started,
    Stop,
    StreamEvent,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    ToolUse,
    UsageSeen,
)
from tiergate.base.jsontypes import Json
from tiergate.base.values import Usage


@dataclass(slots=True)
class _Block:
    """One block of the answer while its pieces come."""

    kind: type[Text | Thinking | ToolUse | Refusal] = Text
    texts: list[str] = field(default_factory=list[str])
    citations: list[Json] = field(default_factory=list[Json])
    signature: list[str] = field(default_factory=list[str])
    id: str = ""
    name: str = ""
    whole: RedactedThinking | Opaque | None = None

    def part(self) -> Part:
        """Return the finished block."""
        if self.whole is not None:
            return self.whole
        text = "".join(self.texts)
        if self.kind is Thinking:
            return Thinking(text, "".join(self.signature) or None)
        if self.kind is ToolUse:
            return ToolUse(self.id, self.name, text or "{}")
        if self.kind is Refusal:
            return Refusal(text)
        return Text(text, citations=tuple(self.citations))


class Folding:
    """Feed it the events of one stream; `answer` is there once the stream has ended."""

    __slots__ = ("_blocks", "_end", "_finished", "_started", "_usage")

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._started = Started("", "")
        self._finished = Finished(Stop.END)
        self._usage: Usage | None = None
        self._end = False

    def feed(self, event: StreamEvent) -> None:
        """Take one event."""
        match event:
            case Started():
                self._started = event
                self._usage = event.usage or self._usage
            case Finished():
                self._finished = event
            case UsageSeen():
                self._usage = event.usage
            case Ended():
                self._end = True
            case _:
                self._piece(event)

    def answer(self, usage: Usage | None = None) -> Answer | None:
        """Return the answer; None if its stream has not ended as it must.

        Args:
            usage: What the provider told of it, where that is known from elsewhere.
        """
        if not self._end:
            return None
        return Answer(
            id=self._started.id,
            model=self._started.model,
            parts=tuple(self._blocks[number].part() for number in sorted(self._blocks)),
            stop=self._finished.stop,
            stop_sequence=self._finished.stop_sequence,
            stop_raw=self._finished.raw,
            usage=usage or self._usage or Usage(estimated=True),
            created=self._started.created,
        )

    def _piece(self, event: StreamEvent) -> None:
        """Add to a block; pings and ends of blocks add nothing."""
        match event:
            case TextDelta():
                self._of(event.block, Text).texts.append(event.text)
            case ThinkingDelta():
                self._of(event.block, Thinking).texts.append(event.text)
            case SignatureDelta():
                self._of(event.block, Thinking).signature.append(event.signature)
            case RefusalDelta():
                self._of(event.block, Refusal).texts.append(event.text)
            case ToolStarted():
                block = self._of(event.block, ToolUse)
                block.id, block.name = event.id, event.name
            case ToolDelta():
                self._of(event.block, ToolUse).texts.append(event.fragment)
            case _:
                self._rare(event)

    def _rare(self, event: StreamEvent) -> None:
        match event:
            case CitationDelta():
                self._of(event.block, Text).citations.append(event.citation)
            case RedactedBlock():
                self._blocks[event.block] = _Block(whole=RedactedThinking(event.data))
            case OpaqueBlock():
                self._blocks[event.block] = _Block(whole=event.part)
            case _:
                pass

    def _of(self, number: int, kind: type[Text | Thinking | ToolUse | Refusal]) -> _Block:
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = _Block(kind)
        return block
