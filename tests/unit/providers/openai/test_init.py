"""The package's public names."""

from __future__ import annotations

from tiergate.providers import openai


def test_both_halves_of_the_codec_are_public() -> None:
    assert set(openai.__all__) == {
        "OpenAIPassthrough",
        "StreamDecoder",
        "StreamEncoder",
        "decode_answer",
        "decode_ask",
        "encode_answer",
        "encode_ask",
        "usage_from",
        "usage_to",
    }
    assert all(hasattr(openai, name) for name in openai.__all__)
