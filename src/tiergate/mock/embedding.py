"""Makes deterministic embedding vectors: texts that share words are near each other, no more.

Each word has a vector of its own, made from a hash; a text is the sum of its words' vectors,
scaled to length 1. So "capital of France" and "the capital of France" are close, and a semantic
cache can be tried without a model.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct

from tiergate.base.jsontypes import Json
from tiergate.mock.call import text_of

DEFAULT_DIMENSIONS = 1_536
MAX_DIMENSIONS = 4_096
MAX_WORDS = 400


def inputs_of(value: Json) -> list[str]:
    """The texts of an `input`: a text, a list of texts, token numbers, or lists of them."""
    if not isinstance(value, list):
        return [text_of(value)]
    if value and all(isinstance(item, int) for item in value):
        return [text_of(value)]
    return [text_of(item) for item in value]


def vector_of(text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """The unit vector of a text.

    Args:
        text: any; only its words count, not their order nor their case.
        dimensions: length of the vector; kept between 1 and 4,096.
    """
    size = min(max(dimensions, 1), MAX_DIMENSIONS)
    words = re.findall(r"\w+", text.lower())[:MAX_WORDS] or [""]
    total = [0.0] * size
    for word in words:
        # Odd, so that no sum of one word is the zero vector, which has no direction.
        noise = hashlib.shake_128(word.encode()).digest(size)
        total = [sum_ + 2 * byte - 255 for sum_, byte in zip(total, noise, strict=True)]
    length = math.sqrt(sum(value * value for value in total)) or 1.0
    return [value / length for value in total]


def packed(vector: list[float]) -> str:
    """The base64 form of a vector (`encoding_format: base64`): 32 bit floats, little-endian."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
