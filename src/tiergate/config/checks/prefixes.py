"""The shortest prompt prefix that Anthropic caches, for models where it is above 1024 tokens.

A shorter prefix is not cached, and the provider says nothing: the call costs the full price.
Source: platform.claude.com, "Prompt caching", read in November 2026.
"""

from __future__ import annotations

import re
from typing import Final

USUAL_MINIMUM: Final = 1024
"""What guides name, and what most models take."""

_MINIMA: Final = (
    ("haiku-4-5", 4096),
    ("opus-4-5", 4096),
    ("opus-4-6", 4096),
    ("sonnet-4-6", 2048),
    ("opus-4-7", 2048),
    ("3-5-haiku", 2048),
    ("3-haiku", 2048),
)
# After the family may come a date or a host's suffix, but not another version number.
_PATTERNS: Final = tuple(
    (re.compile(rf"claude-{family}(?:$|[-@:](?!\d{{1,2}}(?:$|\D)))"), minimum)
    for family, minimum in _MINIMA
)


def prefix_minimum(model: str) -> int:
    """Return the shortest cached prefix in tokens, as far as it is known to be above 1024."""
    name = model.lower().replace(".", "-")
    return next((minimum for pattern, minimum in _PATTERNS if pattern.search(name)), USUAL_MINIMUM)
