"""The canonical conversation: what OpenAI chat and Anthropic Messages both say, in one form.

Codecs translate a dialect into these values and back; nothing here knows a wire format. What
this form cannot hold is carried in `extras` or `Opaque` for the dialect it came from, and an
encoder of another dialect must report it (a loss) or raise `Untranslatable`. It is never dropped
in silence. Same-dialect calls do not pass through here at all: their bytes are forwarded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from tiergate.base.errors import Failure
from tiergate.base.jsontypes import Json
from tiergate.base.values import Dialect, Usage

EMPTY: Mapping[str, Json] = MappingProxyType({})


# ----------------------------------------------------------------------------- parts


@dataclass(frozen=True, slots=True)
class CacheMark:
    """A prompt-cache breakpoint (`cache_control`), kept exactly as the caller wrote it."""

    raw: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text. `citations` are the provider's own objects, in its dialect."""

    text: str
    cache: CacheMark | None = None
    citations: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Bytes64:
    """Data in the request itself: a media type and base64 text."""

    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Link:
    """Data behind a URL that the provider fetches."""

    url: str


@dataclass(frozen=True, slots=True)
class FileId:
    """A file uploaded to the provider before; means nothing to another provider."""

    id: str
    dialect: Dialect


Source: TypeAlias = Bytes64 | Link | FileId


@dataclass(frozen=True, slots=True)
class Image:
    """A picture. `detail` is OpenAI's resolution hint."""

    source: Source
    detail: str | None = None
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF or a text document. `text` is set for plain-text documents instead of `source`."""

    source: Source | None
    text: str | None = None
    title: str | None = None
    context: str | None = None
    citations: bool = False
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    """Spoken input. `format` is OpenAI's word (`wav`, `mp3`)."""

    data: str
    format: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning shown by the model; the signature lets its provider trust it on its return."""

    text: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class RedactedThinking:
    """Reasoning the provider hides; opaque data that must come back unchanged."""

    data: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The model calls a tool. `arguments` is JSON text as the model wrote it, "{}" when empty."""

    id: str
    name: str
    arguments: str
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The caller answers a tool call."""

    tool_use_id: str
    content: tuple[Part, ...]
    is_error: bool = False
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model declines in words (OpenAI's `refusal`)."""

    text: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A block that only its own dialect knows (server tool results, container uploads)."""

    dialect: Dialect
    type: str
    raw: Json


Part: TypeAlias = (
    Text
    | Image
    | Document
    | Audio
    | Thinking
    | RedactedThinking
    | ToolUse
    | ToolResult
    | Refusal
    | Opaque
)


class Role(Enum):
    """Who speaks. System text keeps its place in the conversation."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. Tool results are parts of a USER turn (Anthropic's way)."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


# ----------------------------------------------------------------------------- tools


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call; `schema` is its JSON Schema as the caller wrote it."""

    name: str
    description: str | None
    schema: Mapping[str, Json]
    strict: bool | None = None
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class ProviderTool:
    """A tool that the provider runs itself (web search, code execution); raw and dialect-bound."""

    dialect: Dialect
    type: str
    name: str
    raw: Mapping[str, Json]


class ToolMode(Enum):
    """How free the model is to call tools."""

    AUTO = "auto"
    NONE = "none"
    ANY = "any"
    """Some tool must be called (OpenAI: `required`)."""
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`name` is set for NAMED only. `parallel` None means the caller did not say."""

    mode: ToolMode
    name: str | None = None
    parallel: bool | None = None


