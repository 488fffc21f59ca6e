"""Write tools and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from tiergate.base.chat import Ask, ProviderTool, Tool, ToolChoice, ToolMode
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.names import loss_word
from tiergate.providers.anthropic.parts import PartWriter, cache_field
from tiergate.providers.anthropic.schema import fit_schema
from tiergate.providers.facts import ModelFacts
from tiergate.providers.losses import Losses


class ToolWriter:
    """Writes the tools of one ask."""

    __slots__ = ("_ask", "_facts", "_losses", "_parts")

    def __init__(self, ask: Ask, facts: ModelFacts, parts: PartWriter, losses: Losses) -> None:
        self._ask = ask
        self._facts = facts
        self._parts = parts
        self._losses = losses

    def write(self, called: Sequence[str]) -> JsonObject:
        """Return `tools` and `tool_choice`, where there is something to say.

        Args:
            called: Names of tools in the history, as sent.
        """
        tools: list[Json] = []
        for tool in self._ask.tools:
            match tool:
                case Tool():
                    tools.append(self._tool(tool))
                case ProviderTool():
                    tools += self._provider_tool(tool)
                case _:
                    assert_never(tool)
        choice = self._ask.tool_choice
        if tools:
            fields: JsonObject = {"tools": tools}
            if choice is not None:
                fields["tool_choice"] = self._choice(choice)
            return fields
        if choice is not None and choice.mode in (ToolMode.ANY, ToolMode.NAMED):
            self._losses.add("tool_choice")
        if called and self._ask.dialect is not Dialect.ANTHROPIC:
            # "Requests which include `tool_use` or `tool_result` blocks must define tools".
            return {
                "tools": [_remembered(name) for name in called],
                "tool_choice": {"type": "none"},
            }
        return {}

    def forced(self) -> bool:
        """Whether the choice demands a call."""
        choice = self._ask.tool_choice
        wanted = choice is not None and choice.mode in (ToolMode.ANY, ToolMode.NAMED)
        return wanted and bool(self._ask.tools)

    def _tool(self, tool: Tool) -> JsonObject:
        entry: JsonObject = {"name": self._parts.tool_name(tool.name)}
        if tool.description:
            entry["description"] = tool.description
        entry["input_schema"] = schema = _input_schema(tool)
        own = self._ask.dialect is Dialect.ANTHROPIC
        if tool.strict is not None and (own or (tool.strict and self._facts.structured_output)):
            entry["strict"] = tool.strict
            if not own:
                entry["input_schema"], loosened = fit_schema(schema)
                if loosened:
                    self._losses.add("tools.limits")
        elif tool.strict:
            self._losses.add("tools.strict")
        return {**entry, **cache_field(tool.cache)}

    def _provider_tool(self, tool: ProviderTool) -> list[Json]:
        if tool.dialect is Dialect.ANTHROPIC:
            return [dict(tool.raw)]
        self._losses.refuse(
            loss_word(f"tools.{tool.name}"),
            f"The tool {tool.name!r} of type {tool.type} exists at its own provider only. Leave "
            "it out for this model, or give a function tool of your own.",
            param="tools",
        )
        return []

    def _choice(self, choice: ToolChoice) -> JsonObject:
        mode = choice.mode
        if (
            mode in (ToolMode.ANY, ToolMode.NAMED)
            and not self._facts.forced_tool_choice
            and self._ask.dialect is not Dialect.ANTHROPIC
        ):
            self._losses.refuse(
                "tool_choice",
                "This model cannot be made to call a tool; use tool_choice auto.",
                param="tool_choice",
            )
            mode = ToolMode.AUTO
        raw: JsonObject
        match mode:
            case ToolMode.NONE:
                return {"type": "none"}
            case ToolMode.AUTO:
                raw = {"type": "auto"}
            case ToolMode.ANY:
                raw = {"type": "any"}
            case ToolMode.NAMED:
                raw = {"type": "tool", "name": self._parts.tool_name(choice.name or "")}
            case _:
                assert_never(mode)
        if choice.parallel is False:
            raw["disable_parallel_tool_use"] = True
        return raw


def _remembered(name: str) -> JsonObject:
    return {"name": name, "input_schema": {"type": "object"}}


def _input_schema(tool: Tool) -> JsonObject:
    """Return the tool's schema; the API demands that it says `type: object`."""
    schema = dict(tool.schema)
    return schema if "type" in schema else {"type": "object", **schema}
