"""The effort that says what a caller asked for in another form."""

from __future__ import annotations

import pytest

from tiergate.base.chat import Reasoning
from tiergate.providers.facts import ModelFacts, ThinkingStyle, facts_for
from tiergate.providers.losses import Losses
from tiergate.providers.openai.thinking_effort import effort_for

GPT_5 = facts_for("openai", "gpt-5")
GPT_51 = facts_for("openai", "gpt-5.1")
GPT_4O = facts_for("openai", "gpt-4o")


@pytest.mark.parametrize(
    ("reasoning", "facts", "effort", "lost"),
    [
        (None, GPT_5, None, ()),
        (Reasoning("high"), GPT_5, "high", ()),
        (Reasoning("max"), GPT_5, "high", ()),
        (Reasoning("xhigh"), GPT_51, "high", ()),
        (Reasoning("minimal"), GPT_51, "low", ()),
        (Reasoning(budget=1_024, enabled=True), GPT_5, "low", ()),
        (Reasoning(budget=10_000, enabled=True), GPT_5, "medium", ()),
        (Reasoning(budget=31_999, enabled=True), GPT_5, "high", ()),
        (Reasoning(enabled=True), GPT_5, None, ()),
        (Reasoning(enabled=True, adaptive=True), GPT_5, "high", ()),
        (Reasoning("low", enabled=True, adaptive=True), GPT_5, "low", ()),
        (Reasoning(enabled=False), GPT_51, "none", ()),
        # It always thinks: the least it can is sent, and the wish is a loss.
        (Reasoning(enabled=False), GPT_5, "minimal", ("reasoning",)),
        (Reasoning("high"), GPT_4O, None, ("reasoning",)),
        (Reasoning(enabled=False), GPT_4O, None, ()),
        (Reasoning("turbo"), GPT_5, None, ("reasoning",)),
    ],
)
def test_the_nearest_effort_the_model_takes_is_chosen(
    reasoning: Reasoning | None, facts: ModelFacts, effort: str | None, lost: tuple[str, ...]
) -> None:
    losses = Losses(lenient=False)
    assert effort_for(reasoning, facts, losses) == effort
    assert losses.words == lost


def test_a_model_that_does_not_think_by_default_needs_no_word_to_stay_off() -> None:
    facts = ModelFacts(thinking=ThinkingStyle.EFFORT, efforts=("low", "high"))
    losses = Losses(lenient=False)
    assert effort_for(Reasoning(enabled=False), facts, losses) is None
    assert losses.words == ()
