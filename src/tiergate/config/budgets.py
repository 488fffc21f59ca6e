"""Reads budgets: the whole gateway, aliases, providers, deployments, and the window of each.

Decides where `1m` is a month: at the top of the file, which is the page's own place and where
LiteLLM reads nothing. Whether the sums of several budgets can hold is looked at in `checks`.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, replace
from typing import Final

from tiergate.base.money import format_usd
from tiergate.base.values import NanoUsd
from tiergate.config.chains import Names
from tiergate.config.deployment import ModelEntry
from tiergate.config.durations import NO_WINDOW, Window
from tiergate.config.findings import At
from tiergate.config.hosts import Hosts
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.tree import MapNode
from tiergate.core.catalog import BudgetRule, ScopeKind

GATEWAY: Final = "gateway"


def show_usd(amount: int) -> str:
    """Return nano-USD as people write dollars: `1200 USD`, `0.0015 USD`."""
    return f"{format_usd(amount)} USD"


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget with the place of its limit."""

    rule: BudgetRule
    at: At


@dataclass(frozen=True, slots=True)
class _Cap:
    """A limit with its window as they are written; `windowed` when a window is given at all."""

    spot: Spot | None
    limit: NanoUsd | None
    window: Window | None
    windowed: bool


@dataclass(slots=True)
class BudgetReader:
    """Reads all budgets of a file. One per `load`."""

    sections: Sections
    reader: Reader
    check: KeyCheck
    names: Names
    hosts: Hosts
    _found: dict[tuple[ScopeKind, str], Budget]

    @staticmethod
    def of(
        sections: Sections, reader: Reader, check: KeyCheck, names: Names, hosts: Hosts
    ) -> BudgetReader:
        """Return a reader that has read nothing yet."""
        return BudgetReader(sections, reader, check, names, hosts, {})

    def read(self, entries: tuple[ModelEntry, ...]) -> tuple[Budget, ...]:
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
        for budget in self._found.values():
            self.reader.show(
                _place_of(budget.rule),
                f"{show_usd(budget.rule.limit)}, {_meaning(budget.rule)}",
                Spot((), budget.at.position, MapNode((), budget.at.position)),
            )
        return tuple(self._found.values())

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

    def _gateway(self) -> _Cap:
        """Read the cap of the gateway; its window is that of plain alias budgets too."""
        litellm = self.sections.litellm
        limit, duration = litellm.take("max_budget"), litellm.take("budget_duration")
        cap = self._cap(limit, duration, m_is_month=False)
        self._add(ScopeKind.GATEWAY, GATEWAY, cap)
        return cap

    def _aliases(self, place: Section, general: _Cap, *, m_is_month: bool) -> None:
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
                cap = self._mapping(spot, m_is_month=m_is_month)
            else:
                cap = _Cap(spot, self.reader.typed.usd(spot), None, windowed=False)
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
            self._add(ScopeKind.PROVIDER, provider, self._mapping(spot, m_is_month=m_is_month))

    def _mapping(self, spot: Spot, *, m_is_month: bool) -> _Cap:
        """Read a `{budget_limit, time_period}` mapping, under either of LiteLLM's names."""
        section = as_section(spot, self.reader.findings)
        if section is None:
            return _Cap(None, None, None, windowed=False)
        limit = section.take_first("budget_limit", "max_budget")
        duration = section.take_first("time_period", "budget_duration")
        cap = self._cap(limit, duration, m_is_month=m_is_month)
        self.check.left(section)
        if limit is None:
            self.reader.findings.warning(
                "no-limit",
                spot.at,
                "has no budget_limit, so there is no cap",
                "Write budget_limit: USD.",
            )
        return cap

    def _cap(self, limit: Spot | None, duration: Spot | None, *, m_is_month: bool) -> _Cap:
        return _Cap(
            limit,
            self.reader.typed.usd(limit),
            self._window(duration, m_is_month=m_is_month),
            windowed=duration is not None,
        )

    def _deployment(self, entry: ModelEntry) -> None:
        made, at = entry.deployment, entry.budget_at
        if made.max_budget is None or at is None:
            return
        spot = Spot((at.path,), at.position, MapNode((), at.position))
        cap = _Cap(spot, made.max_budget, entry.window, windowed=entry.windowed)
        self._add(ScopeKind.DEPLOYMENT, made.id, cap)

    def _window(self, spot: Spot | None, *, m_is_month: bool) -> Window | None:
        window = self.reader.typed.window(spot, m_is_month=m_is_month)
        if window is None or spot is None:
            return window
        if window.month_by_m:
            self.reader.findings.warning(
                "month-by-m",
                spot.at,
                "1m is read as one calendar month at this place",
                "Write 1mo, which means a month everywhere.",
            )
        elif window.minute_by_m:
            self.reader.findings.warning(
                "minute-by-m",
                spot.at,
                f"{window.text} is read as {window.meaning}",
                "A month is 1mo; a minute is better written as 1min.",
            )
        return window

    def _add(self, scope: ScopeKind, name: str, cap: _Cap) -> None:
        """Keep a budget; the same scope and name may be given again with the same meaning."""
        spot, limit = cap.spot, cap.limit
        if spot is None or limit is None:
            return
        if not cap.windowed:
            self.reader.findings.warning(
                "no-window",
                spot.at,
                "has no window, so it is a total that never starts anew",
                "Write budget_duration (or time_period), such as monthly.",
            )
        window = cap.window or NO_WINDOW
        rule = BudgetRule(
            scope=scope,
            name=name,
            limit=limit,
            window=window.text,
            period=window.period,
            source=spot.position,
        )
        before = self._found.get((scope, name))
        if before is None:
            self._found[(scope, name)] = Budget(rule, spot.at)
        elif (before.rule.limit, before.rule.period) == (limit, window.period):
            self.reader.findings.notice(
                "repeated-value",
                spot.at,
                f"is given twice with the same value, also at {before.at.position}",
            )
        else:
            self.reader.findings.error(
                "conflicting-values",
                spot.at,
                f"has another limit or window than {before.at.path} at {before.at.position}",
                "Keep one of the two.",
            )


def _meaning(rule: BudgetRule) -> str:
    return Window(rule.window, rule.period).meaning


def _place_of(rule: BudgetRule) -> str:
    match rule.scope:
        case ScopeKind.GATEWAY:
            return "budget of the gateway"
        case ScopeKind.ALIAS:
            return f"budget of alias {rule.name}"
        case ScopeKind.PROVIDER:
            return f"budget of provider {rule.name}"
        case ScopeKind.DEPLOYMENT:
            return f"budget of deployment {rule.name}"


def _zone_exists(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
