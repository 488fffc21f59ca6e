"""A file that asks for checks is not served without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
ENTRY = "[{guardrail_name: pii, litellm_params: {guardrail: presidio, mode: pre_call}}]"


@pytest.mark.parametrize(
    "rest", [f"guardrails: {ENTRY}\n", f"litellm_settings: {{guardrails: {ENTRY}}}\n"]
)
def test_guardrails_are_an_error_at_their_line(tmp_path: Path, rest: str) -> None:
    loaded = Bench(tmp_path).load(MODELS + KEY + rest, environ=KEYS)

    assert loaded.settings is None
    (error,) = [f for f in loaded.findings if f.code == "guardrails-not-acting"]
    assert "do not act yet" in str(error)
    assert error.position.line == (MODELS + KEY).count("\n") + 1


@pytest.mark.parametrize("rest", ["guardrails: []\n", "guardrails:\n", ""])
def test_none_asked_for_is_fine(tmp_path: Path, rest: str) -> None:
    assert Bench(tmp_path).load(MODELS + KEY + rest, environ=KEYS).settings is not None
