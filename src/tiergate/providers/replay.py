"""Play a whole answer as a stream, for a host that answers a streaming request in one piece.

The caller gets a well-formed stream of its own dialect; nothing is made up but the cuts.
"""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.base.chat import (
    Answer,
    Audio,
    BlockEnded,
    CitationDelta,
    Document,
    Ended,
    Finished,
    Image,
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
    ToolResult,
    ToolStarted,
    ToolUse,
    UsageSeen,
)
from tiergate.base.errors import Failure
from tiergate.base.values import Usage
from tiergate.providers.translated import StreamEncoder


def events_of(answer: Answer) -> Iterator[StreamEvent]:
    """Yield the events of a finished answer, in the order of its parts."""
    yield Started(answer.id, answer.model, answer.usage, answer.created)
    for block, part in enumerate(answer.parts):
        yield from _events_of_part(block, part)
        yield BlockEnded(block)
    yield Finished(answer.stop, answer.stop_sequence, answer.stop_raw)
    yield UsageSeen(answer.usage)
    yield Ended()


def _events_of_part(block: int, part: Part) -> Iterator[StreamEvent]:
    match part:
        case Text():
            yield TextDelta(block, part.text)
            for citation in part.citations:
                yield CitationDelta(block, citation)
        case Thinking():
            yield ThinkingDelta(block, part.text)
            if part.signature is not None:
                yield SignatureDelta(block, part.signature)
        case RedactedThinking():
            yield RedactedBlock(block, part.data)
        case ToolUse():
            yield ToolStarted(block, part.id, part.name)
            yield ToolDelta(block, part.arguments)
        case Refusal():
            yield RefusalDelta(block, part.text)
        case Opaque():
            yield OpaqueBlock(block, part)
        case Image() | Document() | Audio() | ToolResult():
            # Models do not answer with these; a host that does has no streamed form for them.
            return


def _text_of(part: Part) -> str:
    match part:
        case Text() | Thinking() | Refusal():
            return part.text
        case ToolUse():
            return part.name + part.arguments
        case _:
            return ""


class Replayed:
    """A stream that is complete from the beginning; a `ports.StreamReader`."""

    __slots__ = ("_encoder", "metered", "refused", "said_bytes", "said_pieces", "usage")

    content = True
    ended = True
    failure: Failure | None = None

    def __init__(self, answer: Answer, usage: Usage | None, encoder: StreamEncoder) -> None:
        """Take a whole answer.

        Args:
            answer: What was answered.
            usage: As the provider told it; None when it did not.
            encoder: Writes the caller's error frame.
        """
        self._encoder = encoder
        self.usage = usage
        self.metered = usage is not None
        self.refused = answer.stop is Stop.REFUSED
        texts = [text for part in answer.parts if (text := _text_of(part))]
        self.said_pieces = len(texts)
        self.said_bytes = sum(len(text.encode(errors="replace")) for text in texts)

    def feed(self, piece: bytes) -> bytes:
        """Take nothing: the answer is complete."""
        del piece
        return b""

    def eof(self) -> bytes:
        """Add nothing: the answer is complete."""
        return b""

    def error(self, failure: Failure) -> bytes:
        """Return the in-band error frame of the caller's dialect."""
        return self._encoder.error(failure)
