"""Writes the page for those who come from LiteLLM: each of its keys by what becomes of it here.

Pure: the table of keys in, Markdown out. Keys of Tiergate's own are not on this page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiergate.config.keydocs import verdict_words
from tiergate.config.keytable import KeyEntry, KeyFacts, KeyTable, Origin, Verdict

_INTRO = """\
# What becomes of each LiteLLM key

This page sorts the keys of LiteLLM's configuration by what changes for a file that is moved here.
[All keys](litellm-keys.md) has the same keys by their place in the file, with types and defaults.
How to go about it: [Move a LiteLLM configuration](../how-to/migrate-from-litellm.md).

`*` stands for an entry of a list or for a name you choose.
Comparisons are with LiteLLM 1.108.
"""
_OUTRO = "This page is made from the files in `src/tiergate/config/keys` by `make docs`."


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the page: the keys of one verdict."""

    verdict: Verdict
    title: str
    intro: str
    column: str


_PARTS = (
    _Part(
        Verdict.REFUSED,
        "Refused",
        "The start stops at these: without them the gateway would not be what the file describes.",
        "why, and what to write instead",
    ),
    _Part(
        Verdict.DIFFERS,
        "Works, with a difference",
        "These act, and not in every point as in LiteLLM.",
        "what is different",
    ),
    _Part(
        Verdict.PLANNED,
        "Not acting yet",
        "The start names each of them, and says what holds meanwhile.",
        "what holds meanwhile",
    ),
    _Part(
        Verdict.NO_EFFECT,
        "No effect here",
        "Known, and nothing depends on them; `--strict` refuses a file that has one.",
        "why, and what to write instead",
    ),
)
_SAME_TITLE = "Works the same"
_SAME_INTRO = "Nothing has to be done about these."


def differences(table: KeyTable) -> str:
    """Return the page as Markdown, ending in a line break."""
    entries = [each for each in table.all() if each.facts.origin is Origin.LITELLM]
    parts = [_INTRO, _summary(entries)]
    parts += [_table(part, entries) for part in _PARTS]
    parts.append(_same(entries))
    return "\n".join([*parts, f"---\n\n{_OUTRO}\n"])


def _summary(entries: Sequence[KeyEntry]) -> str:
    lines = ["| what becomes of it | keys |", "|---|---:|"]
    for verdict in Verdict:
        count = sum(entry.verdict is verdict for entry in entries)
        lines.append(f"| {verdict_words(verdict)} | {count} |")
    return "\n".join([*lines, ""])


def _table(part: _Part, entries: Sequence[KeyEntry]) -> str:
    """One part, a row for each group of keys that have one description."""
    rows: dict[KeyFacts, list[str]] = {}
    for entry in entries:
        if entry.verdict is part.verdict:
            rows.setdefault(entry.facts, []).append(entry.path)
    lines = [f"## {part.title}", ""]
    if not rows:
        return "\n".join([*lines, "There is no such key in this release.", ""])
    lines += [part.intro, "", f"| key | {part.column} |", "|---|---|"]
    for facts, paths in sorted(rows.items(), key=lambda row: row[1][0]):
        keys = ", ".join(f"`{path}`" for path in paths)
        lines.append(f"| {_cell(keys)} | {_cell(_said(facts))} |")
    return "\n".join([*lines, ""])


def _said(facts: KeyFacts) -> str:
    said = [facts.text]
    if facts.until:
        said.append(f"**Meanwhile:** {facts.until}")
    if facts.instead and not facts.instead.startswith("None needed."):
        said.append(f"**Instead:** {facts.instead}")
    return " ".join(said)


def _same(entries: Sequence[KeyEntry]) -> str:
    """The keys that need no thought, by section of the file."""
    sections: dict[str, list[str]] = {}
    for entry in entries:
        if entry.verdict is Verdict.HONOURED:
            above, _, name = entry.path.rpartition(".")
            sections.setdefault(above, []).append(name)
    lines = [f"## {_SAME_TITLE}", "", _SAME_INTRO, "", "| under | keys |", "|---|---|"]
    for above, names in sorted(sections.items()):
        place = f"`{above}`" if above else "the top of the file"
        lines.append(f"| {place} | {', '.join(f'`{name}`' for name in sorted(names))} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    """Make a text fit a table cell."""
    return text.replace("|", "\\|")
