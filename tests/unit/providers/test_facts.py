"""What is known of models by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.providers.facts import (
    DEFAULT_OUTPUT_LIMIT,
    UNKNOWN_OUTPUT_LIMIT,
    ModelFacts,
    SamplingRule,
    ThinkingStyle,
    facts_for,
)


@pytest.mark.parametrize(
    ("model", "output", "context", "prefix"),
    [
        ("claude-3-haiku-20240307", 4_096, 200_000, 2_048),
        ("claude-3-5-sonnet-20241022", 8_192, 200_000, 1_024),
        ("claude-3-5-haiku-latest", 8_192, 200_000, 2_048),
        ("claude-3-7-sonnet-20250219", 64_000, 200_000, 1_024),
        ("claude-sonnet-4-20250514", 64_000, 200_000, 1_024),
        ("claude-opus-4-20250514", 32_000, 200_000, 1_024),
        ("claude-opus-4-1-20250805", 32_000, 200_000, 1_024),
        ("claude-sonnet-4-5-20250929", 64_000, 200_000, 1_024),
        ("claude-haiku-4-5-20251001", 64_000, 200_000, 4_096),
        ("claude-opus-4-5-20251101", 64_000, 200_000, 4_096),
        ("claude-sonnet-4-6", 128_000, 1_000_000, 2_048),
        ("claude-opus-4-6", 128_000, 1_000_000, 4_096),
        ("claude-opus-4-7", 128_000, 1_000_000, 2_048),
        ("claude-opus-4-8", 128_000, 1_000_000, 1_024),
        ("claude-sonnet-5", 128_000, 1_000_000, 1_024),
        ("claude-opus-5-5", 128_000, 1_000_000, 512),
    ],
)
def test_the_limits_of_each_claude(model, output, context, prefix):
    facts = facts_for("anthropic", model)

    assert (facts.max_output_tokens, facts.context_window) == (output, context)
    assert facts.min_cache_prefix_tokens == prefix


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("anthropic/claude-opus-4.6", "claude-opus-4-6"),
        ("Claude-Opus-4-0", "claude-opus-4"),
        ("claude-sonnet-4-5-latest", "claude-sonnet-4-5"),
        ("claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
    ],
)
def test_a_host_may_write_a_name_in_its_own_way(name, same_as):
    assert facts_for("anthropic", name) == facts_for("anthropic", same_as)


@pytest.mark.parametrize(
    ("model", "style", "budget", "off", "efforts"),
    [
        ("claude-3-5-sonnet", ThinkingStyle.NONE, False, "disabled", ()),
        ("claude-sonnet-4-5", ThinkingStyle.BUDGET, True, "disabled", ()),
        ("claude-opus-4-5", ThinkingStyle.BUDGET, True, "disabled", ("low", "medium", "high")),
        (
            "claude-opus-4-6",
            ThinkingStyle.ADAPTIVE,
            True,
            "disabled",
            ("low", "medium", "high", "max"),
        ),
        (
            "claude-opus-4-7",
            ThinkingStyle.ADAPTIVE,
            False,
            "disabled",
            ("low", "medium", "high", "xhigh", "max"),
        ),
        (
            "claude-opus-5-5",
            ThinkingStyle.ADAPTIVE,
            False,
            None,
            ("low", "medium", "high", "xhigh", "max"),
        ),
        (
            "claude-sonnet-5-5",
            ThinkingStyle.ADAPTIVE,
            False,
            "between_tools",
            ("low", "medium", "high", "xhigh", "max"),
        ),
    ],
)
def test_each_claude_is_told_to_think_in_its_own_way(model, style, budget, off, efforts):
    facts = facts_for("anthropic", model)

    assert (facts.thinking, facts.thinking_budget, facts.thinking_off, facts.efforts) == (
        style,
        budget,
        off,
        efforts,
    )


def test_newer_models_take_no_sampling_prefill_or_forced_tools():
    old, new = facts_for("anthropic", "claude-sonnet-4"), facts_for("anthropic", "claude-opus-5-5")

    assert (old.sampling, old.prefill, old.forced_tool_choice) == (
        SamplingRule.WITHOUT_REASONING,
        True,
        True,
    )
    assert (new.sampling, new.prefill, new.forced_tool_choice) == (
        SamplingRule.NEVER,
        False,
        False,
    )


def test_a_claude_newer_than_the_table_is_treated_as_the_newest():
    for name in ("claude-opus-9", "claude-sonnet-4-9", "claude-fresco-1"):
        facts = facts_for("anthropic", name)

        assert facts.thinking is ThinkingStyle.ADAPTIVE
        assert facts.sampling is SamplingRule.NEVER
        assert not facts.forced_tool_choice


def test_a_claude_older_than_the_table_takes_little():
    assert facts_for("anthropic", "claude-2.1").max_output_tokens == 4_096
    assert facts_for("anthropic", "claude-instant-1.2").thinking is ThinkingStyle.NONE


def test_an_unknown_model_of_the_messages_dialect_has_safe_defaults():
    facts = facts_for("anthropic", "house-model")

    assert facts.max_output_tokens is None
    assert facts.default_output_tokens == UNKNOWN_OUTPUT_LIMIT >= 4_096
    assert facts.thinking is ThinkingStyle.BUDGET
    assert facts.structured_output


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-haiku-20240307", 4_096),
        ("claude-3-5-sonnet-20241022", 8_192),
        ("claude-sonnet-4-5", DEFAULT_OUTPUT_LIMIT),
    ],
)
def test_the_default_limit_is_never_more_than_the_model_takes(model, limit):
    assert facts_for("anthropic", model).default_output_tokens == limit


@pytest.mark.parametrize(
    ("model", "output", "efforts", "sampling"),
    [
        ("gpt-4o-mini-2024-07-18", 16_384, (), SamplingRule.ALWAYS),
        ("gpt-4.1-nano", 32_768, (), SamplingRule.ALWAYS),
        ("o3", 100_000, ("low", "medium", "high"), SamplingRule.NEVER),
        ("o4-mini", 100_000, ("low", "medium", "high"), SamplingRule.NEVER),
        ("gpt-5", 128_000, ("minimal", "low", "medium", "high"), SamplingRule.NEVER),
        (
            "gpt-5.1",
            128_000,
            ("none", "low", "medium", "high"),
            SamplingRule.WITHOUT_REASONING,
        ),
        (
            "gpt-5.4-mini",
            128_000,
            ("none", "low", "medium", "high", "xhigh"),
            SamplingRule.WITHOUT_REASONING,
        ),
        ("gpt-5-pro", 128_000, ("high",), SamplingRule.NEVER),
        ("gpt-5-chat-latest", 16_384, (), SamplingRule.ALWAYS),
    ],
)
def test_openai_models_have_their_efforts_and_limits(model, output, efforts, sampling):
    facts = facts_for("openai", model)

    assert (facts.max_output_tokens, facts.efforts, facts.sampling) == (output, efforts, sampling)
    assert facts.max_completion_tokens
    assert not facts.prefill


def test_a_compatible_server_gets_the_older_name_of_the_limit():
    assert not facts_for("openai", "my-llama").max_completion_tokens
    assert not facts_for("ollama", "llama3").max_completion_tokens
    assert facts_for("groq", "llama-3.3-70b-versatile").max_completion_tokens


def test_a_model_is_known_behind_a_host_that_prefixes_it():
    assert facts_for("groq", "openai/gpt-oss-120b").efforts == ("low", "medium", "high")
    assert facts_for("openrouter", "openai/gpt-4o").max_output_tokens == 16_384


def test_a_claude_behind_an_openai_host_keeps_its_limits_and_not_its_words():
    there = facts_for("openrouter", "anthropic/claude-sonnet-4.5")
    elsewhere = facts_for("some-gateway", "claude-opus-4-6")

    assert there.max_output_tokens == 64_000
    assert there.thinking is ThinkingStyle.EFFORT
    assert not there.thinking_budget
    assert elsewhere.context_window == 1_000_000
    assert elsewhere.thinking is ThinkingStyle.NONE


def test_a_host_without_json_schemas_is_known():
    assert not facts_for("deepseek", "deepseek-chat").structured_output
    assert facts_for("mistral", "mistral-large-latest").structured_output


@given(st.sampled_from(["anthropic", "openai", "groq", ""]), st.text(max_size=60))
def test_any_name_has_facts(provider, model):
    facts = facts_for(provider, model)

    assert isinstance(facts, ModelFacts)
    assert facts.default_output_tokens >= 4_096
