"""Reads guardrails: LiteLLM's list at the top of the file, and the older form below a section.

What all kinds share is read here: name, mode, whom it binds, what happens when it fails. The
options of a kind are `guard_options`' matter. An entry that cannot be understood is an error:
starting without it would leave calls unchecked that the file wants checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tiergate.config.findings import Severity
from tiergate.config.guard_options import OptionGround, read_options, stages_of
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader, Resolved, Sections
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.tree import ListNode, MapNode, to_json
from tiergate.config.typed import items
from tiergate.core.guard_plan import (
    ClassOptions,
    GuardPlan,
    Modes,
    OnError,
    Scope,
    Stage,
)

_STAGES: Final = {stage.value: stage for stage in Stage}
_ELSEWHERE: Final = frozenset(
    {"pre_mcp_call", "during_mcp_call", "post_mcp_call", "realtime_input_transcription"}
)
"""Modes of LiteLLM for doors that are not here."""

_NAME: Final = "a name"
_ERRORS: Final = {
    "block": OnError.BLOCK,
    "fail_closed": OnError.BLOCK,
    "allow": OnError.ALLOW,
    "fail_open": OnError.ALLOW,
}
_EXAMPLE: Final = "Write guardrail_name and litellm_params: {guardrail: KIND, mode: pre_call}."


def read_guards(
    top: Section, sections: Sections, ground: OptionGround, reader: Reader, check: KeyCheck
) -> tuple[GuardPlan, ...]:
    """Return the guards of a file, in its order.

    Args:
        top: The top of the file.
        sections: Its sections.
        ground: What options are read with.
        reader: Where findings and the report go.
        check: The table of keys, for what nobody reads.
    """
    reading = _Reading(ground, reader, check, _shared_scope(sections, reader))
    found: list[GuardPlan] = []
    for entry in _entries(top.take("guardrails"), reader):
        found += reading.entry(entry)
    names = {plan.name for plan in found}
    for entry in _entries(sections.litellm.take("guardrails"), reader):
        found += reading.old_entry(entry, names)
    for plan in found:
        modes = ", ".join(stage.value for stage in plan.modes.all)
        on = "every call" if plan.default_on else "calls that ask for it"
        text = f"{plan.kind}, {modes}, {on}, on error {plan.on_error.value}"
        reader.rows.append(Resolved(f"guardrail {plan.name}", text, str(plan.source)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the section says for all guards."""

    skip_system: bool
    skip_tools: bool


def _shared_scope(sections: Sections, reader: Reader) -> _Shared:
    take, flag = sections.litellm.take, reader.typed.flag
    return _Shared(
        skip_system=flag(take("skip_system_message_in_guardrail")) or False,
        skip_tools=flag(take("skip_tool_message_in_guardrail")) or False,
    )


