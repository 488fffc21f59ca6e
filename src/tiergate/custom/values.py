"""The values that an operator's own classes are given: JSON with attributes, who calls, a cache.

Names are LiteLLM's, so that a class written for it finds what it looks for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import cast

_MOST_KEPT = 10_000
_COMPLETIONS = ("text_completion", "text.completion")


class Record(dict[str, object]):
    """A JSON object whose members are attributes too: `answer.id` and `answer["id"]`."""

    def __getattr__(self, name: str) -> object:
        """Return a member.

        Raises:
            AttributeError: There is none of that name.
        """
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        """Write a member."""
        self[name] = value

    def model_dump(self) -> dict[str, object]:
        """Return plain mappings and lists, as pydantic's method of that name."""
        return cast("dict[str, object]", plain(self))


class Message(Record):
    """What a model says; a content that is not there is None."""

    def __getattr__(self, name: str) -> object:
        """Return a member; None for those that a message can have and this one has not."""
        if name in ("content", "tool_calls", "function_call", "role"):
            return self.get(name)
        return super().__getattr__(name)


class Delta(Message):
    """What a part of a stream says."""


class Choices(Record):
    """One of several answers."""


class StreamingChoices(Record):
    """A part of one of several answers."""


class ModelResponse(Record):
    """A plain answer in OpenAI's form."""


class ModelResponseStream(Record):
    """One event of a stream in OpenAI's form."""


class TextCompletionResponse(Record):
    """A plain answer of the older completions."""


class EmbeddingResponse(Record):
    """Vectors."""


class UserAPIKeyAuth(Record):
    """Who calls. A member that is not known is None."""

    def __getattr__(self, name: str) -> object:
        """Return a member, or None."""
        return self.get(name)


class GuardrailEventHooks(StrEnum):
    """When a guard looks."""

    pre_call = "pre_call"
    during_call = "during_call"
    post_call = "post_call"
    logging_only = "logging_only"


def answer_record(value: object) -> object:
    """Return a plain answer with attributes; one in Anthropic's form is a `Record`."""
    kind = cast("dict[str, object]", value).get("object") if isinstance(value, dict) else None
    if kind in _COMPLETIONS:
        return _record(cast("object", value), TextCompletionResponse, Choices, "message", Message)
    return _record(cast("object", value), ModelResponse, Choices, "message", Message)


def event_record(value: object) -> object:
    """Return an event of a stream with attributes."""
    return _record(value, ModelResponseStream, StreamingChoices, "delta", Delta)


def record(value: object, kind: type[Record] = Record) -> object:
    """Return a JSON value whose objects have attributes."""
    if isinstance(value, dict):
        mapping = cast("dict[str, object]", value)
        return kind({name: record(item, kind) for name, item in mapping.items()})
    if isinstance(value, list):
        return [record(item, kind) for item in cast("list[object]", value)]
    return value


def plain(value: object) -> object:
    """Return a value as plain mappings and lists."""
    if isinstance(value, dict):
        mapping = cast("dict[object, object]", value)
        return {str(name): plain(item) for name, item in mapping.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("list[object]", value)]
    dump: object = getattr(value, "model_dump", None)
    if callable(dump):
        return plain(cast("Callable[[], object]", dump)())
    return value


def _record(
    value: object,
    whole: type[Record],
    choice: type[Record],
    member: str,
    said: type[Record],
) -> object:
    found = record(value)
    choices = found.get("choices") if isinstance(found, Record) else None
    if not isinstance(found, Record) or not isinstance(choices, list):
        return found
    found["choices"] = [
        _choice(each, choice, member, said) for each in cast("list[object]", choices)
    ]
    return whole(found)


def _choice(
    value: object,
    choice: type[Record],
    member: str,
    said: type[Record],
) -> object:
    if not isinstance(value, Record):
        return value
    inner = value.get(member)
    if isinstance(inner, Record):
        value[member] = said(inner)
    return choice(value)


class DualCache:
    """A small store in this process for classes that ask for one; nothing outlives the worker."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, object]] = {}

    async def async_get_cache(self, key: str) -> object:
        """Return a value, or None."""
        until, value = self._values.get(key, (0.0, None))
        return value if until > time.monotonic() else None

    async def async_set_cache(self, key: str, value: object, ttl: float = 60.0) -> None:
        """Keep a value for some seconds."""
        if len(self._values) >= _MOST_KEPT:
            self._values.pop(next(iter(self._values)))
        self._values[key] = (time.monotonic() + ttl, value)
