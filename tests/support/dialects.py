"""One vocabulary for the scripted streams of both providers, and for the ends a caller sees."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from support import anthropic_wire, openai_wire
from support.exchange import Reply, Step, stream_reply
from support.http_client import Answer
from support.shapes import MESSAGES
from support.stage import ANTHROPIC_ALIAS
from tiergate.base.jsontypes import JsonObject


def wire_of(alias: str) -> ModuleType:
    """What builds bodies and events of the provider that serves an alias."""
    return anthropic_wire if alias == ANTHROPIC_ALIAS else openai_wire


def text_events(alias: str, text: str) -> list[bytes]:
    """The events of a whole stream with one text."""
    events: list[bytes] = wire_of(alias).text_events(text)
    return events


def tool_events(alias: str) -> list[bytes]:
    """The events of a whole stream with one tool call."""
    events: list[bytes] = wire_of(alias).tool_events("weather", {"city": "Köln", "days": [1, 2]})
    return events


def error_event(alias: str) -> bytes:
    """The event with which the provider breaks a stream off."""
    event: bytes = wire_of(alias).error_event()
    return event


def first_content(events: Sequence[bytes]) -> int:
    """How many events there are up to the first that carries an answer, itself included."""
    marks = (b"content_block_delta", b'"tool_use"', b'"content": "f', b'"tool_calls": [')
    return next(n for n, event in enumerate(events, 1) if any(mark in event for mark in marks))


def finish(events: Sequence[bytes]) -> int:
    """How many events there are up to the one with the stop reason, itself included."""
    marks = (b'"stop_reason": "', b'"finish_reason": "')
    return next(n for n, event in enumerate(events, 1) if any(mark in event for mark in marks))


def stream_of(steps: Sequence[Step]) -> Reply:
    """A stream of these events and breaks."""
    return stream_reply(*steps)


def ends_well(answer: Answer, path: str) -> bool:
    """Does the stream end as a success does?"""
    if path == MESSAGES:
        return any(event.name == "message_stop" for event in answer.events)
    return b"[DONE]" in answer.body


def ends_in_error(answer: Answer, path: str) -> bool:
    """Is the last event the error frame of the route's protocol?"""
    last = answer.events[-1]
    if path == MESSAGES:
        return last.name == "error" and last.json["type"] == "error" and "error" in last.json
    return last.data != "[DONE]" and isinstance(last.json.get("error"), dict)


def said(answer: Answer) -> str:
    """The text of a plain or streamed answer of either dialect."""
    if (answer.header("content-type") or "").startswith("text/event-stream"):
        parts = [event.json for event in answer.events if event.data != "[DONE]"]
        return "".join(_text(part, "delta") for part in parts)
    return _text(answer.json, "message")


def _text(part: JsonObject, name: str) -> str:
    """The text of a chunk, an event or a whole answer."""
    choices, blocks = part.get("choices"), part.get("content")
    if isinstance(choices, list):
        return "".join(_text(choice, name) for choice in choices if isinstance(choice, dict))
    if isinstance(blocks, list):
        return "".join(_text(block, name) for block in blocks if isinstance(block, dict))
    inner = part.get(name)
    if isinstance(inner, dict) and part.get("type") != "message_start":
        return _text(inner, name)
    text = part.get("text") or blocks
    return text if isinstance(text, str) else ""
