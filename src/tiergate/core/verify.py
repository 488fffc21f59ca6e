"""Whether the books agree: the ledger's sums, the budgets' counters, and what a gateway shows.

It compares and explains. Where the figures come from is the matter of whoever asks. All amounts
are nano-USD, all times Unix seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum

from tiergate.base.money import NANO, format_usd
from tiergate.core.catalog import ScopeKind

SPENT_METRIC = "tiergate_budget_spent_usd"

_FLOAT_DIGITS = 10**15
"""A figure that went through a float, as on the metrics page, has this many exact digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What the shared budget pages say of one budget in one window.

    Attributes:
        scope: What the budget is for.
        name: Of whom or what.
        window_start: The window begins.
        window_end: The window ends; None: never.
        spent: Everything that counts as spent.
        assumed: The part of `spent` charged for workers that were not heard of any more.
        others: The part of `spent` whose records are in other ledgers.
        whole: It only counts, beside the budgets with limits, what was ever spent.
    """

    scope: ScopeKind
    name: str
    window_start: int
    window_end: int | None
    spent: int
    assumed: int
    others: int
    whole: bool = False


_LEDGER_HAS_MORE = (
    "The ledger has more: the budget store has lost data or was set back, or a worker has not "
    "told yet what it spent."
)
_LEDGER_HAS_LESS = (
    "The ledger has less: records wait to be written, the journal of a dead worker is not read "
    "yet, its charge has become final (after a day), or the ledger was set back."
)


class Check(Enum):
    """What is compared with what."""

    LEDGER = "ledger and counter"
    METRIC = "counter and metric"
    GLOBAL = "ledger and /global/spend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two figures that must be one.

    Attributes:
        check: What is compared.
        scope: The budget's scope; `gateway` for the whole.
        name: The budget's name.
        window_start: Unix seconds; None where the figures know no window.
        window_end: Unix seconds, or None.
        expected: The first figure of `check`.
        found: The second.
        allowed: By how much they may differ, for a figure that is not exact.
        note: What explains a difference, or why figures are not simply equal; may be empty.
    """

    check: Check
    scope: str
    name: str
    window_start: int | None
    window_end: int | None
    expected: int
    found: int
    allowed: int = 0
    note: str = ""

    @property
    def difference(self) -> int:
        """How much the second figure is above the first."""
        return self.found - self.expected

    @property
    def agrees(self) -> bool:
        """Whether the figures are one."""
        return abs(self.difference) <= self.allowed


def compare_ledger(counters: Iterable[tuple[Counter, int]]) -> list[Comparison]:
    """Compare each counter with the ledger's sum of its scope and window.

    The charges of lost workers and the records of other ledgers are taken off the counter first.
    """
    return [_with_ledger(counter, total) for counter, total in counters]


def compare_metrics(
    counters: Sequence[Counter], shown: Mapping[tuple[str, str], int]
) -> list[Comparison]:
    """Compare the newest window of each budget with what a gateway's metrics page shows.

    Args:
        counters: All windows of all budgets.
        shown: What the page shows, by scope and name. Budgets that it does not show (those that
            only count have no gauge) are not compared.
    """
    newest: dict[tuple[str, str], Counter] = {}
    for counter in counters:
        place = (counter.scope.value, counter.name)
        known = newest.get(place)
        if known is None or counter.window_start > known.window_start:
            newest[place] = counter
    return [
        _with_metric(scope, name, newest.get((scope, name)), amount)
        for (scope, name), amount in shown.items()
    ]


def compare_global(counters: Iterable[Counter], total: int, shown: int) -> Comparison:
    """Compare the ledger's total with what `/global/spend` shows.

    The route is the sum of what was ever spent at each provider. It counts what lost workers are
    charged, and what other ledgers have, too.

    Args:
        counters: All windows of all budgets; those that count the whole of a provider tell how
            much of the route's figure is no matter of this ledger.
        total: The ledger's sum of everything.
        shown: The route's figure.
    """
    whole = [c for c in counters if c.whole and c.scope is ScopeKind.PROVIDER]
    assumed, others = sum(c.assumed for c in whole), sum(c.others for c in whole)
    counted = shown - assumed - others
    return Comparison(
        check=Check.GLOBAL,
        scope=ScopeKind.GATEWAY.value,
        name=ScopeKind.GATEWAY.value,
        window_start=0,
        window_end=None,
        expected=total,
        found=counted,
        allowed=_float_slack(shown),
        note=" ".join((*_parts(assumed, others), *_reasons(total - counted))),
    )


_SAMPLE = re.compile(r"^" + SPENT_METRIC + r"\{(?P<labels>.*)\} (?P<value>\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def read_spent_metric(page: str) -> dict[tuple[str, str], int]:
    """Return what a Prometheus page says is spent, by scope and name, in nano-USD."""
    found: dict[tuple[str, str], int] = {}
    for sample in _SAMPLE.finditer(page):
        labels = {
            name: _ESCAPED.sub(lambda m: "\n" if m[1] == "n" else m[1], text)
            for name, text in _LABEL.findall(sample["labels"])
        }
        amount = Decimal(sample["value"]) * NANO
        nano = int(amount.to_integral_value(ROUND_HALF_EVEN))
        found[labels.get("scope", ""), labels.get("name", "")] = nano
    return found


def _with_ledger(counter: Counter, total: int) -> Comparison:
    counted = counter.spent - counter.assumed - counter.others
    return Comparison(
        check=Check.LEDGER,
        scope=counter.scope.value,
        name=counter.name,
        window_start=counter.window_start,
        window_end=counter.window_end,
        expected=total,
        found=counted,
        note=" ".join((*_parts(counter.assumed, counter.others), *_reasons(total - counted))),
    )


def _parts(assumed: int, others: int) -> list[str]:
    """Say what of a counter is not the ledger's matter."""
    said: list[str] = []
    if assumed:
        said.append(
            f"The counter has {format_usd(assumed)} USD more, charged for workers that "
            "were not heard of any more; the truth takes its place when their journals are read."
        )
    if others:
        said.append(
            f"The counter has {format_usd(others)} USD more, whose records are in other ledgers."
        )
    return said


def _reasons(missing: int) -> tuple[str, ...]:
    """Say why the ledger may have more than the counter, or less."""
    if missing == 0:
        return ()
    return (_LEDGER_HAS_MORE,) if missing > 0 else (_LEDGER_HAS_LESS,)


def _with_metric(scope: str, name: str, counter: Counter | None, shown: int) -> Comparison:
    spent = counter.spent if counter is not None else 0
    note = ""
    if counter is None and shown:
        note = "The budget store knows nothing of this budget: the gateway uses another store."
    elif abs(spent - shown) > _float_slack(shown):
        note = "A gateway shows what it heard last, up to a second ago: ask again."
    return Comparison(
        check=Check.METRIC,
        scope=scope,
        name=name,
        window_start=counter.window_start if counter is not None else None,
        window_end=counter.window_end if counter is not None else None,
        expected=spent,
        found=shown,
        allowed=_float_slack(shown),
        note=note,
    )


def _float_slack(amount: int) -> int:
    return abs(amount) // _FLOAT_DIGITS
