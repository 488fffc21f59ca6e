"""Looks for texts that try to give the model new orders: heuristics, no understanding.

Only what comes from outside is looked at: what users write, what tools return, documents. The
system prompt is the operator's own, and the rest is the model's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import regex

from tiergate.core.guard_options import InjectionOptions, Sensitivity
from tiergate.guards.injection_rules import RULES
from tiergate.guards.matching import STREAM_WINDOW, Rule, compiled
from tiergate.guards.scanning import Scanner
from tiergate.guards.width import widest
from tiergate.ports import Clock
from tiergate.ports.guarding import CLEAN, Found, Occasion, Passage, Place, Verdict

_OUTSIDE: Final = frozenset({Place.USER, Place.TOOL_RESULT, Place.DOCUMENT})
_ORDER: Final = {each: rank for rank, each in enumerate(Sensitivity)}
_UNSEEN: Final = regex.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""Signs that are not seen and break words apart."""


class InjectionGuard:
    """Implements `ports.guarding.Guard` for prompt injection.

    Args:
        options: How sensitive it is, and what is to be done.
        clock: Monotonic seconds.
    """

    restores = False

    def __init__(self, options: InjectionOptions, clock: Clock) -> None:
        rules = (
            Rule(
                name=each.kind,
                pattern=compiled(each.pattern, ignore_case=True),
                reaction=options.reaction,
                reach=widest(each.pattern) or STREAM_WINDOW,
                needs=each.needs,
                trusted=True,
            )
            for each in RULES
            if _ORDER[each.sensitivity] <= _ORDER[options.sensitivity]
        )
        self._scanner = Scanner(rules, options.seconds, clock)

    @property
    def window(self) -> int | None:
        """The most characters that decide about one finding."""
        return self._scanner.reach

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:  # noqa: ARG002 - the port's signature
        """Return the wordings found; in a text that hides them, the whole text is the finding.

        Raises:
            GuardError: It took too long.
        """
        texts = [passage.text if passage.place in _OUTSIDE else "" for passage in passages]
        found = await self._scanner.find(texts)
        plain = [_plain(text) for text in texts]
        if any(plain):
            hidden = await self._scanner.find(plain)
            known = {each.passage for each in found}
            found += [_whole(each, texts) for each in hidden if each.passage not in known]
        return Verdict(tuple(dict.fromkeys(found))) if found else CLEAN


def _plain(text: str) -> str:
    """Return a text as it is seen, in plain letters; empty where it is plain already."""
    if text.isascii():
        return ""
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return "" if plain == text else plain


def _whole(found: Found, texts: Sequence[str]) -> Found:
    return replace(found, start=0, end=len(texts[found.passage]))
