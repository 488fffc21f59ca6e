"""Read the messages of a chat request into turns; what a part is, `content` decides.

Tool messages that follow each other become one user turn of results (Anthropic's way). Fields
that only answers have (`annotations`, `audio.transcript`) are not part of a request and are not
read, as OpenAI does not read them either.
"""

from __future__ import annotations

from tiergate.base.chat import (
    CacheMark,
    Opaque,
    Part,
    RedactedThinking,
    Refusal,
    Role,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.content import (
    arguments_text,
    cache_mark,
    content_parts,
    redacted_thinking,
    result_parts,
    thinking,
    with_mark,
    without_mark,
)
from tiergate.providers.reading import (
    as_object,
    invalid,
    optional_list,
    optional_object,
    optional_str,
    place,
    required_object,
    required_str,
)

_ROLES = "system, developer, user, assistant, tool or function"


def decode_turns(messages: list[Json], at: str = "messages") -> tuple[Turn, ...]:
    """Return the turns of a conversation.

    Raises:
        Refused: A message that the dialect does not have; the error names its place.
    """
    reader = _Reader()
    for index, message in enumerate(messages):
        here = place(at, index)
        reader.read(as_object(message, here), here)
    return reader.end()


class _Reader:
    """Collects turns; holds tool results until a message of another kind comes."""

    __slots__ = ("_legacy_ids", "_results", "_turns")

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._results: list[Part] = []
        self._legacy_ids: dict[str, str] = {}

    def end(self) -> tuple[Turn, ...]:
        """Return all turns."""
        self._flush()
        return tuple(self._turns)

    def read(self, raw: JsonObject, at: str) -> None:
        """Take one message."""
        role = required_str(raw, "role", at)
        mark = cache_mark(raw, at)
        if role in ("tool", "function"):
            self._results.append(self._result(raw, at, role, mark))
            return
        self._flush()
        if role == "assistant":
            parts = self._assistant(raw, at)
        elif role in ("system", "developer", "user"):
            parts = content_parts(raw.get("content"), place(at, "content"))
        else:
            raise invalid(place(at, "role"), f"unknown role {role!r}; expected {_ROLES}")
        _check_places(parts, role, at)
        name = optional_str(raw, "name", at)
        self._turns.append(Turn(Role(role), _marked(parts, mark), name=name))

    def _flush(self) -> None:
        if self._results:
            self._turns.append(Turn(Role.USER, tuple(self._results)))
            self._results = []

    def _result(self, raw: JsonObject, at: str, role: str, mark: CacheMark | None) -> ToolResult:
        if role == "tool":
            call = required_str(raw, "tool_call_id", at)
        else:
            name = required_str(raw, "name", at)
            call = self._legacy_ids.get(name, f"call_{name}")
        parts = result_parts(raw.get("content"), place(at, "content"))
        if parts and mark is None and (last := getattr(parts[-1], "cache", None)) is not None:
            # The end of the last part is the end of the result: the mark means the same there,
            # and providers document it there.
            mark = last
            parts = (*parts[:-1], without_mark(parts[-1]))
        return ToolResult(call, parts, cache=mark)

    def _assistant(self, raw: JsonObject, at: str) -> tuple[Part, ...]:
        content = content_parts(raw.get("content"), place(at, "content"))
        parts: list[Part] = []
        if not any(isinstance(part, Thinking | RedactedThinking) for part in content):
            parts += _reasoning(raw, at)
        parts += content
        if refusal := optional_str(raw, "refusal", at):
            parts.append(Refusal(refusal))
        if (audio := optional_object(raw, "audio", at)) is not None:
            parts.append(Opaque(Dialect.OPENAI, "audio", audio))
        for index, call in enumerate(optional_list(raw, "tool_calls", at)):
            here = place(at, f"tool_calls.{index}")
            parts.append(_call(as_object(call, here), here))
        if (function := optional_object(raw, "function_call", at)) is not None:
            parts.append(self._legacy_call(function, place(at, "function_call")))
        return tuple(parts)

    def _legacy_call(self, raw: JsonObject, at: str) -> ToolUse:
        """Functions had no ids; one is made from the place, so the same request has the same."""
        name = required_str(raw, "name", at)
        made = f"call_{name}_{len(self._turns)}"
        self._legacy_ids[name] = made
        return ToolUse(made, name, arguments_text(raw.get("arguments")))


def _reasoning(raw: JsonObject, at: str) -> list[Part]:
    """Return the thinking that a chat client sends back.

    `thinking_blocks` is LiteLLM's list of signed blocks; `reasoning_content` (DeepSeek, vLLM,
    LiteLLM) and `reasoning` (OpenRouter) are the bare text of the same.
    """
    parts: list[Part] = []
    for index, item in enumerate(optional_list(raw, "thinking_blocks", at)):
        here = place(at, f"thinking_blocks.{index}")
        block = as_object(item, here)
        hidden = block.get("type") == "redacted_thinking"
        parts.append(redacted_thinking(block, here) if hidden else thinking(block, here))
    if parts:
        return parts
    text = raw.get("reasoning_content") or raw.get("reasoning")
    return [Thinking(text)] if isinstance(text, str) and text else []


def _call(raw: JsonObject, at: str) -> Part:
    if raw.get("type") == "custom":
        return Opaque(Dialect.OPENAI, "custom tool call", raw)
    function = required_object(raw, "function", at)
    here = place(at, "function")
    return ToolUse(
        required_str(raw, "id", at),
        required_str(function, "name", here),
        arguments_text(function.get("arguments")),
        cache=cache_mark(raw, at) or cache_mark(function, here),
    )


def _check_places(parts: tuple[Part, ...], role: str, at: str) -> None:
    for part in parts:
        if isinstance(part, ToolUse | Thinking | RedactedThinking) and role != "assistant":
            kind = "tool_use" if isinstance(part, ToolUse) else "thinking"
            raise invalid(at, f"a {kind} block belongs into an assistant message")
        if isinstance(part, ToolResult) and role != "user":
            raise invalid(at, "a tool_result block belongs into a user message")


def _marked(parts: tuple[Part, ...], mark: CacheMark | None) -> tuple[Part, ...]:
    """Put a message's own mark on its last part that can carry one."""
    if mark is None:
        return parts
    for index in range(len(parts) - 1, -1, -1):
        marked = with_mark(parts[index], mark)
        if marked is not None:
            return (*parts[:index], marked, *parts[index + 1 :])
    return parts
