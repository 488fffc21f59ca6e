"""Read a plain same-dialect answer in one pass: usage, end, and where the model's name stands.

This is the short way for answers that look as they should. Anything unusual (an error inside a
200, a name that cannot be found by its bytes, a missing member) is left to the long way in
`codec`, which says what is wrong.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from tiergate.base.values import Dialect, Operation
from tiergate.ports import Answered, Inbound
from tiergate.providers import anthropic, openai

_ABSENT = msgspec.Raw(b"")

_Object: TypeAlias = dict[str, Any]
"""A decoded object. The decoder cannot resolve the recursive `JsonObject`."""


class _Finish(msgspec.Struct):
    finish_reason: str | None = None


class _Chat(msgspec.Struct):
    choices: list[_Finish]
    model: msgspec.Raw
    usage: _Object | None = None
    service_tier: str | None = None
    error: msgspec.Raw = _ABSENT


class _Vectors(msgspec.Struct):
    data: msgspec.Raw
    model: msgspec.Raw
    usage: _Object | None = None
    error: msgspec.Raw = _ABSENT


class _Message(msgspec.Struct):
    content: msgspec.Raw
    model: msgspec.Raw
    usage: _Object | None = None
    stop_reason: str | None = None
    error: msgspec.Raw = _ABSENT


_CHAT = msgspec.json.Decoder(_Chat)
_VECTORS = msgspec.json.Decoder(_Vectors)
_MESSAGE = msgspec.json.Decoder(_Message)


def read_same(body: bytes, inbound: Inbound, dialect: Dialect) -> Answered | None:
    """Read an answer whose dialect is the caller's; None: take the long way.

    Raises:
        msgspec.DecodeError: The body is not JSON.
    """
    try:
        if dialect is Dialect.ANTHROPIC:
            message = _MESSAGE.decode(body)
            found: _Chat | _Vectors | _Message = message
            usage = None if message.usage is None else anthropic.usage_from(message.usage)
            refused = message.stop_reason == "refusal"
        elif inbound.operation is Operation.EMBEDDING:
            found = _VECTORS.decode(body)
            usage = None if found.usage is None else openai.usage_from(found.usage)
            refused = False
        else:
            found = _CHAT.decode(body)
            tier = found.service_tier
            usage = None if found.usage is None else openai.usage_from(found.usage, tier)
            refused = any(choice.finish_reason == "content_filter" for choice in found.choices)
    except msgspec.ValidationError:
        return None
    if found.error:
        return None
    shown = _shown(body, bytes(found.model), msgspec.json.encode(inbound.asked))
    return None if shown is None else Answered(shown, usage, refused)


def _shown(body: bytes, model: bytes, asked: bytes) -> bytes | None:
    """Put the asked name in; None when the bytes do not say for certain where.

    A quote inside a JSON string is escaped, so `"model":"x"` can only stand as a member; it must
    stand once.
    """
    for mark in (b'"model":', b'"model": '):
        old = mark + model
        if body.count(old) == 1:
            return body.replace(old, mark + asked, 1)
    return None
