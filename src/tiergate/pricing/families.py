"""How many tokens a model family makes of a text, compared with OpenAI's `o200k_base`."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Final

_EARLIER_CLAUDE: Final = re.compile(
    r"claude-(?:v?[123](?!\d)|instant|(?:opus|sonnet|haiku)-(?:3|4(?!-?[789](?!\d)|\.[789]))"
    r"|4(?:[.-][0-6])?-(?:opus|sonnet|haiku))"
)

_MOST_MODELS: Final = 1000
"""Names whose family is remembered: those of a configuration, asked for with every call."""

EARLIER_CLAUDE: Final = Fraction(6, 5)
LATER_CLAUDE: Final = Fraction(8, 5)
"""Claude up to 4.6 makes about 1.1 to 1.15 times as many tokens of English and CSV as GPT does.
The tokenizer that came with Opus 4.7 makes up to 1.35 times as many again (Anthropic, "Migration
guide"); on the same two texts 1.45 and 1.58 times as many as GPT have been measured."""


@lru_cache(_MOST_MODELS)
def is_later_claude(model: str) -> bool:
    """Tell whether a model has Claude's newer tokenizer; unknown Claudes are taken to have it."""
    return "claude" in model and _EARLIER_CLAUDE.search(model) is None


def token_ratio(model: str) -> Fraction:
    """Return tokens of a model for one token of `o200k_base`.

    Families that are not known (Llama, Mistral, Qwen, DeepSeek: within some 10 %) count as GPT.
    """
    if "claude" not in model:
        return Fraction(1)
    return LATER_CLAUDE if is_later_claude(model) else EARLIER_CLAUDE
