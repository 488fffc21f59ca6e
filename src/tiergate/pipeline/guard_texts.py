"""Finds the texts of requests and answers, in both dialects, and writes others in their place.

Every string of a conversation is a text, wherever it stands, but for the few members that are
known to be none (roles, types, ids, signatures, encoded media). So a block that is not known here
is looked at too. Definitions of tools are the developer's words and not looked at.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, cast

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.ports.guarding import Passage, Place
from tiergate.wire.edits import Path, at, edited
from tiergate.wire.members import Members

REQUEST_MEMBERS: Final = ("system", "messages", "prompt", "suffix", "input", "prediction")
"""The members of a request that hold its texts, in the order in which a model reads them."""

_SKIPPED: Final = frozenset(
    {
        "role", "type", "id", "tool_call_id", "tool_use_id", "signature", "media_type",
        "cache_control", "detail", "format", "file_id", "encrypted_content", "encrypted_index",
        "index", "finish_reason", "stop_reason", "logprobs", "status", "container",
    }
)  # fmt: skip
"""Members that hold no text of anybody."""

_ROLES: Final = {
    "system": Place.SYSTEM,
    "developer": Place.SYSTEM,
    "user": Place.USER,
    "assistant": Place.ASSISTANT,
    "tool": Place.TOOL_RESULT,
    "function": Place.TOOL_RESULT,
}
_THOUGHTS: Final = frozenset(
    {"thinking", "reasoning", "reasoning_content", "reasoning_details", "thinking_blocks"}
)
_CALLS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_LONGEST_PLAIN_NAME: Final = 16
_LEAST_DIGITS: Final = 5
_LONGEST_URL: Final = 8192


class Fixed(Enum):
    """What is done where a text must be masked that cannot be changed."""

    LEAVE = "leave"
    """Its provider has written and signed it, and gets it back: it stays as it is."""
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Part:
    """One text, and where it stands.

    Attributes:
        passage: As guards see it.
        path: Of the string in the JSON.
        inner: Where it stands in the JSON that this string holds (arguments of tools); None
            where it is the string itself.
        fixed: Why it cannot be changed; None where it can.
        message: The number of its message; -1 where it stands in none.
    """

    passage: Passage
    path: Path
    inner: Path | None = None
    fixed: Fixed | None = None
    message: int = -1


@dataclass(frozen=True, slots=True)
class _Here:
    """What is known of the place that is looked at."""

    place: Place
    tool: str = ""
    fixed: Fixed | None = None
    signed: Fixed = Fixed.LEAVE


class TokenPromptError(Exception):
    """The prompt is a list of token numbers: nobody can look at its text."""


def request_parts(members: Members) -> list[Part]:
    """Return the texts of a request.

    Raises:
        TokenPromptError: See there.
        BodyError: A text is broken.
    """
    found: list[Part] = []
    for name in REQUEST_MEMBERS:
        value = members.get(name) if name in members else None
        if value is None:
            continue
        if name == "messages":
            found += _messages(value)
        else:
            place = Place.SYSTEM if name == "system" else Place.USER
            if name in ("prompt", "input") and _has_tokens(value):
                raise TokenPromptError(name)
            found += _walk(value, (name,), _Here(place))
    return found


def answer_parts(answer: Json) -> list[Part]:
    """Return the texts of a plain answer of either dialect."""
    if not isinstance(answer, dict):
        return []
    found: list[Part] = []
    here = _Here(Place.ASSISTANT, signed=Fixed.BLOCK)
    choices = answer.get("choices")
    for number, choice in enumerate(choices if isinstance(choices, list) else []):
        found += _walk(choice, ("choices", number), here)
    if "content" in answer:
        found += _walk(answer["content"], ("content",), here)
    return found


def delta_parts(delta: Json, path: Path, place: Place = Place.ASSISTANT) -> list[Part]:
    """Return the texts of a part of a stream."""
    return list(_walk(delta, path, _Here(place, signed=Fixed.BLOCK)))


def argument_parts(text: str, tool: str, path: Path) -> list[Part]:
    """Return the texts inside the arguments of a tool call, which are JSON in a string."""
    here = _Here(Place.TOOL_ARGUMENTS, tool)
    found = [_call(tool, path)]
    try:
        value = cast("Json", msgspec.json.decode(text)) if text.strip() else None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return [*found, Part(Passage(text, here.place, shown(path), tool), path)]
    if isinstance(value, str):
        return [*found, Part(Passage(text, here.place, shown(path), tool), path)]
    for part in _walk(value, (), here):
        place = shown((*path, *part.path))
        found.append(
            replace(part, passage=replace(part.passage, path=place), path=path, inner=part.path)
        )
    return found


def last_turn(parts: list[Part]) -> int:
    """Return the number of the last message that the assistant wrote; -1 without one."""
    said = (Place.ASSISTANT, Place.REASONING, Place.TOOL_ARGUMENTS)
    return max((part.message for part in parts if part.passage.place in said), default=-1)


def rewritten(body: bytes, parts: list[Part], texts: Mapping[int, str]) -> bytes:
    """Return a body with other texts at the places of some parts.

    Args:
        body: The JSON that the parts were found in.
        parts: Its texts.
        texts: The new texts, by the number of their part.
    """
    changes: dict[Path, Json] = {}
    inside: dict[Path, dict[Path, str]] = {}
    for number, text in texts.items():
        part = parts[number]
        if part.inner is None:
            changes[part.path] = text
        else:
            inside.setdefault(part.path, {})[part.inner] = text
    if inside:
        decoded = cast("Json", msgspec.json.decode(body))
        for path, edits in inside.items():
            changes[path] = with_arguments(str(at(decoded, path)), edits)
    return edited(body, changes)


def with_arguments(text: str, edits: Mapping[Path, str]) -> str:
    """Return the arguments of a tool call with other strings at some places."""
    return edited(text.encode(), dict(edits)).decode() if edits else text


def shown(path: Path) -> str:
    """Return a place for people: `messages[2].content[0].text`."""
    out = ""
    for step in path:
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else step
    return out


# ---------------------------------------------------------------------- inside


def _messages(value: Json) -> Iterator[Part]:
    for number, message in enumerate(value if isinstance(value, list) else []):
        role = message.get("role") if isinstance(message, dict) else None
        place = _ROLES.get(role, Place.USER) if isinstance(role, str) else Place.USER
        for part in _walk(message, ("messages", number), _Here(place)):
            yield replace(part, message=number)


def _walk(value: Json, path: Path, here: _Here) -> Iterator[Part]:
    match value:
        case str():
            if value:
                passage = Passage(value, here.place, shown(path), here.tool)
                yield Part(passage, path, fixed=here.fixed)
        case list():
            for number, each in enumerate(value):
                yield from _walk(each, (*path, number), here)
        case dict():
            yield from _object(value, path, here)
        case bool() | None:
            pass
        case int() | float():
            # A number can be a card or an account, in what tools are given. It becomes a text
            # where it is masked.
            text = str(value)
            if here.place is Place.TOOL_ARGUMENTS and len(text) >= _LEAST_DIGITS:
                yield Part(
                    Passage(text, here.place, shown(path), here.tool), path, fixed=here.fixed
                )


def _object(value: JsonObject, path: Path, here: _Here) -> Iterator[Part]:
    if here.place is Place.TOOL_ARGUMENTS:
        yield from _free(value, path, here)
        return
    kind = value.get("type")
    kind = kind if isinstance(kind, str) else ""
    if kind in _CALLS:
        yield from _tool_use(value, path)
        return
    if kind in ("thinking", "redacted_thinking") or "signature" in value:
        fixed = here.signed if value.get("signature") or kind == "redacted_thinking" else None
        here = replace(here, place=Place.REASONING, fixed=fixed)
        if kind == "redacted_thinking":
            return  # encrypted
    elif kind.endswith("tool_result"):
        here = replace(here, place=Place.TOOL_RESULT)
    elif kind == "document":
        here = replace(here, place=Place.DOCUMENT)
    if "arguments" in value and isinstance(value["arguments"], str):
        yield from _function(value, path)
        return
    for name, inner in value.items():
        if name in _SKIPPED or _is_media(name, inner):
            yield from _document(name, inner, value, path, here)
            continue
        below = replace(here, place=Place.REASONING) if name in _THOUGHTS else here
        yield from _walk(inner, (*path, name), below)


def _free(value: JsonObject, path: Path, here: _Here) -> Iterator[Part]:
    """The arguments of a tool: every member is the caller's or the model's own."""
    for name, inner in value.items():
        if not (name.isidentifier() and len(name) < _LONGEST_PLAIN_NAME):
            yield Part(
                Passage(name, here.place, shown((*path, name)), here.tool),
                path,
                fixed=Fixed.BLOCK,
            )
        yield from _walk(inner, (*path, name), here)


def _tool_use(value: JsonObject, path: Path) -> Iterator[Part]:
    name = value.get("name")
    tool = name if isinstance(name, str) else ""
    yield _call(tool, path)
    yield from _walk(value.get("input"), (*path, "input"), _Here(Place.TOOL_ARGUMENTS, tool))


def _function(value: JsonObject, path: Path) -> Iterator[Part]:
    """A `function` of a tool call in OpenAI's dialect."""
    name, text = value.get("name"), value["arguments"]
    tool = name if isinstance(name, str) else ""
    yield from argument_parts(str(text), tool, (*path, "arguments"))


