"""The Chat Completions dialect of OpenAI and all who follow it, read and written, both ways."""

from tiergate.providers.openai.answer_decoder import decode_answer
from tiergate.providers.openai.answer_encoder import encode_answer
from tiergate.providers.openai.ask_decoder import decode_ask
from tiergate.providers.openai.ask_encoder import encode_ask
from tiergate.providers.openai.passthrough import OpenAIPassthrough
from tiergate.providers.openai.stream_decoder import StreamDecoder
from tiergate.providers.openai.stream_encoder import StreamEncoder
from tiergate.providers.openai.usage import usage_from, usage_to

__all__ = [
    "OpenAIPassthrough",
    "StreamDecoder",
    "StreamEncoder",
    "decode_answer",
    "decode_ask",
    "encode_answer",
    "encode_ask",
    "usage_from",
    "usage_to",
]
