"""Reads the events of a stream as far as guards need: texts, arguments of tools, what is over.

Both dialects are told in the same words: an event belongs to groups (choices, or content blocks);
it brings pieces of texts that go on in later events, fragments of a tool's arguments, and texts
that are complete; and it may end groups. It can be written again with other texts in it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, cast

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.pipeline.guard_texts import Fixed, Part, delta_parts, shown
from tiergate.ports.guarding import Place
from tiergate.wire.edits import Path, edited, put
from tiergate.wire.members import encode

Channel: TypeAlias = tuple[int, str]
"""A text that comes in pieces: its group, and its place in it."""


class Event(Protocol):
    """One server-sent event, as a splitter gives it."""

    @property
    def name(self) -> bytes:
        """The `event:` field."""
        ...

    @property
    def data(self) -> bytes:
        """The `data:` lines."""
        ...

    @property
    def raw(self) -> bytes:
        """The bytes as they came."""
        ...


class Splitter(Protocol):
    """Splits bytes into events."""

    def feed(self, piece: bytes) -> Sequence[Event]:
        """Return the events that a piece completes."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, or a fragment of a tool's arguments."""

    channel: Channel
    path: Path
    text: str
    place: Place
    fixed: Fixed | None = None


@dataclass(slots=True)
class Frame:
    """One event, understood.

    Attributes:
        event: As it came.
        value: Its JSON; None where it has none.
        pieces: Of texts that go on.
        fragments: Of arguments of tools.
        whole: Texts that are complete.
        tools: Names of tools whose arguments begin here, by channel.
        groups: The groups that it is about, beside its pieces.
        ends: The groups that end with it.
        all_over: Nothing comes after it.
        strict: What is held back of its groups must go out before it, piece or not.
        lone: Without its texts it says nothing.
    """

    event: Event
    value: JsonObject | None = None
    pieces: list[Piece] = field(default_factory=list[Piece])
    fragments: list[Piece] = field(default_factory=list[Piece])
    whole: list[Part] = field(default_factory=list[Part])
    tools: dict[Channel, str] = field(default_factory=dict[Channel, str])
    groups: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    all_over: bool = False
    strict: bool = False
    lone: bool = False

    def written(self, texts: Mapping[Path, str], *, plain: bool) -> bytes:
        """Return the event with other texts in it; the bytes as they came where nothing differs.

        Args:
            texts: By place.
            plain: The probabilities of its tokens are left out: they would tell the text.
        """
        changes: dict[Path, Json] = {}
        for piece in (*self.pieces, *self.fragments):
            if (new := texts.get(piece.path)) is not None and new != piece.text:
                changes[piece.path] = new
        for part in self.whole:
            if (new := texts.get(part.path)) is not None and new != part.passage.text:
                changes[part.path] = new
        if plain:
            changes |= _without_tokens(self.value)
        if not changes:
            return self.event.raw
        return event_bytes(self.event.name, edited(self.event.data, changes))

    def alone(self, piece: Piece, text: str) -> bytes:
        """Return an event of its own that says a text where this one had a piece."""
        value = copy.deepcopy(self.value) or {}
        for each in (*self.pieces, *self.fragments):
            put(value, each.path, text if each.path == piece.path else "")
        _strip(value, piece)
        return event_bytes(self.event.name, encode(value))


def event_bytes(name: bytes, data: bytes) -> bytes:
    """Write an event."""
    start = b"event: " + name + b"\n" if name else b""
    return start + b"data: " + data + b"\n\n"


def read_frame(event: Event, dialect: Dialect) -> Frame:
    """Understand an event of a caller's stream."""
    if event.data.startswith(b"[DONE]"):
        return Frame(event, all_over=True)
    try:
        value = cast("Json", msgspec.json.decode(event.data))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return Frame(event)
    if not isinstance(value, dict):
        return Frame(event)
    return _anthropic(event, value) if dialect is Dialect.ANTHROPIC else _openai(event, value)


# ---------------------------------------------------------------------- OpenAI


def _openai(event: Event, value: JsonObject) -> Frame:
    frame = Frame(event, value, all_over=value.get("error") is not None)
    choices = value.get("choices")
    said: set[str] = set()
    groups: list[int] = []
    ends: list[int] = []
    for number, choice in enumerate(choices if isinstance(choices, list) else []):
        if not isinstance(choice, dict):
            continue
        group = choice.get("index")
        group = group if isinstance(group, int) else number
        groups.append(group)
        path: Path = ("choices", number)
        if isinstance(choice.get("text"), str):
            frame.pieces += _pieces(choice["text"], group, (*path, "text"), 2)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            rest = {k: v for k, v in delta.items() if k not in ("tool_calls", "function_call")}
            frame.pieces += _pieces(rest, group, (*path, "delta"), 3)
            _calls(frame, delta, group, (*path, "delta"))
            said |= delta.keys()
        if choice.get("finish_reason") is not None:
            ends.append(group)
    frame.groups, frame.ends = tuple(groups), tuple(ends)
    frame.lone = (
        bool(frame.pieces or frame.fragments)
        and not ends
        and not frame.tools
        and not value.get("usage")
        and "role" not in said
    )
    return frame


