"""What is printed of a reconciliation: differences, reasons, and which side is larger."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from tiergate.cli.reconcile_report import as_json, as_text
from tiergate.core.provider_bill import Bill, BillLine
from tiergate.core.reconcile import OurLine, reconcile

DAY = date(2026, 11, 24)


def line(model: str = "gpt-5", **given) -> OurLine:
    values = {"calls": 1, "input": 100, "cache_read": 0, "cache_write": 0, "output": 10,
              "cost": 10**9, "estimated": 0, **given}  # fmt: skip
    return OurLine(day=DAY, model=model, **values)


def compared(bill: list[BillLine], ours: list[OurLine]):
    made = Bill("openai", "OpenAI usage (CSV)", tuple(bill))
    return reconcile(made, ours, Decimal("0.5")), made


def text(bill, ours, *, everything=False) -> str:
    found, made = compared(bill, ours)
    return as_text(found, made, "openai", everything=everything)


def test_a_difference_is_absolute_and_in_per_cent():
    said = text([BillLine(day=DAY, model="gpt-5", input=80, cost=1_250_000_000)], [line()])
    assert "input tokens         ledger 100  bill 80  difference +20 (+25.00 %)  <-" in said
    assert "cost USD             ledger 1  bill 1.25  difference -0.25 (-20.00 %)  <-" in said
    assert "The bill is larger: cost USD by 0.25 (-20.00 %)." in said


def test_days_that_agree_are_shown_when_asked_for():
    bill, ours = [BillLine(day=DAY, model="gpt-5", input=100)], [line()]
    assert "2026-11-24  gpt-5" not in text(bill, ours)
    assert "2026-11-24  gpt-5  agrees" in text(bill, ours, everything=True)
    assert "1 of 1 days and models agree" in text(bill, ours)


def test_what_only_one_side_has_is_said():
    said = text([BillLine(day=DAY, model="gpt-5", input=0)], [line()])
    assert "the bill has none" in said


def test_names_cannot_move_the_cursor():
    said = text([BillLine(day=DAY, model="gpt\x1b[2J", input=1)], [])
    assert "\x1b" not in said


def test_json_is_exact():
    found, made = compared([BillLine(day=DAY, model="gpt-5", cost=10**9 + 1)], [line()])
    read = json.loads(as_json(found, made, "openai"), parse_float=Decimal)
    assert (read["agrees"], read["provider"], read["form"]) == (True, "openai", made.form)
    (row,) = read["rows"]
    assert row["day"] == "2026-11-24"
    assert row["figures"]["cost"]["difference"] == Decimal("-0.000000001")
