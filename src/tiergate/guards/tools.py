"""Says which tools may be called, and with which arguments (`tool_permission`).

Before the call it looks at the tools that a request offers; at the answer, at the calls that the
model makes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import regex

from tiergate.core.guard_options import ToolOptions, ToolRule
from tiergate.core.guard_plan import Stage
from tiergate.guards.matching import compiled
from tiergate.ports.guarding import CLEAN, GuardError, Occasion, Passage, Place, Verdict

_SECONDS: Final = 0.1
"""How long one pattern may take with one argument."""
_INDEX: Final = re.compile(r"\[\d+\]")
_ARGUMENTS: Final = ".arguments"


@dataclass(frozen=True, slots=True)
class _Rule:
    rule: ToolRule
    tool: regex.Pattern[str]
    arguments: tuple[tuple[str, regex.Pattern[str]], ...]


class ToolGuard:
    """Implements `ports.guarding.Guard` for calls of tools.

    Args:
        options: The rules.

    Raises:
        BadPatternError: A rule has a pattern that cannot be used.
    """

    window = 1
    restores = False

    def __init__(self, options: ToolOptions) -> None:
        self._options = options
        self._rules = tuple(
            _Rule(
                rule,
                compiled(tool_pattern(rule.tool)),
                tuple((path, compiled(pattern)) for path, pattern in rule.arguments),
            )
            for rule in options.rules
        )

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Return whether a tool is offered or called that may not be.

        Raises:
            GuardError: A pattern for an argument took too long.
        """
        if occasion.stage in (Stage.PRE_CALL, Stage.DURING_CALL):
            for tool in occasion.tools:
                said = self._said_of(tool)
                if said:
                    return Verdict(blocked=said)
            return CLEAN
        for passage in passages:
            if passage.place is Place.TOOL_ARGUMENTS and passage.tool:
                said = self._said_of(passage.tool) or self._said_of_argument(passage)
                if said:
                    return Verdict(blocked=said)
        return CLEAN

    def _rule_of(self, tool: str) -> _Rule | None:
        return next((each for each in self._rules if each.tool.fullmatch(tool)), None)

    def _said_of(self, tool: str) -> str:
        found = self._rule_of(tool)
        if found.rule.allow if found is not None else self._options.allow:
            return ""
        if found is None:
            return self._told(tool, "", f"Tool '{tool}' denied by default action")
        return self._told(tool, found.rule.id, f"Tool '{tool}' denied by rule '{found.rule.id}'")

    def _said_of_argument(self, passage: Passage) -> str:
        found = self._rule_of(passage.tool)
        if found is None or not found.arguments:
            return ""
        _, inside, place = passage.path.partition(_ARGUMENTS)
        path = _INDEX.sub("[]", place.removeprefix(".")) if inside else ""
        for wanted, pattern in found.arguments:
            if wanted != path:
                continue
            try:
                good = pattern.fullmatch(passage.text, timeout=_SECONDS)
            except TimeoutError:
                raise GuardError(
                    f"the pattern for {wanted} of the rule {found.rule.id} took longer than "
                    f"{_SECONDS:g} s; simplify it"
                ) from None
            if good is None:
                return self._told(
                    passage.tool,
                    found.rule.id,
                    f"Tool '{passage.tool}' denied: argument {wanted} is not as the rule "
                    f"'{found.rule.id}' allows",
                )
        return ""

    def _told(self, tool: str, rule: str, usual: str) -> str:
        if not self._options.message:
            return usual
        return (
            self._options.message.replace("{tool_name}", tool)
            .replace("{rule_id}", rule or "None")
            .replace("{default_message}", usual)
        )


def tool_pattern(text: str) -> str:
    """Return the regular expression for a tool's whole name.

    LiteLLM's documentation has both forms: `mcp__github_*`, where `*` stands for anything, and a
    regular expression such as `^mcp__github_.*$`. A text whose only special sign is `*` behind
    something else than a full stop is of the first form.
    """
    rough = re.fullmatch(r"[\w*/:-]+", text) and ".*" not in text
    return ".*".join(re.escape(part) for part in text.split("*")) if rough else text
