"""Reads values as what a setting needs: numbers, times, money, names. Says what it converts.

Every reader returns None, and adds a finding, when the value does not fit; the caller then uses
its default, which no longer matters unless `--lenient` was given. Secrets are never quoted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.base.money import nano_from_usd
from tiergate.base.values import NanoUsd, Secret
from tiergate.config.durations import SECONDS_FORMS, BadDuration, Window, seconds, window
from tiergate.config.findings import Findings, one_line
from tiergate.config.scalars import number_of
from tiergate.config.section import Spot
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import ListNode, MapNode, ScalarNode, kind_of, to_json

MOST_USD: Final = Decimal(4_000_000_000)
"""The largest budget: above it begins what stands for no limit (`core.catalog.NO_LIMIT`)."""


_SECRET_WORD = re.compile(
    r"key|secret|(?<!per_)token(?!s|izer|_cost|policy)|password|passwd|credential|authorization|cookie|headers?\b|dsn|_url$",
    re.IGNORECASE,
)
_TRUTH_WORDS: Final[Mapping[str, bool]] = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def is_secret(spot: Spot) -> bool:
    """Whether a value may be secret by the name of a key above it, or by where it came from."""
    if isinstance(spot.node, ScalarNode) and spot.node.reference is not None:
        return True
    return any(isinstance(part, str) and _SECRET_WORD.search(part) for part in spot.path)


def describe(spot: Spot) -> str:
    """Return what a value is, quoted where it is short and no secret: `text "abc"`."""
    node = spot.node
    if not isinstance(node, ScalarNode) or node.value is None or is_secret(spot):
        return kind_of(node)
    if isinstance(node.value, str):
        return f'the text "{one_line(node.value, 40)}"'
    return one_line(node.text, 40)


@dataclass(frozen=True, slots=True)
class Typed:
    """The readers.

    Attributes:
        findings: Where findings go.
        hard: A value that does not fit is an error even with `--lenient`: money and secrets,
            where the default would be "no limit" or "no key".
    """

    findings: Findings
    hard: bool = False

    @property
    def firm(self) -> Typed:
        """The readers for money and secrets."""
        return Typed(self.findings, hard=True)

    def refuse(self, spot: Spot, expected: str, advice: str = "") -> None:
        """Add the finding that a value is not what is expected."""
        if not spot.unresolved:
            say = self.findings.error if self.hard else self.findings.mistake
            say("wrong-type", spot.at, f"expected {expected}, got {describe(spot)}", advice)

    def text(self, spot: Spot | None, expected: str = "text") -> str | None:
        """Return a text that is not empty."""
        if spot is None or spot.unresolved:
            return None
        node = spot.node
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            if node.value.strip():
                return node.value
            say = self.findings.error if self.hard else self.findings.mistake
            say("empty-text", spot.at, "is an empty text")
            return None
        advice = "Put it in quotes." if isinstance(node, ScalarNode) else ""
        self.refuse(spot, expected, advice)
        return None

    def name(self, spot: Spot | None, expected: str = "a name") -> str | None:
        """Return a name: a text, or a number or truth word taken as it is written."""
        node = None if spot is None or spot.unresolved else spot.node
        if isinstance(node, ScalarNode) and not isinstance(node.value, str) and node.text:
            return node.text
        return self.text(spot, expected)

    def secret(self, spot: Spot | None) -> Secret | None:
        """Return a secret text."""
        found = self.firm.text(spot, "a secret text")
        return None if found is None else Secret(found)

    def texts(self, spot: Spot | None, expected: str = "a list of texts") -> tuple[str, ...]:
        """Return a list of texts; one text stands for a list of one."""
        if spot is None or spot.unresolved:
            return ()
        if isinstance(spot.node, ListNode):
            found = (self.name(each, "text") for each in items(spot))
            return tuple(each for each in found if each is not None)
        if isinstance(spot.node, ScalarNode) and isinstance(spot.node.value, str):
            one = self.text(spot)
            return () if one is None else (one,)
        self.refuse(spot, expected)
        return ()

    def flag(self, spot: Spot | None) -> bool | None:
        """Return true or false; the text of a variable may say it in words."""
        if spot is None or spot.unresolved:
            return None
        node = spot.node
        if isinstance(node, ScalarNode):
            if isinstance(node.value, bool):
                return node.value
            word = node.text.strip().lower()
            if isinstance(node.value, str) and word in _TRUTH_WORDS:
                value = _TRUTH_WORDS[word]
                self._say_converted(spot, str(value).lower())
                return value
        self.refuse(spot, "true or false")
        return None

    def whole(self, spot: Spot | None, *, least: int = 0) -> int | None:
        """Return a whole number of at least `least`."""
        number = self._number(spot, "a whole number", least)
        if number is None or spot is None:
            return None
        if number != int(number):
            self.refuse(spot, "a whole number")
            return None
        return int(number)

    def number(self, spot: Spot | None, *, least: float = 0) -> float | None:
        """Return a finite number of at least `least`."""
        number = self._number(spot, "a number", least)
        return None if number is None else float(number)

    def _number(self, spot: Spot | None, expected: str, least: float) -> int | float | None:
        if spot is None or spot.unresolved:
            return None
        node = spot.node
        value = node.value if isinstance(node, ScalarNode) else None
        number: int | float | None = None
        if isinstance(value, str):
            number = number_of(value.strip())
            if number is not None:
                self._say_converted(spot, value.strip())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = value
        if number is None or (isinstance(number, float) and not math.isfinite(number)):
            self.refuse(spot, expected, self._instead(spot))
            return None
        if number < least or abs(number) > 1e15:
            advice = f"The least is {least:g}." if number < least else "It is too large."
            self.refuse(spot, expected, advice)
            return None
        return number

    def _instead(self, spot: Spot) -> str:
        """Return what to write where a length of time stands in place of a number."""
        if isinstance(spot.node, ScalarNode) and isinstance(spot.node.value, str):
            try:
                return f"Write {seconds(spot.node.value):g}."
            except BadDuration:
                return ""
        return ""

    def seconds(self, spot: Spot | None) -> float | None:
        """Return a length of time in seconds: a number, or a text such as `30s`."""
        if spot is None or spot.unresolved:
            return None
        node = spot.node
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            text = node.value.strip()
            try:
                length = seconds(text)
            except BadDuration as bad:
                self.findings.mistake(
                    "bad-duration", spot.at, f"{describe(spot)} {bad.message}", bad.advice
                )
                return None
            if number_of(text) is not None:
                self._say_converted(spot, f"{length:g} seconds")
            return length
        if isinstance(node, ScalarNode) and isinstance(node.value, bool | None):
            self.refuse(spot, SECONDS_FORMS)
            return None
        found = self._number(spot, SECONDS_FORMS, 0)
        return None if found is None else float(found)

    def window(self, spot: Spot | None, *, m_is_month: bool = False) -> Window | None:
        """Return a budget window. Never softened by `--lenient`: no budget on a guess."""
        if spot is None or spot.unresolved:
            return None
        node = spot.node
        value = node.value if isinstance(node, ScalarNode) else None
        if value is None or isinstance(value, bool):
            self.firm.refuse(spot, "a budget window such as monthly or 30d")
            return None
        try:
            return window(
                value.strip() if isinstance(value, str) else value, m_is_month=m_is_month
            )
        except BadDuration as bad:
            self.findings.error(
                "bad-duration", spot.at, f"{describe(spot)} {bad.message}", bad.advice
            )
            return None

    def usd(self, spot: Spot | None) -> NanoUsd | None:
        """Return an amount of USD as nano-USD, rounded up."""
        amount = self.firm.decimal(spot, "an amount in USD")
        if amount is None or spot is None:
            return None
        if amount > MOST_USD:
            self.firm.refuse(spot, f"an amount of at most {MOST_USD:,} USD")
            return None
        return nano_from_usd(amount)

    def decimal(self, spot: Spot | None, expected: str) -> Decimal | None:
        """Return a number of at least 0 exactly as it is written."""
        if self._number(spot, expected, 0) is None or spot is None:
            return None
        node = spot.node
        text = node.text.strip().replace("_", "") if isinstance(node, ScalarNode) else ""
        try:
            return Decimal(int(text, 16)) if "x" in text else Decimal(text)
        except (InvalidOperation, ValueError):
            self.refuse(spot, expected)
            return None

    def choice(self, spot: Spot | None, known: Collection[str]) -> str | None:
        """Return one of several words."""
        word = self.text(spot)
        if word is None or spot is None:
            return None
        if word in known:
            return word
        advice = did_you_mean(word, known) or f"Write one of {', '.join(sorted(known))}."
        self.findings.error("unknown-value", spot.at, f"{describe(spot)} is not known", advice)
        return None

    def mapping(self, spot: Spot | None) -> dict[str, Json]:
        """Return a mapping as plain JSON."""
        if spot is None or spot.unresolved:
            return {}
        if isinstance(spot.node, MapNode):
            return {entry.key: to_json(entry.node) for entry in spot.node.entries}
        self.refuse(spot, "a mapping of keys")
        return {}

    def pairs(self, spot: Spot | None) -> tuple[tuple[str, str], ...]:
        """Return a mapping of names to texts, such as headers."""
        if spot is None or spot.unresolved:
            return ()
        if not isinstance(spot.node, MapNode):
            self.refuse(spot, "a mapping of names to texts")
            return ()
        found: list[tuple[str, str]] = []
        for entry in spot.node.entries:
            value = self.name(spot.inside(entry.key, entry.position, entry.node), "text")
            if value is not None:
                found.append((entry.key, value))
        return tuple(found)

    def _say_converted(self, spot: Spot, value: str) -> None:
        """Tell of a text that was read as something else; variables can hold nothing but text."""
        if isinstance(spot.node, ScalarNode) and spot.node.reference is None:
            self.findings.notice("converted", spot.at, f"{describe(spot)} is read as {value}")


def items(spot: Spot) -> tuple[Spot, ...]:
    """Return the values of a list with their places; none if it is no list."""
    if not isinstance(spot.node, ListNode):
        return ()
    return tuple(
        spot.inside(index, node.position, node) for index, node in enumerate(spot.node.items)
    )
