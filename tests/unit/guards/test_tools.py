"""Which tools may be offered and called."""

from __future__ import annotations

import time

import pytest

from support.guarded import occasion
from tiergate.core.guard_options import ToolOptions, ToolRule
from tiergate.core.guard_plan import Stage
from tiergate.guards.matching import BadPatternError
from tiergate.guards.tools import ToolGuard, tool_pattern
from tiergate.ports.guarding import CLEAN, GuardError, Passage, Place

RULES = (
    ToolRule(id="bash", tool="Bash", allow=True),
    ToolRule(id="github", tool="mcp__github_*", allow=True),
    ToolRule(id="read", tool="Read", allow=False),
    ToolRule(
        id="mail",
        tool="^send_(mail|email)$",
        allow=True,
        arguments=(("to[]", r"^.+@example\.com$"), ("subject", r"^.{1,12}$")),
    ),
)


def guard(**more: object) -> ToolGuard:
    return ToolGuard(ToolOptions(**{"rules": RULES, **more}))


def call(tool: str, text: str = "", path: str = ".name") -> Passage:
    return Passage(text, Place.TOOL_ARGUMENTS, path=f"tool_calls[0]{path}", tool=tool)


async def answer(tools: ToolGuard, *passages: Passage) -> str:
    return (await tools.look(passages, occasion(Stage.POST_CALL))).blocked


@pytest.mark.parametrize("tool", ["Bash", "mcp__github_list", "send_mail", "send_email"])
async def test_allowed_tools_may_be_called(tool):
    assert await answer(guard(), call(tool)) == ""


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("Read", "Tool 'Read' denied by rule 'read'"),
        ("Write", "Tool 'Write' denied by default action"),
        ("bash", "Tool 'bash' denied by default action"),
        ("BashX", "Tool 'BashX' denied by default action"),
        ("xmcp__github_list", "Tool 'xmcp__github_list' denied by default action"),
    ],
)
async def test_others_are_denied_with_the_rule_that_says_so(tool, said):
    assert await answer(guard(), call("Bash"), call(tool)) == said


async def test_the_default_may_be_to_allow():
    assert await answer(guard(allow=True), call("Write")) == ""
    assert await answer(guard(allow=True), call("Read")) != ""


async def test_the_first_rule_that_fits_decides():
    rules = (ToolRule(id="1", tool="a*", allow=False), ToolRule(id="2", tool="ab", allow=True))
    assert await answer(guard(rules=rules), call("ab")) == "Tool 'ab' denied by rule '1'"


@pytest.mark.parametrize(
    ("path", "text", "good"),
    [
        (".arguments.to[0]", "jane@example.com", True),
        (".arguments.to[1]", "eve@evil.example", False),
        (".arguments.subject", "hello", True),
        (".arguments.subject", "much too long for this", False),
        (".arguments.body", "anything at all goes here", True),
    ],
)
async def test_arguments_must_look_as_their_rule_says(path, text, good):
    said = await answer(guard(), call("send_mail", text, path))
    assert said == "" if good else said.startswith("Tool 'send_mail' denied: argument ")


async def test_before_the_call_the_offered_tools_are_judged():
    good = occasion(Stage.PRE_CALL, tools=("Bash", "mcp__github_x"))
    assert await guard().look([], good) is CLEAN
    bad = occasion(Stage.PRE_CALL, tools=("Bash", "Read"))
    assert (await guard().look([], bad)).blocked == "Tool 'Read' denied by rule 'read'"


async def test_the_history_of_a_conversation_is_no_call():
    before = occasion(Stage.PRE_CALL)
    assert await guard().look([call("Read")], before) is CLEAN


async def test_texts_are_not_looked_at():
    assert await answer(guard(), Passage("Read", Place.ASSISTANT)) == ""


async def test_a_blocked_caller_can_be_told_in_other_words():
    tools = guard(message="no {tool_name} here ({rule_id}): {default_message}")
    assert await answer(tools, call("Read")) == (
        "no Read here (read): Tool 'Read' denied by rule 'read'"
    )
    assert (await answer(tools, call("X"))).startswith("no X here (None): ")


async def test_a_pattern_for_an_argument_is_bounded_in_time():
    rule = ToolRule(id="r", tool="t", allow=True, arguments=(("x", r"(a+)+"),))
    before = time.monotonic()
    with pytest.raises(GuardError, match="the pattern for x of the rule r took longer"):
        await answer(guard(rules=(rule,)), call("t", "a" * 4000 + "!", ".arguments.x"))
    assert time.monotonic() - before < 5


def test_a_pattern_that_is_none_cannot_be_built():
    with pytest.raises(BadPatternError):
        guard(rules=(ToolRule(id="r", tool="[", allow=True),))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("Bash", "Bash"),
        ("mcp__aws-documentation_*_documentation", r"mcp__aws\-documentation_.*_documentation"),
        ("*", ".*"),
        ("^mcp__github_.*$", "^mcp__github_.*$"),
        ("mcp__.*", "mcp__.*"),
        ("a|b", "a|b"),
    ],
)
def test_names_with_stars_and_expressions_are_told_apart(text, pattern):
    assert tool_pattern(text) == pattern


def test_calls_are_judged_one_by_one():
    assert (guard().window, guard().restores) == (1, False)
