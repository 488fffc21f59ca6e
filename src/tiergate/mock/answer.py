"""Composes what a scripted model says to one call, before any dialect writes it down."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import msgspec

from tiergate.mock.call import CHARACTERS_PER_TOKEN, Call, Dialect, text_of, tokens_of
from tiergate.mock.prompt_cache import CacheUse
from tiergate.mock.rules import Finish, Reply, ToolCall, Usage
from tiergate.mock.sample import sample

QUOTED_CHARACTERS = 40


class Ending(Enum):
    """Why an answer ended; each dialect has its own words for these."""

    DONE = "done"
    LENGTH = "length"
    STOP_SEQUENCE = "stop sequence"
    TOOL = "tool"
    REFUSED = "refused"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens by kind. `input` excludes what was read from and written to the prompt cache."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        """All input tokens, cached ones included."""
        return self.input + self.cache_read + self.cache_write + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class SaidTool:
    """A tool call of the answer; `arguments` is JSON text, or broken if the script wants it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, before it is written in a dialect."""

    text: str
    thinking: str
    tools: tuple[SaidTool, ...]
    ending: Ending
    counts: Counts


def compose(call: Call, reply: Reply, cache: CacheUse) -> Answer:
    """Turn a scripted reply into a full answer, filling in what the script leaves open."""
    tools = _tools(call, reply)
    text = _text(call, reply, has_tools=bool(tools))
    thinking = reply.thinking or _own_thinking(call, reply)
    ending = Ending.TOOL if tools else Ending.DONE
    if reply.text is None and not tools:
        text, ending = _within_limit(text, call.max_tokens, ending)
    if reply.finish is not None:
        ending = _ENDINGS[reply.finish]
    said = thinking + text + "".join(tool.name + tool.arguments for tool in tools)
    reasoning = tokens_of(thinking) if thinking else 0
    counts = _counts(reply.usage, call.input_tokens, tokens_of(said), reasoning, cache)
    return Answer(text, thinking, tools, ending, counts)


def make_id(prefix: str, number: int, part: str = "", length: int = 24) -> str:
    """An id in the providers' style: the same for the same call number and part."""
    seed = f"{prefix}/{number}/{part}"
    return prefix + hashlib.blake2b(seed.encode()).hexdigest()[:length]


def pieces_of(text: str) -> list[str]:
    """The pieces in which a text is streamed: a word each, with the space after it."""
    return re.findall(r"\S+\s*|\s+", text)


_ENDINGS: Mapping[Finish, Ending] = MappingProxyType(
    {
        Finish.END_TURN: Ending.DONE,
        Finish.STOP: Ending.DONE,
        Finish.MAX_TOKENS: Ending.LENGTH,
        Finish.LENGTH: Ending.LENGTH,
        Finish.STOP_SEQUENCE: Ending.STOP_SEQUENCE,
        Finish.TOOL_USE: Ending.TOOL,
        Finish.TOOL_CALLS: Ending.TOOL,
        Finish.REFUSAL: Ending.REFUSED,
        Finish.CONTENT_FILTER: Ending.REFUSED,
        Finish.PAUSE_TURN: Ending.PAUSED,
    }
)


def _tools(call: Call, reply: Reply) -> tuple[SaidTool, ...]:
    prefix = "toolu_01" if call.dialect is Dialect.ANTHROPIC else "call_"
    wanted = list(reply.tool_calls)
    if reply.call_tool and call.tools and not call.brings_tool_result:
        first = call.tools[0]
        wanted.append(ToolCall(first.name, text_of(sample(first.schema) if first.schema else {})))
    return tuple(
        SaidTool(
            tool.id or make_id(prefix, call.number, str(i)), tool.name, text_of(tool.arguments)
        )
        for i, tool in enumerate(wanted)
    )


def _text(call: Call, reply: Reply, *, has_tools: bool) -> str:
    if reply.text is not None:
        return reply.text
    if has_tools:
        return ""
    schema = call.answer_schema
    if schema is not None:
        return msgspec.json.encode(sample(schema, call.question or "sample")).decode()
    provider = "Anthropic" if call.dialect is Dialect.ANTHROPIC else "OpenAI"
    opening = f"Scripted {provider} provider, model {call.model}, answering:"
    if call.brings_tool_result:
        return f"{opening} the tool's result has arrived."
    if reply.call_tool:
        return f"{opening} the request offers no tools that could be called."
    question = call.question
    quoted = question[:QUOTED_CHARACTERS]
    return f'{opening} "{quoted}{"…" if len(question) > QUOTED_CHARACTERS else ""}"'


def _own_thinking(call: Call, reply: Reply) -> str:
    """With thinking switched on, Anthropic's models think before any answer."""
    wanted = call.body.get("thinking")
    enabled = isinstance(wanted, dict) and wanted.get("type") == "enabled"
    if enabled and call.dialect is Dialect.ANTHROPIC and reply.text is None:
        return "The user has said something. A short answer will do."
    return ""


def _within_limit(text: str, limit: int | None, ending: Ending) -> tuple[str, Ending]:
    if limit is None or tokens_of(text) <= limit:
        return text, ending
    return text[: limit * CHARACTERS_PER_TOKEN], Ending.LENGTH


def _counts(given: Usage, prompt: int, output: int, reasoning: int, cache: CacheUse) -> Counts:
    read = cache.read if given.cache_read is None else given.cache_read
    write = cache.write if given.cache_write is None else given.cache_write
    write_1h = cache.write_1h if given.cache_write_1h is None else given.cache_write_1h
    rest = max(0, prompt - cache.read - cache.write - cache.write_1h)
    return Counts(
        input=rest if given.input is None else given.input,
        output=output if given.output is None else given.output,
        cache_read=read,
        cache_write=write,
        cache_write_1h=write_1h,
        reasoning=reasoning if given.reasoning is None else given.reasoning,
    )
