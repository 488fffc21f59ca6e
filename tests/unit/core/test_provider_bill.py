"""Names of models in bills and in the ledger meet, and different models do not."""

from __future__ import annotations

import pytest

from tiergate.core.provider_bill import model_key


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        ("Claude Opus 4.6", "claude-opus-4-6"),
        ("claude-opus-4-6-20260205", "claude-opus-4-6"),
        ("Claude Sonnet 4", "claude-sonnet-4-20250514"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-latest", "gpt-4o"),
        ("claude-opus-4@20250514", "claude-opus-4"),
    ],
)
def test_one_model_under_two_names_is_one(bill, ledger):
    assert model_key(bill) == model_key(ledger)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("claude-opus-4-5", "claude-opus-4-6"),
        ("claude-3-5-haiku", "claude-3-haiku"),
    ],
)
def test_two_models_are_two(one, other):
    assert model_key(one) != model_key(other)
