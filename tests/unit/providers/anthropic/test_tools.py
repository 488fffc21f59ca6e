"""Tools, and the choice among them."""

from __future__ import annotations

import pytest

from tiergate.base.chat import (
    Ask,
    CacheMark,
    ProviderTool,
    Tool,
    ToolChoice,
    ToolMode,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.parts import PartWriter
from tiergate.providers.anthropic.tools import ToolWriter
from tiergate.providers.facts import facts_for
from tiergate.providers.losses import Losses

LOOK = Tool("look", "Look up.", {"type": "object", "properties": {}})


def write(
    *tools,
    choice=None,
    called=(),
    dialect=Dialect.OPENAI,
    model="claude-sonnet-4-5",
    lenient=False,
):
    losses = Losses(lenient=lenient)
    ask = Ask(dialect=dialect, model="x", turns=(), tools=tools, tool_choice=choice)
    writer = ToolWriter(ask, facts_for("anthropic", model), PartWriter(dialect, losses), losses)
    return writer.write(called), losses.words, writer.forced()


def test_a_tool_has_name_description_schema_and_mark():
    tool = Tool("look", "Look up.", {"type": "object"}, cache=CacheMark({"type": "ephemeral"}))

    fields, losses, _ = write(tool)

    assert fields == {
        "tools": [
            {
                "name": "look",
                "description": "Look up.",
                "input_schema": {"type": "object"},
                "cache_control": {"type": "ephemeral"},
            }
        ]
    }
    assert losses == ()


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({}, {"type": "object"}),
        ({"properties": {}}, {"type": "object", "properties": {}}),
        ({"type": "object", "x": 1}, {"type": "object", "x": 1}),
    ],
)
def test_a_schema_says_that_it_is_an_object(schema, sent):
    fields, _, _ = write(Tool("look", None, schema))

    assert fields["tools"] == [{"name": "look", "input_schema": sent}]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (ToolChoice(ToolMode.AUTO), {"type": "auto"}),
        (ToolChoice(ToolMode.NONE), {"type": "none"}),
        (ToolChoice(ToolMode.ANY), {"type": "any"}),
        (ToolChoice(ToolMode.NAMED, "look"), {"type": "tool", "name": "look"}),
        (ToolChoice(ToolMode.AUTO, parallel=True), {"type": "auto"}),
        (
            ToolChoice(ToolMode.AUTO, parallel=False),
            {"type": "auto", "disable_parallel_tool_use": True},
        ),
        (ToolChoice(ToolMode.NONE, parallel=False), {"type": "none"}),
        (
            ToolChoice(ToolMode.ANY, parallel=False),
            {"type": "any", "disable_parallel_tool_use": True},
        ),
        (
            ToolChoice(ToolMode.NAMED, "look", parallel=False),
            {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_each_choice_keeps_its_meaning(choice, sent):
    fields, losses, forced = write(LOOK, choice=choice)

    assert fields["tool_choice"] == sent
    assert losses == ()
    assert forced is (choice.mode in (ToolMode.ANY, ToolMode.NAMED))


@pytest.mark.parametrize(
    ("mode", "losses"),
    [(ToolMode.AUTO, ()), (ToolMode.NONE, ()), (ToolMode.ANY, ("tool_choice",))],
)
def test_without_tools_there_is_no_choice(mode, losses):
    assert write(choice=ToolChoice(mode, parallel=False)) == ({}, losses, False)


def test_a_forced_call_is_refused_by_a_model_that_takes_none():
    choice = ToolChoice(ToolMode.ANY)

    with pytest.raises(Untranslatable, match="cannot be made to call"):
        write(LOOK, choice=choice, model="claude-opus-5-5")
    fields, losses, _ = write(LOOK, choice=choice, model="claude-opus-5-5", lenient=True)
    assert fields["tool_choice"] == {"type": "auto"}
    assert losses == ("tool_choice",)


def test_tools_of_the_history_are_declared_again_and_not_offered():
    """A history of tool calls is refused by the provider when no tool is defined."""
    fields, losses, _ = write(called=("look", "find"))

    assert fields == {
        "tools": [
            {"name": "look", "input_schema": {"type": "object"}},
            {"name": "find", "input_schema": {"type": "object"}},
        ],
        "tool_choice": {"type": "none"},
    }
    assert losses == ()


def test_a_strict_tool_stays_strict_where_it_can():
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 3}}}

    fields, losses, _ = write(Tool("look", None, schema, strict=True))

    assert fields["tools"] == [
        {
            "name": "look",
            "input_schema": {
                "type": "object",
                "properties": {"n": {"type": "integer", "description": '{"maximum":3}'}},
                "additionalProperties": False,
            },
            "strict": True,
        }
    ]
    assert losses == ("tools.limits",)


def test_a_strict_tool_is_a_loss_on_a_model_that_knows_none():
    fields, losses, _ = write(Tool("look", None, {}, strict=True), model="claude-sonnet-4")

    assert "strict" not in str(fields)
    assert losses == ("tools.strict",)


def test_a_tool_that_is_not_strict_is_not_changed():
    schema = {"type": "object", "properties": {"n": {"maximum": 3}}}

    fields, losses, _ = write(Tool("look", None, schema, strict=False))

    assert fields["tools"] == [{"name": "look", "input_schema": schema}]
    assert losses == ()


def test_a_tool_that_this_provider_runs_goes_on_as_it_is():
    raw = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    tool = ProviderTool(Dialect.ANTHROPIC, "web_search_20250305", "web_search", raw)

    assert write(tool, LOOK)[0]["tools"][0] == raw


def test_a_tool_that_another_provider_runs_is_refused_or_dropped():
    tool = ProviderTool(Dialect.OPENAI, "web_search", "web_search", {"type": "web_search"})

    with pytest.raises(Untranslatable, match="web_search"):
        write(tool)
    assert write(tool, lenient=True) == ({}, ("tools.web_search",), False)
