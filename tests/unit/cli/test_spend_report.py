"""The report of spend as a table, as JSON and as CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.ledger import DAY, NOON, MemoryLedger, entry
from tiergate.cli.spend_report import (
    NOTHING,
    SpendReport,
    as_csv,
    as_json,
    percent,
    printable,
    safe_cell,
    table,
)
from tiergate.core.ledger import Bucket, Filter, Group

KEY = "ab" * 32


def report(records, *groups: Group, bucket: Bucket | None = None, names=None) -> SpendReport:
    ledger = MemoryLedger(list(records))
    rows = asyncio.run(ledger.spend(groups, Filter(), bucket=bucket))
    total = asyncio.run(ledger.spend((), Filter()))
    return SpendReport(
        groups=groups,
        bucket=bucket,
        zone=ZoneInfo("UTC"),
        rows=tuple(rows),
        total=total[0] if total else NOTHING,
        key_names=names or {},
    )


RECORDS = (
    entry(1, cost=1_500_000_000, cache_read=10),
    entry(2, cost=1, served="cheap", status="failure"),
    entry(3, wall=NOON + DAY, cost=20_000_000_000),
)


def test_the_table_is_aligned_and_has_a_total():
    assert table(report(RECORDS, Group.ALIAS)).splitlines() == [
        "alias     calls  failed  input  cached  cache write  output      cost USD",
        "-------------------------------------------------------------------------",
        "frontier      2       0  2,010      10            0     400  21.500000000",
        "cheap         1       1  1,000       0            0     200   0.000000001",
        "-------------------------------------------------------------------------",
        "total         3       1  3,010      10            0     600  21.500000001",
    ]


def test_calendar_steps_come_first():
    lines = table(report(RECORDS, Group.ALIAS, bucket=Bucket.DAY)).splitlines()
    assert [line[:20].split() for line in lines[2:5]] == [
        ["2026-11-24", "frontier"],
        ["2026-11-24", "cheap"],
        ["2026-11-25", "frontier"],
    ]


def test_without_groups_there_is_the_total_alone():
    lines = table(report(RECORDS)).splitlines()
    assert len(lines) == 2
    assert lines[1].split()[-1] == "21.500000001"


def test_nothing_found_is_said():
    assert table(report((), Group.ALIAS)) == "No record matches."


def test_the_share_of_estimates_is_named():
    said = table(report([entry(1, cost=3, estimated=True), entry(2, cost=5)], Group.ALIAS))
    assert "0.000000003 USD (37.5 %) are estimates" in said


def test_tags_that_overlap_are_named_and_the_total_counts_once():
    said = table(report([entry(1, tags=("a", "b"), cost=10**9)], Group.TAG))
    assert "counts under each of its tags" in said
    costs = {line.split()[0]: line.split()[-1] for line in said.splitlines()[:6]}
    assert (costs["a"], costs["b"], costs["total"]) == ("1", "1", "1")


def test_savings_have_a_column_where_there_are_some():
    assert "saved USD" not in table(report(RECORDS, Group.ALIAS))
    assert "saved USD" in table(report([entry(saving=5)], Group.ALIAS))


def test_keys_are_shown_by_name_and_the_start_of_their_hash():
    records = [entry(1, key=KEY), entry(2, key=""), entry(3, key="cd" * 32)]
    said = table(report(records, Group.KEY, names={KEY: "build"}))
    assert "build (abababababab)" in said
    assert "(master key)" in said
    assert "cdcdcdcdcdcd " in said
    assert KEY not in said


def test_json_is_exact_and_names_its_groups():
    found = json.loads(
        as_json(report(RECORDS, Group.ALIAS, bucket=Bucket.DAY)), parse_float=Decimal
    )
    assert (found["by"], found["step"], found["timezone"]) == (["alias"], "day", "UTC")
    assert found["rows"][1] == {
        "start": "2026-11-24",
        "alias": "cheap",
        "calls": 1,
        "failed": 1,
        "input_tokens": 1000,
        "cached_input_tokens": 0,
        "cache_write_tokens": 0,
        "output_tokens": 200,
        "cost_usd": Decimal("0.000000001"),
        "saving_usd": 0,
        "estimated_usd": 0,
        "cost_nano_usd": 1,
    }
    assert found["total"]["cost_usd"] == Decimal("21.500000001")


def test_csv_has_a_header_and_can_be_summed():
    rows = list(csv.DictReader(io.StringIO(as_csv(report(RECORDS, Group.ALIAS)))))
    assert [row["alias"] for row in rows] == ["frontier", "cheap"]
    assert sum(Decimal(row["cost_usd"]) for row in rows) == Decimal("21.500000001")


@given(st.text())
def test_no_cell_is_a_formula_and_no_text_moves_the_cursor(text):
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert printable(text).isprintable()
    found = list(csv.reader(io.StringIO(as_csv(report([entry(end_user=text)], Group.END_USER)))))
    assert len(found[1]) == len(found[0])


@pytest.mark.parametrize(("part", "whole", "said"), [(1, 8, "12.5 %"), (0, 0, "0.0 %")])
def test_shares(part, whole, said):
    assert percent(part, whole) == said
