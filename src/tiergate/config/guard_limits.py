"""Reads the options of `max_tokens`, `prompt_injection` and `tool_permission`."""

from __future__ import annotations

from typing import Final

from tiergate.config.guard_ground import JUDGES, OptionGround
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.typed import items
from tiergate.core.guard_options import (
    InjectionOptions,
    LengthOptions,
    Reaction,
    Sensitivity,
    ToolOptions,
    ToolRule,
)

_TYPES: Final = ("function", "^function$")
"""The values of `tool_type` that every tool has."""


def read_length(_kind: str, params: Section, ground: OptionGround) -> LengthOptions | None:
    """Return the options; None after an error."""
    typed = ground.reader.typed
    tokens = typed.firm.whole(params.take_first("max_tokens", "max_input_tokens"), least=1)
    characters = typed.firm.whole(params.take("max_characters"), least=1)
    reaction = ground.reaction(params.take("action"), Reaction.BLOCK, JUDGES)
    if tokens is None and characters is None:
        ground.error(
            "missing-key",
            params,
            "limits the length of requests, and names no limit",
            "Write max_tokens or max_characters.",
        )
        return None
    return LengthOptions(tokens=tokens, characters=characters, reaction=reaction)


def read_injection(_kind: str, params: Section, ground: OptionGround) -> InjectionOptions | None:
    """Return the options; None after an error."""
    typed = ground.reader.typed
    word = typed.choice(params.take("sensitivity"), tuple(each.value for each in Sensitivity))
    seconds = typed.seconds(params.take("timeout"))
    return InjectionOptions(
        sensitivity=Sensitivity(word) if word else InjectionOptions().sensitivity,
        reaction=ground.reaction(params.take("action"), Reaction.BLOCK, JUDGES),
        seconds=seconds or InjectionOptions().seconds,
    )


def read_tools(_kind: str, params: Section, ground: OptionGround) -> ToolOptions | None:
    """Return the options; None after an error."""
    typed = ground.reader.typed
    spot = params.take("rules")
    rules = [_rule(each, ground) for each in items(spot)] if spot is not None else []
    if spot is not None and not rules:
        typed.firm.refuse(spot, "a list of rules")
    allow = _decision(params.take("default_action"), ground)
    disallowed = params.take("on_disallowed_action")
    word = typed.firm.text(disallowed)
    if word is not None and disallowed is not None and word.lower() != "block":
        ground.error(
            "unknown-value",
            disallowed,
            f'"{word}" is not done here: a call with a tool that may not be is blocked',
            "Write block.",
        )
    return ToolOptions(
        rules=tuple(rule for rule in rules if rule is not None),
        allow=allow or False,
        message=typed.firm.text(params.take("violation_message_template")) or "",
    )


def _rule(spot: Spot, ground: OptionGround) -> ToolRule | None:
    section = as_section(spot, ground.reader.findings)
    if section is None:
        ground.error(
            "wrong-type", spot, "expected a rule", "Write {tool_name: ..., decision: ...}."
        )
        return None
    typed = ground.reader.typed.firm
    tool_spot = section.take("tool_name")
    tool = typed.text(tool_spot)
    kind_spot = section.take("tool_type")
    kind = typed.text(kind_spot)
    if kind is not None and kind_spot is not None and kind.lower() not in _TYPES:
        ground.error(
            "unknown-value",
            kind_spot,
            "rules for types of tools are not here: every tool counts as a function",
            "Write tool_name.",
        )
    if tool is None and kind is None:
        ground.error("missing-key", section, "names no tool", "Write tool_name.")
        return None
    named = typed.text(section.take("id"))
    allow = _decision(section.take("decision"), ground)
    if allow is None:
        ground.error(
            "missing-key", section, "does not say what holds", "Write decision: allow or deny."
        )
    arguments = _arguments(section.take("allowed_param_patterns"), ground)
    for left in section.left():
        ground.error("unknown-key", left, "is not read in a rule for tools")
    pattern = tool or ".*"
    if tool_spot is not None:
        _check(ground.facts.tool_pattern(pattern), tool_spot, ground)
    return ToolRule(
        id=named or f"rule {spot.key}", tool=pattern, allow=allow or False, arguments=arguments
    )


def _decision(spot: Spot | None, ground: OptionGround) -> bool | None:
    word = ground.reader.typed.firm.text(spot)
    if word is None or spot is None:
        return None
    if word.lower() not in ("allow", "deny"):
        ground.error("unknown-value", spot, f'"{word}" is no decision', "Write allow or deny.")
        return False
    return word.lower() == "allow"


def _arguments(spot: Spot | None, ground: OptionGround) -> tuple[tuple[str, str], ...]:
    pairs = ground.reader.typed.firm.pairs(spot)
    if spot is not None:
        for _, pattern in pairs:
            _check(pattern, spot, ground)
    return pairs


def _check(pattern: str, spot: Spot, ground: OptionGround) -> None:
    fault = ground.facts.pattern_fault(pattern)
    if fault:
        ground.error("bad-pattern", spot, fault)
