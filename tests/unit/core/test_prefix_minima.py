from __future__ import annotations

import pytest

from tiergate.core.prefix_minima import USUAL_MINIMUM, prefix_minimum
from tiergate.providers.facts import facts_for


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("claude-haiku-4-5", 4096),
        ("claude-haiku-4-5-20251001", 4096),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 4096),
        ("claude-haiku-4.5", 4096),
        ("claude-sonnet-4-6", 2048),
        ("claude-3-5-haiku-latest", 2048),
        ("claude-3-haiku-20240307", 2048),
        ("claude-opus-4", USUAL_MINIMUM),
        ("claude-opus-4-5", 4096),
        ("claude-opus-4-1-20250805", USUAL_MINIMUM),
        ("claude-haiku-4-5-5", USUAL_MINIMUM),
        ("claude-opus-5", 512),
        ("gpt-4o", USUAL_MINIMUM),
    ],
)
def test_the_shortest_prefix_that_is_cached(model: str, minimum: int) -> None:
    assert prefix_minimum(model) == minimum


@pytest.mark.parametrize(
    "model",
    ["claude-3-haiku", "claude-3-5-haiku", "claude-3-5-sonnet", "claude-3-7-sonnet",
     "claude-sonnet-4", "claude-opus-4", "claude-opus-4-1", "claude-sonnet-4-5",
     "claude-haiku-4-5", "claude-opus-4-5", "claude-sonnet-4-6", "claude-opus-4-6",
     "claude-opus-4-7", "claude-opus-4-8", "claude-sonnet-5", "claude-opus-5",
     "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5",
     "claude-mythos-5-1", "claude-unheard-of-9"],
)  # fmt: skip
def test_this_small_table_agrees_with_that_of_the_providers(model: str) -> None:
    """`core` may not import `providers`; a test may see both."""
    assert prefix_minimum(model) == facts_for("anthropic", model).min_cache_prefix_tokens
