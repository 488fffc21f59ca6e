"""Writes the reference page of configuration keys from the table of keys.

Pure: a table in, Markdown out. It says nothing that the table does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from tiergate.config.keytable import KeyEntry, KeyFacts, KeyTable, KeyType, Origin, Verdict

_INTRO = """\
# Configuration keys

Tiergate reads the configuration files of the LiteLLM proxy.
This page lists every key of them, what becomes of it, and the keys that Tiergate adds.
`tiergate check --explain KEY` shows the same for one key, and `tiergate check` for your file.
A key that stands nowhere on this page stops the start, with the nearest known key named.

`*` in a key stands for an entry of a list or for a name you choose.
Comparisons are with LiteLLM 1.108.
"""

_OUTRO = "This page is made from the files in `src/tiergate/config/keys` by `make docs`."


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of the page: the keys under one path, apart from those of a longer path."""

    prefix: tuple[str, ...]
    title: str
    intro: str


_SECTIONS = (
    _Section((), "Top of the file", "The sections, and what stands beside them."),
    _Section(
        ("model_list", "*"),
        "An entry of `model_list`",
        "One way to serve an alias.",
    ),
    _Section(
        ("model_list", "*", "litellm_params"),
        "`litellm_params` of a deployment",
        "How the deployment is reached, and what is sent to it.",
    ),
    _Section(
        ("model_list", "*", "model_info"),
        "`model_info` of a deployment",
        "What is known about the deployment.",
    ),
    _Section(("router_settings",), "`router_settings`", "Routing, retries, fallbacks, cooldown."),
    _Section(
        ("litellm_settings",),
        "`litellm_settings`",
        "Calls, callbacks, and the budget of the whole gateway.",
    ),
    _Section(
        ("litellm_settings", "cache_params"),
        "`cache_params` of `litellm_settings`",
        "The response cache.",
    ),
    _Section(("general_settings",), "`general_settings`", "The server itself."),
    _Section(("guardrails", "*"), "An entry of `guardrails`", "A check of requests or answers."),
    _Section(
        ("environment_variables",),
        "Environment variables",
        "Variables of the process, or names under `environment_variables`.",
    ),
)


def key_reference(table: KeyTable) -> str:
    """Return the reference page as Markdown, ending in a line break."""
    home: dict[KeyFacts, _Section] = {}
    rows: dict[_Section, dict[KeyFacts, list[KeyEntry]]] = {s: {} for s in _SECTIONS}
    for entry in table.all():
        section = _section_of(entry)
        home.setdefault(entry.facts, section)
        rows[section].setdefault(entry.facts, []).append(entry)
    parts = [_INTRO, _verdicts(table.all())]
    parts += [_section(section, rows[section], home) for section in _SECTIONS]
    return "\n".join([*parts, f"---\n\n{_OUTRO}\n"])


def verdict_words(verdict: Verdict) -> str:
    """Return how a verdict is written for people."""
    match verdict:
        case Verdict.HONOURED:
            return "honoured"
        case Verdict.DIFFERS:
            return "honoured with a difference"
        case Verdict.PLANNED:
            return "not acting yet"
        case Verdict.NO_EFFECT:
            return "no effect here"
        case Verdict.REFUSED:
            return "refused"
        case _:
            assert_never(verdict)


def _meaning(verdict: Verdict) -> str:
    match verdict:
        case Verdict.HONOURED:
            return "It acts as a user of LiteLLM expects."
        case Verdict.DIFFERS:
            return "It acts, and the text says what is different."
        case Verdict.PLANNED:
            return "A later release honours it. The start names it, and says what holds meanwhile."
        case Verdict.NO_EFFECT:
            return "Known, and nothing depends on it. A notice says why; `--strict` refuses it."
        case Verdict.REFUSED:
            return "The start stops: without it the gateway would not be what the file describes."
        case _:
            assert_never(verdict)


def _verdicts(entries: tuple[KeyEntry, ...]) -> str:
    lines = ["| Verdict | Keys | Meaning |", "|---|---:|---|"]
    for verdict in Verdict:
        count = sum(entry.verdict is verdict for entry in entries)
        lines.append(f"| {verdict_words(verdict)} | {count} | {_meaning(verdict)} |")
    return "\n".join([*lines, ""])


def _section_of(entry: KeyEntry) -> _Section:
    """The section with the longest prefix that stands above the key."""
    above = [s for s in _SECTIONS if s.prefix == entry.parts[: len(s.prefix)] != entry.parts]
    return max(above, key=lambda section: len(section.prefix))


def _section(
    section: _Section,
    rows: Mapping[KeyFacts, list[KeyEntry]],
    home: Mapping[KeyFacts, _Section],
) -> str:
    """One section: a table of the keys described here, a list of those described elsewhere."""
    lines = [f"## {section.title}", "", section.intro, ""]
    lines += ["| Key | Verdict | Value | What it does |", "|---|---|---|---|"]
    own = [(facts, entries) for facts, entries in rows.items() if home[facts] is section]
    order = {verdict: place for place, verdict in enumerate(Verdict)}
    own.sort(key=lambda row: (order[row[0].verdict], row[1][0].parts))
    lines += [_row(section, facts, entries) for facts, entries in own]
    lines.append("")
    for other in _SECTIONS:
        same = [e for f, es in rows.items() if home[f] is other is not section for e in es]
        if same:
            names = ", ".join(_shown(section, entry) for entry in same)
            lines += [f"The same as under {_place(other)}: {names}.", ""]
    return "\n".join(lines)


def _row(section: _Section, facts: KeyFacts, entries: list[KeyEntry]) -> str:
    keys = ", ".join(_shown(section, entry) for entry in entries)
    if facts.origin is Origin.TIERGATE:
        keys += " (of Tiergate)"
    said = [facts.text]
    if facts.until:
        said.append(f"**Meanwhile:** {facts.until}")
    if facts.instead and not facts.instead.startswith("None needed."):
        said.append(f"**Instead:** {facts.instead}")
    if others := _elsewhere(entries):
        said.append(f"See also {others}.")
    cells = (keys, verdict_words(facts.verdict), _value(facts), " ".join(said))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _shown(section: _Section, entry: KeyEntry) -> str:
    return f"`{'.'.join(entry.parts[len(section.prefix) :])}`"


def _place(section: _Section) -> str:
    return f"`{'.'.join(section.prefix)}`" if section.prefix else "the top of the file"


def _elsewhere(entries: Iterable[KeyEntry]) -> str:
    """Other places: the paths of single keys, the parents of keys that come in families."""
    others = list(entries)
    paths = dict.fromkeys(path for entry in others for path in entry.also)
    if len(others) > 1:
        own = {entry.name for entry in others}
        shown = dict.fromkeys(_parent(path) if _last(path) in own else path for path in paths)
    else:
        shown = paths
    own_paths = {entry.path for entry in others} | {_parent(entry.path) for entry in others}
    return ", ".join(f"`{path}`" for path in shown if path and path not in own_paths)


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _value(facts: KeyFacts) -> str:
    said = ", ".join(f"`{word}`" for word in facts.values) or _type_words(facts.type)
    default = facts.default
    if default and not default.startswith("required"):
        default = f"default: {default}"
    return "; ".join(part for part in (said, default) if part)


def _type_words(kind: KeyType) -> str:
    match kind:
        case KeyType.ANY:
            return ""
        case KeyType.USD:
            return "USD"
        case KeyType.LIST_OF_ALIASES:
            return "list of aliases"
        case KeyType.STRING_LIST:
            return "list of strings"
        case KeyType.ENUM:
            return "word"
        case _:
            return kind.value
