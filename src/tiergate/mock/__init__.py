"""Scripted providers: they speak the wire formats of Anthropic and OpenAI and do as a script says.

For `tiergate mock`, `tiergate demo` and users' own tests. They know no model and call nobody.
"""

from __future__ import annotations

from tiergate.mock.rules import (
    Cut,
    Endpoint,
    Fail,
    Finish,
    Hang,
    Overflow,
    Refuse,
    Reply,
    Rule,
    Slow,
    Step,
    StreamFail,
    ToolCall,
    Usage,
)
from tiergate.mock.server import MockServer

__all__ = [
    "Cut",
    "Endpoint",
    "Fail",
    "Finish",
    "Hang",
    "MockServer",
    "Overflow",
    "Refuse",
    "Reply",
    "Rule",
    "Slow",
    "Step",
    "StreamFail",
    "ToolCall",
    "Usage",
]
