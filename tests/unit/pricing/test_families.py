"""How the families' tokenizers compare."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tiergate.pricing.families import (
    EARLIER_CLAUDE,
    LATER_CLAUDE,
    is_later_claude,
    token_ratio,
)


@pytest.mark.parametrize(
    "model",
    [
        "claude-2.1",
        "claude-instant-1.2",
        "claude-3-5-haiku-latest",
        "claude-3-opus-20240229",
        "claude-opus-4-20250514",
        "claude-opus-4-1-20250805",
        "claude-sonnet-4-5",
        "claude-haiku-4.5",
        "claude-opus-4-6",
        "anthropic/claude-sonnet-4.5",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ],
)
def test_claude_up_to_4_6_has_the_earlier_tokenizer(model):
    assert not is_later_claude(model)
    assert token_ratio(model) == EARLIER_CLAUDE


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4-7",
        "claude-opus-4.8",
        "claude-opus-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5-20261001",
        "claude-fable-5",
        "claude-of-the-future",
    ],
)
def test_later_and_unknown_claudes_have_the_later_one(model):
    assert is_later_claude(model)
    assert token_ratio(model) == LATER_CLAUDE


@pytest.mark.parametrize("model", ["gpt-5", "llama-3.3-70b", "", "my-model"])
def test_all_others_count_as_gpt(model):
    assert not is_later_claude(model)
    assert token_ratio(model) == Fraction(1)
