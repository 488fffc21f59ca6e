"""Small values that every part of the gateway speaks of; no behaviour beyond their own shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

AliasName = NewType("AliasName", str)
"""The name callers ask for (`cheap`). LiteLLM calls it `model_name` or model group."""

DeploymentId = NewType("DeploymentId", str)
"""Stable name of one way to serve an alias: `model_info.id` or a hash of non-secret params."""

NanoUsd = NewType("NanoUsd", int)
"""Money: an integer count of 1e-9 US dollars. Never a float."""


class Dialect(Enum):
    """A wire format, of a caller or of an upstream."""

    __hash__ = object.__hash__  # as each member is one object; Python's own makes a call of it

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Operation(Enum):
    """What a caller wants done; each has its own upstream path and its own shape."""

    __hash__ = object.__hash__  # see `Dialect`

    CHAT = "chat"
    """A conversation: chat completions or Messages."""
    COMPLETION = "completion"
    """Legacy OpenAI text completion."""
    EMBEDDING = "embedding"
    COUNT_TOKENS = "count_tokens"
    """Anthropic token count; costs nothing and never cools a deployment."""


class ServiceTier(Enum):
    """How a provider processed a call, where that changes the price."""

    STANDARD = "standard"
    FLEX = "flex"
    """Slower and cheaper (OpenAI, Gemini)."""
    PRIORITY = "priority"
    FAST = "fast"
    """Anthropic's `speed: fast`; OpenAI's newer word for priority."""
    BATCH = "batch"
    OTHER = "other"
    """A word that is not known here: no price is known for it either."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must never be shown; `repr` and `str` give a fixed mask."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        """Return a mask, so that an accidental f-string shows nothing."""
        return "***"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer by kind.

    `input` excludes cached tokens (Anthropic's meaning); OpenAI's `prompt_tokens` is
    `input + cache_read + cache_write_5m + cache_write_1h`. `reasoning` is a part of `output`.
    None for a cache count means that the provider did not say; 0 means it said zero.
    """

    input: int = 0
    output: int = 0
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    images: int | None = None
    estimated: bool = False
    """True when the provider gave no usage and the counts are our own."""
    tier: ServiceTier = ServiceTier.STANDARD
    """The tier that the answer names: it may be another than the one asked for."""
    searches: int = 0
    """Searches that the provider ran for the answer, and bills by the call."""
    surcharge: int = 0
    """Percent that the provider adds to the price of every token (inference in one region)."""
    billed: NanoUsd | None = None
    """What the provider says that it charges; None where it does not say."""

    @property
    def prompt_total(self) -> int:
        """All input tokens, cached ones included."""
        return (
            self.input
            + (self.cache_read or 0)
            + (self.cache_write_5m or 0)
            + (self.cache_write_1h or 0)
        )


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in a configuration file; lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        """Return `file:line`, the form editors can jump to."""
        return f"{self.file}:{self.line}"
