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
from tiergate.config.section import Section, Spot, say_empty
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

_FREE: Final = "x-"
"""Keys at the top of the file that begin so are free, for YAML anchors to stand in."""


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
        """Report every key of the section that no reader took, and those without a value."""
        for spot in section.empty():
            say_empty(spot, self.findings)
        for spot in section.left():
            self.key(spot)

    def key(self, spot: Spot, *, quiet: bool = False) -> None:
        """Report one key and what is inside it.

        Args:
            spot: The key with its value.
            quiet: A key above it was reported as not acting, so this one need not be.
        """
        entry = self.table.find(parts_of(spot))
        if entry is None and len(spot.path) == 1 and spot.key.startswith(_FREE):
            return
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
            same_place = len(near.parts) == len(spot.path)
            advice = (
                f"Did you mean `{show_key(near.name)}`?"
                if same_place
                else f"Did you mean `{near.path}`?{_holder(spot)}"
            )
            self.findings.mistake("unknown-key", spot.at, "unknown key", advice)
        else:
            self.findings.mistake(
                "unknown-key", spot.at, "unknown key", f"Remove it.{_holder(spot)}"
            )

    def _verdict(self, entry: KeyEntry, spot: Spot, *, quiet: bool) -> bool:
        """Say what a key does; return whether it was said to do nothing."""
        facts = entry.facts
        reason, more = _first_sentence(facts.text)
        match facts.verdict:
            case Verdict.REFUSED:
                advice = _sentences(more, facts.instead)
                self.findings.error("refused-key", spot.at, f"is refused: {reason}", advice)
                return True
            case _ if quiet:
                return True
            case Verdict.NO_EFFECT:
                self.findings.idle(
                    Severity.NOTICE,
                    "no-effect",
                    spot.at,
                    f"has no effect here: {reason}",
                    _sentences(more, facts.instead),
                )
                return True
            case Verdict.PLANNED | Verdict.HONOURED | Verdict.DIFFERS:
                if entry.type is KeyType.MAPPING and facts.acts:
                    return False
                self.findings.idle(
                    Severity.WARNING,
                    "not-acting-yet",
                    spot.at,
                    f"is not acting yet: {reason}",
                    _sentences(more, f"Meanwhile: {facts.until}" if facts.until else ""),
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


def _first_sentence(text: str) -> tuple[str, str]:
    """Return the first sentence without its full stop, and the others."""
    first, _, rest = text.partition(". ")
    return first.rstrip("."), rest


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _holder(spot: Spot) -> str:
    """Return advice for a key at the top that may be there for its anchors only."""
    if len(spot.path) > 1 or isinstance(spot.node, ScalarNode):
        return ""
    return f" A key that only holds YAML anchors may be named {_FREE}{show_key(spot.key)}."
