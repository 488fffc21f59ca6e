"""Writes what `tiergate check` says: a page for people, an object for programs.

The object's form is documented in `docs/reference/configuration.md`; members are only added.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import click

from tiergate.base.jsontypes import JsonObject
from tiergate.config.findings import Finding, Severity
from tiergate.config.keydocs import verdict_words
from tiergate.config.keytable import KeyEntry
from tiergate.config.load import Loaded
from tiergate.core.catalog import ChainKind, Chains, Deployment, Settings

FORMAT: Final = 1
"""The version of the JSON form."""

_MOST_EXPLAINED: Final = 12
_COLORS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def json_report(loaded: Loaded) -> JsonObject:
    """Return the report as a JSON object."""
    settings = loaded.settings or loaded.draft
    return {
        "format": FORMAT,
        "ok": loaded.settings is not None,
        "files": list(loaded.files),
        "counts": {severity.value: _count(loaded, severity) for severity in Severity},
        "findings": [_finding(each) for each in loaded.findings],
        "deployments": [_deployment(each, loaded) for each in _deployments(settings)],
        "fallbacks": _fallbacks(settings.router.chains) if settings else {},
        "settings": [
            {"key": row.path, "value": row.value, "origin": row.origin} for row in loaded.report
        ],
    }


def text_report(loaded: Loaded, *, color: bool = False) -> str:
    """Return the report as a page of text."""
    settings = loaded.settings or loaded.draft
    parts: list[str] = []
    if settings is not None and settings.deployments:
        parts.append(_section("Aliases", _alias_lines(settings, loaded)))
        chains = _chain_lines(settings.router.chains)
        if chains:
            parts.append(_section("Fallbacks", chains))
    if loaded.report:
        rows = [(row.path, row.value, row.origin) for row in loaded.report]
        parts.append(_section("Settings", _columns(rows)))
    if loaded.findings:
        parts.append("\n".join(_finding_line(each, color=color) for each in loaded.findings))
    parts.append(_verdict(loaded))
    return "\n\n".join(parts)


def explanation(entries: Iterable[KeyEntry]) -> str:
    """Return what the table says of keys, the likeliest first."""
    all_ = tuple(entries)
    shown = "\n\n".join(_explained(entry) for entry in all_[:_MOST_EXPLAINED])
    more = len(all_) - _MOST_EXPLAINED
    return f"{shown}\n\nand {more} more keys; ask more exactly." if more > 0 else shown


def _explained(entry: KeyEntry) -> str:
    facts = entry.facts
    form = facts.type.value.replace("_", " ")
    if facts.values:
        form = f"one of {', '.join(facts.values)}"
    default = f"; default: {facts.default}" if facts.default else ""
    lines = [entry.path, f"  {verdict_words(facts.verdict)} ({form}{default})", f"  {facts.text}"]
    if facts.until:
        lines.append(f"  Meanwhile: {facts.until}")
    if facts.instead:
        lines.append(f"  Instead: {facts.instead}")
    if entry.also:
        lines.append(f"  See also: {', '.join(entry.also)}")
    return "\n".join(lines)


def _count(loaded: Loaded, severity: Severity) -> int:
    return sum(1 for each in loaded.findings if each.severity is severity)


def _finding(finding: Finding) -> JsonObject:
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "file": finding.position.file,
        "line": finding.position.line or None,
        "path": finding.path,
        "message": finding.message,
        "advice": finding.advice,
    }


def _deployments(settings: Settings | None) -> tuple[Deployment, ...]:
    return settings.deployments if settings else ()


def _deployment(deployment: Deployment, loaded: Loaded) -> JsonObject:
    return {
        "id": deployment.id,
        "alias": deployment.alias,
        "provider": deployment.provider,
        "model": deployment.model,
        "api_base": show_address(deployment.api_base),
        "key_from": loaded.key_origins.get(deployment.id, "none"),
        "environments": list(deployment.environments),
        "tags": list(deployment.tags),
        "off": deployment.off,
        "file": deployment.source.file,
        "line": deployment.source.line,
    }


def _fallbacks(chains: Chains) -> JsonObject:
    out: JsonObject = {
        kind.value: {alias: list(targets) for alias, targets in chains.written(kind).items()}
        for kind in ChainKind
    }
    out["default"] = list(chains.default)
    return out


def show_address(base: str) -> str:
    """Return an address without user name and password."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return "?"
    if "@" not in parts.netloc:
        return base
    return urlunsplit(parts._replace(netloc=f"***@{parts.netloc.rpartition('@')[2]}"))


def _alias_lines(settings: Settings, loaded: Loaded) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for each in settings.deployments:
        notes: list[str] = []
        if each.environments:
            notes.append(f"for {', '.join(each.environments)}")
        if each.tags:
            notes.append(f"tags {', '.join(each.tags)}")
        if each.off:
            notes.append("off")
        key = loaded.key_origins.get(each.id, "none")
        rows.append((each.alias, f"{each.provider}/{each.model}", f"key: {key}", "; ".join(notes)))
    return _columns(rows)


def _chain_lines(chains: Chains) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for kind in ChainKind:
        words = kind.value.replace("_", " ")
        for alias, targets in chains.written(kind).items():
            rows.append((words, f"{alias} -> {', '.join(targets) or 'nothing'}"))
    if chains.default:
        rows.append(("general", f"all others -> {', '.join(chains.default)}"))
    return _columns(rows)


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Return rows as lines with columns under each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _finding_line(finding: Finding, *, color: bool) -> str:
    text = str(finding)
    if not color:
        return text
    word = f" {finding.severity.value}: "
    painted = click.style(word, fg=_COLORS[finding.severity], bold=True)
    return text.replace(word, painted, 1)


def _verdict(loaded: Loaded) -> str:
    counts = ", ".join(
        _plural(_count(loaded, severity), severity.value)
        for severity in Severity
        if _count(loaded, severity)
    )
    found = f" ({counts})" if counts else ""
    if loaded.settings is None:
        return f"Not usable{found}."
    return f"Good to serve{found}."


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