def _call(tool: str, path: Path) -> Part:
    """Stand for a tool call as such, so that one without arguments is seen too."""
    passage = Passage("", Place.TOOL_ARGUMENTS, f"{shown(path)}.name", tool)
    return Part(passage, path, fixed=Fixed.BLOCK)


def _is_media(name: str, value: Json) -> bool:
    """Tell whether a member holds encoded bytes, or an address that does."""
    if not isinstance(value, str):
        return False
    if name in ("data", "file_data", "b64_json"):
        return True
    return name == "url" and (value.startswith("data:") or len(value) > _LONGEST_URL)


def _document(
    name: str, value: Json, holder: JsonObject, path: Path, here: _Here
) -> Iterator[Part]:
    """The text of a plain text document, which may be encoded."""
    if not isinstance(value, str) or name in _SKIPPED:
        return
    kind = holder.get("media_type")
    if holder.get("type") == "text" or (kind == "text/plain" and holder.get("type") != "base64"):
        yield Part(Passage(value, here.place, shown((*path, name))), (*path, name))
        return
    start, comma, encoded = value.partition(",")
    if start.startswith("data:") and comma:
        kind = start.removeprefix("data:").partition(";")[0]
    else:
        encoded = value
    if not isinstance(kind, str) or not kind.startswith("text/"):
        return
    try:
        text = base64.b64decode(encoded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return
    passage = Passage(text, Place.DOCUMENT, shown((*path, name)))
    yield Part(passage, (*path, name), fixed=Fixed.BLOCK)


def _has_tokens(value: Json) -> bool:
    if not isinstance(value, list):
        return False
    return any(
        isinstance(each, int)
        or (isinstance(each, list) and any(isinstance(inner, int) for inner in each))
        for each in value
    )
