"""Finds the last user text of a chat, and what the request is without it; in either dialect.

Whether such a request is asked by meaning is decided in `core.meaning`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.meaning import Shape
from tiergate.ports import Inbound
from tiergate.wire.members import BodyError, Members, encode

MOST_BYTES = 64 * 1024
"""A conversation above this is not decoded for the sake of its last question."""

_NOTHING = (b"null", b"[]", b"{}")
_TOOL_MEMBERS = ("tools", "functions", "mcp_servers", "web_search_options")
_TOOL_ROLES = ("tool", "function")
_TOOL_PARTS = ("tool_use", "tool_result", "server_tool_use", "mcp_tool_use")


@dataclass(frozen=True, slots=True)
class LastText:
    """A chat, taken apart.

    Attributes:
        shape: What it is made of.
        rest: Its messages without the text, as JSON.
    """

    shape: Shape
    rest: bytes


def has_tools(members: Members) -> bool:
    """Tell whether a request names tools; its messages are not looked at."""
    return any(name in members and members.raw(name) not in _NOTHING for name in _TOOL_MEMBERS)


def last_text(inbound: Inbound) -> LastText | None:
    """Take a chat apart; None where its messages are of a form that is not understood."""
    members = inbound.members
    raw = members.raw("messages")
    if raw is None or len(raw) > MOST_BYTES:
        return None
    try:
        messages = members.get("messages")
    except BodyError:
        return None
    if not isinstance(messages, list) or not messages:
        return None
    turns, tools = 0, has_tools(members)
    for message in messages:
        if not isinstance(message, dict):
            return None
        turns += message.get("role") == "user"
        tools = tools or _uses_tools(message)
    last = messages[-1]
    found = _text_of(last) if isinstance(last, dict) else None
    if found is None:
        return LastText(Shape("", turns, tools), raw)
    text, without = found
    return LastText(Shape(text, turns, tools), encode([*messages[:-1], without]))


def _uses_tools(message: JsonObject) -> bool:
    if message.get("role") in _TOOL_ROLES or message.get("tool_calls"):
        return True
    content = message.get("content")
    if not isinstance(content, list):
        return False
    return any(isinstance(part, dict) and part.get("type") in _TOOL_PARTS for part in content)


def _text_of(message: JsonObject) -> tuple[str, Json] | None:
    """Return the last text of a user's message, and the message without it."""
    if message.get("role") != "user":
        return None
    content = message.get("content")
    if isinstance(content, str):
        return content, {**message, "content": None}
    if not isinstance(content, list):
        return None
    for place in range(len(content) - 1, -1, -1):
        part = content[place]
        if isinstance(part, dict) and part.get("type") == "text":
            text = part.get("text")
            if not isinstance(text, str):
                return None
            without: list[Json] = [*content]
            without[place] = {**part, "text": None}
            return text, {**message, "content": without}
    return None
