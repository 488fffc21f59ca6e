"""Reads the usage and cost files that providers export, and any other CSV whose columns are named.

Known forms, with the columns they are recognised by:

* Anthropic, usage CSV of the console: `usage_date_utc`, `model_version`,
  `usage_input_tokens_no_cache`, `usage_input_tokens_cache_write_5m`, `..._cache_write_1h`,
  `..._cache_read`, `usage_output_tokens`.
* Anthropic, cost CSV of the console: `usage_date_utc`, `model`, `token_type`, `cost_usd`.
* OpenAI, usage CSV of the platform: `start_time_iso` or `start_time`, `model`, `input_tokens`,
  `input_cached_tokens`, `output_tokens`, `num_model_requests`.
* OpenAI, cost CSV of the platform: `start_time_iso` or `start_time`, `amount_value`, `line_item`.
* The JSON pages of both providers' usage and cost APIs: `core.bill_pages`.

Nothing is compared here. Days are those of a time zone that the caller names; providers count in
UTC.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from tiergate.base.jsontypes import Json
from tiergate.base.money import NANO, nano_from_usd
from tiergate.core.bill_pages import read_pages
from tiergate.core.provider_bill import Bill, BillError, BillLine

COLUMN_ROLES = (
    "day", "model", "calls", "input", "cache_read", "cache_write", "output", "cost",
    "input_with_cache",
)  # fmt: skip
"""What a column of a CSV with named columns may be; `day` must be there."""

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Form:
    words: str
    provider: str
    columns: frozenset[str]
    read: Callable[[Row, tzinfo], BillLine]


def read_bill(text: str, zone: tzinfo, columns: Mapping[str, str] | None = None) -> Bill:
    """Read an exported file.

    Args:
        text: The whole file.
        zone: The zone whose days count, where the file has instants and no days.
        columns: The CSV's column for each role of `COLUMN_ROLES`; None recognises the form.

    Raises:
        BillError: The file has no known form, or a value that is no number or day.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        return read_pages(_decoded(text), zone)
    rows = list(csv.reader(text.splitlines()))
    if not rows:
        raise BillError("The file is empty.")
    header = [name.strip() for name in rows[0]]
    if columns is not None:
        return _read(_named(columns, header), header, rows[1:], zone)
    for form in _FORMS:
        if form.columns <= set(header):
            return _read(form, header, rows[1:], zone)
    raise BillError(
        "The file's columns are not those of a known export: "
        f"{', '.join(header[:12])}. Name them with --columns, for instance "
        f"--columns day={header[0]},model=...,input=...,output=...,cost=..."
    )


def _decoded(text: str) -> Json:
    try:
        # Decimals keep every digit of an amount; they leave as text.
        found: Json = json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as exc:
        raise BillError(f"The file is not valid JSON: {exc}.") from None
    return found


def _read(form: _Form, header: Sequence[str], rows: Sequence[Sequence[str]], zone: tzinfo) -> Bill:
    lines: list[BillLine] = []
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        try:
            lines.append(form.read(row, zone))
        except ValueError as exc:
            raise BillError(f"Line {number}: {exc}.") from None
    return Bill(form.provider, form.words, tuple(lines))


# ------------------------------------------------------------------ the known forms


def _anthropic_usage(row: Row, zone: tzinfo) -> BillLine:
    start = "usage_input_tokens_"
    writes = count(row.get(f"{start}cache_write_5m")) + count(row.get(f"{start}cache_write_1h"))
    return BillLine(
        day=day_of(row["usage_date_utc"], zone),
        model=row["model_version"],
        input=count(row[f"{start}no_cache"]),
        cache_read=count(row.get(f"{start}cache_read")),
        cache_write=writes,
        output=count(row["usage_output_tokens"]),
    )


def _anthropic_cost(row: Row, zone: tzinfo) -> BillLine:
    cost, slack = money(row["cost_usd"])
    return BillLine(
        day=day_of(row["usage_date_utc"], zone), model=row["model"], cost=cost, slack=slack
    )


def _openai_usage(row: Row, zone: tzinfo) -> BillLine:
    read, written = (
        count(row.get("input_cached_tokens")),
        count(row.get("input_cache_write_tokens")),
    )
    return BillLine(
        day=day_of(row.get("start_time_iso") or row.get("start_time", ""), zone),
        model=row["model"],
        calls=count(row.get("num_model_requests")),
        # OpenAI counts what the cache served as input too.
        input=count(row["input_tokens"]) - read - written,
        cache_read=read,
        cache_write=written,
        output=count(row["output_tokens"]),
    )


