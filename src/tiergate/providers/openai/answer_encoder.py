"""Write an `Answer` as a chat completion."""

from __future__ import annotations

from typing import assert_never

import msgspec

from tiergate.base.chat import (
    Answer,
    Audio,
    Document,
    Image,
    Opaque,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.annotations import annotations_of, foreign_of
from tiergate.providers.openai.stops import reason_for
from tiergate.providers.openai.usage import usage_to


def encode_answer(answer: Answer, *, model: str, created: int) -> bytes:
    """Return a chat completion.

    Args:
        answer: What was answered.
        model: The name the caller asked for.
        created: Unix time in seconds, used where the answer has none of its own.
    """
    refused = any(isinstance(part, Refusal) for part in answer.parts)
    choice: JsonObject = {
        "index": 0,
        "message": _message(answer),
        "logprobs": None,
        "finish_reason": reason_for(answer.stop, refused=refused),
    }
    body: JsonObject = {
        "id": answer.id,
        "object": "chat.completion",
        "created": created if answer.created is None else answer.created,
        "model": model,
        "choices": [choice],
        "usage": usage_to(answer.usage),
    }
    if answer.service_tier is not None:
        body["service_tier"] = answer.service_tier
    fingerprint = answer.extras.get("system_fingerprint")
    if isinstance(fingerprint, str):
        body["system_fingerprint"] = fingerprint
    return msgspec.json.encode(body)


def _message(answer: Answer) -> JsonObject:
    fields = _Fields()
    for part in answer.parts:
        match part:
            case Text():
                fields.add_text(part)
            case Thinking():
                fields.reasoning.append(part.text)
                fields.blocks.append(thinking_block(part.text, part.signature))
                fields.signed |= part.signature is not None
            case RedactedThinking():
                fields.blocks.append({"type": "redacted_thinking", "data": part.data})
                fields.signed = True
            case ToolUse():
                function: JsonObject = {"name": part.name, "arguments": part.arguments}
                fields.calls.append({"id": part.id, "type": "function", "function": function})
            case Refusal():
                fields.refusal = (fields.refusal or "") + part.text
            case Opaque():
                fields.add_opaque(part)
            case Image() | Document() | Audio() | ToolResult():
                pass  # No model answers with these; a request holds them.
            case _:
                assert_never(part)
    return fields.message()


def thinking_block(text: str, signature: str | None) -> JsonObject:
    """Return an entry of `thinking_blocks`."""
    block: JsonObject = {"type": "thinking", "thinking": text}
    if signature is not None:
        block["signature"] = signature
    return block


class _Fields:
    """Gathers what the message of the choice will hold."""

    __slots__ = (
        "annotations",
        "audio",
        "blocks",
        "calls",
        "foreign",
        "foreign_blocks",
        "length",
        "reasoning",
        "refusal",
        "signed",
        "texts",
    )

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.length = 0
        self.reasoning: list[str] = []
        self.blocks: list[Json] = []
        self.signed = False
        self.calls: list[Json] = []
        self.refusal: str | None = None
        self.audio: Json = None
        self.annotations: list[Json] = []
        self.foreign: list[Json] = []
        self.foreign_blocks: list[Json] = []

    def add_text(self, part: Text) -> None:
        end = self.length + len(part.text)
        self.annotations += annotations_of(part.citations, self.length, end)
        self.foreign += foreign_of(part.citations)
        self.texts.append(part.text)
        self.length = end

    def add_opaque(self, part: Opaque) -> None:
        if part.dialect is not Dialect.OPENAI:
            self.foreign_blocks.append(part.raw)
        elif part.type == "audio":
            self.audio = part.raw
        else:
            self.calls.append(part.raw)

    def message(self) -> JsonObject:
        raw: JsonObject = {
            "role": "assistant",
            "content": "".join(self.texts) if self.texts else None,
            "refusal": self.refusal,
        }
        if self.reasoning:
            raw["reasoning_content"] = "".join(self.reasoning)
        if self.signed:
            # Needed only where the provider wants the very blocks back.
            raw["thinking_blocks"] = self.blocks
        if self.calls:
            raw["tool_calls"] = self.calls
        if self.audio is not None:
            raw["audio"] = self.audio
        if self.annotations:
            raw["annotations"] = self.annotations
        specific = foreign_fields(self.foreign, self.foreign_blocks)
        if specific:
            raw["provider_specific_fields"] = specific
        return raw


def foreign_fields(citations: list[Json], blocks: list[Json]) -> JsonObject:
    """Return what the dialect has no field for, under names of its own."""
    specific: JsonObject = {}
    if citations:
        specific["citations"] = citations
    if blocks:
        specific["blocks"] = blocks
    return specific
