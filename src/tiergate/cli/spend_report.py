"""Writes what `tiergate spend` found: a table for people, JSON and CSV for programs.

Pure. USD are exact. Names that callers chose are made harmless: no control characters on a
terminal, no formulas in a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from tiergate.base.money import format_usd
from tiergate.core.exact_json import Exact, ExactObject, Usd, encode
from tiergate.core.ledger import Bucket, Group, SpendRow

_FIGURES = (
    "calls", "failed", "input_tokens", "cached_input_tokens", "cache_write_tokens",
    "output_tokens", "cost_usd", "saving_usd", "estimated_usd",
)  # fmt: skip
_HEADS = ("calls", "failed", "input", "cached", "cache write", "output", "cost USD")
_SAVED_HEAD = "saved USD"
"""A column of its own only where a cache has saved something."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_HASH_LENGTH = 64
_HASH_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendReport:
    """What was asked, and what the ledger answered.

    Attributes:
        groups: The columns.
        bucket: The calendar step, if one was asked for.
        zone: The time zone of days.
        rows: The sums.
        total: The sum of everything asked for; not the sum of the rows where a call counts in
            several (tags).
        key_names: What virtual keys are called, by SHA-256.
    """

    groups: tuple[Group, ...]
    bucket: Bucket | None
    zone: tzinfo
    rows: tuple[SpendRow, ...]
    total: SpendRow
    key_names: Mapping[str, str]


NOTHING = SpendRow(
    keys=(),
    start=None,
    calls=0,
    failed=0,
    input=0,
    output=0,
    cached=0,
    written=0,
    cost=0,
    saving=0,
    estimated=0,
)
"""The total where there is no record."""


def table(report: SpendReport) -> str:
    """Return the report as lines for a terminal: aligned, with a total."""
    saved = report.total.saving != 0
    words = [*_step_head(report), *(group.value.replace("_", " ") for group in report.groups)]
    heads = [*words, *_HEADS, *([_SAVED_HEAD] if saved else [])]
    left, money = len(words), 2 if saved else 1
    body = [
        [*_step(row, report), *_shown_keys(row, report), *_cells(row, saved=saved)]
        for row in (report.rows if left else ())
    ]
    total = [*["total", *[""] * (left - 1)][:left], *_cells(report.total, saved=saved)]
    lines = _align([heads, *body, total], left, money)
    if left and not report.rows:
        return "No record matches."
    if left:
        rule = "-" * max(len(line) for line in lines)
        lines = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
    return "\n".join([*lines, *_remarks(report)])


def as_json(report: SpendReport) -> str:
    """Return the report as one JSON object; `cost_nano_usd` is the exact integer."""
    rows: list[Exact] = [
        {
            **({"start": _day(row, report.zone)} if report.bucket is not None else {}),
            **{group.value: key for group, key in zip(report.groups, row.keys, strict=True)},
            **_figures(row),
        }
        for row in report.rows
    ]
    names: ExactObject = dict(report.key_names)
    return encode(
        {
            "by": [group.value for group in report.groups],
            "step": report.bucket.value if report.bucket is not None else None,
            "timezone": str(report.zone),
            "rows": rows,
            "total": _figures(report.total),
            **({"key_names": names} if names else {}),
        }
    )


def as_csv(report: SpendReport) -> str:
    """Return the rows as CSV with a header; no total, so that columns can be summed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_step_head(report), *(g.value for g in report.groups), *_FIGURES])
    for row in report.rows:
        names = [safe_cell(printable(key)) for key in row.keys]
        figures = [_plain(value) for value in _figures(row).values()][: len(_FIGURES)]
        writer.writerow([*_step(row, report), *names, *figures])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def printable(text: str) -> str:
    """Return a text without control characters, which could move a terminal's cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def percent(part: int, whole: int) -> str:
    """Return a share in per cent with one decimal."""
    share = Decimal(100 * part) / whole if whole else Decimal(0)
    return f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)} %"


def _figures(row: SpendRow) -> ExactObject:
    return {
        "calls": row.calls,
        "failed": row.failed,
        "input_tokens": row.input + row.cached + row.written,
        "cached_input_tokens": row.cached,
        "cache_write_tokens": row.written,
        "output_tokens": row.output,
        "cost_usd": Usd(row.cost),
        "saving_usd": Usd(row.saving),
        "estimated_usd": Usd(row.estimated),
        "cost_nano_usd": row.cost,
    }


def _plain(value: Exact) -> str:
    return format_usd(value.nano) if isinstance(value, Usd) else str(value)


def _cells(row: SpendRow, *, saved: bool) -> list[str]:
    counts = (
        row.calls,
        row.failed,
        row.input + row.cached + row.written,
        row.cached,
        row.written,
        row.output,
    )
    money = (row.cost, row.saving) if saved else (row.cost,)
    return [*(f"{count:,}" for count in counts), *(format_usd(amount) for amount in money)]


def _shown_keys(row: SpendRow, report: SpendReport) -> list[str]:
    return [
        _shown(key, group, report.key_names)
        for group, key in zip(report.groups, row.keys, strict=True)
    ]


def _shown(key: str, group: Group, names: Mapping[str, str]) -> str:
    if group is Group.KEY and len(key) == _HASH_LENGTH:
        name = printable(names.get(key, ""))
        return f"{name} ({key[:_HASH_SHOWN]})" if name else key[:_HASH_SHOWN]
    if not key:
        return "(master key)" if group is Group.KEY else "(none)"
    return printable(key)


def _step_head(report: SpendReport) -> list[str]:
    return [report.bucket.value] if report.bucket is not None else []


def _step(row: SpendRow, report: SpendReport) -> list[str]:
    return [_day(row, report.zone)] if report.bucket is not None else []


def _day(row: SpendRow, zone: tzinfo) -> str:
    return datetime.fromtimestamp(row.start or 0, zone).date().isoformat()


def _align(rows: Sequence[Sequence[str]], left: int, money: int) -> list[str]:
    """Return rows as lines: `left` columns of words, then figures, `money` of them amounts."""
    decimals = max(len(cell.partition(".")[2]) for row in rows[1:] for cell in row[-money:])
    padded = [
        rows[0],
        *([*row[:-money], *(_pad(cell, decimals) for cell in row[-money:])] for row in rows[1:]),
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*padded, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in padded
    ]


def _pad(amount: str, decimals: int) -> str:
    """Return an amount with so many decimals that a column's points stand under each other."""
    whole, _, part = amount.partition(".")
    return f"{whole}.{part.ljust(decimals, '0')}" if decimals else whole


def _remarks(report: SpendReport) -> list[str]:
    said: list[str] = []
    total = report.total
    if total.estimated:
        said.append(
            f"{format_usd(total.estimated)} USD ({percent(total.estimated, total.cost)}) are "
            "estimates: the provider gave no usage, or the worker was lost."
        )
    if Group.TAG in report.groups and report.rows:
        said.append("A call counts under each of its tags, so the rows may add up to more.")
    return ["", *said] if said else []