def _entries(spot: Spot | None, reader: Reader) -> Iterable[Spot]:
    if spot is None or spot.unresolved:
        return ()
    if isinstance(spot.node, ListNode):
        return items(spot)
    reader.typed.firm.refuse(spot, "a list of guardrails", _EXAMPLE)
    return ()


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads entries; remembers nothing."""

    ground: OptionGround
    reader: Reader
    check: KeyCheck
    shared: _Shared

    # ------------------------------------------------------------------ LiteLLM's list

    def entry(self, spot: Spot) -> tuple[GuardPlan, ...]:
        """Read one entry of the list."""
        findings, typed = self.reader.findings, self.reader.typed
        section = as_section(spot, findings)
        if section is None:
            if not isinstance(spot.node, MapNode):
                findings.error("bad-guardrail", spot.at, "is no guardrail", _EXAMPLE)
            return ()
        name = typed.firm.name(section.take("guardrail_name"), _NAME)
        if name is None:
            self._missing(section, "guardrail_name")
        params_spot = section.take("litellm_params")
        params = as_section(params_spot, findings)
        info = section.take("guardrail_info")
        plan: GuardPlan | None = None
        if params is None:
            self._missing(section, "litellm_params")
        else:
            plan = self._plan(name or "?", params, spot)
            self.check.left(params)
        self.check.left(section)
        if plan is None or name is None or not self._named(name, section):
            return ()
        return (replace(plan, info=None if info is None else to_json(info.node)),)

    def _named(self, name: str, section: Section) -> bool:
        if name.isprintable() and "," not in name and len(name) <= 100:
            return True
        self.reader.findings.error(
            "bad-guardrail",
            (section.look("guardrail_name") or section).at,
            "is no name: it has a comma or a control character, or is longer than 100 characters",
        )
        return False

    def _missing(self, section: Section, key: str) -> None:
        self.reader.findings.error(
            "bad-guardrail", section.at, f"the guardrail has no {key}", _EXAMPLE
        )

    def _plan(self, name: str, params: Section, entry: Spot) -> GuardPlan | None:
        typed = self.reader.typed
        kind = params.take("guardrail")
        word = typed.firm.text(kind, "the kind of a guardrail")
        if word is None or kind is None:
            if kind is None:
                self._missing(params, "guardrail")
            return None
        modes = self._modes(params.take("mode"), params)
        default_on = typed.firm.flag(params.take("default_on")) or False
        on_error = self._on_error(params)
        timeout = typed.seconds(params.take("timeout"))
        template = params.take("violation_message_template")
        # The kind that fills in names of tools writes its own words.
        message = "" if word == "tool_permission" else typed.text(template) or ""
        scope = self._scope(params)
        options = self._options(kind, word, params, entry)
        if options is None or modes is None:
            return None
        self._check_stages(options, modes, params)
        return GuardPlan(
            name=name,
            kind=word,
            modes=modes,
            default_on=default_on,
            options=options,
            on_error=on_error,
            timeout=timeout or None,
            message=message,
            scope=scope,
            source=entry.position,
        )

    # ------------------------------------------------------------------ what kinds share

    def _options(self, kind: Spot, word: str, params: Section, entry: Spot) -> object | None:
        if not _is_class(word):
            return read_options(kind, params, self.ground)
        extra = {spot.key: to_json(spot.node) for spot in params.left()}
        for key in extra:
            params.take(key)
        folder = str(Path(entry.position.file).parent)
        return ClassOptions(word, folder, MappingProxyType(dict(extra)))

    def _check_stages(self, options: object, modes: Modes, params: Section) -> None:
        if isinstance(options, ClassOptions):
            return
        possible = stages_of(options)
        wrong = [stage.value for stage in modes.all if stage not in possible]
        spot = params.look("mode")
        if wrong and spot is not None:
            words = ", ".join(stage.value for stage in Stage if stage in possible)
            self.reader.findings.error(
                "bad-guardrail",
                spot.at,
                f"this kind of guardrail has nothing to look at in {', '.join(wrong)}",
                f"Write {words}.",
            )

    def _modes(self, spot: Spot | None, params: Section) -> Modes | None:
        if spot is None:
            self._missing(params, "mode")
            return None
        if not isinstance(spot.node, MapNode):
            stages = self._stages(spot)
            return None if stages is None else Modes(stages)
        section = Section(spot.path, spot.position, spot.node)
        default = section.take("default")
        usual = frozenset[Stage]() if default is None else self._stages(default)
        tags = as_section(section.take("tags"), self.reader.findings)
        by_tag: dict[str, frozenset[Stage]] = {}
        for tag in tags.all() if tags is not None else ():
            stages = self._stages(tag)
            if stages is not None:
                by_tag[tag.key] = stages
        self.check.left(section)
        if usual is None or (not usual and not by_tag):
            self.reader.findings.error(
                "bad-guardrail", spot.at, "names no mode", "Write tags: {TAG: pre_call}."
            )
            return None
        return Modes(usual, MappingProxyType(by_tag))

    def _stages(self, spot: Spot) -> frozenset[Stage] | None:
        found: list[Stage] = []
        words = self.reader.typed.firm.texts(spot, "a mode such as pre_call, or a list of these")
        for word in words:
            stage = _STAGES.get(word)
            if stage is not None:
                found.append(stage)
            elif word in _ELSEWHERE:
                self.reader.findings.idle(
                    Severity.WARNING,
                    "guardrail-mode-without-effect",
                    spot.at,
                    f"the mode {word} has no effect: there is no such door here",
                )
            else:
                self.reader.findings.error(
                    "unknown-value",
                    spot.at,
                    f'there is no mode "{word}"',
                    f"Write one of {', '.join(_STAGES)}.",
                )
                return None
        if not found:
            self.reader.findings.error(
                "bad-guardrail", spot.at, "names no mode that acts here", "Write pre_call."
            )
            return None
        return frozenset(found)

    def _on_error(self, params: Section) -> OnError:
        """Return what happens when the guard fails; LiteLLM has two more words for it."""
        typed = self.reader.typed.firm
        own = typed.choice(params.take("on_error"), ("block", "allow"))
        away = typed.choice(params.take("unreachable_fallback"), ("fail_closed", "fail_open"))
        fails = typed.flag(params.take("fail_on_error"))
        given = [_ERRORS[word] for word in (own, away) if word is not None]
        if fails is not None:
            given.append(OnError.BLOCK if fails else OnError.ALLOW)
        if len(set(given)) > 1:
            self.reader.findings.error(
                "conflicting-values",
                params.at,
                "on_error, unreachable_fallback and fail_on_error say different things",
                "Keep on_error.",
            )
        return given[0] if given else OnError.BLOCK

    def _scope(self, params: Section) -> Scope:
        flag, take = self.reader.typed.flag, params.take
        skip_system = flag(take("skip_system_message_in_guardrail"))
        skip_tools = flag(take("skip_tool_message_in_guardrail"))
        return Scope(
            skip_system=self.shared.skip_system if skip_system is None else skip_system,
            skip_tools=self.shared.skip_tools if skip_tools is None else skip_tools,
            only_tool_results=flag(take("scan_only_tool_results")) or False,
            only_new=flag(take("only_scan_new_messages")) or False,
        )

    # ------------------------------------------------------------------ the older form

    def old_entry(self, spot: Spot, taken: set[str]) -> tuple[GuardPlan, ...]:
        """Read one entry of the older form: `- NAME: {callbacks: [KIND], default_on: true}`."""
        section = as_section(spot, self.reader.findings)
        if section is None:
            return ()
        if section.look("guardrail_name") is not None:
            return self.entry(spot)
        found: list[GuardPlan] = []
        for named in section.all():
            inner = as_section(named, self.reader.findings)
            if inner is None:
                continue
            if named.key in taken:
                self.reader.findings.error(
                    "conflicting-values",
                    named.at,
                    "there is a guardrail of this name in guardrails: already",
                    "Keep one of the two.",
                )
            found += self._old(named, inner)
            self.check.left(inner)
        return tuple(found)

    def _old(self, named: Spot, inner: Section) -> Iterable[GuardPlan]:
        typed = self.reader.typed
        default_on = typed.firm.flag(inner.take("default_on")) or False
        later = typed.firm.flag(inner.take("logging_only")) or False
        modes = Modes(frozenset({Stage.LOGGING_ONLY if later else Stage.PRE_CALL}))
        roles = typed.texts(inner.take("enabled_roles"))
        callbacks = inner.take("callbacks")
        kinds = () if callbacks is None else items(callbacks)
        if not kinds:
            self.reader.findings.error(
                "bad-guardrail", named.at, "names no callbacks", "Write callbacks: [KIND]."
            )
        for kind in kinds:
            word = typed.firm.text(kind, "the kind of a guardrail")
            options = None if word is None else self._options(kind, word, inner, named)
            if word is None or options is None:
                continue
            self._check_stages(options, modes, inner)
            skips = bool(roles) and "system" not in roles
            yield GuardPlan(
                name=named.key,
                kind=word,
                modes=modes,
                default_on=default_on,
                options=options,
                scope=Scope(skip_system=skips or self.shared.skip_system),
                source=named.position,
            )


def _is_class(word: str) -> bool:
    """Tell whether a kind is a Python class: `module.Class`."""
    module, dot, name = word.rpartition(".")
    return bool(dot) and name.isidentifier() and module.replace(".", "_").isidentifier()