# ----------------------------------------------------------------------------- ask


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much the model should think.

    `effort` is OpenAI's word (`minimal` ... `high`, `xhigh`, `none`) or Anthropic's
    `output_config.effort`; `budget` is Anthropic's `thinking.budget_tokens`; `enabled` is
    Anthropic's `thinking.type` (None: not said); `adaptive` is `thinking.type: adaptive`.
    """

    effort: str | None = None
    budget: int | None = None
    enabled: bool | None = None
    adaptive: bool = False
    display: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """Structured output. `schema` None with `json` True is OpenAI's `json_object`."""

    json: bool
    schema: Mapping[str, Json] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A canonical request for a conversation.

    `extras` holds the caller's further top-level fields in its own dialect, in the order sent;
    `dialect` says which one that is.
    """

    dialect: Dialect
    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool | ProviderTool, ...] = ()
    tool_choice: ToolChoice | None = None
    max_tokens: int | None = None
    temperature: float | int | None = None
    top_p: float | int | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    include_usage: bool = False
    reasoning: Reasoning | None = None
    response_format: ResponseFormat | None = None
    seed: int | None = None
    user: str | None = None
    """OpenAI `user` / Anthropic `metadata.user_id`."""
    service_tier: str | None = None
    cache: CacheMark | None = None
    """A top-level `cache_control` (Anthropic's automatic caching)."""
    extras: Mapping[str, Json] = field(default_factory=lambda: EMPTY)


# ----------------------------------------------------------------------------- answer


class Stop(Enum):
    """Why the model stopped."""

    END = "end"
    LENGTH = "length"
    """The output limit was reached."""
    SEQUENCE = "sequence"
    """A stop sequence was hit."""
    TOOLS = "tools"
    """The model waits for tool results."""
    REFUSED = "refused"
    """Content filter or safety refusal."""
    PAUSE = "pause"
    """Anthropic `pause_turn`: a long server-side turn wants to be continued."""
    CONTEXT = "context"
    """Anthropic `model_context_window_exceeded`."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A canonical finished answer. `created` is a Unix time in seconds, if the dialect has one."""

    id: str
    model: str
    parts: tuple[Part, ...]
    stop: Stop
    stop_sequence: str | None = None
    stop_raw: str | None = None
    """The provider's own word for the stop reason."""
    usage: Usage
    created: int | None = None
    service_tier: str | None = None
    extras: Mapping[str, Json] = field(default_factory=lambda: EMPTY)


# ----------------------------------------------------------------------------- stream events


@dataclass(frozen=True, slots=True)
class Started:
    """The answer begins; input usage may be known already."""

    id: str
    model: str
    usage: Usage | None = None
    created: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of block `block` (blocks are numbered from 0 in order of appearance)."""

    block: int
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More reasoning text of block `block`."""

    block: int
    text: str


@dataclass(frozen=True, slots=True)
class SignatureDelta:
    """The signature of thinking block `block`."""

    block: int
    signature: str


@dataclass(frozen=True, slots=True)
class RedactedBlock:
    """A hidden thinking block, whole."""

    block: int
    data: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """Block `block` is a tool call with this id and name."""

    block: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolDelta:
    """More JSON text of the arguments of tool block `block`."""

    block: int
    fragment: str


@dataclass(frozen=True, slots=True)
class CitationDelta:
    """A citation that belongs to text block `block`, in the provider's own form."""

    block: int
    citation: Json


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """More text of a refusal in words."""

    block: int
    text: str


@dataclass(frozen=True, slots=True)
class OpaqueBlock:
    """A whole block that only its own dialect knows."""

    block: int
    part: Opaque


@dataclass(frozen=True, slots=True)
class BlockEnded:
    """Block `block` is complete."""

    block: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The model stopped. Usage may still follow."""

    stop: Stop
    stop_sequence: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class UsageSeen:
    """Usage so far; a later one replaces an earlier one (fields already merged)."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Pinged:
    """A keep-alive."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream ended as its dialect says it must (`message_stop`, `[DONE]`)."""


@dataclass(frozen=True, slots=True)
class Broken:
    """An error event, or an end that is not one."""

    failure: Failure


StreamEvent: TypeAlias = (
    Started
    | TextDelta
    | ThinkingDelta
    | SignatureDelta
    | RedactedBlock
    | ToolStarted
    | ToolDelta
    | CitationDelta
    | RefusalDelta
    | OpaqueBlock
    | BlockEnded
    | Finished
    | UsageSeen
    | Pinged
    | Ended
    | Broken
)
