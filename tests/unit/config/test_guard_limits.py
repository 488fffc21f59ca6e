"""Options of `max_tokens`, `prompt_injection` and `tool_permission`."""

from __future__ import annotations

import pytest

from support.guarded import Options
from tiergate.core.guard_options import (
    InjectionOptions,
    LengthOptions,
    Reaction,
    Sensitivity,
    ToolOptions,
    ToolRule,
)


def read(tmp_path, text: str) -> tuple[object, Options]:
    options = Options(tmp_path)
    return options.read(text), options


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("max_tokens: 100", LengthOptions(tokens=100)),
        ("max_input_tokens: 100", LengthOptions(tokens=100)),
        ("max_characters: 9, action: LOG", LengthOptions(characters=9, reaction=Reaction.LOG)),
    ],
)
def test_a_length_has_a_limit(text, found, tmp_path):
    assert read(tmp_path, f"{{guardrail: max_tokens, {text}}}")[0] == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "error : limits the length of requests, and names no limit"),
        (", max_tokens: 0", "error max_tokens: expected a whole number, got 0"),
        (", max_tokens: 5, action: MASK", 'error action: "MASK" is no action here'),
    ],
)
def test_a_length_without_a_limit_is_an_error(text, said, tmp_path):
    assert said in read(tmp_path, f"{{guardrail: max_tokens{text}}}")[1].said()


def test_injection_has_a_sensitivity(tmp_path):
    assert read(tmp_path, "{guardrail: prompt_injection}")[0] == InjectionOptions()
    found, options = read(
        tmp_path, "{guardrail: prompt_injection, sensitivity: high, action: LOG, timeout: 2}"
    )
    assert options.said() == []
    assert found == InjectionOptions(
        sensitivity=Sensitivity.HIGH, reaction=Reaction.LOG, seconds=2
    )


def test_an_unknown_sensitivity_is_an_error(tmp_path):
    _, options = read(tmp_path, "{guardrail: prompt_injection, sensitivity: hihg}")
    assert options.said() == ['error sensitivity: the text "hihg" is not known']
    assert options.advice() == ["Did you mean `high`?"]


def test_tools_have_rules_in_order(tmp_path):
    found, options = read(
        tmp_path,
        r"""
guardrail: tool_permission
rules:
  - {id: github, tool_name: 'mcp__github_*', decision: Allow}
  - tool_name: send_email
    decision: deny
    allowed_param_patterns: {'to[]': '^.+@example\.com$', subject: '^.{1,120}$'}
  - {id: rest, tool_type: function, decision: allow}
default_action: allow
on_disallowed_action: Block
violation_message_template: no {tool_name}
""",
    )
    assert options.said() == []
    assert options.left == []
    assert found == ToolOptions(
        rules=(
            ToolRule(id="github", tool="mcp__github_*", allow=True),
            ToolRule(
                id="rule 1",
                tool="send_email",
                allow=False,
                arguments=(("to[]", r"^.+@example\.com$"), ("subject", "^.{1,120}$")),
            ),
            ToolRule(id="rest", tool=".*", allow=True),
        ),
        allow=True,
        message="no {tool_name}",
    )


def test_without_rules_every_tool_is_denied(tmp_path):
    assert read(tmp_path, "{guardrail: tool_permission}")[0] == ToolOptions()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: x", 'error rules: expected a list of rules, got the text "x"'),
        ("rules: [x]", "error rules[0]: expected a rule"),
        ("rules: [{decision: allow}]", "error rules[0]: names no tool"),
        ("rules: [{tool_name: a}]", "error rules[0]: does not say what holds"),
        (
            "rules: [{tool_name: a, decision: maybe}]",
            'error rules[0].decision: "maybe" is no decision',
        ),
        (
            "rules: [{tool_name: '[', decision: deny}]",
            (
                "error rules[0].tool_name: is no regular expression: unterminated character set "
                "at position 1"
            ),
        ),
        (
            "rules: [{tool_name: a, decision: deny, allowed_param_patterns: {x: '('}}]",
            (
                "error rules[0].allowed_param_patterns: is no regular expression: missing ) at "
                "position 1"
            ),
        ),
        (
            "rules: [{tool_name: a, tool_type: computer, decision: deny}]",
            (
                "error rules[0].tool_type: rules for types of tools are not here: every tool "
                "counts as a function"
            ),
        ),
        (
            "rules: [{tool_name: a, decision: deny, x: 1}]",
            "error rules[0].x: is not read in a rule for tools",
        ),
        (
            "on_disallowed_action: rewrite",
            (
                'error on_disallowed_action: "rewrite" is not done here: a call with a tool that '
                "may not be is blocked"
            ),
        ),
        ("default_action: ask", 'error default_action: "ask" is no decision'),
    ],
)
def test_what_cannot_be_understood_is_an_error(text, said, tmp_path):
    assert said in read(tmp_path, f"{{guardrail: tool_permission, {text}}}")[1].said()
