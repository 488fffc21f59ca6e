"""Reads budgets: the whole gateway, aliases, providers, deployments, tags, each ticket and user.

Decides where `1m` is a month: at the top of the file, which is the page's own place and where
LiteLLM reads nothing. Whether the sums of several budgets can hold is looked at in `checks`.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, replace
from typing import Final

from tiergate.config.caps import Cap, CapReader, show_cap
from tiergate.config.chains import Names
from tiergate.config.deployment import ModelEntry
from tiergate.config.durations import Window
from tiergate.config.each_budgets import Each, read_each
from tiergate.config.findings import At
from tiergate.config.hosts import Hosts
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.tree import MapNode
from tiergate.core.catalog import BudgetRule, OnStoreFailure, ScopeKind

GATEWAY: Final = "gateway"


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget with the place of its limit."""

    rule: BudgetRule
    at: At


@dataclass(frozen=True, slots=True)
class BudgetsRead:
    """All budgets of a file.

    Attributes:
        named: Of one alias, provider, deployment, tag, or of the gateway.
        each: For every name of a kind.
    """

    named: tuple[Budget, ...]
    each: tuple[Each, ...]


@dataclass(slots=True)
class BudgetReader:
    """Reads all budgets of a file. One per `load`."""

    sections: Sections
    reader: Reader
    caps: CapReader
    names: Names
    hosts: Hosts
    on_failure: OnStoreFailure
    _found: dict[tuple[ScopeKind, str], Budget]

    @staticmethod
    def of(
        sections: Sections,
        reader: Reader,
        check: KeyCheck,
        names: Names,
        hosts: Hosts,
        on_failure: OnStoreFailure,
    ) -> BudgetReader:
        """Return a reader that has read nothing yet.

        Args:
            sections: The sections of the file.
            reader: Where findings and the report go.
            check: Reports keys that nobody reads.
            names: The aliases.
            hosts: The providers.
            on_failure: What a budget does that does not say, while its store is down.
        """
        caps = CapReader(reader, check)
        return BudgetReader(sections, reader, caps, names, hosts, on_failure, {})

    def read(self, entries: tuple[ModelEntry, ...]) -> BudgetsRead:
        """Return every budget, each scope and name once.

        Args:
            entries: The deployments, which may have budgets of their own.
        """
        general = self._gateway()
        places = (
            (self.sections.top, True),
            (self.sections.router, False),
            (self.sections.litellm, False),
        )
        for place, is_top in places:
            self._aliases(place, general, m_is_month=is_top)
        for place, is_top in places:
            self._providers(place, m_is_month=is_top)
        for entry in entries:
            self._deployment(entry)
        self._tags()
        for budget in self._found.values():
            rule = budget.rule
            self.reader.show(
                _place_of(rule),
                show_cap(rule.limit, Window(rule.window, rule.period), rule.on_store_failure),
                Spot((), budget.at.position, MapNode((), budget.at.position)),
            )
        each = read_each(self.sections, self.reader, self.caps, general, self.on_failure)
        return BudgetsRead(tuple(self._found.values()), each)

    def timezone(self) -> str:
        """Return the time zone in which calendar windows begin."""
        spot = self.sections.general.take("budget_timezone")
        other = self.sections.litellm.take("timezone")
        name, other_name = self.reader.typed.text(spot), self.reader.typed.text(other)
        if name and other_name and other is not None and name != other_name:
            self.reader.findings.error(
                "conflicting-values",
                other.at,
                "is another time zone than general_settings.budget_timezone",
                "Keep one of the two.",
            )
        chosen = spot or other
        zone = name or other_name or "UTC"
        if chosen is not None and not _zone_exists(zone):
            self.reader.findings.error(
                "unknown-value",
                chosen.at,
                f'"{zone}" is not a known time zone',
                "Write an IANA name such as UTC or Europe/Berlin.",
            )
        self.reader.show("general_settings.budget_timezone", zone, chosen)
        return zone

    def _gateway(self) -> Cap:
        """Read the cap of the gateway; its window is that of plain alias budgets too."""
        litellm = self.sections.litellm
        limit, duration = litellm.take("max_budget"), litellm.take("budget_duration")
        cap = self.caps.plain(limit, duration)
        self._add(ScopeKind.GATEWAY, GATEWAY, cap)
        return cap

    def _aliases(self, place: Section, general: Cap, *, m_is_month: bool) -> None:
        section = as_section(place.take("model_max_budget"), self.reader.findings)
        for spot in section.all() if section else ():
            alias = self.names.alias(spot.key)
            if alias is None:
                self.reader.findings.error(
                    "unknown-alias",
                    spot.at,
                    f'there is no alias "{spot.key}"',
                    self.names.suggest(spot.key),
                )
                continue
            if isinstance(spot.node, MapNode):
                cap = self.caps.mapping(spot, m_is_month=m_is_month)
            else:
                cap = self.caps.plain(spot, None)
            if not cap.windowed:
                cap = replace(cap, window=general.window, windowed=general.windowed)
            self._add(ScopeKind.ALIAS, alias, cap)

    def _providers(self, place: Section, *, m_is_month: bool) -> None:
        section = as_section(place.take("provider_budget_config"), self.reader.findings)
        for spot in section.all() if section else ():
            provider = self.hosts.canonical(spot.key)
            if provider is None:
                near = self.hosts.nearest(spot.key)
                self.reader.findings.error(
                    "unknown-provider",
                    spot.at,
                    f'there is no provider "{spot.key}"',
                    f"Did you mean `{near[0]}`?" if near else "",
                )
                continue
            self._add(ScopeKind.PROVIDER, provider, self.caps.mapping(spot, m_is_month=m_is_month))

    def _tags(self) -> None:
        """Read the caps of tags. LiteLLM reads them under `litellm_settings` only."""
        spot = self.sections.litellm.take("tag_budget_config")
        section = as_section(spot, self.reader.findings)
        for tag in section.all() if section else ():
            self._add(ScopeKind.TAG, tag.key, self.caps.mapping(tag, m_is_month=False))

    def _deployment(self, entry: ModelEntry) -> None:
        made, at = entry.deployment, entry.budget_at
        if made.max_budget is None or at is None:
            return
        spot = Spot((at.path,), at.position, MapNode((), at.position))
        cap = Cap(spot, made.max_budget, entry.window, entry.windowed, entry.on_store_failure)
        self._add(ScopeKind.DEPLOYMENT, made.id, cap)

    def _add(self, scope: ScopeKind, name: str, cap: Cap) -> None:
        """Keep a budget; the same scope and name may be given again with the same meaning."""
        spot, limit = cap.spot, cap.limit
        if spot is None or limit is None:
            return
        window = self.caps.window_of(cap, spot)
        rule = BudgetRule(
            scope=scope,
            name=name,
            limit=limit,
            window=window.text,
            period=window.period,
            source=spot.position,
            on_store_failure=cap.on_failure or self.on_failure,
        )
        before = self._found.get((scope, name))
        if before is None:
            self._found[(scope, name)] = Budget(rule, spot.at)
        elif replace(before.rule, source=rule.source, window=rule.window) == rule:
            self.reader.findings.notice(
                "repeated-value",
                spot.at,
                f"is given twice with the same value, also at {before.at.position}",
            )
        else:
            self.reader.findings.error(
                "conflicting-values",
                spot.at,
                "has another limit, window or on_store_failure than "
                f"{before.at.path} at {before.at.position}",
                "Keep one of the two.",
            )


def _place_of(rule: BudgetRule) -> str:
    if rule.scope is ScopeKind.GATEWAY:
        return "budget of the gateway"
    return f"budget of {rule.scope.value} {rule.name}"


def _zone_exists(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
