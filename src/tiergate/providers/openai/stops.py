"""Translate finish reasons of the chat dialect, in the words of every host."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tiergate.base.chat import Stop
from tiergate.base.jsontypes import Json

_STOPS: Final[Mapping[str, Stop]] = MappingProxyType(
    {
        "stop": Stop.END,
        "eos": Stop.END,  # Together
        "eos_token": Stop.END,
        "end_turn": Stop.END,
        "stop_sequence": Stop.SEQUENCE,
        "length": Stop.LENGTH,
        "max_tokens": Stop.LENGTH,
        "model_length": Stop.LENGTH,  # Mistral
        "tool_calls": Stop.TOOLS,
        "function_call": Stop.TOOLS,
        "tool_use": Stop.TOOLS,
        "content_filter": Stop.REFUSED,
        "refusal": Stop.REFUSED,
        "safety": Stop.REFUSED,
    }
)
_REASONS: Final[Mapping[Stop, str]] = MappingProxyType(
    {
        Stop.END: "stop",
        Stop.SEQUENCE: "stop",
        Stop.PAUSE: "stop",
        Stop.OTHER: "stop",
        Stop.LENGTH: "length",
        Stop.CONTEXT: "length",
        Stop.TOOLS: "tool_calls",
        Stop.REFUSED: "content_filter",
    }
)


def stop_from(reason: Json, *, called_tools: bool, refused: bool) -> Stop:
    """Return why the model stopped.

    Args:
        reason: The `finish_reason`.
        called_tools: The answer holds tool calls; several hosts then say `stop` all the same.
        refused: The answer holds a refusal in words; OpenAI then says `stop`.
    """
    stop = _STOPS.get(reason.lower(), Stop.OTHER) if isinstance(reason, str) else Stop.OTHER
    if stop in (Stop.END, Stop.OTHER):
        if called_tools:
            return Stop.TOOLS
        if refused:
            return Stop.REFUSED
    return stop


def reason_for(stop: Stop, *, refused: bool) -> str:
    """Return the `finish_reason`. A refusal in words ends with `stop`, as OpenAI's does."""
    return "stop" if refused and stop is Stop.REFUSED else _REASONS[stop]
