"""Anthropic's Messages API: both directions, plain and streamed. Sans-I/O."""

from __future__ import annotations

from tiergate.providers.anthropic.answers import decode_answer, encode_answer
from tiergate.providers.anthropic.ask_decoder import decode_ask
from tiergate.providers.anthropic.ask_encoder import encode_ask, encode_count
from tiergate.providers.anthropic.passthrough import AnthropicPassthrough
from tiergate.providers.anthropic.stops import error_object, error_type
from tiergate.providers.anthropic.stream_decoder import StreamDecoder
from tiergate.providers.anthropic.stream_encoder import StreamEncoder
from tiergate.providers.anthropic.usage import usage_from, usage_to

__all__ = [
    "AnthropicPassthrough",
    "StreamDecoder",
    "StreamEncoder",
    "decode_answer",
    "decode_ask",
    "encode_answer",
    "encode_ask",
    "encode_count",
    "error_object",
    "error_type",
    "usage_from",
    "usage_to",
]
