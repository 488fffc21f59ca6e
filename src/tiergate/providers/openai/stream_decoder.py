"""Read a streamed chat completion into stream events; blocks are put in order by `blocks`.

Only choice 0 is read. An event that cannot be understood is skipped and counted: the text around
it is worth more than the stream's purity, and the end tells whether the answer is whole.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tiergate.base.chat import (
    Broken,
    Ended,
    Finished,
    Started,
    Stop,
    StreamEvent,
    UsageSeen,
)
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.failures import classify_event
from tiergate.providers.openai.answer_decoder import content_item
from tiergate.providers.openai.blocks import (
    BlockQueue,
    HiddenBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
)
from tiergate.providers.openai.content import arguments_text
from tiergate.providers.openai.stops import stop_from
from tiergate.providers.openai.tool_slots import LEGACY, ToolSlots
from tiergate.providers.openai.usage import usage_from
from tiergate.providers.sse import SseEvent

_decode: Final = msgspec.json.Decoder().decode


class StreamDecoder:
    """Feed it the events of one answer, then call `eof`.

    Attributes:
        skipped: Events that could not be understood.
        usage: The latest token counts, if any came.
        stop: Why the model stopped, once it did.
    """

    __slots__ = (
        "_blocks",
        "_called",
        "_id",
        "_over",
        "_refused",
        "_slots",
        "_started",
        "skipped",
        "stop",
        "usage",
    )

    def __init__(self) -> None:
        self.skipped = 0
        self.usage: Usage | None = None
        self.stop: Stop | None = None
        self._blocks = BlockQueue()
        self._slots = ToolSlots()
        self._id = ""
        self._started = False
        self._over = False
        self._called = False
        self._refused = False

    @property
    def metered(self) -> bool:
        """Whether `usage` counts the whole answer so far: hosts tell totals, never parts."""
        return self.usage is not None

    def feed(self, event: SseEvent) -> list[StreamEvent]:
        """Return what one event of the upstream says. Never raises."""
        if self._over:
            return []
        data = event.data
        if data == b"[DONE]" or data.strip() == b"[DONE]":
            return self._done()
        try:
            chunk: Json = _decode(data)
        except (msgspec.DecodeError, RecursionError):
            # `DecodeError` is also what invalid UTF-8 gives.
            self.skipped += 1
            return []
        if not isinstance(chunk, dict):
            self.skipped += 1
            return []
        return self._chunk(chunk, event.name)

    def eof(self) -> list[StreamEvent]:
        """Return what it means that the upstream's stream has ended."""
        if self._over:
            return []
        if self.stop is not None:
            self._over = True
            return [Ended()]
        return self._break(
            Failure(
                FailureClass.CONNECTION,
                502,
                "The provider's stream ended before the answer was complete.",
                type="api_error",
                code="stream_cut",
                dialect=Dialect.OPENAI,
            )
        )

    def _break(self, failure: Failure) -> list[StreamEvent]:
        self._over = True
        return [Broken(failure)]

    def _fail(self, error: Json) -> list[StreamEvent]:
        found: JsonObject = error if isinstance(error, dict) else {"message": error}
        return self._break(classify_event(found, Dialect.OPENAI))

    def _done(self) -> list[StreamEvent]:
        if not self._started:
            return self.eof()
        events: list[StreamEvent] = []
        if self.stop is None:
            # A few hosts end with [DONE] alone. It is the dialect's own end mark, so the answer
            # is whole.
            events += self._finish(None)
        self._over = True
        events.append(Ended())
        return events

    def _chunk(self, chunk: JsonObject, name: bytes) -> list[StreamEvent]:
        if error := chunk.get("error"):
            return self._fail(error)
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            if name == b"error" or chunk.get("object") == "error":
                return self._fail(chunk)
            if not isinstance(chunk.get("usage"), dict):
                self.skipped += 1
                return []
            choices = []
        events: list[StreamEvent] = [] if self._started else self._start(chunk)
        for choice in choices:
            if isinstance(choice, dict) and choice.get("index", 0) in (0, None):
                events += self._choice(choice)
                if self._over:
                    return events
        usage = chunk.get("usage")
        if usage is None and isinstance(groq := chunk.get("x_groq"), dict):
            usage = groq.get("usage")
        if isinstance(usage, dict):
            self.usage = usage_from(usage, chunk.get("service_tier"))
            events.append(UsageSeen(self.usage))
        return events

    def _start(self, chunk: JsonObject) -> list[StreamEvent]:
        self._started = True
        identity, model, created = chunk.get("id"), chunk.get("model"), chunk.get("created")
        self._id = identity if isinstance(identity, str) else ""
        return [
            Started(
                self._id,
                model if isinstance(model, str) else "",
                created=created if isinstance(created, int) else None,
            )
        ]

    def _choice(self, choice: JsonObject) -> list[StreamEvent]:
        if error := choice.get("error"):
            return self._fail(error)  # OpenRouter
        if self.stop is not None:
            return []
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            # One or two hosts end a stream with the whole message; it was said before.
            delta = {}
        events = self._delta(delta)
        if reason := choice.get("finish_reason"):
            events += self._finish(reason)
        return events

    def _finish(self, reason: Json) -> list[StreamEvent]:
        events = self._blocks.finish()
        self.skipped += self._blocks.nameless
        if reason is None:
            self.stop = Stop.TOOLS if self._called else Stop.END
        else:
            self.stop = stop_from(reason, called_tools=self._called, refused=self._refused)
        raw = reason if isinstance(reason, str) else None
        events.append(Finished(self.stop, raw=raw))
        return events

    # ------------------------------------------------------------------ deltas

    def _delta(self, delta: JsonObject) -> list[StreamEvent]:
        content = delta.get("content")
        if len(delta) == 1 and isinstance(content, str):
            return self._text(content) if content else []  # By far the most common event.
        events = self._thinking(delta)
        if isinstance(content, str) and content:
            events += self._text(content)
        elif isinstance(content, list):
            events += self._items(content)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refused = True
            block = self._blocks.last()
            if not isinstance(block, RefusalBlock):
                block = RefusalBlock()
                events += self._blocks.add(block)
            events += self._blocks.text(block, refusal)
        events += self._citations(delta.get("annotations"))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict):
                events += self._call(call)
        function = delta.get("function_call")
        if isinstance(function, dict):
            events += self._call({"index": LEGACY, "function": function})
        return events

    def _text(self, text: str) -> list[StreamEvent]:
        block = self._blocks.last()
        if isinstance(block, TextBlock):
            return self._blocks.text(block, text)
        block = TextBlock()
        return self._blocks.add(block) + self._blocks.text(block, text)

    def _items(self, items: list[Json]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for item in items:
            kind, text = content_item(item)
            if text:
                events += self._reason(text) if kind == "thinking" else self._text(text)
        return events

    def _citations(self, annotations: Json) -> list[StreamEvent]:
        block = self._blocks.last()
        if not isinstance(annotations, list) or not isinstance(block, TextBlock):
            return []
        events: list[StreamEvent] = []
        for annotation in annotations:
            events += self._blocks.cite(block, annotation)
        return events

    def _thinking(self, delta: JsonObject) -> list[StreamEvent]:
        """Read `reasoning_content` (DeepSeek, vLLM, LiteLLM) or `reasoning` (OpenRouter, vLLM).

        Where both are sent they say the same. `thinking_blocks` is LiteLLM's, and repeats the
        text beside the signature.
        """
        text = delta.get("reasoning_content") or delta.get("reasoning")
        events = self._reason(text) if isinstance(text, str) and text else []
        blocks = delta.get("thinking_blocks")
        for item in blocks if isinstance(blocks, list) else []:
            if isinstance(item, dict):
                events += self._thinking_block(item, said=bool(text))
        return events

    def _thinking_block(self, item: JsonObject, *, said: bool) -> list[StreamEvent]:
        if item.get("type") == "redacted_thinking":
            data = item.get("data")
            return self._blocks.add(HiddenBlock(data)) if isinstance(data, str) and data else []
        events: list[StreamEvent] = []
        text, signature = item.get("thinking"), item.get("signature")
        last = self._blocks.last()
        # A signed block that repeats its whole text follows what was said of it.
        repeats = said or (bool(signature) and isinstance(last, ThinkingBlock))
        if isinstance(text, str) and text and not repeats:
            events += self._reason(text)
        if isinstance(signature, str) and signature:
            block = self._blocks.last()
            if not isinstance(block, ThinkingBlock) or block.signed:
                block = ThinkingBlock()
                events += self._blocks.add(block)
            events += self._blocks.sign(block, signature)
        return events

    def _reason(self, text: str) -> list[StreamEvent]:
        block = self._blocks.last()
        if isinstance(block, ThinkingBlock) and not block.signed:
            return self._blocks.text(block, text)
        block = ThinkingBlock()
        return self._blocks.add(block) + self._blocks.text(block, text)

    def _call(self, call: JsonObject) -> list[StreamEvent]:
        function = call.get("function")
        if not isinstance(function, dict):
            self.skipped += 1
            return []
        name = function.get("name")
        word = name if isinstance(name, str) else ""
        block, begins = self._slots.find(call, word, self._id)
        events = self._blocks.add(block) if begins else []
        if word and not block.name:
            block.name = word
            self._called = True
            events += self._blocks.advance()
        arguments = function.get("arguments")
        if arguments is None or arguments == "":
            return events
        # A few hosts send the arguments as an object, whole.
        text = arguments if isinstance(arguments, str) else arguments_text(arguments)
        return events + self._blocks.fragment(block, text)
