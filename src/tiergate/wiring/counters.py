"""Reads the shared budget pages as counters that a ledger can be held against."""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.core.pages import SharedPage
from tiergate.core.rules import ScopeKind
from tiergate.core.verify import Counter
from tiergate.pipeline.sheets import PREFIX, read_sheet

_TOTAL = "total:"
_RATES = ("#rpm", "#tpm", "#parallel")
"""How the names of rate limits end: they count requests and tokens, not money."""


def counters_of(documents: Iterable[tuple[str, bytes]], source: str, now: float) -> list[Counter]:
    """Return a counter for each window of each budget.

    Args:
        documents: Names and contents, as `Documents.scan` gives them for `sheets.PREFIX`.
        source: The ledger that is meant; what others have records of is told apart.
        now: Unix seconds; leases that ended before it are charges for lost workers.

    Raises:
        ValueError: A document is no sheet.
    """
    found: list[Counter] = []
    for name, content in documents:
        place = _place(name)
        sheet = read_sheet(content) if place is not None else None
        if place is not None and sheet is not None:
            whole = name.startswith(f"{PREFIX}{_TOTAL}")
            found += [_counter(*place, page, source, now, whole=whole) for page in sheet.pages]
    return found


def _place(document: str) -> tuple[ScopeKind, str] | None:
    """Return the scope and name of a budget's document; None for anything else."""
    budget = document.removeprefix(PREFIX).removeprefix(_TOTAL)
    scope, sign, name = budget.partition(":")
    if not sign or name.endswith(_RATES):
        return None
    try:
        return ScopeKind(scope), name
    except ValueError:
        return None


def _counter(
    scope: ScopeKind, name: str, page: SharedPage, source: str, now: float, *, whole: bool
) -> Counter:
    spent, assumed = page.spent(now), page.assumed(now)
    return Counter(
        scope=scope,
        name=name,
        window_start=page.start,
        window_end=page.end,
        spent=spent,
        assumed=assumed,
        others=spent - assumed - page.of_source(source),
        whole=whole,
    )
