"""Read a streamed Messages answer into stream events.

Blocks get our own numbers, in order of appearance. An event that cannot be understood is skipped
and counted; types that are new are passed over, as the API's versioning policy asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tiergate.base.chat import (
    BlockEnded,
    Broken,
    CitationDelta,
    Ended,
    Finished,
    Opaque,
    OpaqueBlock,
    Pinged,
    RedactedBlock,
    SignatureDelta,
    Started,
    Stop,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    UsageSeen,
)
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.anthropic.content import arguments_of
from tiergate.providers.anthropic.stops import stop_from
from tiergate.providers.anthropic.usage import merged, usage_from
from tiergate.providers.failures import classify_event
from tiergate.providers.sse import SseEvent

_decode: Final = msgspec.json.Decoder().decode

# Deltas that may open a block themselves, for hosts that leave out its start.
_KIND_OF_DELTA: Final = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "citations_delta": "text",
}


@dataclass(slots=True)
class _Open:
    """A block that has begun and not ended."""

    number: int
    kind: str
    raw: JsonObject
    fragments: list[str] = field(default_factory=list[str])
    """JSON text of a block that is handed on whole."""
    spoke: bool = False
    """A fragment of a tool's arguments came."""


class StreamDecoder:
    """Feed it the events of one answer, then call `eof`.

    Attributes:
        skipped: Events that could not be understood.
        usage: The latest token counts, if any came.
        metered: They are of the whole answer: those at its start count no output yet.
        stop: Why the model stopped, once it did.
    """

    __slots__ = (
        "_counts",
        "_next",
        "_open",
        "_over",
        "_readers",
        "_started",
        "metered",
        "skipped",
        "stop",
        "usage",
    )

    def __init__(self) -> None:
        self.skipped = 0
        self.usage: Usage | None = None
        self.metered = False
        self.stop: Stop | None = None
        self._counts: JsonObject = {}
        self._open: dict[int, _Open] = {}
        self._next = 0
        self._started = False
        self._over = False
        self._readers: dict[str, Callable[[JsonObject], list[StreamEvent]]] = {
            "content_block_delta": self._delta,
            "content_block_start": self._block_start,
            "content_block_stop": self._block_stop,
            "message_start": self._start,
            "message_delta": self._message_delta,
            "message_stop": self._stop,
            "error": self._error,
        }

    def feed(self, event: SseEvent) -> list[StreamEvent]:
        """Return what one event of the upstream says. Never raises."""
        if self._over:
            return []
        try:
            raw: Json = _decode(event.data)
        except (msgspec.DecodeError, RecursionError):
            if event.data.strip() != b"[DONE]":  # some hosts end every stream with it
                self.skipped += 1
            return []
        if not isinstance(raw, dict):
            self.skipped += 1
            return []
        kind = raw.get("type")
        if not isinstance(kind, str):
            kind = "error" if raw.get("error") else event.name.decode("ascii", "replace")
        if kind == "ping":
            return [Pinged()]
        reader = self._readers.get(kind)
        return [] if reader is None else reader(raw)

    def eof(self) -> list[StreamEvent]:
        """Return what it means that the upstream's stream has ended."""
        if self._over:
            return []
        if self.stop is not None:
            return self._stop({})
        self._over = True
        return [
            Broken(
                Failure(
                    FailureClass.CONNECTION,
                    502,
                    "The provider's stream ended before the answer was complete.",
                    type="api_error",
                    code="stream_cut",
                    dialect=Dialect.ANTHROPIC,
                )
            )
        ]

    # ------------------------------------------------------------------ message

    def _start(self, raw: JsonObject) -> list[StreamEvent]:
        if self._started:
            return []
        self._started = True
        message = raw.get("message")
        if not isinstance(message, dict):
            return [Started("", "")]
        self._count(message.get("usage"))
        identity, model = message.get("id"), message.get("model")
        return [
            Started(
                identity if isinstance(identity, str) else "",
                model if isinstance(model, str) else "",
                self.usage,
            )
        ]

    def _begun(self) -> list[StreamEvent]:
        """Return a start for a host that sent none."""
        return [] if self._started else self._start({})

    def _message_delta(self, raw: JsonObject) -> list[StreamEvent]:
        events = self._begun()
        delta = raw.get("delta")
        if isinstance(delta, dict) and isinstance(word := delta.get("stop_reason"), str):
            self.stop = stop_from(word)
            sequence = delta.get("stop_sequence")
            events += self._close_all()
            events.append(
                Finished(self.stop, sequence if isinstance(sequence, str) else None, word)
            )
        if self._count(raw.get("usage")) and self.usage is not None:
            self.metered = True
            events.append(UsageSeen(self.usage))
        return events

    def _count(self, usage: Json) -> bool:
        if not isinstance(usage, dict):
            return False
        self._counts = merged(self._counts, usage)
        self.usage = usage_from(self._counts)
        return True

    def _stop(self, raw: JsonObject) -> list[StreamEvent]:
        del raw
        if self.stop is None and not self._started:
            return self.eof()
        self._over = True
        events = self._close_all()
        if self.stop is None:
            # The dialect's end mark came, so the answer is whole.
            self.stop = Stop.END
            events.append(Finished(Stop.END))
        events.append(Ended())
        return events

    def _error(self, raw: JsonObject) -> list[StreamEvent]:
        self._over = True
        return [Broken(classify_event(raw, Dialect.ANTHROPIC))]

    # ------------------------------------------------------------------ blocks

    def _block_start(self, raw: JsonObject) -> list[StreamEvent]:
        index, block = raw.get("index"), raw.get("content_block")
        if not isinstance(index, int) or not isinstance(block, dict):
            self.skipped += 1
            return []
        kind = block.get("type")
        events = self._begun()
        if (before := self._open.pop(index, None)) is not None:
            events += self._close(before)
        opened = self._enter(index, kind if isinstance(kind, str) else "", block)
        events += self._first(opened)
        return events

    def _enter(self, index: int, kind: str, raw: JsonObject) -> _Open:
        opened = self._open[index] = _Open(self._next, kind, raw)
        self._next += 1
        return opened

    @staticmethod
    def _first(block: _Open) -> list[StreamEvent]:
        """Return what the start of a block already says."""
        number, raw = block.number, block.raw
        match block.kind:
            case "text":
                text = raw.get("text")
                events: list[StreamEvent] = []
                if isinstance(text, str) and text:
                    events.append(TextDelta(number, text))
                cited = raw.get("citations")
                if isinstance(cited, list):
                    events += [CitationDelta(number, citation) for citation in cited]
                return events
            case "thinking":
                text, signature = raw.get("thinking"), raw.get("signature")
                thought: list[StreamEvent] = []
                if isinstance(text, str) and text:
                    thought.append(ThinkingDelta(number, text))
                if isinstance(signature, str) and signature:
                    thought.append(SignatureDelta(number, signature))
                return thought
            case "redacted_thinking":
                return [RedactedBlock(number, str(raw.get("data") or ""))]
            case "tool_use":
                return [ToolStarted(number, str(raw.get("id") or ""), str(raw.get("name") or ""))]
            case _:
                return []

    def _delta(self, raw: JsonObject) -> list[StreamEvent]:
        index, delta = raw.get("index"), raw.get("delta")
        if not isinstance(index, int) or not isinstance(delta, dict):
            self.skipped += 1
            return []
        kind = delta.get("type")
        events: list[StreamEvent] = []
        block = self._open.get(index)
        if block is None:
            implied = _KIND_OF_DELTA.get(kind) if isinstance(kind, str) else None
            if implied is None:
                self.skipped += 1
                return []
            events = self._begun()
            block = self._enter(index, implied, {})
        found = _read_delta(block, kind, delta)
        if found is not None:
            events.append(found)
        return events

    def _block_stop(self, raw: JsonObject) -> list[StreamEvent]:
        index = raw.get("index")
        block = self._open.pop(index, None) if isinstance(index, int) else None
        return [] if block is None else self._close(block)

    def _close_all(self) -> list[StreamEvent]:
        blocks, self._open = list(self._open.values()), {}
        return [event for block in blocks for event in self._close(block)]

    @staticmethod
    def _close(block: _Open) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        if block.kind == "tool_use":
            if not block.spoke:
                # Arguments that came whole with the start, or none at all.
                given = block.raw.get("input")
                events.append(
                    ToolDelta(
                        block.number, arguments_of(given if isinstance(given, dict) else None)
                    )
                )
        elif block.kind not in ("text", "thinking", "redacted_thinking"):
            whole = Opaque(Dialect.ANTHROPIC, block.kind, _joined(block))
            events.append(OpaqueBlock(block.number, whole))
        events.append(BlockEnded(block.number))
        return events


def _read_delta(block: _Open, kind: Json, delta: JsonObject) -> StreamEvent | None:
    """Return what a delta adds to its block; None for nothing, or for what its end will say."""
    match kind:
        case "text_delta":
            text = delta.get("text")
            return TextDelta(block.number, text) if isinstance(text, str) and text else None
        case "input_json_delta":
            fragment = delta.get("partial_json")
            if not isinstance(fragment, str) or not fragment:
                return None
            if block.kind != "tool_use":
                block.fragments.append(fragment)
                return None
            block.spoke = True
            return ToolDelta(block.number, fragment)
        case "thinking_delta":
            text = delta.get("thinking")
            return ThinkingDelta(block.number, text) if isinstance(text, str) and text else None
        case "signature_delta":
            text = delta.get("signature")
            return SignatureDelta(block.number, text) if isinstance(text, str) and text else None
        case "citations_delta":
            return CitationDelta(block.number, delta.get("citation"))
        case _:
            return None


def _joined(block: _Open) -> JsonObject:
    """Return a block handed on whole, with the input that came in fragments."""
    if not block.fragments:
        return block.raw
    try:
        given: Json = _decode("".join(block.fragments).encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return block.raw
    return {**block.raw, "input": given}