def _openai_cost(row: Row, zone: tzinfo) -> BillLine:
    cost, slack = money(row["amount_value"], row.get("amount_currency", ""))
    return BillLine(
        day=day_of(row.get("start_time_iso") or row.get("start_time", ""), zone),
        # "gpt-4o-2024-08-06, input": the model stands before the comma.
        model=row.get("line_item", "").partition(",")[0],
        cost=cost,
        slack=slack,
    )


_FORMS = (
    _Form(
        "Anthropic usage (CSV)",
        "anthropic",
        frozenset(
            {
                "usage_date_utc",
                "model_version",
                "usage_input_tokens_no_cache",
                "usage_output_tokens",
            }
        ),
        _anthropic_usage,
    ),
    _Form(
        "Anthropic cost (CSV)",
        "anthropic",
        frozenset({"usage_date_utc", "model", "token_type", "cost_usd"}),
        _anthropic_cost,
    ),
    _Form(
        "OpenAI usage (CSV)",
        "openai",
        frozenset({"start_time", "model", "input_tokens", "output_tokens"}),
        _openai_usage,
    ),
    _Form("OpenAI cost (CSV)", "openai", frozenset({"start_time", "amount_value"}), _openai_cost),
)


# ------------------------------------------------------------------ columns that the user names


def _named(columns: Mapping[str, str], header: Sequence[str]) -> _Form:
    """Return the form of a CSV whose columns the user names."""
    for role, column in columns.items():
        if role not in COLUMN_ROLES:
            raise BillError(
                f"{role!r} is no kind of column; choose from {', '.join(COLUMN_ROLES)}."
            )
        if column not in header:
            raise BillError(f"The file has no column {column!r}; it has {', '.join(header)}.")
    if "day" not in columns:
        raise BillError("Say which column is the day: --columns day=COLUMN,...")
    if "input" in columns and "input_with_cache" in columns:
        raise BillError("Name either `input` or `input_with_cache`, not both.")

    def read(row: Row, zone: tzinfo) -> BillLine:
        def number(role: str) -> int | None:
            return count(row.get(columns[role])) if role in columns else None

        read, written, plain = number("cache_read"), number("cache_write"), number("input")
        both = number("input_with_cache")
        if both is not None:
            plain = both - (read or 0) - (written or 0)
        priced = "cost" in columns
        cost, slack = money(row.get(columns["cost"], "")) if priced else (None, 0)
        return BillLine(
            day=day_of(row.get(columns["day"], ""), zone),
            model=row.get(columns["model"], "") if "model" in columns else "",
            calls=number("calls"),
            input=plain,
            cache_read=read,
            cache_write=written,
            output=number("output"),
            cost=cost,
            slack=slack,
        )

    return _Form("CSV with named columns", "", frozenset(columns.values()), read)


# ------------------------------------------------------------------ values


def day_of(text: str, zone: tzinfo) -> date:
    """Return the day of a text: a day, an instant in ISO 8601, or Unix seconds.

    Raises:
        ValueError: It is none of these.
    """
    text = text.strip()
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), zone).date()
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no day") from None
    return found.astimezone(zone).date() if found.tzinfo is not None else found.date()


def count(text: str | None) -> int:
    """Return a number of tokens or calls; an empty cell is 0.

    Raises:
        ValueError: It is no whole number.
    """
    plain = (text or "").strip().replace(",", "").replace("_", "")
    if not plain:
        return 0
    try:
        number = Decimal(plain)
        if number == int(number):
            return int(number)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise ValueError(f"{text!r} is no whole number")


def money(text: str, currency: str = "usd") -> tuple[int, int]:
    """Return an amount in nano-USD, and by how much the file's rounding may have moved it.

    An empty cell is 0, as days without use have it.

    Raises:
        ValueError: It is no amount, or of another currency than USD.
    """
    if currency and currency.lower() != "usd":
        raise ValueError(f"the amount is in {currency}; only USD can be compared")
    plain = text.strip().replace(",", "").removeprefix("$")
    if not plain:
        return 0, 0
    nano = nano_from_usd(plain)
    exponent = Decimal(plain).as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return nano, NANO // (2 * 10**decimals)
