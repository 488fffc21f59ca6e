"""Finds patterns in texts within a time limit: what one pattern is, and all of several in a text.

Patterns run on the package `regex`, which means the same as Python's own `re` and can give up
(docs/decisions/0021). Which thread that happens in is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from tiergate.core.guard_options import Reaction
from tiergate.guards.width import widest
from tiergate.ports import Clock
from tiergate.ports.guarding import Found, GuardError

STREAM_WINDOW: Final = 256
"""Characters within which a pattern without a longest match is looked for in a stream."""

Measure = Callable[[str], int]
"""Takes a candidate; returns how many of its characters are a finding, 0 for none."""


class BadPatternError(Exception):
    """A regular expression that cannot be used; the text says why, for the person who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing to look for.

    Attributes:
        name: What a finding is called.
        pattern: What it looks like.
        reaction: What is to be done.
        instead: What masks it; empty for a numbered placeholder.
        group: The group of the pattern that is the finding; 0 for all of it.
        measure: Says how much of a candidate counts; None where all of it does.
        reach: The most characters that decide about one finding.
        needs: A text without any of these words, case folded, has no finding; empty where that
            cannot be said. Looking for a word is a hundred times quicker than for a pattern.
        trusted: It is known to take time in proportion to the text.
    """

    name: str
    pattern: regex.Pattern[str]
    reaction: Reaction
    instead: str = ""
    group: int = 0
    measure: Measure | None = None
    reach: int
    needs: tuple[str, ...] = ()
    trusted: bool = False


def compiled(pattern: str, *, ignore_case: bool = False) -> regex.Pattern[str]:
    """Return a pattern ready for use.

    Raises:
        BadPatternError: It is no regular expression.
    """
    flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
    try:
        return regex.compile(pattern, flags)
    except regex.error as exc:
        raise BadPatternError(f"is no regular expression: {exc}") from None
    except (RecursionError, OverflowError):
        raise BadPatternError("is too deep or too large for a regular expression") from None


def reach_of(pattern: str) -> int:
    """Return the most characters that decide about one match of a pattern in a stream."""
    width = widest(pattern)
    return STREAM_WINDOW if width is None else width


def find_all(
    rules: Iterable[Rule],
    texts: Sequence[str],
    until: float,
    clock: Clock,
    *,
    alone: bool = False,
) -> list[Found]:
    """Return everything that the rules find, in the order of texts and places.

    Args:
        rules: What to look for.
        texts: The texts; findings name them by their index.
        until: When to give up, by the clock.
        clock: Monotonic seconds.
        alone: Let other threads run meanwhile.

    Raises:
        OverdueError: It was not done in time.
    """
    found: list[Found] = []
    folded: dict[int, str] = {}
    for rule in rules:
        for number, text in enumerate(texts):
            if rule.needs and text:
                if number not in folded:
                    folded[number] = text.casefold()
                if not any(word in folded[number] for word in rule.needs):
                    continue
            if text:
                _find(rule, number, text, found, until=until, clock=clock, alone=alone)
    found.sort(key=lambda each: (each.passage, each.start, each.end))
    return list(dict.fromkeys(found))


class OverdueError(Exception):
    """Patterns were not done in time.

    Attributes:
        rule: The name of the rule at work.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def _find(
    rule: Rule,
    number: int,
    text: str,
    found: list[Found],
    *,
    until: float,
    clock: Clock,
    alone: bool,
) -> None:
    left = until - clock()
    if left <= 0:
        raise OverdueError(rule.name)
    matches = (
        rule.pattern.finditer(text)
        if rule.trusted and not alone
        else rule.pattern.finditer(text, timeout=left, concurrent=alone)
    )
    group, measure = rule.group, rule.measure
    try:
        for match in matches:
            start, end = match.span(group)
            if measure is not None:
                end = start + measure(text[start:end])
            if end > start:
                found.append(
                    Found(number, start, end, rule.name, rule.reaction, instead=rule.instead)
                )
    except TimeoutError:
        raise OverdueError(rule.name) from None


def overdue(rule: str, seconds: float) -> GuardError:
    """Return the error of a look that took too long."""
    return GuardError(
        f"looking for {rule} took longer than {seconds:g} s, so it is not known whether the text "
        "is clean; simplify the pattern (repetitions inside repetitions), or raise `timeout`"
    )
