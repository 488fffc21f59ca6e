"""Which service tier an answer names, in the words of the providers; what it costs is core's.

OpenAI and Gemini answer with a top-level `service_tier` ("default", "flex", "priority"; OpenAI's
newer word for the last is "fast"), Groq with "on_demand", "flex" or "performance", Anthropic with
`usage.service_tier` ("standard", "priority", "batch") and `usage.speed` ("standard", "fast").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.base.values import ServiceTier

_WORDS: Final[Mapping[str, ServiceTier]] = {
    "": ServiceTier.STANDARD,
    "auto": ServiceTier.STANDARD,
    "default": ServiceTier.STANDARD,
    "on_demand": ServiceTier.STANDARD,
    "standard": ServiceTier.STANDARD,
    "standard_only": ServiceTier.STANDARD,
    "flex": ServiceTier.FLEX,
    "priority": ServiceTier.PRIORITY,
    "fast": ServiceTier.FAST,
    "batch": ServiceTier.BATCH,
}


def tier_named(word: Json) -> ServiceTier:
    """Return the tier of a word in an answer or a request; an unknown word is `OTHER`."""
    if word is None:
        return ServiceTier.STANDARD
    return _WORDS.get(word, ServiceTier.OTHER) if isinstance(word, str) else ServiceTier.OTHER
