"""Put messages into the order of roles that stricter hosts demand; OpenAI itself takes any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tiergate.base.jsontypes import Json, JsonObject

BRIDGE: Final = "I have the results."
"""What stands between a tool message and a user message where a host wants an answer there."""
_MERGEABLE: Final = ("role", "content")


def bridged(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the messages with an assistant message between each tool and user message."""
    ordered: list[JsonObject] = []
    for message in messages:
        if message["role"] == "user" and ordered and ordered[-1]["role"] == "tool":
            ordered.append({"role": "assistant", "content": BRIDGE})
        ordered.append(message)
    return ordered


def merged(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the messages with neighbours of one role, user or assistant, made one."""
    ordered: list[JsonObject] = []
    for message in messages:
        last = ordered[-1] if ordered else None
        if last is not None and _plain(last) and _plain(message) and _same_role(last, message):
            content = _joined(last["content"], message["content"])
            ordered[-1] = {"role": last["role"], "content": content}
        else:
            ordered.append(message)
    return ordered


def _plain(message: JsonObject) -> bool:
    return tuple(message) == _MERGEABLE and message["role"] in ("user", "assistant")


def _same_role(first: JsonObject, second: JsonObject) -> bool:
    return first["role"] == second["role"]


def _joined(first: Json, second: Json) -> Json:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_listed(first), *_listed(second)]


def _listed(content: Json) -> list[Json]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]
