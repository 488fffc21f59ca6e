"""Write stream events as a streamed chat completion.

The form is OpenAI's: the first chunk has the role, one `id` and `created` stand in all chunks, the
last chunk with a choice has the finish reason, a usage chunk without choices follows if it was
asked for, then `[DONE]`. After an error frame nothing follows.
"""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from tiergate.base.chat import (
    BlockEnded,
    Broken,
    CitationDelta,
    Ended,
    Finished,
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
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.openai.annotations import annotations_of, foreign_of
from tiergate.providers.openai.answer_encoder import foreign_fields, thinking_block
from tiergate.providers.openai.stops import reason_for
from tiergate.providers.openai.usage import usage_to

_json: Final = msgspec.json.encode
_PING: Final = b": ping\n\n"
_DONE: Final = b"data: [DONE]\n\n"


class _Thought:
    """What is kept of an open thinking block."""

    __slots__ = ("signatures", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.signatures: list[str] = []


class _Tool:
    """A tool call: its number among the calls, and whether its arguments have begun."""

    __slots__ = ("index", "said")

    def __init__(self, index: int) -> None:
        self.index = index
        self.said = False


class StreamEncoder:
    """Writes one streamed answer.

    Args of the constructor: `model` is the name the caller asked for, `include_usage` what the
    caller said in `stream_options`, `id` and `created` (Unix seconds) stand in every chunk.
    """

    __slots__ = (
        "_annotations",
        "_blocks",
        "_citations",
        "_closed",
        "_finished",
        "_foreign",
        "_head",
        "_include_usage",
        "_opaque",
        "_refused",
        "_started",
        "_tail",
        "_text_head",
        "_text_length",
        "_text_start",
        "_thoughts",
        "_tools",
        "_usage",
    )

    def __init__(
        self,
        *,
        model: str,
        include_usage: bool,
        id: str,  # noqa: A002 - the wire's own word
        created: int,
    ) -> None:
        # All chunks begin and end alike: what stands between is written once per event.
        head = _json(
            {"id": id, "object": "chat.completion.chunk", "created": created, "model": model}
        )
        self._head = b"data: " + head[:-1]
        usage = b',"usage":null' if include_usage else b""
        self._tail = b'},"finish_reason":null}]' + usage + b"}\n\n"
        self._text_head = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._include_usage = include_usage
        self._started = False
        self._finished = False
        self._closed = False
        self._refused = False
        self._usage: Usage | None = None
        self._blocks = 0
        self._thoughts: dict[int, _Thought] = {}
        self._tools: dict[int, _Tool] = {}
        self._citations: dict[int, list[Json]] = {}
        self._text_length = 0
        self._text_start = 0
        self._annotations: list[Json] = []
        self._foreign: list[Json] = []
        self._opaque: list[Json] = []

    def feed(self, event: StreamEvent) -> bytes:
        """Return the bytes of one event; empty when there is nothing to say yet."""
        if isinstance(event, TextDelta) and self._started and not self._closed:
            self._text_length += len(event.text)
            return self._text_head + _json(event.text) + self._tail
        if self._closed:
            return b""
        return self._feed(event)

    def error(self, failure: Failure) -> bytes:
        """Return the error frame; nothing is said after it."""
        if self._closed:
            return b""
        self._closed = True
        error: JsonObject = {
            "message": failure.message,
            "type": failure.type or "api_error",
            "param": failure.param,
            "code": failure.code,
        }
        return b"data: " + _json({"error": error}) + b"\n\n"

    # ------------------------------------------------------------------ events

    def _feed(self, event: StreamEvent) -> bytes:  # noqa: C901, PLR0911, PLR0912 - a table
        match event:
            case Started():
                self._see(event.usage)
                return self._start()
            case TextDelta():
                return self._start() + self.feed(event)
            case ThinkingDelta():
                self._thought(event.block).texts.append(event.text)
                return self._delta({"reasoning_content": event.text})
            case SignatureDelta():
                self._thought(event.block).signatures.append(event.signature)
                return b""
            case RedactedBlock():
                return self._block({"type": "redacted_thinking", "data": event.data})
            case ToolStarted():
                return self._tool(event)
            case ToolDelta():
                return self._fragment(event)
            case CitationDelta():
                self._citations.setdefault(event.block, []).append(event.citation)
                return b""
            case RefusalDelta():
                self._refused = True
                return self._delta({"refusal": event.text})
            case OpaqueBlock():
                return self._opaque_block(event)
            case BlockEnded():
                return self._end_block(event.block)
            case Finished():
                return self._finish(event.stop)
            case UsageSeen():
                self._see(event.usage)
                return b""
            case Pinged():
                return _PING
            case Ended():
                return self._end()
            case Broken():
                return self.error(event.failure)
            case _:
                assert_never(event)

    def _see(self, usage: Usage | None) -> None:
        if usage is not None:
            self._usage = usage

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        return self._chunk(b'"role":"assistant","content":""')

    def _chunk(self, delta: bytes) -> bytes:
        return self._head + b',"choices":[{"index":0,"delta":{' + delta + self._tail

    def _delta(self, fields: JsonObject) -> bytes:
        return self._start() + self._chunk(_json(fields)[1:-1])

    # ------------------------------------------------------------------ thinking

    def _thought(self, block: int) -> _Thought:
        return self._thoughts.setdefault(block, _Thought())

    def _block(self, entry: JsonObject) -> bytes:
        """Say a thinking block whole, so that the client can send it back.

        `index` lets the accumulator of OpenAI's own client merge the lists.
        """
        numbered: JsonObject = {"index": self._blocks, **entry}
        self._blocks += 1
        return self._delta({"thinking_blocks": [numbered]})

    # ------------------------------------------------------------------ tools

    def _tool(self, event: ToolStarted) -> bytes:
        tool = self._tools[event.block] = _Tool(len(self._tools))
        call: JsonObject = {
            "index": tool.index,
            "id": event.id,
            "type": "function",
            "function": {"name": event.name, "arguments": ""},
        }
        return self._delta({"tool_calls": [call]})

    def _fragment(self, event: ToolDelta) -> bytes:
        tool = self._tools.get(event.block)
        if tool is None or not event.fragment:
            return b""
        tool.said = tool.said or bool(event.fragment.strip())
        call: JsonObject = {"index": tool.index, "function": {"arguments": event.fragment}}
        return self._delta({"tool_calls": [call]})

    # ------------------------------------------------------------------ ends

    def _end_block(self, block: int) -> bytes:
        thought = self._thoughts.pop(block, None)
        if thought is not None:
            if not thought.signatures:
                return b""  # Nothing to trust later; `reasoning_content` has said it all.
            signature = "".join(thought.signatures)
            return self._block(thinking_block("".join(thought.texts), signature))
        tool = self._tools.get(block)
        if tool is not None and not tool.said:
            # Arguments of a call without any are "{}", never the empty string.
            return self._fragment(ToolDelta(block, "{}"))
        self._cite(self._citations.pop(block, []))
        self._text_start = self._text_length
        return b""

    def _cite(self, citations: list[Json]) -> None:
        self._annotations += annotations_of(citations, self._text_start, self._text_length)
        self._foreign += foreign_of(citations)

    def _opaque_block(self, event: OpaqueBlock) -> bytes:
        part = event.part
        if part.dialect is Dialect.OPENAI and part.type == "audio":
            return self._delta({"audio": part.raw})
        self._opaque.append(part.raw)
        return b""

    def _rest(self) -> bytes:
        """Say once, at the end, what clients replace and do not join: citations, other blocks."""
        for citations in self._citations.values():
            self._cite(citations)
        fields: JsonObject = {}
        if self._annotations:
            fields["annotations"] = self._annotations
        if specific := foreign_fields(self._foreign, self._opaque):
            fields["provider_specific_fields"] = specific
        return self._delta(fields) if fields else b""

    def _finish(self, stop: Stop) -> bytes:
        if self._finished:
            return b""
        said = self._start() + self._rest()
        self._finished = True
        reason = _json(reason_for(stop, refused=self._refused))
        usage = b',"usage":null' if self._include_usage else b""
        return (
            said
            + self._head
            + b',"choices":[{"index":0,"delta":{},"finish_reason":'
            + reason
            + b"}]"
            + usage
            + b"}\n\n"
        )

    def _end(self) -> bytes:
        said = self._finish(Stop.END)
        self._closed = True
        if self._include_usage and self._usage is not None:
            usage = _json(usage_to(self._usage))
            said += self._head + b',"choices":[],"usage":' + usage + b"}\n\n"
        return said + _DONE
