"""Read a finished Messages answer, and write one for an Anthropic client."""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from tiergate.base.chat import (
    Answer,
    Audio,
    Document,
    Image,
    Opaque,
    Part,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.anthropic.citations import citations_to
from tiergate.providers.anthropic.content import decode_block
from tiergate.providers.anthropic.parts import Block, object_text
from tiergate.providers.anthropic.stops import stop_from, stop_to
from tiergate.providers.anthropic.usage import usage_from, usage_to
from tiergate.providers.failures import UnreadableAnswerError

_EXTRAS: Final = ("container", "context_management", "diagnostics", "stop_details")


def decode_answer(body: JsonObject) -> Answer:
    """Return the canonical form of a Messages answer.

    Raises:
        UnreadableAnswerError: The body is not one.
    """
    content = body.get("content")
    if not isinstance(content, list):
        raise _useless("it has no list `content`")
    try:
        parts = tuple(decode_block(block, f"content.{i}") for i, block in enumerate(content))
    except Refused as exc:
        raise _useless(exc.message) from None
    raw = body.get("usage")
    word = _str(body, "stop_reason")
    tier = raw.get("service_tier") if isinstance(raw, dict) else None
    return Answer(
        id=_str(body, "id") or "",
        model=_str(body, "model") or "",
        parts=parts,
        stop=stop_from(word),
        stop_sequence=_str(body, "stop_sequence"),
        stop_raw=word,
        usage=usage_from(raw) if isinstance(raw, dict) else Usage(estimated=True),
        service_tier=tier if isinstance(tier, str) else None,
        extras={key: body[key] for key in _EXTRAS if body.get(key) is not None},
    )


def encode_answer(answer: Answer, *, model: str, created: int) -> bytes:  # noqa: ARG001 - one signature for all dialects
    """Return the body of a Messages answer.

    Args:
        answer: What was answered.
        model: The name the caller asked for.
        created: Not used: this dialect dates no answer.
    """
    stop = answer.stop
    if stop in (Stop.END, Stop.OTHER) and any(isinstance(p, ToolUse) for p in answer.parts):
        # Clients run tools for this word and for no other.
        stop = Stop.TOOLS
    blocks = (block_of(part) for part in answer.parts)
    body: Block = {
        "id": answer.id or "msg_unknown",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [block for block in blocks if block is not None],
        "stop_reason": stop_to(stop),
        "stop_sequence": answer.stop_sequence,
        "usage": usage_to(answer.usage),
    }
    return msgspec.json.encode(body)


def block_of(part: Part) -> Block | None:
    """Return a part of an answer as a content block; None for what an answer here cannot hold."""
    match part:
        case Text():
            block: Block = {"type": "text", "text": part.text}
            if cited := citations_to(part.citations, part.text):
                block["citations"] = cited
            return block if part.text else None
        case Refusal():
            return {"type": "text", "text": part.text} if part.text else None
        case Thinking():
            # A client that sends it back unsigned sends it to the host it came from.
            return {"type": "thinking", "thinking": part.text, "signature": part.signature or ""}
        case RedactedThinking():
            return {"type": "redacted_thinking", "data": part.data}
        case ToolUse():
            return {
                "type": "tool_use",
                "id": part.id,
                "name": part.name,
                "input": tool_input(part.arguments),
            }
        case Opaque():
            own = part.dialect is Dialect.ANTHROPIC and isinstance(part.raw, dict)
            return dict(part.raw) if own and isinstance(part.raw, dict) else None
        case Image() | Document() | Audio() | ToolResult():
            return None
        case _:
            assert_never(part)


def tool_input(arguments: str) -> object:
    """Return a call's arguments as the object that `input` must be.

    Arguments that are not an object stand in it as text, so that the tool can refuse them.
    """
    found = object_text(arguments)
    return {"raw_arguments": arguments} if found is None else found


def _useless(why: str) -> UnreadableAnswerError:
    message = f"The provider's answer is not a message: {why}."
    return UnreadableAnswerError(message, Dialect.ANTHROPIC)


def _str(raw: JsonObject, key: str) -> str | None:
    value = raw.get(key)
    return value if isinstance(value, str) else None
