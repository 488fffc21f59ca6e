"""The shortest prompt prefix that Anthropic caches, by model; a table with its source.

A shorter prefix is not cached, and the provider says nothing: the call costs the full price.
Source: platform.claude.com, "Prompt caching", read in November 2026. For Sonnet 4.6 the page named
1,024 at first and 2,048 later; calls with less than 2,048 were seen not to be cached
(anthropic-sdk-python, issue 1194).
"""

from __future__ import annotations

import re
from typing import Final

USUAL_MINIMUM: Final = 1024
"""Tokens that guides name, that most models take, and that OpenAI caches from."""

_MINIMA: Final = (
    ("3-haiku", 2048),
    ("3-5-haiku", 2048),
    ("haiku-4-5", 4096),
    ("opus-4-5", 4096),
    ("opus-4-6", 4096),
    ("sonnet-4-6", 2048),
    ("opus-4-7", 2048),
    ("opus-5", 512),
    ("fable-5", 512),
    ("fable-5-1", 512),
    ("fable-5-2", 512),
    ("mythos", 512),
    ("mythos-5-1", 512),
    ("opus-5-5", 512),
    ("sonnet-5-5", 512),
    ("haiku-5-5", 512),
)
"""Models that take more or less than the usual, and the tokens they take."""

# After the family may come a date or a host's suffix, but not another version number.
_PATTERNS: Final = tuple(
    (re.compile(rf"claude-{family}(?:$|[-@:](?!\d{{1,2}}(?:$|\D)))"), minimum)
    for family, minimum in _MINIMA
)


def prefix_minimum(model: str) -> int:
    """Return the shortest prefix in tokens that a model's provider caches.

    Args:
        model: The provider's name of the model. One that is not known takes the usual.
    """
    name = model.lower().replace(".", "-")
    return next((minimum for pattern, minimum in _PATTERNS if pattern.search(name)), USUAL_MINIMUM)
