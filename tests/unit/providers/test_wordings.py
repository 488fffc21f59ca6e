"""The patterns for providers' words: what they must not take for a refusal of a class."""

from __future__ import annotations

import pytest

from tiergate.providers import wordings

PLAIN = (
    "messages.0.content: field required",
    "unknown parameter: foo",
    "temperature must be between 0 and 1",
    "the model is overloaded, please try again later",
    "tool_use ids were found without tool_result blocks immediately after: toolu_1",
    "max_tokens: must be greater than or equal to 1",
    "image exceeds 5 mb maximum",
    "this organization has been disabled",
    "you must provide a context",
    "safety_identifier: string should have at most 64 characters",
)


@pytest.mark.parametrize("text", PLAIN)
@pytest.mark.parametrize("pattern", ["OVERFLOW", "POLICY", "BAD_KEY", "NO_MODEL", "BUSY"])
def test_an_ordinary_complaint_is_no_special_class(pattern, text):
    assert getattr(wordings, pattern).search(text) is None


def test_every_status_of_a_type_is_an_error_status():
    assert all(400 <= status <= 599 for status in wordings.STATUS_OF_TYPE.values())
