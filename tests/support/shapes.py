"""Asserts that an error answer has the shape which the clients of a path read."""

from __future__ import annotations

from dataclasses import dataclass

from support.http_client import Answer
from support.stage import ANTHROPIC_ALIAS, OPENAI_ALIAS
from tiergate.base.jsontypes import JsonObject

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
DOORS = (CHAT, MESSAGES)
"""The chat route of each protocol."""

NATIVE = {CHAT: OPENAI_ALIAS, MESSAGES: ANTHROPIC_ALIAS}
"""The alias whose provider speaks the route's own protocol."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an error says, in either shape."""

    status: int
    kind: str
    message: str
    code: str | None
    param: str | None


def told(answer: Answer, path: str) -> Told:
    """Check the shape of an error answer and read it."""
    assert answer.complete, "the answer broke off"
    assert (answer.header("content-type") or "").startswith("application/json")
    error = answer.error
    if path.endswith("/messages"):
        assert answer.json["type"] == "error"
        assert answer.json["request_id"] == answer.header("x-litellm-call-id")
        code, param = error.get("code"), None
    else:
        assert set(answer.json) == {"error"}
        assert error.keys() >= {"message", "type", "param", "code"}
        code, param = error["code"], error["param"]
    message, kind = error["message"], error["type"]
    assert isinstance(message, str)
    assert message.strip()
    assert isinstance(kind, str)
    return Told(
        answer.status,
        kind,
        message,
        code if isinstance(code, str) else None,
        param if isinstance(param, str) else None,
    )


def minimal(path: str, alias: str, **more: object) -> JsonObject:
    """The smallest request of a route, with more members."""
    body: JsonObject = {"model": alias, "messages": [{"role": "user", "content": "hi"}]}
    if path.endswith("/messages"):
        body["max_tokens"] = 100
    body.update(more)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return body
