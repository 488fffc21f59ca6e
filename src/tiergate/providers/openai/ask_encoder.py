"""Write an `Ask` as a chat completions request; messages are written by `messages`.

What is lost and what is refused is listed in docs/reference/translation-messages-to-chat.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, assert_never

import msgspec

from tiergate.base.chat import Ask, ProviderTool, ResponseFormat, Tool, ToolChoice, ToolMode
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.facts import SamplingRule, ThinkingStyle
from tiergate.providers.losses import Losses
from tiergate.providers.openai.messages import MessageWriter
from tiergate.providers.openai.names import fit_user
from tiergate.providers.openai.schema import is_strict
from tiergate.providers.openai.thinking_effort import effort_for
from tiergate.providers.quirks import Quirk
from tiergate.providers.target import EncodedAsk, EncodeTarget

_MEANINGFUL_EXTRAS: Final = frozenset({"mcp_servers", "container"})
"""Fields of an Anthropic request without which the answer would be another one."""
_TIERS: Final[Mapping[str, str]] = MappingProxyType({"auto": "auto", "standard_only": "default"})


def encode_ask(ask: Ask, target: EncodeTarget) -> EncodedAsk:
    """Return the request for a host of the chat dialect.

    Raises:
        Untranslatable: The ask says something that the dialect or the model cannot say, and
            leaving it out would change the answer.
    """
    writer = _AskWriter(ask, target)
    body = writer.body()
    return EncodedAsk(
        body=msgspec.json.encode(body),
        losses=writer.losses.words,
        renames=MappingProxyType(writer.messages.renames),
    )


class _AskWriter:
    """Writes one request."""

    __slots__ = ("ask", "losses", "messages", "target")

    def __init__(self, ask: Ask, target: EncodeTarget) -> None:
        self.ask = ask
        self.target = target
        self.losses = Losses(lenient=target.drop_params)
        self.messages = MessageWriter(target.quirks, self.losses)

    def body(self) -> JsonObject:
        """Return the request's fields, in fixed order."""
        body: JsonObject = {
            "model": self.target.model,
            "messages": self.messages.write(self.ask.turns),
        }
        self._prefill()
        if tools := self._tools():
            body["tools"] = tools
            body |= self._choice()
        elif self.ask.tool_choice and self.ask.tool_choice.mode in (ToolMode.ANY, ToolMode.NAMED):
            self.losses.add("tool_choice")
        body |= self._limit()
        effort = effort_for(self.ask.reasoning, self.target.facts, self.losses)
        body |= self._sampling(effort)
        if effort is not None:
            body["reasoning_effort"] = effort
        body |= self._response_format()
        body |= self._account()
        body |= self._extras(body)
        if self.target.stream:
            body["stream"] = True
            if not self._has(Quirk.NO_STREAM_OPTIONS):
                body["stream_options"] = {"include_usage": True}
        return body

    def _has(self, quirk: Quirk) -> bool:
        return quirk in self.target.quirks

    def _prefill(self) -> None:
        if not self.messages.ends_with_prefill():
            return
        if self.target.facts.prefill:
            self.messages.continue_last()
            return
        self.losses.refuse(
            "prefill",
            "The last message is the assistant's, to be continued; this model begins a new "
            "message instead. End with a user message.",
            param="messages",
        )

    # ------------------------------------------------------------------ tools

    def _tools(self) -> list[Json]:
        written: list[Json] = []
        choice = self.ask.tool_choice
        if self._has(Quirk.NO_TOOL_CHOICE) and choice and choice.mode is ToolMode.NONE:
            # Where the choice is not read, a tool that must not be called must not be sent.
            return written
        for tool in self.ask.tools:
            match tool:
                case Tool():
                    written.append(self._function(tool))
                case ProviderTool():
                    written += self._provider_tool(tool)
                case _:
                    assert_never(tool)
        return written

    def _function(self, tool: Tool) -> JsonObject:
        function: JsonObject = {"name": self.messages.tool_name(tool.name)}
        if tool.description is not None:
            function["description"] = tool.description
        function["parameters"] = dict(tool.schema)
        if tool.strict is not None:
            function["strict"] = tool.strict
        entry: JsonObject = {"type": "function", "function": function}
        if tool.cache is not None:
            if self._has(Quirk.CACHE_CONTROL):
                entry["cache_control"] = dict(tool.cache.raw)
            else:
                self.losses.add("cache_control")
        return entry

    def _provider_tool(self, tool: ProviderTool) -> list[Json]:
        if tool.dialect is Dialect.OPENAI:
            return [dict(tool.raw)]
        self.losses.refuse(
            f"tools.{tool.name}",
            f"The tool {tool.name!r} of type {tool.type} exists at its own provider only. Leave "
            "it out for this model, or give a function tool of your own.",
            param="tools",
        )
        return []

    def _choice(self) -> JsonObject:
        choice = self.ask.tool_choice
        if choice is None:
            return {}
        mode = self._mode(choice)
        fields: JsonObject = {} if self._has(Quirk.NO_TOOL_CHOICE) else {"tool_choice": mode}
        if choice.parallel is not None:
            if self._has(Quirk.NO_PARALLEL_TOOL_CALLS):
                if not choice.parallel:
                    self.losses.add("parallel_tool_calls")
            else:
                fields["parallel_tool_calls"] = choice.parallel
        return fields

    def _mode(self, choice: ToolChoice) -> Json:
        mode = choice.mode
        free = not self.target.facts.forced_tool_choice or self._has(Quirk.NO_TOOL_CHOICE)
        if free and mode in (ToolMode.ANY, ToolMode.NAMED):
            self.losses.refuse(
                "tool_choice",
                "This model cannot be made to call a tool; use tool_choice auto.",
                param="tool_choice",
            )
            return "auto"
        match mode:
            case ToolMode.AUTO:
                return "auto"
            case ToolMode.NONE:
                return "none"
            case ToolMode.ANY:
                return "required"
            case ToolMode.NAMED:
                name = self.messages.tool_name(choice.name or "")
                return {"type": "function", "function": {"name": name}}
            case _:
                assert_never(mode)

    # ------------------------------------------------------------------ numbers

    def _limit(self) -> JsonObject:
        limit = self.ask.max_tokens
        if limit is None:
            limit = self.target.default_max_tokens
        if limit is None:
            return {}
        if limit == 0:
            self.losses.refuse(
                "max_tokens",
                "max_tokens 0 fills a prompt cache without an answer, which this provider cannot "
                "do. Ask for 1 token or more.",
                param="max_tokens",
            )
            limit = 1
        most = self.target.facts.max_output_tokens
        if most is not None and limit > most:
            # The model could not write more anyway, and the provider would refuse the request.
            self.losses.add("max_tokens")
            limit = most
        newer = self.target.facts.max_completion_tokens
        return {"max_completion_tokens" if newer else "max_tokens": limit}

    def _sampling(self, effort: str | None) -> JsonObject:
        ask, facts = self.ask, self.target.facts
        fixed = facts.sampling is SamplingRule.NEVER or (
            facts.sampling is SamplingRule.WITHOUT_REASONING and effort not in (None, "none")
        )
        fields: JsonObject = {}
        for name, value in (("temperature", ask.temperature), ("top_p", ask.top_p)):
            if value is None:
                continue
            if not fixed:
                fields[name] = value
            elif value != 1:
                # 1 is what these models use; leaving it out says the same.
                self.losses.add(name)
        if ask.top_k is not None:
            if self._has(Quirk.TOP_K):
                fields["top_k"] = ask.top_k
            else:
                self.losses.add("top_k")
        if ask.stop:
            fields |= self._stop(ask.stop)
        if ask.seed is not None:
            fields["random_seed" if self._has(Quirk.RANDOM_SEED) else "seed"] = ask.seed
        return fields

    def _stop(self, stop: tuple[str, ...]) -> JsonObject:
        facts = self.target.facts
        if facts.thinking is ThinkingStyle.EFFORT and facts.sampling is SamplingRule.NEVER:
            # OpenAI, "Create chat completion": no `stop` with the reasoning models.
            self.losses.refuse(
                "stop_sequences",
                "This model takes no stop sequences. Leave them out, or use another model.",
                param="stop_sequences",
            )
            return {}
        return {"stop": list(stop)}

    # ------------------------------------------------------------------ the rest

    def _response_format(self) -> JsonObject:
        wanted = self.ask.response_format
        if wanted is None or not wanted.json:
            return {}
        if wanted.schema is None and wanted.name is None:
            return {"response_format": {"type": "json_object"}}
        if not self.target.facts.structured_output:
            self.losses.refuse(
                "response_format",
                "This model takes no JSON schema for its answer. Describe the form in the "
                "prompt, or use another model.",
                param="response_format",
            )
            return {"response_format": {"type": "json_object"}}
        return {"response_format": {"type": "json_schema", "json_schema": self._schema(wanted)}}

    def _schema(self, wanted: ResponseFormat) -> JsonObject:
        fields: JsonObject = {"name": wanted.name or "answer"}
        if wanted.description is not None:
            fields["description"] = wanted.description
        if wanted.schema is not None:
            fields["schema"] = dict(wanted.schema)
        strict = wanted.strict
        if strict is None and self.ask.dialect is Dialect.ANTHROPIC:
            # There a schema is always kept to; here only in strict mode, which takes fewer.
            strict = is_strict(wanted.schema or {})
            if not strict:
                self.losses.add("response_format.strict")
        if strict is not None:
            fields["strict"] = strict
        return fields

    def _account(self) -> JsonObject:
        ask = self.ask
        fields: JsonObject = {}
        if ask.user is not None:
            if self._has(Quirk.KNOWN_FIELDS_ONLY):
                self.losses.add("user")
            else:
                fields["user"] = fit_user(ask.user)
        if ask.service_tier is not None:
            tier: str | None = ask.service_tier
            if ask.dialect is Dialect.ANTHROPIC:
                tier = _TIERS.get(ask.service_tier)
            if tier is None or self._has(Quirk.KNOWN_FIELDS_ONLY):
                self.losses.add("service_tier")
            else:
                fields["service_tier"] = tier
        if ask.cache is not None:
            if self._has(Quirk.CACHE_CONTROL):
                fields["cache_control"] = dict(ask.cache.raw)
            else:
                self.losses.add("cache_control")
        return fields

    def _extras(self, body: JsonObject) -> JsonObject:
        if self.ask.dialect is Dialect.OPENAI:
            return {key: value for key, value in self.ask.extras.items() if key not in body}
        for key, value in self.ask.extras.items():
            if value in (None, [], {}):
                continue
            if key in _MEANINGFUL_EXTRAS:
                self.losses.refuse(
                    key,
                    f"{key} has no form in the chat dialect; leave it out for this model.",
                    param=key,
                )
            else:
                self.losses.add(key)
        return {}
