"""Decides how much of a text that comes in pieces may be shown before all of it was looked at.

A guard says how many characters one finding can span (its window). A finding that begins so far
from the end of what has come is known in full, so all before that place can go on, and a finding
that lies across the place goes on whole, masked. Behind it stays some text that was shown
already, so that a guard sees what stands before a word.

Shown in pieces, a text becomes what it would become as a whole, whatever its pieces are: a look
begins where no finding lies across, so the findings of later looks are those of one look.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.core.masking import Span, masked, merged

MARGIN = 16
"""Characters beyond the window: for a guard that looks at what stands behind a finding."""

MOST_STEP = 64
"""Characters that may gather before a guard looks again: a look at every word would cost more
than all else that is done for the word."""


class Sieve:
    """One text on its way.

    Args:
        window: The most characters that a finding can span.
    """

    __slots__ = ("_ahead", "_shown", "_step", "text")

    def __init__(self, window: int) -> None:
        self._ahead = window + MARGIN
        self._step = min(MOST_STEP, window // 8)
        self._shown = 0
        self.text = ""
        """What a guard must look at: some text that was shown, then what was not."""

    def add(self, text: str) -> None:
        """Take a piece."""
        self.text += text

    @property
    def waiting(self) -> int:
        """Characters that were not shown yet."""
        return len(self.text) - self._shown

    @property
    def ripe(self) -> bool:
        """Whether enough of it can be shown, once it was looked at, to be worth a look."""
        return self.waiting > self._ahead + self._step

    def settled(self, start: int, end: int, *, all_: bool = False) -> bool:
        """Tell whether a finding counts by now: it is known in full, and did not count before.

        Args:
            start: Where it begins in `text`.
            end: Where it ends.
            all_: The text is over.
        """
        return self.fresh(start, end) and (all_ or start < len(self.text) - self._ahead)

    def fresh(self, start: int, end: int) -> bool:
        """Tell whether a finding lies, at least in part, in what was not shown yet."""
        return end > self._shown and end > start

    def pass_on(self, spans: Sequence[Span], *, all_: bool = False) -> str:
        """Return what may be shown now, masked.

        Args:
            spans: What is to be masked in `text`. What was shown already is left out.
            all_: The text is over, or what follows it is another one.
        """
        shown = self._shown
        fresh = merged(
            Span(max(span.start, shown), span.end, span.instead)
            for span in spans
            if self.fresh(span.start, span.end)
        )
        upto = len(self.text) if all_ else max(shown, len(self.text) - self._ahead)
        for span in fresh:
            if span.start < upto < span.end:
                upto = span.end
        out = masked(
            self.text[shown:upto],
            [Span(s.start - shown, s.end - shown, s.instead) for s in fresh if s.end <= upto],
        )
        self._shown = upto
        self._forget(spans)
        return out

    def _forget(self, spans: Sequence[Span]) -> None:
        """Drop what no later look needs; never through the middle of a finding."""
        cut = self._shown - 2 * self._ahead
        for span in merged(spans):
            if span.start < cut < span.end:
                cut = span.start
        # Not at every piece: a text that is cut anew is copied anew.
        if cut > 2 * self._ahead:
            self.text = self.text[cut:]
            self._shown -= cut
