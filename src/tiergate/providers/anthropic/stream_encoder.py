"""Write stream events as a Messages stream.

One block is open at a time, numbered in order, as official clients expect; events of a block that
must wait are kept. Usage stands in the last `message_delta`, so that frame is held until the end.
"""

from __future__ import annotations

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
    RefusalDelta,
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
from tiergate.base.errors import Failure
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.anthropic.citations import citation_to
from tiergate.providers.anthropic.stops import error_object, stop_to
from tiergate.providers.anthropic.usage import usage_to

_encode: Final = msgspec.json.Encoder().encode
_PING: Final = b'event: ping\ndata: {"type":"ping"}\n\n'
_TAIL: Final = b"}}\n\n"
_EMPTY: Final[dict[str, JsonObject]] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
_DELTA: Final = {
    "text": b'"text_delta","text":',
    "thinking": b'"thinking_delta","thinking":',
    "tool_use": b'"input_json_delta","partial_json":',
    "signature": b'"signature_delta","signature":',
    "citation": b'"citations_delta","citation":',
}


class StreamEncoder:
    """Feed it the events of one answer.

    Args:
        model: The name the caller asked for.
        include_usage: Not used: this dialect always tells usage.
        id: The answer's id.
        created: Not used: this dialect dates no answer.
    """

    __slots__ = (
        "_called",
        "_finished",
        "_heads",
        "_id",
        "_index",
        "_kind",
        "_model",
        "_open",
        "_over",
        "_started",
        "_usage",
        "_waiting",
    )

    def __init__(
        self,
        *,
        model: str,
        include_usage: bool,
        id: str,  # noqa: A002 - the wire's own word
        created: int,
    ) -> None:
        del include_usage, created
        self._model = model
        self._id = id
        self._usage: Usage | None = None
        self._finished: Finished | None = None
        self._started = False
        self._over = False
        self._called = False
        self._open: int | None = None
        """The event number of the open block; its number on the wire is `_index`."""
        self._index = -1
        self._kind = ""
        self._heads: dict[str, bytes] = {}
        self._waiting: dict[int, list[StreamEvent]] = {}

    def feed(self, event: StreamEvent) -> bytes:  # noqa: PLR0911 - one for each kind of event
        """Return the frames for one event, or nothing."""
        if self._over:
            return b""
        match event:
            case TextDelta() | ThinkingDelta() | ToolDelta():
                if event.block == self._open:
                    return self._write(event)
                return self._begin() + self._ordered(event, event.block)
            case Finished():
                self._finished = event
                return b""
            case UsageSeen():
                self._usage = event.usage
                return b""
            case Started():
                self._usage = self._usage or event.usage
                return self._begin()
            case Pinged():
                return _PING if self._started else b""
            case Ended():
                return self._end()
            case Broken():
                return self.error(event.failure)
            case _:
                return self._begin() + self._ordered(event, event.block)

    def error(self, failure: Failure) -> bytes:
        """Return the error frame; nothing follows it."""
        self._over = True
        return _frame("error", error_object(failure))

    # ------------------------------------------------------------------ message

    def _begin(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        message: JsonObject = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_to(self._usage or Usage()),
        }
        return _frame("message_start", {"type": "message_start", "message": message})

    def _end(self) -> bytes:
        out = [self._begin(), self._close()]
        while self._waiting:
            out.append(self._next_waiting())
            out.append(self._close())
        finished = self._finished or Finished(Stop.END)
        stop = finished.stop
        if self._called and stop in (Stop.END, Stop.OTHER):
            stop = Stop.TOOLS
        delta: JsonObject = {"stop_reason": stop_to(stop), "stop_sequence": finished.stop_sequence}
        usage: JsonObject = {"output_tokens": 0}
        if self._usage is not None:
            usage = usage_to(self._usage)
        last: JsonObject = {"type": "message_delta", "delta": delta, "usage": usage}
        out += (_frame("message_delta", last), _frame("message_stop", {"type": "message_stop"}))
        self._over = True
        return b"".join(out)

    # ------------------------------------------------------------------ blocks

    def _ordered(self, event: StreamEvent, block: int) -> bytes:
        """Write an event now, or keep it until the open block has ended."""
        if block in self._waiting:
            self._waiting[block].append(event)
            return b""
        if self._open is None or block == self._open:
            out = self._write(event)
            return out + self._go_on() if self._open is None else out
        if isinstance(event, BlockEnded):
            return b""
        if self._kind == "tool_use":
            # A tool call cannot be taken up again once it is closed, so the others wait.
            self._waiting[block] = [event]
            return b""
        return self._close() + self._write(event)

    def _go_on(self) -> bytes:
        """Write what waited, up to the first block that is not complete."""
        out: list[bytes] = []
        while self._waiting and self._open is None:
            out.append(self._next_waiting())
        return b"".join(out)

    def _next_waiting(self) -> bytes:
        block = next(iter(self._waiting))
        return b"".join(self._write(event) for event in self._waiting.pop(block))

    def _write(self, event: StreamEvent) -> bytes:  # noqa: PLR0911 - one for each kind of event
        match event:
            case TextDelta() | RefusalDelta():
                return self._piece(event.block, "text", "text", event.text)
            case ThinkingDelta():
                return self._piece(event.block, "thinking", "thinking", event.text)
            case SignatureDelta():
                return self._piece(event.block, "thinking", "signature", event.signature)
            case CitationDelta():
                found = citation_to(event.citation)
                return (
                    b"" if found is None else self._piece(event.block, "text", "citation", found)
                )
            case ToolStarted():
                return self._tool(event)
            case ToolDelta():
                # Without its start there is no call to add to.
                known = event.block == self._open and self._kind == "tool_use"
                return (
                    self._piece(event.block, "tool_use", "tool_use", event.fragment)
                    if known
                    else b""
                )
            case RedactedBlock():
                block: JsonObject = {"type": "redacted_thinking", "data": event.data}
                return self._whole(event.block, block)
            case OpaqueBlock():
                return self._opaque(event.block, event.part)
            case BlockEnded():
                return self._close() if event.block == self._open else b""
            case _:
                return b""

    def _piece(self, block: int, kind: str, delta: str, value: object) -> bytes:
        if not value:
            return b""
        before = b""
        if block != self._open or kind != self._kind:
            before = self._close() + self._enter(block, kind, _EMPTY[kind])
        head = self._heads.get(delta)
        if head is None:
            head = self._heads[delta] = (
                b"event: content_block_delta\n"
                b'data: {"type":"content_block_delta","index":%d,"delta":{"type":%b'
                % (self._index, _DELTA[delta])
            )
        return before + head + _encode(value) + _TAIL

    def _tool(self, event: ToolStarted) -> bytes:
        self._called = True
        before = self._close()
        block: JsonObject = {
            "type": "tool_use",
            "id": event.id,
            "name": event.name,
            "input": {},
        }
        return before + self._enter(event.block, "tool_use", block)

    def _opaque(self, number: int, part: Opaque) -> bytes:
        own = part.dialect is Dialect.ANTHROPIC
        return self._whole(number, part.raw) if own and isinstance(part.raw, dict) else b""

    def _whole(self, number: int, block: JsonObject) -> bytes:
        """Open a block that is complete at its start; its end closes it."""
        return self._close() + self._enter(number, "whole", block)

    def _enter(self, number: int, kind: str, block: JsonObject) -> bytes:
        self._open = number
        self._kind = kind
        self._index += 1
        self._heads = {}
        frame: JsonObject = {
            "type": "content_block_start",
            "index": self._index,
            "content_block": block,
        }
        return _frame("content_block_start", frame)

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        self._kind = ""
        return _frame("content_block_stop", {"type": "content_block_stop", "index": self._index})


def _frame(name: str, data: JsonObject) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(data))
