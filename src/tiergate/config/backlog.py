"""Reads `llmOps` of `backlog.config.json`: phases, escalations and token limits.

Other parts of that file belong to the backlog toolkit and are left alone. Every path of `llmOps`
acts, or is reported by name as not acting. Where the file and the gateway's YAML speak of one
thing, the YAML wins (`backlog_check`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tiergate.base.values import AliasName, Position
from tiergate.config.backlog_cache import check_cache
from tiergate.config.backlog_check import (
    Against,
    check_address,
    check_conflicts,
    check_key,
)
from tiergate.config.backlog_idle import ACTING, say_idle, say_unknown
from tiergate.config.backlog_meaning import check_meaning
from tiergate.config.backlog_prompts import check_prompts
from tiergate.config.backlog_text import parse_json
from tiergate.config.chains import Names
from tiergate.config.findings import At, Findings
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.config.source import read_text
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import MapNode, ScalarNode, kind_of, same
from tiergate.core.phases import (
    AUTO,
    EscalationPolicy,
    PhasePolicy,
    TooLong,
    WorkPolicy,
    fold_phase,
    shown_phase,
)

FILE_NAME: Final = "backlog.config.json"
SECTION: Final = "llmOps"
ENTRY: Final = "entryModel"
"""`entryModelDraft` names the alias of the phase `draft`."""

_STRATEGY: Final = "contextWindowStrategy"
_EMPTY: Final = ScalarNode("", "", Position("", 0))
_CLIENT_STRATEGIES: Final = ("summarize", "rag-augment")
"""What the toolkit does itself, before it calls: a gateway can only refuse or cut."""


def find_backlog(configs: tuple[str, ...], named: Path | None) -> Path | None:
    """Return the file to read: the one named, else `backlog.config.json` beside the configuration.

    Args:
        configs: The configuration files that were read, the first one first.
        named: `--backlog`.
    """
    place = backlog_place(configs, named)
    return place if place is not None and (named is not None or place.is_file()) else None


def backlog_place(configs: Sequence[str | Path], named: Path | None) -> Path | None:
    """Return where the file is or would be; None where nothing says it.

    Args:
        configs: The configuration files, the first one first.
        named: `--backlog`.
    """
    if named is not None:
        return named
    return Path(configs[0]).parent / FILE_NAME if configs else None


def read_ops(path: Path, findings: Findings) -> Section | None:
    """Read a file and open its `llmOps`; None where there is none, or after a finding."""
    name = str(path)
    text = read_text(path, At("", Position(name, 0)), findings)
    root = parse_json(text, name, findings) if text is not None else None
    if root is None:
        return None
    if not isinstance(root, MapNode):
        findings.error(
            "wrong-type", At("", root.position), f"expected an object, got {kind_of(root)}"
        )
        return None
    top = Section((), root.position, root)
    if top.look(SECTION) is None:
        near = did_you_mean(SECTION, [entry.key for entry in root.entries])
        findings.notice("no-llm-ops", At(SECTION, root.position), "is not there", near)
        return None
    return top.section(SECTION, findings)


def read_policy(ops: Section, names: Names, reader: Reader, against: Against) -> WorkPolicy:
    """Return what `llmOps` means; report everything in it that does not act.

    Args:
        ops: The section.
        names: The aliases of the configuration.
        reader: Where findings and the report go.
        against: What the file is compared with.
    """
    policy = _BacklogReader(ops, names, reader, against).policy()
    cache_policy = ops.section("cachePolicy", reader.findings)
    check_cache(cache_policy, reader)
    check_meaning(cache_policy, reader)
    check_prompts(cache_policy, reader)
    say_idle(ops, reader)
    check_conflicts(ops.look("cachePolicy"), against, reader.findings)
    return policy


class _BacklogReader:
    def __init__(self, ops: Section, names: Names, reader: Reader, against: Against) -> None:
        self._names = names
        self._against = against
        self._reader = reader
        self._findings = reader.findings
        self._typed = reader.typed
        self._routing = ops.section("routing", reader.findings)
        self._gateway = ops.section("gateway", reader.findings)
        self._tokens = ops.section("tokenPolicy", reader.findings)

    def policy(self) -> WorkPolicy:
        phases: dict[str, PhasePolicy] = {}
        entry_spot = self._routing.take(ENTRY)
        entry = self._alias(entry_spot)
        if entry is not None:
            self._reader.show(f"{SECTION}.routing.{ENTRY}", entry, entry_spot)
        for spot in self._routing.left():
            if spot.key.startswith(ENTRY):
                self._entry(spot, phases)
        self._limits("maxInputByPhase", phases)
        self._limits("maxOutputByPhase", phases)
        escalation = self._escalation()
        too_long = self._too_long()
        self._compare()
        for section in (self._routing, self._tokens, self._gateway):
            for spot in section.left():
                say_unknown(spot, self._reader, ACTING[str(section.path[-1])])
        entered = entry is not None or any(each.alias is not None for each in phases.values())
        return WorkPolicy(
            phases=MappingProxyType(phases),
            entry=entry,
            auto=entered and not self._auto_is_taken(),
            too_long=too_long,
            escalation=escalation,
        )

    def _compare(self) -> None:
        """Hold the toolkit's address and key against the gateway's own."""
        address, key = self._gateway.take("baseURL"), self._gateway.take("apiKeyEnv")
        for spot in (address, key):
            if spot is None or not same(spot.node, _EMPTY):  # the toolkit's own default is empty
                self._typed.text(spot)
        check_address(address, self._against, self._findings)
        check_key(key, self._against, self._findings)

    # ------------------------------------------------------------------ routing

    def _entry(self, spot: Spot, phases: dict[str, PhasePolicy]) -> None:
        taken = self._routing.take(spot.key)
        name = shown_phase(spot.key.removeprefix(ENTRY))
        folded = fold_phase(name)
        if not folded or taken is None:
            return
        if folded in phases:
            self._findings.mistake(
                "repeated-key",
                spot.at,
                f"names the phase {name} a second time",
                "Upper case, - and _ make no difference in the name of a phase.",
            )
            return
        alias = self._alias(taken)
        if alias is not None:
            phases[folded] = PhasePolicy(name=name, alias=alias)
            self._reader.show(taken.at.path, alias, taken)

    def _alias(self, spot: Spot | None) -> AliasName | None:
        """Return an alias of the configuration; one that is not there is an error."""
        text = self._typed.text(spot, "the name of an alias")
        if text is None or spot is None:
            return None
        alias = self._names.alias(text)
        if alias is None:
            self._findings.error(
                "unknown-alias",
                spot.at,
                f"`{text}` is no alias of the configuration",
                self._names.suggest(text),
            )
        return alias

    def _auto_is_taken(self) -> bool:
        """Tell whether the configuration has an alias `auto`; then that one is meant."""
        if self._names.alias(AUTO) is None:
            return False
        self._findings.warning(
            "conflicting-files",
            self._routing.at,
            "would let requests for the model `auto` be routed by phase, and the gateway's "
            "configuration has an alias `auto`, which wins",
            "Rename that alias in model_list.",
        )
        return True

    def _escalation(self) -> EscalationPolicy | None:
        alias_spot = self._routing.take("escalationModel")
        limit_spot = self._routing.take("maxEscalationsPerTicket")
        reason_spot = self._gateway.take("requireEscalationReason")
        alias = self._alias(alias_spot)
        limit = self._typed.firm.whole(limit_spot)
        required = self._typed.firm.flag(reason_spot) or False
        self._reader.show("llmOps.routing.escalationModel", alias, alias_spot)
        if alias_spot is None:
            for spot in (limit_spot, reason_spot if required else None):
                if spot is not None:
                    self._findings.mistake(
                        "no-escalation-model",
                        spot.at,
                        "limits nothing, since no escalation alias is named",
                        "Add llmOps.routing.escalationModel.",
                    )
            return None
        if alias is None:
            return None
        if limit is not None and limit_spot is not None and self._against.in_memory:
            self._findings.warning(
                "escalations-in-memory",
                limit_spot.at,
                "limits escalations, and they are counted in the memory of the process: a restart "
                "forgets them, and several gateways count apart",
                'Take state_dir: ":memory:" out of the configuration.',
            )
        none = "none: escalations are not counted"
        self._reader.show(
            "llmOps.routing.maxEscalationsPerTicket",
            limit,
            limit_spot,
            text=none if limit is None else "",
        )
        self._reader.show("llmOps.gateway.requireEscalationReason", required, reason_spot)
        return EscalationPolicy(alias=alias, limit=limit, reason_required=required)

    # ------------------------------------------------------------------ tokens

    def _limits(self, key: str, phases: dict[str, PhasePolicy]) -> None:
        seen: set[str] = set()
        for spot in self._tokens.section(key, self._findings).all():
            folded = fold_phase(spot.key)
            if not folded or folded in seen:
                self._findings.mistake(
                    "repeated-key", spot.at, "names no phase, or one that was named already"
                )
                continue
            seen.add(folded)
            most = self._typed.firm.whole(spot, least=1)
            if most is None:
                continue
            phase = phases.get(folded, PhasePolicy(name=spot.key))
            phases[folded] = _limited(phase, key, most)
            self._reader.show(f"llmOps.tokenPolicy.{key}.{spot.key}", most, spot)

    def _too_long(self) -> TooLong:
        spot = self._tokens.take(_STRATEGY)
        word = self._typed.text(spot)
        if word in _CLIENT_STRATEGIES and spot is not None:
            self._findings.notice(
                "no-effect",
                spot.at,
                f'"{word}" is what the toolkit does before it calls; the gateway refuses a prompt '
                "that is longer than maxInputByPhase",
                f'Write "{TooLong.TRUNCATE_OLDEST.value}" to have it cut instead.',
            )
            return TooLong.REFUSE
        known = tuple(each.value for each in TooLong)
        if word is None or word not in known:
            self._typed.choice(spot, (*known, *_CLIENT_STRATEGIES))
            return TooLong.REFUSE
        self._reader.show(f"llmOps.tokenPolicy.{_STRATEGY}", word, spot)
        return TooLong(word)


def _limited(phase: PhasePolicy, key: str, most: int) -> PhasePolicy:
    taken_in = key == "maxInputByPhase"
    return PhasePolicy(
        name=phase.name,
        alias=phase.alias,
        max_input=most if taken_in else phase.max_input,
        max_output=phase.max_output if taken_in else most,
    )
