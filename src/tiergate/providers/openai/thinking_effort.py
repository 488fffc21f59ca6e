"""Choose the `reasoning_effort` that says what a caller asked for in another form."""

from __future__ import annotations

from typing import Final

from tiergate.base.chat import Reasoning
from tiergate.providers.facts import ModelFacts, ThinkingStyle
from tiergate.providers.losses import Losses

_ORDER: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LOW_BUDGET: Final = 4_096
"""Thinking tokens up to which a budget counts as low effort."""
MEDIUM_BUDGET: Final = 16_384
"""Thinking tokens up to which a budget counts as medium effort."""


def effort_for(reasoning: Reasoning | None, facts: ModelFacts, losses: Losses) -> str | None:
    """Return the effort to send, or None for the model's default.

    A word the model does not take becomes the nearest it takes; a wish that it cannot follow at
    all is the loss `reasoning`.
    """
    if reasoning is None:
        return None
    wanted = _wanted(reasoning)
    if facts.thinking is not ThinkingStyle.EFFORT or not facts.efforts:
        if wanted != "none" or facts.thinking_default:
            losses.add("reasoning")
        return None
    if wanted is None:
        return None
    if wanted in facts.efforts:
        return wanted
    if wanted not in _ORDER:
        losses.add("reasoning")
        return None
    if wanted == "none":
        if not facts.thinking_default:
            return None
        losses.add("reasoning")
    rank = _ORDER.index(wanted)
    known = [word for word in facts.efforts if word in _ORDER and word != "none"]
    return min(known, key=lambda word: abs(_ORDER.index(word) - rank), default=None)


def _wanted(reasoning: Reasoning) -> str | None:
    if reasoning.enabled is False:
        return "none"
    if reasoning.effort is not None:
        return reasoning.effort
    if reasoning.budget is not None:
        if reasoning.budget <= LOW_BUDGET:
            return "low"
        return "medium" if reasoning.budget <= MEDIUM_BUDGET else "high"
    # Anthropic, "Effort": high is what adaptive thinking has when nothing is said.
    return "high" if reasoning.adaptive else None
