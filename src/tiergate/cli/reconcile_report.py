"""Writes what `tiergate ledger reconcile` found: text for people, JSON for programs. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tiergate.base.money import format_usd
from tiergate.cli.spend_report import printable
from tiergate.core.exact_json import Exact, ExactObject, Usd, encode
from tiergate.core.provider_bill import Bill
from tiergate.core.reconcile import Difference, Kind, Matched, Reconciliation

_WORDS = {
    Kind.CALLS: "calls",
    Kind.INPUT: "input tokens",
    Kind.CACHE_READ: "cached input tokens",
    Kind.CACHE_WRITE: "cache write tokens",
    Kind.OUTPUT: "output tokens",
    Kind.COST: "cost USD",
}
_WIDTH = max(len(words) for words in _WORDS.values())


def as_text(found: Reconciliation, bill: Bill, provider: str, *, everything: bool) -> str:
    """Return the comparison as text: the rows that differ, their reasons, and the total."""
    days = sorted({line.day for line in bill.lines})
    lines = [f"{bill.form}, {provider}, {days[0].isoformat()} to {days[-1].isoformat()}"]
    for row in found.rows:
        if everything or not row.agrees:
            lines += ["", *_row(row)]
    agreeing = sum(row.agrees for row in found.rows)
    lines += ["", "Total", *_differences(found.total), ""]
    by = "days and models" if any(row.model for row in found.rows) else "days"
    lines.append(f"{agreeing} of {len(found.rows)} {by} agree within the tolerance.")
    if not found.agrees:
        lines.append(_larger(found.total))
    return "\n".join(lines)


def as_json(found: Reconciliation, bill: Bill, provider: str) -> str:
    """Return the comparison as one JSON object."""
    rows: list[Exact] = [_object(row) for row in found.rows]
    return encode(
        {
            "agrees": found.agrees,
            "form": bill.form,
            "provider": provider,
            "rows": rows,
            "total": _object(found.total),
        }
    )


def _row(row: Matched) -> list[str]:
    day = row.day.isoformat() if row.day is not None else ""
    name = printable(row.model) if row.model else "all models"
    return [
        f"{day}  {name}  {'agrees' if row.agrees else 'DIFFERS'}",
        *_differences(row),
        *(f"    {reason}" for reason in row.reasons),
    ]


def _differences(row: Matched) -> list[str]:
    return [f"  {_difference(difference)}" for difference in row.differences]


def _difference(each: Difference) -> str:
    words = _WORDS[each.kind].ljust(_WIDTH)
    line = f"{words}  ledger {_amount(each, each.ours)}  bill {_amount(each, each.theirs)}"
    if each.amount == 0:
        return line
    mark = "" if each.agrees else "  <-"
    return f"{line}  difference {_signed(each)} ({_percent(each)}){mark}"


def _amount(each: Difference, value: int) -> str:
    return format_usd(value) if each.kind is Kind.COST else f"{value:,}"


def _signed(each: Difference) -> str:
    return f"{'+' if each.amount > 0 else ''}{_amount(each, each.amount)}"


def _percent(each: Difference) -> str:
    share = each.percent
    if share is None:
        return "the bill has none"
    return f"{share.quantize(Decimal('0.01'), ROUND_HALF_UP):+f} %"


def _larger(total: Matched) -> str:
    """Say which side is larger on the whole, by the figure that counts most."""
    by_kind = {difference.kind: difference for difference in total.differences}
    chief = by_kind.get(Kind.COST) or by_kind.get(Kind.OUTPUT)
    if chief is None or chief.amount == 0:
        return "On the whole neither side is larger: single days or models differ."
    side = "ledger" if chief.amount > 0 else "bill"
    amount = _amount(chief, abs(chief.amount))
    return f"The {side} is larger: {_WORDS[chief.kind]} by {amount} ({_percent(chief)})."


def _object(row: Matched) -> ExactObject:
    figures: ExactObject = {
        each.kind.value: {
            "ledger": _exact(each, each.ours),
            "bill": _exact(each, each.theirs),
            "difference": _exact(each, each.amount),
            "percent": f"{each.percent:.4f}" if each.percent is not None else None,
            "agrees": each.agrees,
        }
        for each in row.differences
    }
    reasons: list[Exact] = [*row.reasons]
    return {
        "day": row.day.isoformat() if row.day is not None else None,
        "model": row.model or None,
        "agrees": row.agrees,
        "figures": figures,
        "reasons": reasons,
    }


def _exact(each: Difference, value: int) -> Exact:
    return Usd(value) if each.kind is Kind.COST else value
