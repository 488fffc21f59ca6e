"""Read a finished chat completion into an `Answer`; only its first choice is read."""

from __future__ import annotations

from typing import Final

from tiergate.base.chat import (
    Answer,
    Opaque,
    Part,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolUse,
)
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.failures import UnreadableAnswerError
from tiergate.providers.openai.content import arguments_text
from tiergate.providers.openai.stops import stop_from
from tiergate.providers.openai.usage import usage_from

_EXTRAS: Final = ("system_fingerprint", "citations", "search_results", "provider")


def decode_answer(body: JsonObject) -> Answer:
    """Return the canonical form of a chat completion.

    Raises:
        UnreadableAnswerError: The body is not a chat completion.
    """
    choice = _first_choice(body)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _useless("its choice has no message")
    identity = _str(body, "id") or ""
    parts = (*_thoughts(message), *_content(message), *_calls(message, identity))
    reason = choice.get("finish_reason")
    usage = body.get("usage")
    created = body.get("created")
    return Answer(
        id=identity,
        model=_str(body, "model") or "",
        parts=parts,
        stop=stop_from(
            reason,
            called_tools=any(isinstance(part, ToolUse) for part in parts),
            refused=any(isinstance(part, Refusal) for part in parts),
        ),
        stop_raw=reason if isinstance(reason, str) else None,
        usage=usage_from(usage, body.get("service_tier"))
        if isinstance(usage, dict)
        else Usage(estimated=True),
        created=created if isinstance(created, int) else None,
        service_tier=_str(body, "service_tier"),
        extras={key: body[key] for key in _EXTRAS if body.get(key) is not None},
    )


def _useless(why: str) -> UnreadableAnswerError:
    return UnreadableAnswerError(
        f"The provider's answer is not a chat completion: {why}.", Dialect.OPENAI
    )


def _first_choice(body: JsonObject) -> JsonObject:
    choices = body.get("choices")
    if not isinstance(choices, list):
        raise _useless("it has no list of choices")
    found: JsonObject | None = None
    for choice in choices:
        if isinstance(choice, dict) and (found is None or choice.get("index") == 0):
            found = choice
            if choice.get("index", 0) == 0:
                break
    if found is None:
        raise _useless("its list of choices is empty")
    return found


def _str(raw: JsonObject, key: str) -> str | None:
    value = raw.get(key)
    return value if isinstance(value, str) else None


def _thoughts(message: JsonObject) -> list[Part]:
    parts: list[Part] = []
    blocks = message.get("thinking_blocks")
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, dict):
            continue
        if block.get("type") == "redacted_thinking":
            if data := _str(block, "data"):
                parts.append(RedactedThinking(data))
        else:
            text, signature = _str(block, "thinking") or "", _str(block, "signature")
            if text or signature:
                parts.append(Thinking(text, signature or None))
    if parts:
        return parts
    text = _str(message, "reasoning_content") or _str(message, "reasoning")
    return [Thinking(text)] if text else []


def _content(message: JsonObject) -> list[Part]:
    content = message.get("content")
    parts: list[Part] = []
    items: list[Json] = content if isinstance(content, list) else []
    for item in items:
        kind, text = content_item(item)
        if text:
            parts.append(Thinking(text) if kind == "thinking" else Text(text))
    if isinstance(content, str) and content:
        annotations = message.get("annotations")
        cited = tuple(annotations) if isinstance(annotations, list) else ()
        parts.append(Text(content, citations=cited))
    if refusal := _str(message, "refusal"):
        parts.append(Refusal(refusal))
    if isinstance(audio := message.get("audio"), dict):
        parts.append(Opaque(Dialect.OPENAI, "audio", audio))
    return parts


def content_item(item: Json) -> tuple[str, str]:
    """Return kind (`text` or `thinking`) and text of one entry of a content list.

    Mistral's reasoning models answer with `{type: thinking, thinking: [{type: text, text}]}`
    before `{type: text, text}` (docs.mistral.ai, "Reasoning").
    """
    if isinstance(item, str):
        return "text", item
    if not isinstance(item, dict):
        return "text", ""
    thought = item.get("thinking")
    if isinstance(thought, list):
        return "thinking", "".join(content_item(piece)[1] for piece in thought)
    if isinstance(thought, str):
        return "thinking", thought
    return "text", _str(item, "text") or ""


def _calls(message: JsonObject, identity: str) -> list[Part]:
    parts: list[Part] = []
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        if not isinstance(call, dict):
            continue
        function = call.get("function")
        if isinstance(function, dict) and (name := _str(function, "name")):
            made = _str(call, "id") or made_id(identity, len(parts))
            parts.append(ToolUse(made, name, arguments_text(function.get("arguments"))))
        elif call.get("type") == "custom":
            parts.append(Opaque(Dialect.OPENAI, "custom tool call", call))
    legacy = message.get("function_call")
    if isinstance(legacy, dict) and (name := _str(legacy, "name")):
        made = made_id(identity, len(parts))
        parts.append(ToolUse(made, name, arguments_text(legacy.get("arguments"))))
    return parts


def made_id(answer: str, number: int) -> str:
    """Return an id for a call whose host gave none: unique, as the answer's id is."""
    stem = "".join(c for c in answer if c.isascii() and c.isalnum())[-24:]
    return f"call_{stem}_{number}"
