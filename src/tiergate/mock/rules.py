"""The words of a script: what a rule matches and which steps it plays; nothing is played here.

The steps are msgspec structs, so that a YAML file, the control route and Python code share one
definition. In a file the word `do` says which step is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

DEFAULT_HANG_SECONDS = 30.0
EVENTS_BEFORE_BREAK = 6
"""In both dialects the caller has some words of the answer by then."""


class Endpoint(StrEnum):
    """The routes that answer like a provider; the values are the words used in a rule."""

    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MODELS = "models"


class Finish(StrEnum):
    """Why the answer ended. A rule may use the word of either provider."""

    END_TURN = "end_turn"
    STOP = "stop"
    MAX_TOKENS = "max_tokens"
    LENGTH = "length"
    STOP_SEQUENCE = "stop_sequence"
    TOOL_USE = "tool_use"
    TOOL_CALLS = "tool_calls"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    PAUSE_TURN = "pause_turn"


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Token counts to report. A count left out is computed from the request and the answer.

    Attributes:
        input: input tokens that were neither read from nor written to the prompt cache.
        output: output tokens, reasoning included.
        cache_read: input tokens read from the prompt cache.
        cache_write: input tokens written to the prompt cache, 5 minute kind.
        cache_write_1h: input tokens written to the prompt cache, 1 hour kind.
        reasoning: how many of the output tokens were spent on thinking.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool call of the answer.

    Attributes:
        name: the tool.
        arguments: a JSON object; or text that is sent as it stands, to try broken JSON (the
            OpenAI routes, and streams of both, send such text; a plain Anthropic answer cannot).
        id: made from the call number when empty.
    """

    name: str
    arguments: dict[str, object] | str = msgspec.field(default_factory=dict[str, object])
    id: str = ""


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="reply"):
    """Answer with success.

    Attributes:
        text: the answer. Left out: a short sentence that names provider, model and question (or
            a JSON value that fits the schema, when the request asks for structured output).
        thinking: thinking text that comes before the answer; signed on the Anthropic routes.
        tool_calls: tools to call, in order.
        call_tool: call the first tool the request offers, with arguments made from its schema.
            Once the conversation holds the tool's result, the answer is text.
        finish: why the answer ended; left out: worked out from the content.
        usage: token counts to report.
        headers: added to the answer's headers; same name replaces.
    """

    text: str | None = None
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    call_tool: bool = False
    finish: Finish | None = None
    usage: Usage = Usage()
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class Fail(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="fail"):
    """Answer with an error in the provider's own shape.

    Attributes:
        status: HTTP status, 400 to 599.
        type: error type; empty: the one the provider uses with this status.
        message: error text; empty: like the provider's.
        code: `error.code` of the OpenAI shape; empty: like the provider's.
        headers: added to the answer's headers, for example `retry-after`.
    """

    status: int = 500
    type: str = ""
    message: str = ""
    code: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Refuse a status that is not an error, since a caller would take it for success."""
        lowest, highest = 400, 599
        if not lowest <= self.status <= highest:
            raise ValueError(f"status must be from {lowest} to {highest}, not {self.status}")


class Overflow(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="overflow"
):
    """Refuse the prompt because it is longer than the model's context window (status 400)."""


class Refuse(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="refuse"
):
    """Refuse the prompt because of the provider's content policy (status 400)."""


class Hang(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="hang"):
    """Go silent, then drop the connection.

    Attributes:
        seconds: length of the silence.
        after_events: in a stream, how many events are sent before it. 0: not even a status line.
    """

    seconds: float = DEFAULT_HANG_SECONDS
    after_events: int = 0


class Cut(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="cut"):
    """Drop the connection.

    Attributes:
        after_events: in a stream, how many events are sent before. 0: not even a status line.
    """

    after_events: int = 0


class StreamFail(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="stream_fail"
):
    """Begin a stream and break it with the provider's in-band error event.

    A request that did not ask for a stream gets the error as a plain answer.

    Attributes:
        after_events: how many events are sent before the error.
        error: the error; left out: the provider's overload error.
        reply: the answer that is broken off.
    """

    after_events: int = EVENTS_BEFORE_BREAK
    error: Fail | None = None
    reply: Reply = Reply()


class Slow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="slow"):
    """Answer with success, but slowly.

    Attributes:
        first_seconds: wait before a plain answer, or before the first event of a stream.
        per_event_seconds: wait between two events of a stream.
        reply: the answer.
    """

    first_seconds: float = 0.0
    per_event_seconds: float = 0.0
    reply: Reply = Reply()


Step: TypeAlias = Reply | Fail | Overflow | Refuse | Hang | Cut | StreamFail | Slow
"""What is done with one call."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which calls a script is for, and its steps.

    Attributes:
        steps: one for each matching call, in order; the last one repeats.
        model: pattern of model names, with `*` and `?`.
        endpoint: only calls of this route; `None`: of every route that answers a prompt
            (`messages`, `chat`, `completions`, `embeddings`).

    Raises:
        ValueError: no steps.
    """

    steps: tuple[Step, ...]
    model: str = "*"
    endpoint: Endpoint | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that has nothing to play."""
        if not self.steps:
            raise ValueError("a rule needs at least one step")
