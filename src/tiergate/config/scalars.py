"""What an unquoted word of a YAML file means: number, truth value, nothing, or text.

The words are those of PyYAML's safe loader, which LiteLLM uses, with three exceptions that
LiteLLM users stumble over: `3e-6` is a number here (as in YAML 1.2), and neither `010` (which
YAML 1.1 reads as 8) nor `1:30` (read as 90) is one. Dates stay text.
"""

from __future__ import annotations

import math
import re

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = frozenset({"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_UNTRUTHS = frozenset({"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_HEX = re.compile(r"[-+]?0x[0-9a-fA-F_]+")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
)
_SPECIAL = {
    ".inf": math.inf,
    ".Inf": math.inf,
    ".INF": math.inf,
    "+.inf": math.inf,
    "-.inf": -math.inf,
    "-.Inf": -math.inf,
    ".nan": math.nan,
    ".NaN": math.nan,
    ".NAN": math.nan,
}
_MOST_DIGITS = 40
"""A longer run of digits is a name or a mistake, and Python refuses to convert very long ones."""


def plain_value(text: str) -> str | int | float | bool | None:
    """Return what an unquoted YAML scalar means."""
    if text in _NULLS:
        return None
    if text in _TRUTHS:
        return True
    if text in _UNTRUTHS:
        return False
    number = number_of(text)
    return text if number is None else number


def number_of(text: str) -> int | float | None:
    """Return the number that `text` writes, or None if it writes none."""
    if not text or len(text) > _MOST_DIGITS or text[0] not in "+-.0123456789":
        return None
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _HEX.fullmatch(text) and text[-1] != "x":
        digits = text.replace("_", "")
        return int(digits, 16) if not digits.endswith("x") else None
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return _SPECIAL.get(text)
