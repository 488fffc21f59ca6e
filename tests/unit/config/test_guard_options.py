"""The kinds of guards, and words that are none."""

from __future__ import annotations

import pytest

from support.guarded import Options
from tiergate.config.guard_options import KINDS, stages_of
from tiergate.core.guard_options import (
    FilterOptions,
    InjectionOptions,
    LengthOptions,
    ModerationOptions,
    PiiOptions,
    RemoteOptions,
    SecretsOptions,
    ToolOptions,
)
from tiergate.core.guard_plan import Stage

ENOUGH = {
    "litellm_content_filter": ("patterns: [{pattern_name: email}]", FilterOptions),
    "content_filter": ("patterns: [abc]", FilterOptions),
    "regex": ("patterns: [abc]", FilterOptions),
    "deny_words": ("words: [abc]", FilterOptions),
    "secrets": ("action: BLOCK", SecretsOptions),
    "hide-secrets": ("action: BLOCK", SecretsOptions),
    "hide_secrets": ("action: BLOCK", SecretsOptions),
    "pii": ("output_parse_pii: true", PiiOptions),
    "presidio": ("engine: patterns", PiiOptions),
    "max_tokens": ("max_tokens: 5", LengthOptions),
    "prompt_injection": ("sensitivity: low", InjectionOptions),
    "detect_prompt_injection": ("sensitivity: low", InjectionOptions),
    "openai_moderation": ("api_key: k", ModerationOptions),
    "openai_moderations": ("api_key: k", ModerationOptions),
    "generic_guardrail_api": ("api_base: 'http://localhost:1'", RemoteOptions),
    "http": ("api_base: 'http://localhost:1'", RemoteOptions),
    "tool_permission": ("default_action: deny", ToolOptions),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_reads_its_options(kind, tmp_path):
    text, made = ENOUGH[kind]
    options = Options(tmp_path)
    assert isinstance(options.read(f"{{guardrail: {kind}, {text}}}"), made)
    assert options.said() == []
    assert options.left == []


@pytest.mark.parametrize("kind", ["lakera_v2", "bedrock", "aporia", "azure/prompt_shield"])
def test_a_service_of_another_vendor_is_told_where_to_go(kind, tmp_path):
    options = Options(tmp_path)
    assert options.read(f"{{guardrail: {kind}, guardrailIdentifier: x}}") is None
    assert options.said() == [
        (
            f'error guardrail: the guardrail "{kind}" of LiteLLM is a service that Tiergate has '
            "no own client for"
        )
    ]
    assert "generic_guardrail_api" in options.advice()[0]
    assert options.left == []


@pytest.mark.parametrize("kind", ["custom_code", "llm_as_a_judge", "block_code_execution"])
def test_a_deed_of_litellm_is_told_to_be_a_class(kind, tmp_path):
    options = Options(tmp_path)
    assert options.read(f"{{guardrail: {kind}}}") is None
    assert options.said() == [f'error guardrail: the guardrail "{kind}" of LiteLLM is not here']
    assert "my_module.MyGuard" in options.advice()[0]


@pytest.mark.parametrize(
    ("kind", "advice"), [("presido", "Did you mean `presidio`?"), ("zzz", "There are ")]
)
def test_an_unknown_kind_is_an_error_with_the_nearest_word(kind, advice, tmp_path):
    options = Options(tmp_path)
    assert options.read(f"{{guardrail: {kind}}}") is None
    assert options.said() == [f'error guardrail: there is no guardrail of the kind "{kind}"']
    assert options.advice()[0].startswith(advice)


def test_a_kind_that_is_no_word_is_an_error(tmp_path):
    options = Options(tmp_path)
    assert options.read("{guardrail: [regex]}") is None
    assert options.said() == ["error guardrail: expected text, got a list"]


def test_options_of_another_kind_are_left_over(tmp_path):
    options = Options(tmp_path)
    options.read("{guardrail: regex, patterns: [a], presidio_language: de}")
    assert options.left == ["presidio_language"]


def test_some_kinds_do_not_look_at_answers():
    assert Stage.POST_CALL not in stages_of(LengthOptions(tokens=1))
    assert Stage.POST_CALL not in stages_of(InjectionOptions())
    assert stages_of(FilterOptions()) == frozenset(Stage)
