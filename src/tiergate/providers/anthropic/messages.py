"""Write turns as the `system` list and the alternating messages of a Messages request.

Rules: neighbouring turns of one speaker become one message; tool results stand first in it;
instructions of an OpenAI conversation, wherever they stand, go to `system` in their order, one
block for each; an Anthropic conversation keeps system messages in their places. No assistant
turn is ever added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tiergate.base.chat import Ask, Image, Part, Role, Text, ToolUse, Turn
from tiergate.base.errors import Untranslatable
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.parts import Block, PartWriter
from tiergate.providers.losses import Losses

OPENING: Final = "(The conversation begins with the assistant.)"
"""The user's turn before an assistant's greeting; the first message must be the user's."""

_SYSTEM: Final = frozenset({Role.SYSTEM, Role.DEVELOPER})
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was written, and what the settings must know of it.

    Attributes:
        system: Blocks of the `system` member.
        messages: Members of `messages`.
        prefilled: The last message is the assistant's own, to be continued.
        unsigned_loop: The last assistant message calls tools and has no thinking before them.
        called: Names of tools that the history calls, as sent, in order.
    """

    system: list[Block]
    messages: list[Block]
    prefilled: bool
    unsigned_loop: bool
    called: tuple[str, ...]


@dataclass(slots=True)
class _Message:
    role: str
    blocks: list[Block]


class MessageWriter:
    """Writes the conversation of one ask."""

    __slots__ = ("_ask", "_losses", "_messages", "_parts", "_prefill", "_system")

    def __init__(self, ask: Ask, parts: PartWriter, losses: Losses, *, prefill: bool) -> None:
        self._ask = ask
        self._parts = parts
        self._losses = losses
        self._prefill = prefill
        self._system: list[Block] = []
        self._messages: list[_Message] = []

    def write(self) -> Conversation:
        """Return the conversation.

        Raises:
            Untranslatable: Nothing is left to say, or something cannot be said.
        """
        own = self._ask.dialect is Dialect.ANTHROPIC
        for turn in self._ask.turns:
            if turn.name is not None:
                self._losses.add("messages.name")
            if turn.role in _SYSTEM:
                self._instruct(turn, in_place=own and bool(self._messages))
            else:
                self._say(turn)
        if not own:
            self._settle_first()
        if not self._messages:
            raise Untranslatable(
                "No message is left to send: all are empty. Give at least one user message with "
                "text, an image or a document.",
                param="messages",
            )
        for message in self._messages:
            if message.role == "user":
                message.blocks.sort(key=_results_first)
        prefilled = self._settle_last(own=own)
        return Conversation(
            self._system,
            [{"role": m.role, "content": _content(m.blocks)} for m in self._messages],
            prefilled,
            self._unsigned_loop(),
            tuple(dict.fromkeys(self._called())),
        )

    def _instruct(self, turn: Turn, *, in_place: bool) -> None:
        for part in turn.parts:
            if not isinstance(part, Text):
                kind = "image" if isinstance(part, Image) else "part that is not text"
                raise Untranslatable(
                    f"A {kind} stands in a {turn.role.value} message; the Messages API takes "
                    "only text there. Move it into a user message.",
                    param="messages",
                )
        blocks = self._parts.blocks(turn.parts)
        if in_place and blocks:
            self._messages.append(_Message("system", blocks))
        else:
            self._system += blocks

    def _say(self, turn: Turn) -> None:
        role = turn.role.value
        _check_speaker(turn)
        blocks = self._parts.blocks(turn.parts)
        if not blocks:
            return
        if self._messages and self._messages[-1].role == role:
            self._messages[-1].blocks += blocks
        else:
            self._messages.append(_Message(role, blocks))

    def _settle_first(self) -> None:
        """Let the conversation begin with the user."""
        if not self._messages and self._system:
            # OpenAI answers to instructions alone. The last of them is what is asked.
            self._losses.add("system.role")
            self._messages.append(_Message("user", [self._system.pop()]))
        elif self._messages and self._messages[0].role == "assistant":
            self._losses.add("messages.first")
            self._messages.insert(0, _Message("user", [{"type": "text", "text": OPENING}]))

    def _settle_last(self, *, own: bool) -> bool:
        """Return whether the last message is to be continued, and fit its end."""
        last = self._messages[-1]
        if last.role != "assistant" or last.blocks[-1]["type"] != "text":
            return False
        if own:
            return True
        if not self._prefill:
            raise Untranslatable(
                "The last message is the assistant's, and this model does not continue one. End "
                "with a user message.",
                param="messages",
            )
        # "final assistant content cannot end with trailing whitespace"
        text = last.blocks[-1]["text"]
        last.blocks[-1] = {**last.blocks[-1], "text": str(text).rstrip()}
        return True

    def _unsigned_loop(self) -> bool:
        for message in reversed(self._messages):
            if message.role == "assistant":
                calls = any(block["type"] == "tool_use" for block in message.blocks)
                return calls and message.blocks[0]["type"] not in _THOUGHTS
        return False

    def _called(self) -> Iterator[str]:
        for message in self._messages:
            for block in message.blocks:
                if block["type"] == "tool_use":
                    yield str(block["name"])


def _check_speaker(turn: Turn) -> None:
    """Refuse what a speaker cannot say; the provider's own error would name no remedy."""
    for part in turn.parts:
        wrong = _misplaced(part, turn.role)
        if wrong is not None:
            raise Untranslatable(
                f"{wrong} stands in a message of the {turn.role.value}; the Messages API does "
                "not take it there.",
                param="messages",
            )


def _misplaced(part: Part, role: Role) -> str | None:
    if role is Role.ASSISTANT and isinstance(part, Image):
        return "An image"
    if role is Role.USER and isinstance(part, ToolUse):
        return "A tool call"
    return None


def _results_first(block: Block) -> int:
    return 0 if block["type"] == "tool_result" else 1


def _content(blocks: list[Block]) -> object:
    """Return blocks as `content`: a string where one plain text says it all."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return blocks[0]["text"]
    return blocks
