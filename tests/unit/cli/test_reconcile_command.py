"""`tiergate ledger reconcile`: a provider's file against a real ledger."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from support.books import BooksOnDisk
from support.ledger import DAY, NOON, entry

HEAD = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
    "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
    "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,"
    "web_search_count,inference_geo,speed\n"
)


def usage(day: str, tokens: int, output: int = 200) -> str:
    return f"{day},claude-opus-4-6-20260205,prod,Default,standard,,{tokens},0,0,0,{output},0,,\n"


@pytest.fixture
def books(tmp_path):
    books = BooksOnDisk.make(tmp_path)
    books.record(
        [
            entry(1, cost=2_500_000_000),
            entry(2, wall=NOON + DAY),
            entry(3, provider="openai", model="gpt-5"),
            entry(4, wall=NOON - 30 * DAY),
        ]
    )
    return books


@pytest.fixture
def reconcile(books, tmp_path):
    def run(text: str, *args: str):
        file = tmp_path / "export.csv"
        file.write_text(text)
        return books.run("ledger", "reconcile", str(file), *args)

    return run


def test_a_bill_that_agrees_passes(reconcile):
    result = reconcile(HEAD + usage("2026-11-24", 1000) + usage("2026-11-25", 1000))
    assert result.exit_code == 0, result.output
    assert "Anthropic usage (CSV), anthropic, 2026-11-24 to 2026-11-25" in result.output
    assert "2 of 2 days and models agree" in result.output


def test_a_bill_that_does_not_agree_fails_and_says_why(reconcile):
    result = reconcile(HEAD + usage("2026-11-24", 1500) + usage("2026-11-25", 1000))
    assert result.exit_code == 1
    assert "2026-11-24  claude-opus-4-6-20260205  DIFFERS" in result.output
    assert "difference -500 (-33.33 %)" in result.output
    assert "used outside the gateway" in result.output
    assert "2026-11-25" not in result.output.split("\n", 1)[1]


def test_the_tolerance_can_be_set(reconcile):
    text = HEAD + usage("2026-11-24", 1040)
    assert reconcile(text).exit_code == 1
    assert reconcile(text, "--tolerance", "5").exit_code == 0


def test_days_are_cut_in_the_files_time_zone(reconcile):
    text = HEAD + usage("2026-11-24", 1000)
    assert reconcile(text, "--tz", "Pacific/Kiritimati").exit_code == 1, (
        "noon is the next day there"
    )


def test_any_csv_is_read_with_its_columns_named(reconcile):
    text = "When,What,Dollars\n2026-11-24,claude-opus-4-6,2.50\n"
    columns = ("--columns", "day=When,model=What,cost=Dollars")
    assert reconcile(text, *columns, "--provider", "anthropic").exit_code == 0
    refused = reconcile(text, *columns)
    assert refused.exit_code == 2
    assert "give --provider" in refused.output


def test_json_is_exact(reconcile):
    found = json.loads(
        reconcile(HEAD + usage("2026-11-24", 1000), "--json").output, parse_float=Decimal
    )
    assert found["total"]["figures"]["input"] == {
        "ledger": 1000, "bill": 1000, "difference": 0, "percent": "0.0000", "agrees": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options", "code", "says"),
    [
        ("x,y\n1,2\n", [], 1, "--columns day=x"),
        (HEAD, [], 1, "has no day in it"),
        (HEAD + usage("someday", 1), [], 1, "Line 2: 'someday' is no day"),
        (HEAD + usage("2026-11-24", 1), ["--tolerance", "lots"], 2, "not a number of per cent"),
        (HEAD + usage("2026-11-24", 1), ["--tz", "Mars"], 2, "no time zone"),
        (HEAD + usage("2026-11-24", 1), ["--columns", "day"], 2, "not ROLE=COLUMN"),
    ],
)
def test_what_cannot_be_read_is_said(reconcile, text, options, code, says):
    result = reconcile(text, *options)
    assert result.exit_code == code
    assert says in result.output


def test_a_file_that_is_no_text_is_refused(books, tmp_path):
    file = tmp_path / "export.csv"
    file.write_bytes(b"\xff\xfe\x00")
    result = books.run("ledger", "reconcile", str(file))
    assert result.exit_code == 1
    assert "not a text file in UTF-8" in result.output
