"""A provider's own account of what was used: one line per day and model, whatever file it is from.

Values only. How files are read is the matter of `core.bill_files`, what is made of them that of
`core.reconcile`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_DATED = re.compile(r"[-@]\d{4}-?\d{2}-?\d{2}$")
_BETWEEN = re.compile(r"[\s._/:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """What a provider says of one model on one day; None where the file does not say.

    Attributes:
        day: The day, as the provider counts days.
        model: The provider's name of the model; empty where the line is of all models.
        calls: Requests.
        input: Tokens that no cache served.
        cache_read: Tokens read from the cache.
        cache_write: Tokens written to it, of any duration.
        output: Tokens out.
        cost: nano-USD.
        slack: nano-USD by which `cost` may be off, because the file rounds it.
    """

    day: date
    model: str = ""
    calls: int | None = None
    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    cost: int | None = None
    slack: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What a file says.

    Attributes:
        provider: The provider's name in the ledger; empty where the file does not tell.
        form: What kind of file it is, in words.
        lines: In the order of the file.
    """

    provider: str
    form: str
    lines: tuple[BillLine, ...]


def model_key(name: str) -> str:
    """Return a form of a model's name in which a bill's and the ledger's names meet.

    `Claude Opus 4.6`, `claude-opus-4-6` and `claude-opus-4-6-20260205` are one model; so are
    `gpt-4o` and `gpt-4o-2024-08-06`.
    """
    text = _BETWEEN.sub("-", name.strip().lower())
    return _DATED.sub("", text).removesuffix("-latest")


class BillError(ValueError):
    """A provider's file cannot be read; the message says why, and what to do."""
