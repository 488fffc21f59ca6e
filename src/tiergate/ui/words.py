"""Writes amounts, shares, times and sizes for people: as many digits as say something.

Money stays an integer until it is text. The exact amount stands beside the short one on every
page (`exact_usd`).
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

from tiergate.base.money import NANO, format_usd

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_STEPS: Final = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
_SMALL: Final = 100_000_000
"""0.10 USD: amounts below have four digits behind the point, or two that are not 0."""


def usd(nano: int) -> str:
    """Write nano-USD: `$1,234.50`, `$0.0474`, `$0.000018`; rounded half up, 0 is `$0`."""
    if nano == 0:
        return "$0"
    sign, amount = ("-" if nano < 0 else ""), abs(nano)
    digits = 2 if amount >= _SMALL else _digits(amount)
    step = 10 ** (9 - digits)
    whole, part = divmod((amount + step // 2) // step, 10**digits)
    behind = f".{part:0{digits}d}" if digits else ""
    return f"{sign}${whole:,}{behind}"


def exact_usd(nano: int) -> str:
    """Write nano-USD with every digit that there is: `1234.5 USD`."""
    return f"{format_usd(nano)} USD"


def axis_usd(nano: int) -> float:
    """Return USD for the axis of a chart: the one place where an amount may be a float."""
    return nano / NANO


def share(part: float | None) -> str:
    """Write a part of 1 in percent: `12 %`, `3.4 %`, `< 0.1 %`; a dash where it is not known."""
    if part is None:
        return "\N{EN DASH}"
    percent = part * 100
    if percent and abs(percent) < 0.1:
        return "< 0.1 %"
    return f"{percent:.0f} %" if abs(percent) >= 10 or percent == 0 else f"{percent:.1f} %"


def points(off: float) -> str:
    """Write a difference of shares in percentage points: `+6 points`, `-1.2 points`."""
    value = off * 100
    text = f"{value:+.0f}" if abs(value) >= 10 else f"{value:+.1f}"
    return f"{text.replace('-', chr(0x2212))} points"


def number(value: int) -> str:
    """Write a number with its thousands apart."""
    return f"{value:,}"


def short_number(value: int) -> str:
    """Write a number in three digits or so: `950`, `12.4k`, `3.1M`."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}{letter}".replace(".0", "")
    return str(value)


def size(amount: int) -> str:
    """Write bytes: `512 B`, `3.2 MB`."""
    value = float(amount)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def took(seconds: float) -> str:
    """Write how long something took: `7 ms`, `2.41 s`, `3 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    return span(seconds)


def span(seconds: float) -> str:
    """Write a span in its two largest units: `3 d 4 h`, `2 min`, `8 s`."""
    rest = round(max(0.0, seconds))
    parts: list[str] = []
    for unit, name in _STEPS:
        amount, rest = divmod(rest, unit)
        if amount:
            parts.append(f"{amount} {name}")
        if parts and (len(parts) == 2 or not amount):
            break
    return " ".join(parts) or "0 s"


def relative(then: float, now: float) -> str:
    """Write an instant as it is far from now: `3 min ago`, `in 2 d 4 h`, `now`."""
    off = then - now
    if abs(off) < 1:
        return "now"
    if off > 0:
        return f"in {span(off)}"
    # What is past need not be told to the second.
    amount, unit, *_ = span(-off).split()
    return f"{amount} {unit} ago"


def instant(wall: float, zone: tzinfo) -> str:
    """Write a Unix time in a time zone: `2026-11-24 10:03:07 CET`."""
    return f"{datetime.fromtimestamp(wall, zone):%Y-%m-%d %H:%M:%S %Z}"


def machine_instant(wall: float) -> str:
    """Write a Unix time for `<time datetime>`: ISO 8601 in UTC."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def day(wall: float, zone: tzinfo) -> str:
    """Write the day of a Unix time: `2026-11-24`."""
    return f"{datetime.fromtimestamp(wall, zone):%Y-%m-%d}"


def _digits(amount: int) -> int:
    """Return how many digits behind the point show two that are not 0, and 4 at least."""
    first = 9 - len(str(amount)) + 1
    return min(9, max(4, first + 1))
