"""Reads one cap: an amount in USD, its window, and what holds while its store is down.

Whose cap it is, and which of several holds, is decided by whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.money import format_usd
from tiergate.base.values import NanoUsd
from tiergate.config.durations import NO_WINDOW, Window
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader
from tiergate.config.section import Spot, as_section
from tiergate.config.stores import on_failure_of
from tiergate.core.catalog import OnStoreFailure


def show_usd(amount: int) -> str:
    """Return nano-USD as people write dollars: `1200 USD`, `0.0015 USD`."""
    return f"{format_usd(amount)} USD"


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit with its window as they are written.

    Attributes:
        spot: The place of the limit; None where none is given.
        limit: nano-USD.
        window: None where none is given, or it could not be read.
        windowed: A window is given, whether or not it could be read.
        on_failure: None where the file's general choice holds.
    """

    spot: Spot | None
    limit: NanoUsd | None
    window: Window | None
    windowed: bool
    on_failure: OnStoreFailure | None = None


NO_CAP = Cap(None, None, None, windowed=False)


@dataclass(frozen=True, slots=True)
class CapReader:
    """Reads caps and says what is odd about them."""

    reader: Reader
    check: KeyCheck

    def mapping(self, spot: Spot | None, *, m_is_month: bool) -> Cap:
        """Read a `{budget_limit, time_period}` mapping, under either of LiteLLM's names.

        Args:
            spot: The mapping.
            m_is_month: `1m` means a month at this place.
        """
        section = as_section(spot, self.reader.findings)
        if section is None or spot is None:
            return NO_CAP
        limit = section.take_first("budget_limit", "max_budget")
        duration = section.take_first("time_period", "budget_duration")
        failure = section.take("on_store_failure")
        cap = self.plain(limit, duration, failure, m_is_month=m_is_month)
        self.check.left(section)
        if limit is None:
            self.reader.findings.warning(
                "no-limit",
                spot.at,
                "has no budget_limit, so there is no cap",
                "Write budget_limit: USD.",
            )
        return cap

    def plain(
        self,
        limit: Spot | None,
        duration: Spot | None,
        failure: Spot | None = None,
        *,
        m_is_month: bool = False,
    ) -> Cap:
        """Read a cap whose parts stand beside other keys."""
        return Cap(
            limit,
            self.reader.typed.usd(limit),
            self._window(duration, m_is_month=m_is_month),
            duration is not None,
            on_failure_of(failure, self.reader),
        )

    def window_of(self, cap: Cap, spot: Spot) -> Window:
        """Return the window of a cap; that there is none is said."""
        if not cap.windowed:
            self.reader.findings.warning(
                "no-window",
                spot.at,
                "has no window, so it is a total that never starts anew",
                "Write budget_duration (or time_period), such as monthly.",
            )
        return cap.window or NO_WINDOW

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


def show_cap(limit: int, window: Window, on_failure: OnStoreFailure) -> str:
    """Return a cap in words: `5 USD, one calendar month; store down: allow_leased`."""
    return f"{show_usd(limit)}, {window.meaning}; store down: {on_failure.value}"
