"""How a model is asked to think."""

from __future__ import annotations

import pytest

from tiergate.base.chat import Ask, Reasoning
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.thinking import ThinkingPlan, plan_thinking
from tiergate.providers.facts import facts_for
from tiergate.providers.losses import Losses

BUDGET, BOTH, ADAPTIVE, ALWAYS, BETWEEN, NONE, HOUSE = (
    "claude-sonnet-4-5",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-3-5-haiku",
    "house-model",
)


def plan(model, wish, *, dialect=Dialect.OPENAI, limit=None, forbidden=False, unsigned=False):
    losses = Losses(lenient=False)
    ask = Ask(dialect=dialect, model="x", turns=(), reasoning=wish, max_tokens=limit)
    facts = facts_for("anthropic", model)
    found = plan_thinking(ask, facts, losses, forbidden=forbidden, unsigned=unsigned)
    return found, losses.words


def effort(word):
    return Reasoning(word)


def test_no_wish_is_no_word():
    assert plan(BUDGET, None) == (ThinkingPlan(), ())
    assert plan(ALWAYS, None) == (ThinkingPlan(active=True), ())


@pytest.mark.parametrize(
    ("word", "budget"),
    [
        ("minimal", 1_024),
        ("low", 1_024),
        ("medium", 2_048),
        ("high", 4_096),
        ("xhigh", 8_192),
        ("max", 16_384),
    ],
)
def test_an_effort_is_a_budget_on_older_models(word, budget):
    thinking = {"type": "enabled", "budget_tokens": budget}

    assert plan(BUDGET, effort(word)) == (ThinkingPlan(thinking, None, budget, active=True), ())
    assert plan(HOUSE, effort(word))[0].thinking == thinking


@pytest.mark.parametrize(
    ("model", "word", "sent", "losses"),
    [
        (BOTH, "minimal", "low", ()),
        (BOTH, "low", "low", ()),
        (BOTH, "high", "high", ()),
        (BOTH, "xhigh", "high", ("reasoning_effort",)),
        (BOTH, "max", "max", ()),
        (ADAPTIVE, "xhigh", "xhigh", ()),
        (ADAPTIVE, "turbo", None, ("reasoning_effort",)),
    ],
)
def test_an_effort_is_an_effort_on_newer_models(model, word, sent, losses):
    found, words = plan(model, effort(word))

    assert (found.effort, words) == (sent, losses)
    assert found.thinking is not None
    assert found.thinking["type"] == "adaptive"


def test_models_that_hide_their_thinking_are_asked_to_show_it():
    assert plan(ADAPTIVE, effort("low"))[0].thinking == {
        "type": "adaptive",
        "display": "summarized",
    }
    assert plan(BOTH, effort("low"))[0].thinking == {"type": "adaptive"}


@pytest.mark.parametrize(
    ("model", "found", "losses"),
    [
        (BUDGET, ThinkingPlan(), ()),
        (ADAPTIVE, ThinkingPlan(), ()),
        ("claude-sonnet-5", ThinkingPlan({"type": "disabled"}), ()),
        (BETWEEN, ThinkingPlan({"type": "between_tools"}), ()),
        (ALWAYS, ThinkingPlan(effort="low", active=True), ("reasoning_effort",)),
    ],
)
def test_no_thinking_is_said_in_each_models_way(model, found, losses):
    assert plan(model, effort("none")) == (found, losses)


def test_disabled_thinking_of_a_chat_caller_means_the_same_as_no_effort():
    assert plan(ALWAYS, Reasoning(enabled=False)) == (
        ThinkingPlan(effort="low", active=True),
        ("thinking",),
    )


def test_a_budget_given_by_a_chat_caller_is_kept_where_it_can_be():
    wish = Reasoning(budget=5_000, enabled=True)

    for model in (BUDGET, BOTH):
        found, losses = plan(model, wish)
        assert found.thinking == {"type": "enabled", "budget_tokens": 5_000}
        assert losses == ()


def test_a_budget_becomes_an_effort_where_it_cannot():
    found, losses = plan(ADAPTIVE, Reasoning(budget=5_000, enabled=True))

    assert found.effort == "xhigh"
    assert found.thinking is not None
    assert found.thinking["type"] == "adaptive"
    assert losses == ("thinking.budget_tokens",)


def test_a_budget_leaves_half_of_a_small_limit_for_the_answer():
    found, losses = plan(BUDGET, effort("high"), limit=3_000)

    assert found.budget == 1_500
    assert losses == ("reasoning_effort",)


def test_a_limit_too_small_for_thinking_turns_it_off():
    assert plan(BUDGET, effort("low"), limit=1_000) == (ThinkingPlan(), ("reasoning_effort",))


@pytest.mark.parametrize(
    ("model", "flags", "thinks"),
    [
        (BUDGET, {"forbidden": True}, False),
        (BUDGET, {"unsigned": True}, False),
        (BOTH, {"forbidden": True}, False),
        (BOTH, {"unsigned": True}, True),
        (ADAPTIVE, {"unsigned": True}, True),
        (ALWAYS, {"forbidden": True}, True),
        (NONE, {}, False),
    ],
)
def test_thinking_gives_way_to_what_forbids_it(model, flags, thinks):
    found, losses = plan(model, effort("high"), **flags)

    assert (found.thinking is not None) is thinks
    assert losses == (() if thinks else ("reasoning_effort",))


@pytest.mark.parametrize(
    ("wish", "thinking", "word"),
    [
        (Reasoning("high"), None, "high"),
        (Reasoning(enabled=True, budget=9), {"type": "enabled", "budget_tokens": 9}, None),
        (
            Reasoning("max", enabled=True, adaptive=True, display="omitted"),
            {"type": "adaptive", "display": "omitted"},
            "max",
        ),
        (Reasoning(enabled=False), {"type": "disabled"}, None),
    ],
)
def test_an_anthropic_callers_words_go_on_as_they_are(wish, thinking, word):
    found, losses = plan(NONE, wish, dialect=Dialect.ANTHROPIC, limit=5)

    assert (found.thinking, found.effort) == (thinking, word)
    assert losses == ()
