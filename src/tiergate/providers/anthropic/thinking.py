"""Choose how to ask a Claude model to think, from what a caller of another dialect wished.

An Anthropic caller's own words are written as they came. For others: what the model cannot do is
a loss, as thinking changes how good an answer is and not what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tiergate.base.chat import Ask, Reasoning
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.facts import ModelFacts, ThinkingStyle
from tiergate.providers.losses import Losses

MIN_BUDGET: Final = 1_024
"""The smallest `budget_tokens` ("Extended thinking")."""
BUDGETS: Final = {
    "minimal": 1_024,
    "low": 1_024,
    "medium": 2_048,
    "high": 4_096,
    "xhigh": 8_192,
    "max": 16_384,
}
"""Thinking tokens for an effort; up to `high` LiteLLM's numbers, so that costs stay the same."""
_ORDER: Final = ("low", "medium", "high", "xhigh", "max")
_DEFAULT_EFFORT: Final = "medium"


@dataclass(frozen=True, slots=True)
class ThinkingPlan:
    """What to write.

    Attributes:
        thinking: The `thinking` member.
        effort: `output_config.effort`.
        budget: Thinking tokens that `max_tokens` must leave room for.
        active: The model will think, so sampling parameters are limited.
    """

    thinking: JsonObject | None = None
    effort: str | None = None
    budget: int | None = None
    active: bool = False


def plan_thinking(
    ask: Ask, facts: ModelFacts, losses: Losses, *, forbidden: bool, unsigned: bool
) -> ThinkingPlan:
    """Return the plan for an ask.

    Args:
        ask: What was asked.
        facts: What the model takes.
        losses: Where wishes that cannot be followed are noted.
        forbidden: The request demands a tool call, or continues the assistant's words; neither
            goes with thinking ("Extended thinking").
        unsigned: The last tool calls came back without the signed thinking before them, which a
            budget demands ("Preserving thinking blocks") and adaptive thinking does not.
    """
    wish = ask.reasoning
    if wish is None:
        return ThinkingPlan(active=facts.thinking_default)
    if ask.dialect is Dialect.ANTHROPIC:
        return _as_asked(wish)
    word = "reasoning_effort" if wish.enabled is None and wish.budget is None else "thinking"
    if wish.enabled is False or (wish.effort == "none" and not wish.enabled):
        return _off(facts, losses, word)
    if facts.thinking is ThinkingStyle.BUDGET and not (forbidden or unsigned):
        return _with_budget(wish, ask.max_tokens, losses, word)
    if facts.thinking is ThinkingStyle.ADAPTIVE:
        if wish.budget is not None and facts.thinking_budget and not (forbidden or unsigned):
            return _with_budget(wish, ask.max_tokens, losses, word)
        return _adaptive(wish, facts, losses, word, forbidden=forbidden)
    losses.add(word)
    return ThinkingPlan()


def _as_asked(wish: Reasoning) -> ThinkingPlan:
    if wish.enabled is None:
        return ThinkingPlan(effort=wish.effort)
    thinking: JsonObject
    if wish.adaptive:
        thinking = {"type": "adaptive"}
    elif wish.enabled:
        thinking = {"type": "enabled"}
        if wish.budget is not None:
            thinking["budget_tokens"] = wish.budget
    else:
        thinking = {"type": "disabled"}
    if wish.display is not None:
        thinking["display"] = wish.display
    return ThinkingPlan(thinking, wish.effort, wish.budget, active=wish.enabled)


def _off(facts: ModelFacts, losses: Losses, word: str) -> ThinkingPlan:
    if not facts.thinking_default:
        return ThinkingPlan()
    if facts.thinking_off is not None:
        return ThinkingPlan({"type": facts.thinking_off})
    # It always thinks; the least is what comes nearest.
    losses.add(word)
    return ThinkingPlan(effort=facts.efforts[0] if facts.efforts else None, active=True)


def _with_budget(wish: Reasoning, limit: int | None, losses: Losses, word: str) -> ThinkingPlan:
    budget = wish.budget
    if budget is None:
        budget = BUDGETS.get(wish.effort or _DEFAULT_EFFORT)
        if budget is None:
            losses.add(word)
            return ThinkingPlan()
        if limit is not None and budget >= limit:
            # Thinking counts towards the limit: half of it is for the answer.
            budget = limit // 2
            losses.add(word)
            if budget < MIN_BUDGET:
                return ThinkingPlan()
    thinking: JsonObject = {"type": "enabled", "budget_tokens": budget}
    if wish.display is not None:
        thinking["display"] = wish.display
    return ThinkingPlan(thinking, budget=budget, active=True)


def _adaptive(
    wish: Reasoning, facts: ModelFacts, losses: Losses, word: str, *, forbidden: bool
) -> ThinkingPlan:
    effort = _effort(wish, facts, losses)
    if forbidden and not facts.thinking_default:
        # Effort works without thinking ("Effort").
        losses.add(word)
        return ThinkingPlan(effort=effort)
    thinking: JsonObject = {"type": "adaptive"}
    if wish.display is not None:
        thinking["display"] = wish.display
    elif not facts.thinking_budget:
        # Models since Opus 4.7 hide their thinking unless asked; a chat client that asks for
        # reasoning reads it as `reasoning_content`.
        thinking["display"] = "summarized"
    return ThinkingPlan(thinking, effort, active=True)


def _effort(wish: Reasoning, facts: ModelFacts, losses: Losses) -> str | None:
    if wish.budget is not None:
        losses.add("thinking.budget_tokens")
        if wish.effort is None:
            enough = (name for name in _ORDER if BUDGETS[name] >= (wish.budget or 0))
            return _nearest(next(enough, "max"), facts)
    if wish.effort is None:
        return None
    asked = "low" if wish.effort == "minimal" else wish.effort
    if asked not in _ORDER:
        losses.add("reasoning_effort")
        return None
    found = _nearest(asked, facts)
    if found != asked:
        losses.add("reasoning_effort")
    return found


def _nearest(word: str, facts: ModelFacts) -> str | None:
    """Return the strongest accepted effort that is not above `word`."""
    rank = _ORDER.index(word)
    below = [e for e in facts.efforts if e in _ORDER and _ORDER.index(e) <= rank]
    return below[-1] if below else None