def _pieces(value: Json, group: int, path: Path, above: int) -> list[Piece]:
    """Return the texts of a delta. A place in a list is no part of a channel: lists come anew."""
    found: list[Piece] = []
    for part in delta_parts(value, path):
        name = shown(tuple(step for step in part.path[above - 1 :] if isinstance(step, str)))
        passage = part.passage
        found.append(Piece((group, name), part.path, passage.text, passage.place, part.fixed))
    return found


def _calls(frame: Frame, delta: JsonObject, group: int, path: Path) -> None:
    calls = delta.get("tool_calls")
    for number, call in enumerate(calls if isinstance(calls, list) else []):
        if isinstance(call, dict):
            slot = call.get("index")
            name = f"tool_calls.{slot if isinstance(slot, int) else number}"
            function = call.get("function")
            where = (*path, "tool_calls", number, "function")
            _fragment(frame, function, (group, name), where)
    _fragment(
        frame, delta.get("function_call"), (group, "function_call"), (*path, "function_call")
    )


def _fragment(frame: Frame, function: Json, channel: Channel, path: Path) -> None:
    if not isinstance(function, dict):
        return
    name, text = function.get("name"), function.get("arguments")
    if isinstance(name, str) and name:
        frame.tools[channel] = name
    if isinstance(text, str):
        place = Place.TOOL_ARGUMENTS
        frame.fragments.append(Piece(channel, (*path, "arguments"), text, place))


def _without_tokens(value: JsonObject | None) -> dict[Path, Json]:
    choices = value.get("choices") if value is not None else None
    return {
        ("choices", number, "logprobs"): None
        for number, choice in enumerate(choices if isinstance(choices, list) else [])
        if isinstance(choice, dict) and choice.get("logprobs") is not None
    }


# ---------------------------------------------------------------------- Anthropic


def _anthropic(event: Event, value: JsonObject) -> Frame:
    kind = value.get("type")
    index = value.get("index")
    group = index if isinstance(index, int) else 0
    match kind:
        case "content_block_start":
            return _block(event, value, group)
        case "content_block_delta":
            return _delta(event, value, group)
        case "content_block_stop":
            return Frame(event, value, groups=(group,), ends=(group,))
        case "message_start":
            message = value.get("message")
            content = message.get("content") if isinstance(message, dict) else None
            return Frame(event, value, whole=delta_parts(content, ("message", "content")))
        case "message_delta" | "message_stop" | "error":
            return Frame(event, value, all_over=True)
        case _:
            return Frame(event, value)


def _block(event: Event, value: JsonObject, group: int) -> Frame:
    block = value.get("content_block")
    frame = Frame(event, value, groups=(group,), strict=True)
    if isinstance(block, dict) and "input" in block and not block.get("input"):
        # Its arguments follow in fragments; a block that has them already is complete.
        name = block.get("name")
        frame.tools[group, "input"] = name if isinstance(name, str) else ""
        return frame
    frame.whole = delta_parts(block, ("content_block",))
    return frame


def _delta(event: Event, value: JsonObject, group: int) -> Frame:
    delta = value.get("delta")
    frame = Frame(event, value, groups=(group,))
    if not isinstance(delta, dict):
        return frame
    for kind, member, place, fixed in (
        ("text_delta", "text", Place.ASSISTANT, None),
        # Its signature comes behind it.
        ("thinking_delta", "thinking", Place.REASONING, Fixed.BLOCK),
    ):
        text = delta.get(member)
        if delta.get("type") == kind and isinstance(text, str):
            frame.pieces.append(Piece((group, member), ("delta", member), text, place, fixed))
            frame.lone = True
            return frame
    text = delta.get("partial_json")
    if isinstance(text, str):
        path = ("delta", "partial_json")
        frame.fragments.append(Piece((group, "input"), path, text, Place.TOOL_ARGUMENTS))
        frame.lone = True
        return frame
    frame.strict = True
    frame.whole = delta_parts(delta, ("delta",))
    return frame


# ---------------------------------------------------------------------- writing


def _strip(value: JsonObject, piece: Piece) -> None:
    """Leave only what belongs to one piece: nothing may be said twice, or end early."""
    choices = value.get("choices")
    if not isinstance(choices, list):
        return
    value.pop("usage", None)
    number = piece.path[1]
    choice = choices[number] if isinstance(number, int) else None
    if not isinstance(choice, dict):
        return
    choice.pop("logprobs", None)
    choice["finish_reason"] = None
    value["choices"] = [choice]
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return
    member = str(piece.path[3])
    choice["delta"] = {member: delta[member]}
    calls = delta.get("tool_calls")
    if member == "tool_calls" and isinstance(calls, list):
        slot = piece.path[4]
        call = calls[slot] if isinstance(slot, int) else None
        if isinstance(call, dict):
            said = call.get("function")
            text = said.get("arguments") if isinstance(said, dict) else ""
            function: JsonObject = {"arguments": text}
            again: JsonObject = {"index": call.get("index", 0), "function": function}
            choice["delta"] = {"tool_calls": [again]}
    elif member == "function_call":
        said = delta.get("function_call")
        text = said.get("arguments") if isinstance(said, dict) else ""
        choice["delta"] = {"function_call": {"arguments": text}}
