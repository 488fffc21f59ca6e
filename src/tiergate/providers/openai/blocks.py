"""Put the pieces of a streamed answer into blocks that come one after the other.

Hosts interleave the fragments of parallel tool calls, give all of them index 0, or no index. A
canonical stream has one block open at a time, so the pieces of a later block wait until the one
before it is complete: a text when something else begins, a call when its arguments are a whole
JSON value or the answer ends.
"""

from __future__ import annotations

import msgspec

from tiergate.base.chat import (
    BlockEnded,
    CitationDelta,
    RedactedBlock,
    RefusalDelta,
    SignatureDelta,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
)
from tiergate.base.jsontypes import Json


class Block:
    """A block that is open or waits. A base: what may be said in it, the kinds below decide."""

    __slots__ = ("number", "waiting")

    def __init__(self) -> None:
        self.number = -1
        self.waiting: list[StreamEvent] = []

    def open(self, number: int) -> list[StreamEvent]:
        """Give the block its number; return how it begins."""
        self.number = number
        return []

    def complete(self) -> bool:
        """Whether nothing more can belong to it once another block has begun."""
        return True

    def close(self) -> list[StreamEvent]:
        """Return how the block ends."""
        return [BlockEnded(self.number)]


class TextBlock(Block):
    """Answer text."""

    __slots__ = ()


class RefusalBlock(Block):
    """A refusal in words."""

    __slots__ = ()


class ThinkingBlock(Block):
    """Reasoning text. `signed` closes it to further text."""

    __slots__ = ("signed",)

    def __init__(self) -> None:
        super().__init__()
        self.signed = False


class HiddenBlock(Block):
    """A redacted thinking block, whole."""

    __slots__ = ("data",)

    def __init__(self, data: str) -> None:
        super().__init__()
        self.data = data

    def open(self, number: int) -> list[StreamEvent]:
        """Say the block."""
        super().open(number)
        return [RedactedBlock(number, self.data)]


class ToolBlock(Block):
    """A tool call. It can open once its name is known."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self, identity: str) -> None:
        super().__init__()
        self.id = identity
        self.name = ""
        self.arguments: list[str] = []

    def open(self, number: int) -> list[StreamEvent]:
        """Say id and name."""
        super().open(number)
        return [ToolStarted(number, self.id, self.name)]

    def complete(self) -> bool:
        """Whether the arguments are a whole JSON object, after which nothing can follow."""
        text = "".join(self.arguments).rstrip()
        if not text.endswith("}"):
            return False
        try:
            msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return False
        return True

    def close(self) -> list[StreamEvent]:
        """End the call; one without arguments has the empty object."""
        ended = super().close()
        if not "".join(self.arguments).strip():
            return [ToolDelta(self.number, "{}"), *ended]
        return ended


class BlockQueue:
    """Blocks in order of appearance; the first may be open, the others wait."""

    __slots__ = ("_blocks", "_next", "nameless")

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._next = 0
        self.nameless = 0
        """Calls that never got a name, and so were left out."""

    def last(self) -> Block | None:
        """The block that appeared last, if it can still grow."""
        return self._blocks[-1] if self._blocks else None

    def add(self, block: Block) -> list[StreamEvent]:
        """Append a block; return what that lets out."""
        self._blocks.append(block)
        return self.advance()

    def text(
        self, block: TextBlock | RefusalBlock | ThinkingBlock, text: str
    ) -> list[StreamEvent]:
        """Say more of a text block."""
        number = block.number
        if isinstance(block, TextBlock):
            return self._say(block, TextDelta(number, text))
        if isinstance(block, ThinkingBlock):
            return self._say(block, ThinkingDelta(number, text))
        return self._say(block, RefusalDelta(number, text))

    def sign(self, block: ThinkingBlock, signature: str) -> list[StreamEvent]:
        """Say the signature of a thinking block."""
        block.signed = True
        return self._say(block, SignatureDelta(block.number, signature))

    def cite(self, block: TextBlock, citation: Json) -> list[StreamEvent]:
        """Say a citation of a text block."""
        return self._say(block, CitationDelta(block.number, citation))

    def fragment(self, block: ToolBlock, text: str) -> list[StreamEvent]:
        """Say more of a call's arguments."""
        block.arguments.append(text)
        if block.number < 0:
            return []  # They are said together when the call opens.
        events: list[StreamEvent] = [ToolDelta(block.number, text)]
        return events + self.advance() if len(self._blocks) > 1 else events

    def advance(self) -> list[StreamEvent]:
        """Open, and close, what can be by now."""
        events: list[StreamEvent] = []
        blocks = self._blocks
        while blocks:
            head = blocks[0]
            if head.number < 0:
                if isinstance(head, ToolBlock) and not head.name:
                    break
                events += self._open(head)
            if len(blocks) == 1 or not head.complete():
                break
            events += head.close()
            del blocks[0]
        return events

    def finish(self) -> list[StreamEvent]:
        """Close all blocks; the answer is over."""
        events: list[StreamEvent] = []
        for block in self._blocks:
            if isinstance(block, ToolBlock) and not block.name:
                self.nameless += 1
                continue
            if block.number < 0:
                events += self._open(block)
            events += block.close()
        self._blocks = []
        return events

    def _say(self, block: Block, event: StreamEvent) -> list[StreamEvent]:
        if block.number >= 0:
            return [event]
        block.waiting.append(event)
        return []

    def _open(self, block: Block) -> list[StreamEvent]:
        number = self._next
        self._next += 1
        events = block.open(number)
        if isinstance(block, ToolBlock):
            if joined := "".join(block.arguments):
                events.append(ToolDelta(number, joined))
            return events
        for event in block.waiting:
            match event:
                case TextDelta():
                    events.append(TextDelta(number, event.text))
                case ThinkingDelta():
                    events.append(ThinkingDelta(number, event.text))
                case RefusalDelta():
                    events.append(RefusalDelta(number, event.text))
                case SignatureDelta():
                    events.append(SignatureDelta(number, event.signature))
                case CitationDelta():
                    events.append(CitationDelta(number, event.citation))
                case _:
                    pass  # Nothing else waits: `_say` is given the five above.
        block.waiting = []
        return events
