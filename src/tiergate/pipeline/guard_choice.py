"""Which guards a request passes: those that bind everybody, its key's, and those it asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tiergate.core.guard_plan import Stage, unknown_names
from tiergate.pipeline.guard_checks import Installed
from tiergate.pipeline.guard_words import APPLIED, gone
from tiergate.ports import Inbound
from tiergate.ports.guarding import Occasion


@dataclass(frozen=True, slots=True)
class Chosen:
    """The guards of one request.

    Attributes:
        by_stage: In the order of the file.
        names: Of all of them.
    """

    by_stage: Mapping[Stage, tuple[Installed, ...]]
    names: tuple[str, ...]

    def at(self, stage: Stage) -> tuple[Installed, ...]:
        """Return the guards of a stage."""
        return self.by_stage.get(stage, ())

    @property
    def header(self) -> tuple[str, str]:
        """The response header that names them."""
        return (APPLIED, ",".join(name for name in self.names if name.isascii()))


def choose(installed: Sequence[Installed], inbound: Inbound, known: Collection[str]) -> Chosen:
    """Return the guards of a request.

    Args:
        installed: All guards.
        inbound: The request; the names that it asks for are known ones.
        known: The names of all guards.

    Raises:
        Refused: Its key demands one that there is not.
    """
    caller = inbound.caller
    missing = unknown_names(caller.guardrails, known) if caller.guardrails else ()
    if missing:
        raise gone(missing)
    by_stage: dict[Stage, list[Installed]] = {}
    names: list[str] = []
    for each in installed:
        plan = each.plan
        name = plan.name
        if plan.default_on or name in inbound.guardrails or name in caller.guardrails:
            stages = plan.modes.of(inbound.tags, caller.tags)
            for stage in stages:
                by_stage.setdefault(stage, []).append(each)
            if stages:
                names.append(name)
    return Chosen({stage: tuple(found) for stage, found in by_stage.items()}, tuple(names))


def occasion_of(
    inbound: Inbound, tokens: int, *, tools: bool, headers: Collection[str] = ()
) -> Occasion:
    """Return a request as guards see it, before its call.

    Args:
        inbound: The request.
        tokens: An estimate of its prompt's; 0 where no guard asks.
        tools: Whether a guard asks which tools it offers.
        headers: Names of the headers that guards pass on.
    """
    given = inbound.headers
    return Occasion(
        call_id=inbound.call_id,
        alias=inbound.alias,
        dialect=inbound.dialect,
        stage=Stage.PRE_CALL,
        caller=inbound.caller,
        user=inbound.user,
        tags=inbound.tags,
        prompt_tokens=tokens,
        tools=_tools(inbound) if tools else (),
        headers=tuple((name, given[name]) for name in headers if name in given),
    )


def _tools(inbound: Inbound) -> tuple[str, ...]:
    tools = inbound.members.get("tools") if "tools" in inbound.members else None
    found: list[str] = []
    for tool in tools if isinstance(tools, list) else []:
        function = tool.get("function") if isinstance(tool, dict) else None
        holder = function if isinstance(function, dict) else tool
        name = holder.get("name") if isinstance(holder, dict) else None
        if isinstance(name, str):
            found.append(name)
    return tuple(found)
