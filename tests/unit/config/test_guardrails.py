"""Guardrails of a file: both forms, what all kinds share, and what stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench
from tiergate.config.load import Loaded
from tiergate.core.guard_plan import ClassOptions, GuardPlan, Modes, OnError, Scope, Stage

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
PRE, DURING, POST, LATER = Stage
REGEX = "guardrail: regex, patterns: [abc]"


def read(tmp_path: Path, rest: str, *, strict: bool = False) -> Loaded:
    return Bench(tmp_path).load(MODELS + KEY + rest, environ=KEYS, strict=strict)


def plans(tmp_path: Path, rest: str) -> tuple[GuardPlan, ...]:
    loaded = read(tmp_path, rest)
    errors = [str(f) for f in loaded.findings if f.severity.value == "error"]
    assert loaded.settings is not None, errors
    return loaded.settings.guards


def one(tmp_path: Path, params: str) -> GuardPlan:
    entry = f"guardrails:\n  - guardrail_name: mine\n    litellm_params: {{{params}}}\n"
    (plan,) = plans(tmp_path, entry)
    return plan


def errors(tmp_path: Path, rest: str) -> str:
    loaded = read(tmp_path, rest)
    assert loaded.settings is None
    return "\n".join(str(f) for f in loaded.findings if f.severity.value == "error")


@pytest.mark.parametrize("rest", ["guardrails: []\n", "guardrails:\n", ""])
def test_none_asked_for_is_fine(tmp_path: Path, rest: str) -> None:
    assert plans(tmp_path, rest) == ()


@pytest.mark.parametrize(
    ("mode", "modes"),
    [
        ("pre_call", Modes(frozenset({PRE}))),
        ("[pre_call, post_call]", Modes(frozenset({PRE, POST}))),
        (
            "{tags: {a: during_call, b: [post_call]}, default: logging_only}",
            Modes(frozenset({LATER}), {"a": frozenset({DURING}), "b": frozenset({POST})}),
        ),
        ("{tags: {a: pre_call}}", Modes(frozenset(), {"a": frozenset({PRE})})),
    ],
)
def test_a_mode_is_a_word_a_list_or_depends_on_tags(tmp_path: Path, mode: str, modes) -> None:
    assert one(tmp_path, f"{REGEX}, mode: {mode}").modes == modes


def test_what_all_kinds_share_is_read(tmp_path: Path) -> None:
    plan = one(
        tmp_path,
        f"{REGEX}, mode: pre_call, default_on: true, on_error: allow, timeout: 3, "
        "violation_message_template: stop, skip_system_message_in_guardrail: true, "
        "scan_only_tool_results: true, only_scan_new_messages: true",
    )
    assert (plan.name, plan.kind, plan.default_on) == ("mine", "regex", True)
    assert (plan.on_error, plan.timeout, plan.message) == (OnError.ALLOW, 3.0, "stop")
    assert plan.scope == Scope(skip_system=True, only_tool_results=True, only_new=True)
    assert plan.source.line > 1


def test_a_guard_binds_nobody_and_fails_closed_unless_told(tmp_path: Path) -> None:
    plan = one(tmp_path, f"{REGEX}, mode: pre_call")
    assert (plan.default_on, plan.on_error, plan.timeout) == (False, OnError.BLOCK, None)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("unreachable_fallback: fail_open", OnError.ALLOW),
        ("unreachable_fallback: fail_closed", OnError.BLOCK),
        ("fail_on_error: false", OnError.ALLOW),
        ("fail_on_error: true", OnError.BLOCK),
    ],
)
def test_litellms_words_for_failing_guards_act(tmp_path: Path, said: str, meant: OnError) -> None:
    assert one(tmp_path, f"{REGEX}, mode: pre_call, {said}").on_error is meant


def test_a_section_can_leave_out_texts_for_all_guards(tmp_path: Path) -> None:
    rest = (
        "litellm_settings: {skip_system_message_in_guardrail: true}\n"
        f"guardrails:\n  - guardrail_name: a\n    litellm_params: {{{REGEX}, mode: pre_call}}\n"
        "  - guardrail_name: b\n    litellm_params: "
        f"{{{REGEX}, mode: pre_call, skip_system_message_in_guardrail: false}}\n"
    )
    assert [plan.scope.skip_system for plan in plans(tmp_path, rest)] == [True, False]


def test_a_class_gets_what_nobody_else_reads(tmp_path: Path) -> None:
    plan = one(tmp_path, "guardrail: my.guards.Mine, mode: pre_call, word: x, most: 3")
    options = plan.options
    assert isinstance(options, ClassOptions)
    assert (options.target, dict(options.arguments)) == (
        "my.guards.Mine",
        {"word": "x", "most": 3},
    )
    assert options.folder


def test_the_older_form_is_read(tmp_path: Path) -> None:
    rest = (
        "litellm_settings:\n  guardrails:\n"
        "    - masking: {callbacks: [hide-secrets], default_on: true, enabled_roles: [user]}\n"
        "    - noting: {callbacks: [pii, my_guards.Mine], logging_only: true}\n"
    )
    masking, noting, mine = plans(tmp_path, rest)
    assert (masking.name, masking.kind, masking.default_on) == ("masking", "hide-secrets", True)
    assert (masking.modes, masking.scope.skip_system) == (Modes(frozenset({PRE})), True)
    assert (noting.kind, noting.modes, noting.default_on) == (
        "pii",
        Modes(frozenset({LATER})),
        False,
    )
    assert (mine.name, mine.kind) == ("noting", "my_guards.Mine")


def test_the_report_says_what_acts(tmp_path: Path) -> None:
    rest = f"guardrails:\n  - guardrail_name: a\n    litellm_params: {{{REGEX}, mode: pre_call}}\n"
    rows = {row.path: row for row in read(tmp_path, rest).report}
    row = rows["guardrail a"]
    assert row.value == "regex, pre_call, calls that ask for it, on error block"
    assert row.origin.endswith(f":{(MODELS + KEY).count(chr(10)) + 2}")


def entry(params: str, name: str = "mine") -> str:
    return f"guardrails:\n  - guardrail_name: {name}\n    litellm_params: {{{params}}}\n"


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (entry("guardrail: lakera, mode: pre_call"), "generic_guardrail_api"),
        (entry("guardrail: nothing, mode: pre_call"), "nothing"),
        (entry("guardrail: regexx, patterns: [a], mode: pre_call"), "regex"),
        (entry(f"{REGEX}, mode: later"), "pre_call, during_call, post_call, logging_only"),
        (entry(f"{REGEX}, mode: pre_mcp_call"), "names no mode that acts here"),
        (entry(REGEX), "has no mode"),
        (entry("mode: pre_call"), "has no guardrail"),
        (entry(f"{REGEX}, mode: {{tags: {{}}}}"), "names no mode"),
        (entry(f"{REGEX}, mode: pre_call, on_error: maybe"), "maybe"),
        (entry(f"{REGEX}, mode: pre_call, on_error: allow, fail_on_error: true"), "Keep on_error"),
        (entry(f"{REGEX}, mode: pre_call, pattrens: [x]"), "pattrens"),
        (entry("guardrail: max_tokens, max_tokens: 5, mode: post_call"), "nothing to look at"),
        (entry(f"{REGEX}, mode: pre_call", name='"a,b"'), "is no name"),
        ("guardrails: [just_a_word]\n", "is no guardrail"),
        ("guardrails: pii\n", "a list of guardrails"),
        ("guardrails: [{guardrail_name: a}]\n", "has no litellm_params"),
        (
            f"guardrails: [{{litellm_params: {{{REGEX}, mode: pre_call}}}}]\n",
            "has no guardrail_name",
        ),
        ("litellm_settings: {guardrails: [{a: {default_on: true}}]}\n", "names no callbacks"),
        (
            entry(f"{REGEX}, mode: pre_call")
            + "litellm_settings: {guardrails: [{mine: {callbacks: [pii]}}]}\n",
            "Keep one of the two",
        ),
    ],
)
def test_an_entry_that_cannot_be_understood_stops_the_start(
    tmp_path: Path, rest: str, words: str
) -> None:
    assert words in errors(tmp_path, rest)


def test_lenient_reading_does_not_start_without_a_check(tmp_path: Path) -> None:
    rest = entry("guardrail: nothing, mode: pre_call")
    loaded = Bench(tmp_path).load(MODELS + KEY + rest, environ=KEYS, lenient=True)
    assert loaded.settings is None
