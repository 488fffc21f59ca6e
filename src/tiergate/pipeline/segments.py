"""Hash the parts of a request's prompt: each tool, each system block, each message.

Breakpoints are no part of a prompt, and a lone block of text says what a text says: clients move
the ones and switch between the others from turn to turn, and the provider's cache does not mind.
So each segment is put into one form before it is hashed. That is done once: the hash of its bytes
is remembered with the hash of that form, and the next turn only hashes bytes.

Hashes are Python's own, which are keyed anew in each process: nobody can make two prompts look
alike, and nothing can be found in them by guessing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.core.prefix_memory import Prompt
from tiergate.wire.elements import raw_elements
from tiergate.wire.members import Members

MOST_SEGMENTS: Final = 10_000
"""Segments whose forms are remembered; when there are more, those of before are forgotten."""

MOST_BYTES: Final = 16 * 1024 * 1024
"""Larger requests are not looked at."""

_MARK: Final = b'"cache_control"'
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})


class _Role(msgspec.Struct):
    role: str = ""


_ROLE: Final = msgspec.json.Decoder(_Role)


class Segments:
    """Hashes prompts; remembers the forms of segments."""

    __slots__ = ("_now", "_older")

    def __init__(self) -> None:
        self._now: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def read(self, members: Members, dialect: Dialect) -> Prompt | None:
        """Return the hashes of a prompt; None where it has no form that is known.

        Args:
            members: The request.
            dialect: Of the caller.
        """
        if len(members.body) > MOST_BYTES:
            return None
        try:
            messages = _elements(members, "messages")
            system = system_blocks(members, dialect, messages)
            skipped = len(system) if dialect is Dialect.OPENAI else 0
            return Prompt(
                self._hashes(map(bytes, _elements(members, "tools"))),
                self._hashes(system),
                self._hashes(map(bytes, messages[skipped:])),
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _hashes(self, texts: Iterable[bytes]) -> tuple[int, ...]:
        return tuple(map(self._hash, texts))

    def _hash(self, text: bytes) -> int:
        raw = hash(text)
        found = self._now.get(raw)
        if found is None:
            found = self._older.get(raw)
            if found is None:
                found = hash(in_one_form(text))
            if len(self._now) >= MOST_SEGMENTS:
                self._older, self._now = self._now, {}
            self._now[raw] = found
        return found


def system_blocks(
    members: Members, dialect: Dialect, messages: list[msgspec.Raw] | None = None
) -> list[bytes]:
    """Return the blocks of the system prompt, in their bytes.

    In OpenAI's dialect they are the messages with which the developer begins.

    Args:
        members: The request.
        dialect: Of the caller.
        messages: The messages, where they are found already.

    Raises:
        msgspec.MsgspecError: The prompt has another form.
    """
    if dialect is Dialect.ANTHROPIC:
        raw = members.raw("system") or b"null"
        return [bytes(each) for each in raw_elements(raw)] if raw.startswith(b"[") else [raw]
    found: list[bytes] = []
    for message in _elements(members, "messages") if messages is None else messages:
        if _ROLE.decode(message).role not in _SYSTEM_ROLES:
            break
        found.append(bytes(message))
    return found


def in_one_form(text: bytes) -> bytes:
    """Return a segment without breakpoints, spaces, and blocks that are only a text."""
    return msgspec.json.encode(_plain(msgspec.json.decode(text), marked=_MARK in text))


def _plain(value: Json, *, marked: bool) -> Json:
    if not isinstance(value, dict):
        return value
    if marked:
        value = _unmarked(value)
    if value.keys() == {"type", "text"}:
        return value["text"]
    content = value.get("content")
    if isinstance(content, list) and len(content) == 1:
        only = content[0]
        if isinstance(only, dict) and only.keys() == {"type", "text"}:
            return {**value, "content": only["text"]}
    return value


def _unmarked(value: JsonObject) -> JsonObject:
    """Return an object without `cache_control`, in its content neither."""
    found = {name: inner for name, inner in value.items() if name != "cache_control"}
    content = found.get("content")
    if isinstance(content, list):
        found["content"] = [
            _unmarked(each) if isinstance(each, dict) else each for each in content
        ]
    function = found.get("function")
    if isinstance(function, dict):
        found["function"] = _unmarked(function)
    return found


def _elements(members: Members, name: str) -> list[msgspec.Raw]:
    raw = members.raw(name)
    return [] if raw is None or raw == b"null" else raw_elements(raw)
