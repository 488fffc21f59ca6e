"""Reports every key that no reader took: unknown, misplaced, refused, or known and not acting.

The verdicts come from the table of keys. A key that the table calls acting and that no reader
took is reported as not acting all the same: nothing in the file is passed over in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tiergate.config.durations import BadDuration, seconds
from tiergate.config.findings import Findings, Severity
from tiergate.config.keytable import KeyEntry, KeyTable, KeyType, Verdict
from tiergate.config.section import Section, Spot
from tiergate.config.tree import ListNode, MapNode, Node, ScalarNode, show_key
from tiergate.config.typed import describe, items

_EXPECTED: Final = {
    KeyType.STRING: "text",
    KeyType.SECRET: "text",
    KeyType.ENUM: "a word",
    KeyType.ALIAS: "an alias",
    KeyType.INTEGER: "a whole number",
    KeyType.NUMBER: "a number",
    KeyType.DURATION: "a number of seconds",
    KeyType.USD: "an amount in USD",
    KeyType.BOOLEAN: "true or false",
    KeyType.MAPPING: "a mapping of keys",
    KeyType.LIST: "a list",
    KeyType.STRING_LIST: "a list of texts",
    KeyType.LIST_OF_ALIASES: "a list of aliases",
}


def parts_of(spot: Spot) -> tuple[str, ...]:
    """Return a path in the form of the table."""
    return tuple(str(part) for part in spot.path)


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Checks what is left over in sections.

    Attributes:
        table: All known keys.
        findings: Where findings go.
    """

    table: KeyTable
    findings: Findings

    def left(self, section: Section) -> None:
        """Report every key of the section that no reader took."""
        for spot in section.left():
            self.key(spot)

    def key(self, spot: Spot, *, quiet: bool = False) -> None:
        """Report one key and what is inside it.

        Args:
            spot: The key with its value.
            quiet: A key above it was reported as not acting, so this one need not be.
        """
        entry = self.table.find(parts_of(spot))
        if entry is None:
            self.unknown(spot)
            return
        if _says_nothing(spot.node):
            return
        if not self._fits(entry, spot):
            return
        said = self._verdict(entry, spot, quiet=quiet)
        self._inside(entry, spot, quiet=quiet or said)

    def unknown(self, spot: Spot) -> None:
        """Report a key that does not exist at its place, with the key that was probably meant."""
        near = self.table.nearest(parts_of(spot))
        if near is not None and near.name == spot.key and len(near.parts) > 1:
            place = ".".join(near.parts[:-1])
            self.findings.mistake(
                "misplaced-key",
                spot.at,
                "has no meaning at this place",
                f"It belongs under `{place}`.",
            )
        elif near is not None:
            same_place = near.parts[:-1] == parts_of(spot)[:-1] or len(near.parts) == len(
                spot.path
            )
            name = near.name if same_place else near.path
            self.findings.mistake(
                "unknown-key", spot.at, "unknown key", f"Did you mean `{show_key(name)}`?"
            )
        else:
            self.findings.mistake("unknown-key", spot.at, "unknown key", "Remove it.")

    def _verdict(self, entry: KeyEntry, spot: Spot, *, quiet: bool) -> bool:
        """Say what a key does; return whether it was said to do nothing."""
        facts = entry.facts
        match facts.verdict:
            case Verdict.REFUSED:
                self.findings.error("refused-key", spot.at, _lower(facts.text), facts.instead)
                return True
            case _ if quiet:
                return True
            case Verdict.NO_EFFECT:
                self.findings.idle(
                    Severity.NOTICE,
                    "no-effect",
                    spot.at,
                    f"has no effect here: {_lower(facts.text)}",
                    facts.instead,
                )
                return True
            case Verdict.PLANNED | Verdict.HONOURED | Verdict.DIFFERS:
                if entry.type is KeyType.MAPPING and facts.acts:
                    return False
                self.findings.idle(
                    Severity.WARNING,
                    "not-acting-yet",
                    spot.at,
                    f"is not acting yet: {_lower(facts.text)}",
                    f"Meanwhile: {facts.until}" if facts.until else "",
                )
                return True

    def _inside(self, entry: KeyEntry, spot: Spot, *, quiet: bool) -> None:
        if not isinstance(spot.node, MapNode | ListNode) or not self._has_children(entry):
            return
        inner = (
            items(spot)
            if isinstance(spot.node, ListNode)
            else tuple(spot.inside(e.key, e.position, e.node) for e in spot.node.entries)
        )
        for each in inner:
            if self.table.find(parts_of(each)) is None and isinstance(spot.node, ListNode):
                continue
            self.key(each, quiet=quiet)

    def _has_children(self, entry: KeyEntry) -> bool:
        return bool(self.table.children(entry.parts)) or bool(self.table.find((*entry.parts, "*")))

    def _fits(self, entry: KeyEntry, spot: Spot) -> bool:
        """Report a value of a wrong type; return whether the type is right."""
        if spot.unresolved or fits(entry.type, spot.node):
            return True
        advice = ""
        if entry.type is KeyType.DURATION and isinstance(spot.node, ScalarNode):
            try:
                advice = f"Write {seconds(spot.node.text):g}."
            except BadDuration:
                advice = ""
        if entry.type is KeyType.ENUM:
            advice = f"Write one of {', '.join(entry.facts.values)}."
        expected = _EXPECTED.get(entry.type, "another kind of value")
        self.findings.mistake(
            "wrong-type", spot.at, f"expected {expected}, got {describe(spot)}", advice
        )
        return False


def fits(kind: KeyType, node: Node) -> bool:
    """Return whether a value has the form that LiteLLM documents for a key."""
    value = node.value if isinstance(node, ScalarNode) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    from_text = isinstance(node, ScalarNode) and node.reference is not None
    match kind:
        case KeyType.ANY:
            return True
        case KeyType.MAPPING:
            return isinstance(node, MapNode)
        case KeyType.LIST:
            return isinstance(node, ListNode)
        case KeyType.STRING_LIST | KeyType.LIST_OF_ALIASES:
            return isinstance(node, ListNode) or isinstance(value, str)
        case KeyType.BOOLEAN:
            return isinstance(value, bool) or from_text
        case KeyType.INTEGER:
            return from_text or (is_number and value == int(value or 0))
        case KeyType.NUMBER | KeyType.DURATION | KeyType.USD:
            return is_number or from_text
        case KeyType.STRING | KeyType.SECRET | KeyType.ALIAS | KeyType.ENUM:
            return isinstance(node, ScalarNode)


def _says_nothing(node: Node) -> bool:
    """Whether a key that does not act is written off: nothing, `false`, or an empty collection."""
    match node:
        case ScalarNode():
            return node.value is None or node.value is False
        case ListNode():
            return not node.items
        case MapNode():
            return not node.entries


def _lower(text: str) -> str:
    """Return a sentence for the middle of another: small first letter, no full stop."""
    text = text.rstrip(".")
    if len(text) > 1 and text[1].islower():
        text = text[0].lower() + text[1:]
    return text.replace(". ", "; ", 1) if text.count(". ") == 1 else text
