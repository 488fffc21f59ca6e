"""Write turns as chat messages: roles, order, tool calls and their results.

The chat dialect wants each tool result in a message of its own, directly after the assistant
message with the calls, and takes text only there. Pictures and files that a tool returned follow
in a user message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tiergate.base.chat import (
    Opaque,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.losses import Losses
from tiergate.providers.openai.names import fit_id, fit_name
from tiergate.providers.openai.parts import PartWriter
from tiergate.providers.openai.role_order import bridged, merged
from tiergate.providers.quirks import Quirk

SEE_NEXT: Final = "(The result is in the next user message.)"
"""Text of a tool message whose result has no text."""
EMPTY_RESULT: Final = "(no output)"
"""Text of a tool message whose result is empty; several hosts refuse an empty one."""
ERROR_PREFIX: Final = "Error: "
"""How a failed tool call is marked, as the dialect has no field for it."""

# What Anthropic's own tools did in earlier turns. The model's text beside it says what it found;
# the results themselves are encrypted or bound to a container there.
_SERVER_HISTORY: Final = frozenset(
    {
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
    }
)


class MessageWriter:
    """Writes the messages of one request."""

    __slots__ = ("_losses", "_messages", "_parts", "_quirks", "_renames")

    def __init__(self, quirks: frozenset[Quirk], losses: Losses) -> None:
        self._quirks = quirks
        self._losses = losses
        self._parts = PartWriter(quirks, losses)
        self._messages: list[JsonObject] = []
        self._renames: dict[str, str] = {}

    @property
    def renames(self) -> dict[str, str]:
        """Names as sent to the caller's own names, for those that had to change."""
        return self._renames

    def tool_name(self, name: str) -> str:
        """Return a tool's name as it is sent."""
        fitted = fit_name(name)
        if fitted != name:
            self._renames[fitted] = name
        return fitted

    def write(self, turns: Sequence[Turn]) -> list[Json]:
        """Return all messages.

        Raises:
            Untranslatable: Something the dialect cannot say, or nothing is left to say.
        """
        if Quirk.SYSTEM_FIRST_ONLY in self._quirks:
            turns = self._system_first(turns)
        index = 0
        while index < len(turns):
            turn = turns[index]
            index += 1
            if turn.role is Role.ASSISTANT:
                self._assistant(turn)
            elif turn.role is not Role.USER:
                self._system(turn)
            else:
                group = [turn]
                while _has_results(turn) and index < len(turns) and _has_results(turns[index]):
                    group.append(turns[index])
                    index += 1
                self._user(group)
        if not any(m["role"] in ("user", "system", "developer") for m in self._messages):
            raise Untranslatable(
                "Nothing is left to send: no user or system message has any content.",
                param="messages",
            )
        if Quirk.ASSISTANT_AFTER_TOOL in self._quirks:
            self._messages = bridged(self._messages)
        if Quirk.ALTERNATING_ROLES in self._quirks:
            self._messages = merged(self._messages)
        return list(self._messages)

    def continue_last(self) -> None:
        """Ask a host with `prefix` to continue the last message, if it is the assistant's."""
        last = self._messages[-1]
        if last["role"] == "assistant" and Quirk.PREFIX_FLAG in self._quirks:
            last["prefix"] = True

    def ends_with_prefill(self) -> bool:
        """Whether the last message is an assistant's text to be continued."""
        last = self._messages[-1]
        return last["role"] == "assistant" and "tool_calls" not in last

    def _named(self, turn: Turn) -> JsonObject:
        if turn.name is None:
            return {}
        if Quirk.KNOWN_FIELDS_ONLY in self._quirks:
            self._losses.add("name")
            return {}
        return {"name": turn.name}

    # ------------------------------------------------------------------ system

    def _system_first(self, turns: Sequence[Turn]) -> list[Turn]:
        """Gather all instructions in one first turn, for hosts that take no other."""
        rules = [turn for turn in turns if turn.role in (Role.SYSTEM, Role.DEVELOPER)]
        if not rules:
            return list(turns)
        if any(turn.role not in (Role.SYSTEM, Role.DEVELOPER) for turn in turns[: len(rules)]):
            self._losses.add("system.position")
        parts = tuple(part for turn in rules for part in turn.parts)
        others = [turn for turn in turns if turn.role in (Role.USER, Role.ASSISTANT)]
        return [Turn(Role.SYSTEM, parts), *others]

    def _system(self, turn: Turn) -> None:
        for part in turn.parts:
            if not isinstance(part, Text | Refusal):
                raise Untranslatable(
                    "System text may hold text only in the chat dialect; move other content to "
                    "a user message.",
                    param="messages",
                )
        written = self._parts.write(turn.parts)
        if not written:
            return
        developer = turn.role is Role.DEVELOPER and Quirk.NO_DEVELOPER_ROLE not in self._quirks
        role = "developer" if developer else "system"
        content = self._parts.content(written)
        self._messages.append({"role": role, "content": content, **self._named(turn)})

    # ------------------------------------------------------------------ user

    def _user(self, group: Sequence[Turn]) -> None:
        parts = [part for turn in group for part in turn.parts]
        results = [part for part in parts if isinstance(part, ToolResult)]
        carried: list[JsonObject] = []
        for result in results:
            carried += self._result(result)
        rest = self._parts.write([part for part in parts if not isinstance(part, ToolResult)])
        content = [*carried, *rest]
        if content:
            message: JsonObject = {"role": "user", "content": self._parts.content(content)}
            self._messages.append({**message, **self._named(group[-1])})

    def _result(self, result: ToolResult) -> list[JsonObject]:
        """Append the tool message; give back what must follow in a user message."""
        marked = self._parts.mark(result.cache)
        written = self._parts.write(result.content)
        texts = [str(part["text"]) for part in written if part["type"] == "text"]
        media = [part for part in written if part["type"] != "text"]
        text = "\n".join(texts)
        if not text:
            text = SEE_NEXT if media else EMPTY_RESULT
        if result.is_error and not text.lower().startswith("error"):
            text = ERROR_PREFIX + text
        content: Json = [{"type": "text", "text": text, **marked}] if marked else text
        call = self._call_id(result.tool_use_id)
        self._messages.append({"role": "tool", "tool_call_id": call, "content": content})
        if not media:
            return []
        return [{"type": "text", "text": f"Returned by tool call {call}:"}, *media]

    def _call_id(self, identity: str) -> str:
        return fit_id(identity, short=Quirk.SHORT_TOOL_IDS in self._quirks)

    # ------------------------------------------------------------------ assistant

    def _assistant(self, turn: Turn) -> None:
        message: JsonObject = {"role": "assistant", "content": None}
        texts: list[JsonObject] = []
        calls: list[Json] = []
        thoughts: list[str] = []
        for part in turn.parts:
            if isinstance(part, ToolUse):
                calls.append(self._call(part))
            elif isinstance(part, Thinking | RedactedThinking):
                thoughts += self._thought(part)
            elif isinstance(part, Refusal):
                message["refusal"] = part.text
            elif isinstance(part, Opaque):
                texts += self._opaque(part, message, calls)
            elif isinstance(part, Text):
                texts += self._parts.write((part,))
            else:
                raise Untranslatable(
                    "An assistant message of the chat dialect holds text and tool calls only.",
                    param="messages",
                )
        if texts:
            message["content"] = self._assistant_text(texts)
        if thoughts:
            message["reasoning_content"] = "".join(thoughts)
        if calls:
            message["tool_calls"] = calls
        if message["content"] is not None or len(message) > 2:
            self._messages.append({**message, **self._named(turn)})

    def _assistant_text(self, texts: list[JsonObject]) -> Json:
        """Join blocks without a gap: a model's text is cut where citations begin and end."""
        if any(text.keys() != {"type", "text"} for text in texts):
            return list(texts)
        return "".join(str(text["text"]) for text in texts)

    def _thought(self, part: Thinking | RedactedThinking) -> list[str]:
        if isinstance(part, Thinking) and Quirk.REASONING_BACK in self._quirks:
            return [part.text]
        self._losses.add("thinking")
        return []

    def _call(self, part: ToolUse) -> Json:
        if part.cache is not None:
            self._losses.add("cache_control")
        function: JsonObject = {
            "name": self.tool_name(part.name),
            "arguments": part.arguments if part.arguments.strip() else "{}",
        }
        return {"id": self._call_id(part.id), "type": "function", "function": function}

    def _opaque(self, part: Opaque, message: JsonObject, calls: list[Json]) -> list[JsonObject]:
        """Put a block where it belongs; give it back if that is the content."""
        if part.dialect is Dialect.OPENAI and part.type == "audio":
            message["audio"] = part.raw
        elif part.dialect is Dialect.OPENAI and part.type == "custom tool call":
            calls.append(part.raw)
        elif part.type in _SERVER_HISTORY:
            self._losses.add(part.type)
        else:
            return self._parts.write((part,))
        return []


def _has_results(turn: Turn) -> bool:
    return turn.role is Role.USER and any(isinstance(part, ToolResult) for part in turn.parts)
