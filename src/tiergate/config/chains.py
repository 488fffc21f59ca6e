"""Reads fallback chains: where a call goes when its alias fails, by kind of failure.

Targets that do not exist and chains that name their own alias are errors here; rings over
several aliases are looked for in `checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tiergate.base.values import AliasName
from tiergate.config.findings import At
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Spot
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import Entry, ListNode, MapNode, ScalarNode, kind_of
from tiergate.config.typed import items
from tiergate.core.catalog import ChainKind, Chains

CHAIN_KEYS: Final[Mapping[ChainKind, str]] = {
    ChainKind.GENERAL: "fallbacks",
    ChainKind.CONTEXT_WINDOW: "context_window_fallbacks",
    ChainKind.CONTENT_POLICY: "content_policy_fallbacks",
    ChainKind.BUDGET: "budget_fallbacks",
}
_EVERY: Final = "*"
_FORM: Final = "Write a list of `- alias: [target, target]`."


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a chain may use.

    Attributes:
        aliases: The aliases of `model_list`.
        others: Further names for them (`model_group_alias`).
    """

    aliases: frozenset[str]
    others: Mapping[str, AliasName]

    def alias(self, name: str) -> AliasName | None:
        """Return the alias that a name means, or None."""
        if name in self.aliases:
            return AliasName(name)
        return self.others.get(name)

    def suggest(self, name: str) -> str:
        """Return advice for a name that means nothing."""
        return did_you_mean(name, self.aliases | set(self.others)) or (
            f"The aliases are {', '.join(sorted(self.aliases)[:10])}." if self.aliases else ""
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One chain with its place."""

    kind: ChainKind
    alias: AliasName
    targets: tuple[AliasName, ...]
    at: At


def read_chains(
    sections: Sections, names: Names, reader: Reader
) -> tuple[Chains, tuple[Rule, ...]]:
    """Return all chains, and the rules they come from."""
    rules: list[Rule] = []
    default: tuple[AliasName, ...] = ()
    for kind, key in CHAIN_KEYS.items():
        spot = reader.pick(key, sections.router, sections.litellm)
        found, every = _rules(kind, spot, names, reader)
        rules += found
        if kind is ChainKind.GENERAL:
            default = every
    spot = reader.pick("default_fallbacks", sections.router, sections.litellm)
    named = _targets(spot, names, reader) if spot is not None else ()
    default = named or default
    if default:
        reader.show("router_settings.default_fallbacks", default, spot)
    by_kind = {
        kind: MappingProxyType({rule.alias: rule.targets for rule in rules if rule.kind is kind})
        for kind in ChainKind
    }
    chains = Chains(
        general=by_kind[ChainKind.GENERAL],
        context_window=by_kind[ChainKind.CONTEXT_WINDOW],
        content_policy=by_kind[ChainKind.CONTENT_POLICY],
        budget=by_kind[ChainKind.BUDGET],
        default=default,
    )
    return chains, tuple(rules)


def _rules(
    kind: ChainKind, spot: Spot | None, names: Names, reader: Reader
) -> tuple[list[Rule], tuple[AliasName, ...]]:
    """Return the rules of one list, and the targets of its `"*"` rule."""
    if spot is None or spot.empty or spot.unresolved:
        return [], ()
    if not isinstance(spot.node, ListNode):
        reader.findings.mistake(
            "wrong-type", spot.at, f"expected a list of rules, got {kind_of(spot.node)}", _FORM
        )
        return [], ()
    found: dict[AliasName, Rule] = {}
    every: tuple[AliasName, ...] = ()
    for item in items(spot):
        entry = _one_rule(item, reader)
        if entry is None:
            continue
        place = item.inside(entry.key, entry.position, entry.node)
        if entry.key == _EVERY:
            every = _targets(place, names, reader)
            continue
        rule = _rule(kind, place, names, reader)
        if rule is not None:
            _keep(rule, found, reader)
    return list(found.values()), every


def _one_rule(item: Spot, reader: Reader) -> Entry | None:
    if not isinstance(item.node, MapNode):
        if not item.unresolved:
            reader.findings.mistake(
                "wrong-type",
                item.at,
                f"expected `alias: [targets]`, got {kind_of(item.node)}",
                _FORM,
            )
        return None
    if len(item.node.entries) != 1:
        reader.findings.mistake(
            "wrong-type",
            item.at,
            f"has {len(item.node.entries)} keys where one alias is expected",
            "Write one list item for each alias.",
        )
        return None
    return item.node.entries[0]


def _rule(kind: ChainKind, place: Spot, names: Names, reader: Reader) -> Rule | None:
    alias = names.alias(place.key)
    targets = _targets(place, names, reader)
    if alias is None:
        reader.findings.error(
            "unknown-alias",
            place.at,
            f'there is no alias "{place.key}"',
            names.suggest(place.key),
        )
        return None
    if alias in targets:
        reader.findings.error(
            "fallback-to-itself",
            place.at,
            f'the chain of "{alias}" leads back to itself',
            "Remove the alias from its own chain; retries are set by num_retries.",
        )
    return Rule(kind, alias, tuple(t for t in targets if t != alias), place.at)


def _targets(place: Spot, names: Names, reader: Reader) -> tuple[AliasName, ...]:
    if place.unresolved:
        return ()
    if not isinstance(place.node, ListNode):
        text = place.node.text if isinstance(place.node, ScalarNode) else ""
        reader.findings.mistake(
            "wrong-type",
            place.at,
            f"expected a list of aliases, got {kind_of(place.node)}",
            f"Write [{text}]." if text and text in names.aliases else "Write [alias, alias].",
        )
        return ()
    found: list[AliasName] = []
    for item in items(place):
        name = reader.typed.name(item, "an alias")
        target = None if name is None else names.alias(name)
        if name is not None and target is None:
            reader.findings.error(
                "unknown-alias", item.at, f'there is no alias "{name}"', names.suggest(name)
            )
        elif target in found:
            reader.findings.notice(
                "repeated-value", item.at, f'"{name}" is named twice; it is tried once'
            )
        elif target is not None:
            found.append(target)
    return tuple(found)


def _keep(rule: Rule, found: dict[AliasName, Rule], reader: Reader) -> None:
    before = found.get(rule.alias)
    if before is None:
        found[rule.alias] = rule
    elif before.targets == rule.targets:
        reader.findings.notice(
            "repeated-value",
            rule.at,
            f"is given twice with the same targets, also at {before.at.position}",
        )
    else:
        reader.findings.error(
            "conflicting-values",
            rule.at,
            f"has other targets than at {before.at.position}",
            "Keep one of the two rules.",
        )
